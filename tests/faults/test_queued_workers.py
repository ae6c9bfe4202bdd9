"""Workers that RQ wakes, as processes over MySQL and Redis: killed, stopped, many at once, and without their Redis."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import text

from adapters.sql.engine import create_engine_for
from tests.servers.own import OwnServer
from tests.service_process import Client, Service, WorkerProcess, direct_session, eventually, worker

ROWS = 30_000
FEW_ROWS = 1_000
NO_WORKER = ("entrypoints", "serve", "--no-worker")


def leads_of(name: str, rows: int) -> bytes:
    return ("Name,Email\n" + "".join(f"Lead {it},{name}{it}@example.com\n" for it in range(rows))).encode()


@pytest.fixture
def one(tmp_path: Path, mysql_database: str, redis_url: str) -> Iterator[Service]:
    yield from served(tmp_path, mysql_database, redis_url)


@pytest.fixture
def with_private_redis(tmp_path: Path, mysql_database: str, private_redis: OwnServer) -> Iterator[Service]:
    yield from served(tmp_path, mysql_database, private_redis.url)


def served(folder: Path, database: str, redis: str) -> Iterator[Service]:
    settings = {"UNITE_DATABASE_URL": database, "UNITE_REDIS_URL": redis}
    it = Service(folder, settings, command=NO_WORKER)
    try:
        it.start()
        yield it
    finally:
        it.kill_all()


def asked(one: Service, question: str) -> list[tuple[Any, ...]]:
    """What the database itself answers."""
    engine = create_engine_for(one.settings["UNITE_DATABASE_URL"])
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(question))]
    finally:
        engine.dispose()


def begin(client: Client, rows: int = ROWS) -> str:
    """An import that has come some rows far."""
    import_id = client.import_leads(leads_of("lead", rows))
    eventually(lambda: client.lead_import(import_id)["counts"]["rows"], "the import has begun")
    return import_id


def complete(client: Client, import_id: str, rows: int = ROWS) -> None:
    eventually(lambda: client.lead_import(import_id)["status"] == "completed", "the import completes")
    counts = client.lead_import(import_id)["counts"]
    assert (counts["rows"], counts["created"]) == (rows, rows)


def messages(*workers: WorkerProcess) -> list[str]:
    return [line["message"] for each in workers for line in each.lines()]


def completed(*workers: WorkerProcess) -> list[str]:
    """The imports that these workers say they have completed, each as often as it is said."""
    lines = (line for each in workers for line in each.lines())
    return [line["import_id"] for line in lines if line["message"] == "The import is completed."]


def test_two_workers_take_ten_imports_at_once_and_do_each_once(one: Service) -> None:
    client = one.client()
    with worker(one, "ann") as ann, worker(one, "ben") as ben:
        imports = [client.import_leads(leads_of(f"lead-{it}-", FEW_ROWS)) for it in range(10)]

        for import_id in imports:
            complete(client, import_id, FEW_ROWS)

        eventually(lambda: {*completed(ann, ben)} == {*imports}, "each is done")
        # What is still in the queues, and what is logged late, comes before the workers have stopped.
        assert [ann.stop(signal.SIGTERM), ben.stop(signal.SIGTERM)] == [0, 0]
        assert sorted(completed(ann, ben)) == sorted(imports)
        assert {line["level"] for each in (ann, ben) for line in each.lines()} == {"INFO"}
    assert asked(one, "SELECT COUNT(*), COUNT(DISTINCT email) FROM leads") == [(10_000, 10_000)]


def test_what_a_killed_worker_leaves_another_one_completes(one: Service) -> None:
    client = one.client()
    with worker(one, "ann") as ann:
        import_id = begin(client)
        # On a busy machine the other one takes so long to start that nothing of the import would be left.
        ann.freeze()
        assert client.lead_import(import_id)["status"] == "running", "it was frozen too late"
        with worker(one, "ben") as ben:
            ann.kill()

            complete(client, import_id)

            eventually(lambda: "The import is completed." in messages(ben), "the other worker did it")
    assert asked(one, "SELECT COUNT(*), COUNT(DISTINCT email) FROM leads") == [(ROWS, ROWS)]


@pytest.mark.parametrize("numbers", [(signal.SIGTERM,), (signal.SIGINT, signal.SIGTERM)])
def test_a_worker_that_is_told_to_stop_lets_go_of_its_import(one: Service, numbers: tuple[int, ...]) -> None:
    client = one.client()
    with worker(one, "ann") as ann:
        import_id = begin(client)

        assert ann.stop(*numbers) == 0

        assert asked(one, "SELECT status, holder FROM lead_imports") == [("running", None)]
        with Redis.from_url(one.settings["UNITE_REDIS_URL"]) as redis:
            assert redis.lrange("rq:queue:imports", 0, -1) == [f"run_import-{import_id}".encode()]
        with worker(one, "ben"):
            complete(client, import_id)


def test_without_redis_requests_succeed_and_imports_complete(
    with_private_redis: Service, private_redis: OwnServer
) -> None:
    one = with_private_redis
    client = one.client()
    with worker(one, "ann") as ann:
        first = begin(client)

        private_redis.stop()

        second = client.import_leads(leads_of("second", FEW_ROWS))
        complete(client, first)
        complete(client, second, FEW_ROWS)
        assert readiness(one) == ("degraded", "degraded")
        private_redis.start()
        eventually(lambda: messages(ann)[-1].startswith("Redis is back"), "the worker returns to the queues")
        third = client.import_leads(leads_of("third", FEW_ROWS))
        complete(client, third, FEW_ROWS)
        eventually(lambda: readiness(one) == ("ok", "ok"), "the service notices too")
        assert ann.stop(signal.SIGTERM) == 0


def readiness(one: Service) -> tuple[str, str]:
    with direct_session() as session:
        answer = session.get(f"{one.url}/health/ready", timeout=30)
    assert answer.status_code == 200
    assert answer.json()["checks"]["redis"]["breaker"] in ("closed", "open", "half_open")
    return answer.json()["status"], answer.json()["checks"]["redis"]["status"]


def test_a_worker_starts_without_redis_too(with_private_redis: Service, private_redis: OwnServer) -> None:
    private_redis.stop()
    client = with_private_redis.client()
    import_id = client.import_leads(leads_of("lead", FEW_ROWS))

    with worker(with_private_redis, "ann"):
        complete(client, import_id, FEW_ROWS)


def test_the_sweep_finds_an_import_whose_wake_up_was_lost(one: Service) -> None:
    client = one.client()
    client.session.headers["X-Correlation-ID"] = "found-by-the-sweep"
    import_id = client.import_leads(leads_of("lead", FEW_ROWS))
    with Redis.from_url(one.settings["UNITE_REDIS_URL"]) as redis:
        redis.flushdb()
    assert one.worker() is None

    with worker(one, "ann") as ann:
        complete(client, import_id, FEW_ROWS)

        import_lines = [line for line in ann.lines() if line.get("import_id") == import_id]
        assert {line["correlation_id"] for line in import_lines} == {"found-by-the-sweep"}
