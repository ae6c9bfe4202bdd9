"""Twenty people complete one call task at once, through a real service on a real database: it happens once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.live_scenario import TASKS, LiveScenario, Person, call_tasks, run_concurrently
from tests.service_process import Client, Service, eventually, service

TWENTY = 20


@pytest.fixture(params=["SQLite", "MySQL"])
def one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    on_mysql = request.param == "MySQL"
    database = {"UNITE_DATABASE_URL": request.getfixturevalue("mysql_database")} if on_mysql else {}
    with service(tmp_path, **database) as it:
        it.start()
        yield it


def completed(people: Sequence[Person], task_id: str, durations: Sequence[int]) -> list[requests.Response]:
    """The answers to all of them, each of whom says that they spoke for their duration."""
    calls = zip(people, durations, strict=True)
    return run_concurrently(
        [partial(person.complete, task_id, duration_seconds=duration) for person, duration in calls]
    )


def entries(client: Client, task_id: str) -> list[dict[str, Any]]:
    ledger = client.call("GET", f"{TASKS}/{task_id}/ledger")
    assert ledger["verified"]
    listed: list[dict[str, Any]] = ledger["entries"]
    return listed


def once_each(client: Client, lead_id: str) -> bool:
    """Whether the activity log tells once of each thing that is to happen to the lead."""
    counts = Counter(event["type"] for event in client.call("GET", f"/v1/leads/{lead_id}/activity")["items"])
    return counts == Counter(
        ["lead.created", "call_task.created", "call_task.assigned", "call_task.completed", "lead.changed"]
    )


def test_of_twenty_who_complete_a_task_at_once_one_has_an_effect_and_those_who_say_the_same_are_told_so(
    one: Service,
) -> None:
    scenario = LiveScenario(one.client())
    people = [scenario.add_user("agent"), *(scenario.add_user("manager") for _ in range(TWENTY - 1))]
    agent, manager, *_ = people
    leads = [scenario.lead(name, assigned_to=agent.id) for name in ("Grace Hopper", "Ada Lovelace")]
    agreed, disputed = call_tasks(manager, agent, leads)

    same = completed(people, agreed, [300] * TWENTY)
    different = completed(people, disputed, range(TWENTY))

    assert {answer.status_code for answer in same} == {200}
    assert {answer.text for answer in same} == {agent.client.session.get(f"{one.url}{TASKS}/{agreed}").text}
    assert Counter(answer.status_code for answer in different) == {200: 1, 409: TWENTY - 1}
    assert {answer.json()["code"] for answer in different if answer.status_code == 409} == {"task_closed"}
    (believed,) = (answer.json() for answer in different if answer.status_code == 200)
    (entry,) = entries(scenario.admin, disputed)
    assert entry["duration_seconds"] == believed["duration_seconds"]
    assert len(entries(scenario.admin, agreed)) == 1
    for lead_id in leads:
        eventually(partial(once_each, scenario.admin, lead_id), "the activity log tells of each thing once")
