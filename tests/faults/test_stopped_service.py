"""The service is stopped in good order while a client waits and an import runs."""

import os
import signal
import socket
import sqlite3
import time
from http.client import HTTPConnection
from pathlib import Path

import requests

from entrypoints.capacity import STOP_SECONDS
from tests.service_process import TIMEOUT, Client, Service, direct_session, eventually, service

ROWS = 40_000
LINE = b"Grace,grace@example.com\n"


def begin_large_import(client: Client) -> str:
    content = "Name,Email\n" + "".join(f"Lead {it},lead{it}@example.com\n" for it in range(ROWS))
    import_id = client.import_leads(content.encode())
    eventually(lambda: client.lead_import(import_id)["counts"]["rows"], "the import has begun")
    return import_id


def state_of_import(one: Service) -> tuple[str, object]:
    database = sqlite3.connect(one.folder / "var" / "unite.sqlite3")
    try:
        ((status, holder),) = database.execute("SELECT status, holder FROM lead_imports").fetchall()
    finally:
        database.close()
    return status, holder


def test_an_import_is_let_go_of_and_goes_on_after_the_restart(tmp_path: Path) -> None:
    with service(tmp_path) as one:
        one.start()
        client = one.client()
        import_id = begin_large_import(client)

        assert one.stop() == 0

        assert one.processes() == []
        assert state_of_import(one) == ("running", None)
        one.start()
        client = one.client()
        eventually(lambda: client.lead_import(import_id)["status"] == "completed", "the same import completes")
        assert client.lead_import(import_id)["counts"]["created"] == ROWS


def test_an_upload_that_is_on_its_way_ends_within_the_grace_period(tmp_path: Path) -> None:
    with service(tmp_path, UNITE_GRACE_SECONDS="60") as one:
        one.start()
        client = one.client()
        upload = client.session.prepare_request(
            requests.Request(
                "POST", f"{one.url}/v1/lead-imports/file", files={"file": ("a.csv", b"Name,Email\n" + LINE * 20_000)}
            )
        )
        assert isinstance(upload.body, bytes)
        half = len(upload.body) // 2
        connection = HTTPConnection("127.0.0.1", one.port, timeout=TIMEOUT)
        connection.putrequest("POST", upload.path_url)
        for name, value in upload.headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(upload.body[:half])

        os.kill(one.pid, signal.SIGTERM)
        eventually(lambda: _refuses_connections(one), "it takes no connection any more")
        # Longer than requests have without the setting.
        time.sleep(STOP_SECONDS + 1)
        connection.send(upload.body[half:])

        assert connection.getresponse().status == 202
        connection.close()
        assert one.end() == 0


def test_a_service_that_drains_is_not_ready_and_serves_new_connections(tmp_path: Path) -> None:
    with service(tmp_path, UNITE_DRAIN_SECONDS="8") as one:
        one.start()
        begun = time.monotonic()

        os.kill(one.pid, signal.SIGTERM)

        eventually(lambda: _readiness(one) == 503, "it is not ready")
        assert one.client().call("GET", "/v1/me")["email"] == "ann@example.com"
        assert one.end() == 0
        assert time.monotonic() - begun > 8
        assert one.processes() == []


def _readiness(one: Service) -> int:
    with direct_session() as session:
        return session.get(f"{one.url}/health/ready", timeout=TIMEOUT).status_code


def _refuses_connections(one: Service) -> bool:
    try:
        socket.create_connection(("127.0.0.1", one.port), 1).close()
    except OSError:
        return True
    return False


def test_a_client_that_follows_an_import_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with service(tmp_path) as one:
        one.start()
        client = one.client()
        import_id = begin_large_import(client)
        url = f"{one.url}/v1/lead-imports/{import_id}/events"
        with client.session.get(url, stream=True, timeout=60) as events:
            assert next(events.iter_lines())
            begun = time.monotonic()

            assert one.stop() == 0

            assert time.monotonic() - begun < 30
        assert one.processes() == []
