"""Tests of the `serve` command in real processes: start, stop, and what happens when a process dies."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service_process import Service, alive_in_session, direct_session, eventually, free_port, run, service


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Service]:
    with service(tmp_path) as it:
        it.migrates = True
        yield it


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_service_logs_its_address_and_stops_gracefully(one: Service, number: signal.Signals) -> None:
    # No test runs the main process, the server and the worker in its own process. Here and after a kill they run
    # all of their lines.
    one.measured = number is signal.SIGTERM
    one.start()
    eventually(lambda: "The worker is ready." in one.log.read_text(), "the worker is ready")
    begun = time.monotonic()

    assert one.stop(number) == 0

    assert time.monotonic() - begun < 30
    assert one.processes() == []
    lines = [json.loads(line) for line in one.log.read_text().splitlines()]
    lines_by_message = {line["message"]: line for line in lines}
    assert lines_by_message["The first admin was added."]["email"] == "a…@example.com"
    assert lines_by_message["Unite listens."]["address"] == one.url
    assert lines_by_message["Unite listens."]["docs"] == f"{one.url}/docs"
    assert {line["level"] for line in lines} == {"INFO"}
    assert "correct horse battery" not in one.log.read_text()


def test_an_admin_address_of_another_user_is_warned_about_and_creates_no_admin(one: Service, tmp_path: Path) -> None:
    agent = ("users", "create", "ann@example.com", "--name", "Ann", "--role", "agent")
    assert run(tmp_path, *agent, text="correct horse battery\n").returncode == 0

    one.start()

    assert "There is no admin: set UNITE_ADMIN_EMAIL" in one.log.read_text()


def test_plain_http_on_a_public_address_is_warned_about(tmp_path: Path) -> None:
    with service(tmp_path, UNITE_PUBLIC_URL="http://unite.example.com") as one:
        one.start()
        lines = [json.loads(line) for line in one.log.read_text().splitlines()]

    (warning,) = [line["message"] for line in lines if line["level"] == "WARNING"]
    assert "UNITE_PUBLIC_URL is http:// on a host that is not private" in warning


def test_a_request_is_logged_with_its_correlation_id(one: Service) -> None:
    one.start()

    with direct_session() as session:
        session.get(f"{one.url}/v1/me", headers={"X-Correlation-ID": "a-test-of-the-log"}, timeout=30)

    lines = [json.loads(line) for line in one.log.read_text().splitlines()]
    (request_line,) = [line for line in lines if line.get("correlation_id") == "a-test-of-the-log"]
    assert (request_line["method"], request_line["route"], request_line["status"]) == ("GET", "/v1/me", 401)


def test_after_the_main_process_is_killed_no_process_is_left_and_another_can_start(one: Service) -> None:
    one.measured = True
    one.start()
    eventually(one.worker, "there is a worker")
    before = one.pid

    one.kill()
    one.start()

    assert one.pid != before
    assert one.client().call("GET", "/v1/me")["email"] == "ann@example.com"
    eventually(lambda: not alive_in_session(before), "what the main process had started is gone")


def test_a_dead_worker_is_restarted(one: Service) -> None:
    one.start()
    first = eventually(one.worker, "there is a worker")

    os.kill(first, signal.SIGKILL)

    second = eventually(lambda: (it := one.worker()) != first and it, "there is another worker")
    assert second != first
    assert one.ready()


def test_a_dead_server_process_is_restarted(one: Service) -> None:
    one.start()
    (server,) = set(one.processes()) - {one.pid, eventually(one.worker, "there is a worker")}

    os.kill(server, signal.SIGKILL)

    eventually(lambda: server not in one.processes() and one.ready(), "it answers again")


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run(tmp_path, "serve", UNITE_PORT=port)

    assert ended.returncode == 1
    assert f"127.0.0.1:{port} cannot be listened at (Address already in use)" in ended.stderr
    assert "UNITE_PORT" in ended.stderr


def test_two_services_cannot_use_one_port(one: Service, tmp_path: Path) -> None:
    one.start()
    (tmp_path / "other").mkdir()

    ended = run(tmp_path / "other", "serve", UNITE_PORT=str(one.port))

    assert ended.returncode == 1
    assert "cannot be listened at" in ended.stderr


def test_of_two_services_that_start_on_one_port_at_once_one_is_refused_on_one_line(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with service(tmp_path / "first") as first, service(tmp_path / "second") as second:
        second.port, second.url = first.port, first.url
        both = (first, second)
        for it in both:
            it.start(wait=False)

        refused = eventually(lambda: next((it for it in both if not it.processes()), None), "one of them ends")

        assert refused.end() == 1
        assert errors(refused) == [taken(first.port)]
        other = second if refused is first else first
        eventually(other.ready, "the other one serves")


def test_a_port_that_is_taken_between_bind_and_listen_is_refused_on_one_line(tmp_path: Path) -> None:
    with service(tmp_path) as one:
        one.command = ("tests.cli.port_taken_late",)
        one.start(wait=False)

        assert one.end() == 1
        assert one.processes() == []
        assert errors(one) == [taken(one.port)]


def errors(one: Service) -> list[str]:
    lines = [json.loads(line) for line in one.log.read_text().splitlines()]
    return [line["message"] for line in lines if line["level"] == "ERROR"]


def taken(port: int) -> str:
    return (
        f"Unite cannot start.\n127.0.0.1:{port} cannot be listened at (Address already in use). "
        "Stop whatever has it, or name another in UNITE_HOST and UNITE_PORT."
    )


def test_all_invalid_settings_are_reported_and_nothing_starts(tmp_path: Path) -> None:
    ended = run(tmp_path, "serve", UNITE_PORT="eighty", UNITE_PHONE_RULE="strict", UNITE_JWT_KEYS="a:topsecret")

    assert ended.returncode == 1
    for name in ("UNITE_PORT", "UNITE_PHONE_RULE", "UNITE_JWT_KEYS"):
        assert name in ended.stderr
    assert "topsecret" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unusable_data_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "var").touch()

    ended = run(tmp_path, "serve", UNITE_PORT=str(free_port()))

    assert ended.returncode == 1
    assert "UNITE_DATA_DIR" in ended.stderr
