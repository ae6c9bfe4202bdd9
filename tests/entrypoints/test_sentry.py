"""Tests of real processes with a stand-in for Sentry: each error is sent once, without data, and never awaited."""

import logging
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sentry_sdk import HttpTransport
from sentry_sdk.worker import BackgroundWorker

from entrypoints.error_tracking import FLUSH_SECONDS, start
from entrypoints.error_tracking.client import MAX_QUEUED, SentryClient
from entrypoints.settings import Sentry, read_settings
from tests.servers.sentry import SentryStandIn, a_sentry
from tests.service_process import TIMEOUT, Client, Service, environment, eventually, free_port, run, service, worker
from unite_core import __version__

PLANTED = {
    "name": "Hedy Lamarr",
    "phone": "+12125550177",
    "national phone": "(212) 555-0177",
    "email": "hedy.lamarr@example.com",
    "password": "tulip garden moonlight",
    "note": "Prefers calls in the morning",
    "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkwIn0.c2lnbmF0dXJl",
}
ID = "from-the-client.0001"
IMPORTS = 20


@pytest.fixture
def sentry() -> Iterator[SentryStandIn]:
    with a_sentry() as stand_in:
        yield stand_in


@pytest.fixture
def one(tmp_path: Path, sentry: SentryStandIn) -> Iterator[Service]:
    with service(tmp_path, UNITE_SENTRY_DSN=sentry.dsn, UNITE_SENTRY_ENVIRONMENT="staging") as one:
        yield one


def break_table(folder: Path, name: str) -> None:
    """Rename a table of the database while the service uses it."""
    with closing(sqlite3.connect(folder / "var" / "unite.sqlite3", timeout=TIMEOUT)) as database:
        database.execute(f"ALTER TABLE {name} RENAME TO {name}_gone")
        database.commit()


def leaks(sentry: SentryStandIn) -> list[str]:
    """Return the planted data that was sent."""
    texts = "".join(sentry.envelopes())
    words = [*PLANTED.values(), *PLANTED["name"].split(), PLANTED["phone"][1:], "5550177"]
    return [word for word in words if word in texts]


def fail(client: Client, correlation_id: str) -> None:
    """Send a request that contains all planted data and fails."""
    everything = ", ".join(PLANTED.values())
    answer = client.session.post(
        f"{client.url}/v1/leads",
        json={name: PLANTED[name] for name in ("name", "phone", "email")} | {"source": "web", "company": everything},
        headers={"X-Correlation-ID": correlation_id, "User-Agent": everything, "Cookie": f"unite_session={everything}"},
        timeout=TIMEOUT,
    )
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error"), answer.text


def test_each_failed_request_and_job_is_one_event_and_a_refused_request_is_none(
    one: Service, sentry: SentryStandIn
) -> None:
    one.start()
    client = one.client()
    for path, method in (("/v1/nothing", "GET"), ("/v1/leads", "PATCH"), ("/v1/leads?limit=x", "GET")):
        assert client.session.request(method, one.url + path, timeout=TIMEOUT).status_code in (400, 404, 405)
    assert client.session.post(f"{one.url}/v1/leads", json={"name": ""}, timeout=TIMEOUT).status_code == 422
    break_table(one.folder, "leads")

    fail(client, ID)
    fail(client, f"{ID}.2")
    break_table(one.folder, "call_tasks")
    eventually(lambda: "in the job entrypoints.worker.jobs.mark_missed" in one.log.read_text(), "a job has failed")

    assert one.stop() == 0
    events = sentry.events(component="http")
    assert [event["tags"]["correlation_id"] for event in events] == [ID, f"{ID}.2"]
    event = events[0]
    assert (event["release"], event["environment"]) == (f"unite@{__version__}", "staging")
    assert (event["level"], event["transaction"]) == ("error", "POST /v1/leads")
    assert event["exception"]["values"][0]["value"] == "no such table: leads"
    assert leaks(sentry) == []
    assert not {"server_name", "user", "request", "breadcrumbs", "modules"} & event.keys()
    assert "mark_missed" in [job["transaction"] for job in sentry.events(component="worker")]


def test_a_killed_process_is_an_event_of_its_supervisor(one: Service, sentry: SentryStandIn) -> None:
    one.start()
    died = eventually(one.worker, "there is a worker")

    os.kill(died, signal.SIGKILL)

    (event,) = eventually(lambda: sentry.events(component="serve"), "its end is sent")
    assert event["logentry"]["formatted"].startswith("The worker ended with -9;")
    eventually(lambda: one.worker() not in (None, died), "another worker is there")
    assert one.stop() == 0


def test_every_failing_job_is_an_event_once_its_worker_has_ended(
    tmp_path: Path, sentry: SentryStandIn, redis_url: str
) -> None:
    (tmp_path / "dsn").write_text(sentry.dsn)
    settings = {"UNITE_REDIS_URL": redis_url, "UNITE_SENTRY_DSN_FILE": str(tmp_path / "dsn")}
    one = Service(tmp_path, settings, command=("entrypoints", "serve", "--no-worker"))
    try:
        one.start()
        client = one.client()
        files = [f"Name,Phone\n{PLANTED['name']} {it},+121255501{it:02}\n".encode() for it in range(IMPORTS)]
        imports = {client.import_leads(file, f"{PLANTED['name']}.csv") for file in files}
        break_table(tmp_path, "leads")

        with worker(one, "worker") as working:

            def failed() -> set[str]:
                ids = [line.get("job_id", "") for line in working.lines() if line["level"] == "ERROR"]
                return {job_id.rpartition("-")[0] for job_id in ids if job_id.startswith("run_import")}

            eventually(lambda: len(failed()) == IMPORTS, "each has failed at least once")
            assert working.stop(signal.SIGTERM) == 0

        events = [it for it in sentry.events(component="worker") if it["transaction"].startswith("run_import")]
        assert sorted(it["transaction"] for it in events) == sorted(f"run_import {it}" for it in imports)
        assert len({event["tags"]["correlation_id"] for event in events}) == IMPORTS
        assert leaks(sentry) == []
    finally:
        one.kill_all()


