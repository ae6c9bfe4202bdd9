"""MySQL is away in the middle of completions: what was answered is in the ledger, and what is repeated happens once."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event

import pytest
import requests
from sqlalchemy import create_engine, make_url

from tests.live_scenario import LOGS, LiveScenario, all_items, call_tasks
from tests.servers.own import OwnServer
from tests.service_process import Client, Service, eventually, run, service

TASKS = 80
CONCURRENCY = 4
BEFORE = 25
"""How many are tried before MySQL goes away, and how many while it is."""


@pytest.fixture
def one(tmp_path: Path, private_mysql: OwnServer) -> Iterator[Service]:
    url = make_url(private_mysql.url)
    root = create_engine(url, isolation_level="AUTOCOMMIT")
    with root.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE unite")
    root.dispose()
    database = url.set(database="unite").render_as_string(hide_password=False)
    with service(tmp_path, UNITE_DATABASE_URL=database) as it:
        it.start()
        yield it


def key_of(task_id: str) -> str:
    """The idempotency key that a task is completed by, however often that is tried."""
    return f"complete-{task_id}"


def logged(client: Client) -> Counter[str]:
    """How many entries the ledger has of each task."""
    return Counter(entry["task_id"] for entry in all_items(client, LOGS))


def ready(one: Service, client: Client) -> bool:
    answer = client.session.get(f"{one.url}/health/ready", timeout=60)
    return answer.ok


def have_a_minute_passed(one: Service) -> None:
    """Have every key run out that was claimed by a request which MySQL took with it."""
    engine = create_engine(one.settings["UNITE_DATABASE_URL"])
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE idempotency_answers SET claimed_until = claimed_at WHERE answered_at IS NULL"
        )
    engine.dispose()


def test_what_was_answered_stays_and_what_is_repeated_with_its_key_happens_once(
    one: Service, private_mysql: OwnServer
) -> None:
    scenario = LiveScenario(one.client())
    agent, manager = scenario.add_user("agent"), scenario.add_user("manager")
    tasks = call_tasks(manager, agent, [scenario.lead(f"Lead {number}") for number in range(TASKS)])
    some, away = Event(), Event()

    def attempt(number: int) -> int:
        if number >= BEFORE:
            some.set()
        if number >= TASKS - BEFORE:
            away.wait()
        return agent.complete(tasks[number], key_of(tasks[number])).status_code

    with ThreadPoolExecutor(CONCURRENCY) as threads:
        attempts = threads.map(attempt, range(TASKS))
        some.wait()
        private_mysql.kill()
        away.set()
        statuses = dict(zip(tasks, attempts, strict=True))
    private_mysql.start()
    eventually(partial(ready, one, scenario.admin), "the service is ready again")
    done = [task_id for task_id, status in statuses.items() if status == requests.codes.ok]
    failed = [task_id for task_id in tasks if task_id not in done]
    afterwards = logged(scenario.admin)

    repeated = {task_id: agent.complete(task_id, key_of(task_id)) for task_id in failed}
    unfinished = [task_id for task_id, answer in repeated.items() if answer.status_code == requests.codes.conflict]
    have_a_minute_passed(one)
    repeated |= {task_id: agent.complete(task_id, key_of(task_id)) for task_id in unfinished}

    assert len(done) > BEFORE - CONCURRENCY
    assert len(failed) >= BEFORE
    assert {statuses[task_id] for task_id in failed} == {requests.codes.service_unavailable}
    assert set(done) <= set(afterwards)
    assert len(unfinished) <= CONCURRENCY, "only what was under way has to wait until its claim runs out"
    assert {answer.status_code for answer in repeated.values()} == {requests.codes.ok}
    assert logged(scenario.admin) == Counter(tasks)
    verified = run(one.folder, "verify-ledger", **one.settings)
    assert (verified.returncode, verified.stderr) == (0, ""), verified.stdout
    assert f"{TASKS} entries of {TASKS} call tasks" in verified.stdout
