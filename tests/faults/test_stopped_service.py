"""The service is stopped in good order while a client waits and an import runs."""

import sqlite3
import time
from pathlib import Path

from tests.service_process import Client, Service, eventually, service

ROWS = 40_000


def begin_large_import(client: Client) -> str:
    content = "Name,Email\n" + "".join(f"Lead {it},lead{it}@example.com\n" for it in range(ROWS))
    import_id = client.have_imported(content.encode())
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