def test_a_failing_command_is_one_event_and_a_refused_one_is_none(tmp_path: Path, sentry: SentryStandIn) -> None:
    dsn = {"UNITE_SENTRY_DSN": sentry.dsn}
    create = ("users", "create", PLANTED["email"], "--name", PLANTED["name"], "--phone", PLANTED["phone"])
    assert run(tmp_path, *create, text=f"{PLANTED['password']}\n{PLANTED['password']}\n", **dsn).returncode == 0
    assert run(tmp_path, *create, text=f"{PLANTED['password']}\n{PLANTED['password']}\n", **dsn).returncode == 1
    assert sentry.events() == []
    break_table(tmp_path, "users")

    ended = run(tmp_path, *create, text=f"{PLANTED['password']}\n{PLANTED['password']}\n", **dsn)

    assert ended.returncode == 1
    assert "no such table: users" in ended.stderr
    (event,) = sentry.events()
    assert (event["tags"]["component"], event["environment"], event["level"]) == ("command", "development", "fatal")
    assert leaks(sentry) == []


def test_an_unresponsive_sentry_delays_no_request_and_no_shutdown(one: Service, sentry: SentryStandIn) -> None:
    sentry.hang()
    one.start()
    client = one.client()
    break_table(one.folder, "leads")

    for number in range(3):
        fail(client, f"{ID}.{number}")
    eventually(lambda: sentry.requests, "an event is on its way")

    assert one.stop() == 0
    assert one.processes() == []
    assert sentry.events() == []


def test_an_unreachable_sentry_is_logged_and_the_service_stays_ready(tmp_path: Path) -> None:
    nobody = f"http://key@127.0.0.1:{free_port()}/1"
    with service(tmp_path, UNITE_SENTRY_DSN=nobody) as one:
        one.start()
        client = one.client()
        break_table(tmp_path, "leads")

        for number in range(3):
            fail(client, f"{ID}.{number}")

        eventually(lambda: "Errors do not reach Sentry: network." in one.log.read_text(), "it is logged")
        assert client.call("GET", "/health/ready")["status"] == "ok"
        assert one.stop() == 0
        assert nobody not in one.log.read_text()


def project(sentry: SentryStandIn, **changes: Any) -> Sentry:
    return Sentry(**{"dsn": sentry.dsn, "environment": "test", "sample_rate": 1.0, **changes})


def an_event(number: int = 0) -> dict[str, Any]:
    return {"tags": {"number": str(number)}, "server_name": "a name", "user": {"email": PLANTED["email"]}}


def test_only_known_fields_are_sent(sentry: SentryStandIn) -> None:
    client = SentryClient(project(sentry))

    client.send(an_event())
    client.flush(TIMEOUT)

    (event,) = sentry.events()
    assert event["tags"] == {"number": "0"}
    assert not {"server_name", "user"} & event.keys()


@pytest.mark.parametrize(("rate", "least", "most"), [(0.0, 0, 0), (0.5, 1, 99), (1.0, 100, 100)])
def test_the_configured_sample_rate_of_events_is_sent(
    sentry: SentryStandIn, rate: float, least: int, most: int
) -> None:
    client = SentryClient(project(sentry, sample_rate=rate))

    for number in range(100):
        client.send(an_event(number))
    client.flush(TIMEOUT)

    assert least <= len(sentry.events()) <= most


def test_flushing_to_an_unresponsive_sentry_times_out_and_events_beyond_the_maximum_are_dropped(
    sentry: SentryStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    sentry.hang()
    client = SentryClient(project(sentry))
    for number in range(2 * MAX_QUEUED):
        client.send(an_event(number))

    flushing = Thread(target=client.flush, args=(FLUSH_SECONDS,))
    flushing.start()
    flushing.join(TIMEOUT)

    assert not flushing.is_alive()
    assert caplog.messages == ["Errors do not reach Sentry: full_queue."]


def test_a_forked_process_sends_its_own_events(sentry: SentryStandIn) -> None:
    client = SentryClient(project(sentry))
    client.send(an_event(1))
    client.flush(TIMEOUT)

    assert isinstance(client._client.transport, HttpTransport)
    assert isinstance(client._client.transport._worker, BackgroundWorker)
    # Another thread may hold a lock at the moment of a fork; nobody releases it in the fork.
    with client._client.transport._worker._lock:
        child = os.fork()
        if child == 0:
            client.send(an_event(2))
            client.flush(TIMEOUT)
            os._exit(0)
    try:
        eventually(lambda: len(sentry.events()) == 2, "the fork sends its event", timeout=20)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    assert sorted(event["tags"]["number"] for event in sentry.events()) == ["1", "2"]


def test_starting_again_replaces_the_previous_handler(tmp_path: Path, sentry: SentryStandIn) -> None:
    root = logging.getLogger()
    before = root.handlers[:]
    tracking = read_settings(environment(tmp_path) | {"UNITE_SENTRY_DSN": sentry.dsn})
    try:
        start(tracking, "serve")
        start(tracking, "http")
        assert len(root.handlers) == len(before) + 1

        start(read_settings(environment(tmp_path)), "http")
        assert root.handlers == before
    finally:
        root.handlers[:] = before
