"""Servers are stopped and started while the service works: what waits for them goes on, and nothing is lost."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import create_engine, make_url

from tests.servers.own import OwnServer
from tests.service_process import Client, Service, eventually, service

ROWS = 20_000
ALIVE = 3.0
"""Seconds that a server is away."""


def a_file(rows: int) -> bytes:
    lines = (f"Lead {number},lead{number}@example.com" for number in range(rows))
    return "\n".join(["Name,Email", *lines]).encode()


@pytest.fixture
def mysql_url(private_mysql: OwnServer) -> str:
    url = make_url(private_mysql.url)
    root = create_engine(url, isolation_level="AUTOCOMMIT")
    with root.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE unite")
    root.dispose()
    return url.set(database="unite").render_as_string(hide_password=False)


@pytest.fixture
def on_mysql(tmp_path: Path, mysql_url: str) -> Iterator[Service]:
    with service(tmp_path, UNITE_DATABASE_URL=mysql_url) as one:
        one.start()
        yield one


def status_of(one: Service, path: str, client: Client) -> int:
    return client.session.get(one.url + path, timeout=60).status_code


def test_an_import_goes_on_when_mysql_is_back_with_no_row_twice_and_none_lost(
    on_mysql: Service, private_mysql: OwnServer, mysql_url: str
) -> None:
    client = on_mysql.client()
    import_id = client.import_leads(a_file(ROWS))
    eventually(lambda: client.lead_import(import_id)["counts"]["rows"], "the import has begun")

    private_mysql.stop()
    assert status_of(on_mysql, "/health/live", client) == requests.codes.ok
    assert status_of(on_mysql, "/health/ready", client) == requests.codes.service_unavailable
    assert status_of(on_mysql, "/v1/leads", client) == requests.codes.service_unavailable
    time.sleep(ALIVE)
    private_mysql.start()

    eventually(lambda: status_of(on_mysql, "/health/ready", client) == requests.codes.ok, "it is ready again")
    eventually(lambda: client.lead_import(import_id)["status"] == "completed", "the import completes")
    counts = client.lead_import(import_id)["counts"]
    assert counts == {"rows": ROWS, "created": ROWS, "updated": 0, "duplicate": 0, "rejected": 0}
    engine = create_engine(mysql_url)
    with engine.connect() as connection:
        there = connection.exec_driver_sql("SELECT count(*), count(DISTINCT import_row) FROM leads").one()
    engine.dispose()
    assert tuple(there) == (ROWS, ROWS)


@pytest.fixture
def with_mongodb(tmp_path: Path, private_mongodb: OwnServer) -> Iterator[Service]:
    with service(tmp_path, UNITE_MONGODB_URL=f"{private_mongodb.url.rstrip('/')}/unite") as one:
        one.start()
        yield one


def history(client: Client, lead_id: str) -> list[str]:
    """What the activity log tells of a lead, the oldest first; nothing while it is away."""
    answer = client.session.get(f"{client.url}/v1/leads/{lead_id}/activity", timeout=60)
    if answer.status_code == requests.codes.service_unavailable:
        return []
    items: list[dict[str, Any]] = answer.json()["items"]
    return [item["type"] for item in reversed(items)]


def test_what_happens_while_mongodb_is_away_is_in_the_log_afterwards_once_each(
    with_mongodb: Service, private_mongodb: OwnServer
) -> None:
    client = with_mongodb.client()
    before = client.call("POST", "/v1/leads", json={"name": "Before", "email": "before@example.com"})
    eventually(lambda: history(client, before["id"]), "the log has heard of the first lead")

    private_mongodb.kill()
    away = client.call("POST", "/v1/leads", json={"name": "Away", "email": "away@example.com"})
    for status in ("contacted", "qualified"):
        client.call("PATCH", f"/v1/leads/{away['id']}", json={"status": status})
    import_id = client.import_leads(a_file(100))
    eventually(lambda: client.lead_import(import_id)["status"] == "completed", "an import needs no log")
    answer = client.call("GET", "/health/ready")
    assert (answer["status"], answer["checks"]["mongodb"]["status"]) == ("degraded", "degraded")
    private_mongodb.start()

    expected = ["lead.created", "lead.changed", "lead.changed"]
    eventually(lambda: history(client, away["id"]) == expected, "the log tells what happened meanwhile")
    assert history(client, before["id"]) == ["lead.created"]
    leads = client.call("GET", "/v1/leads?limit=200")["items"]
    imported = [lead["id"] for lead in leads if lead["source"] == "import"]
    assert len(imported) == 100
    eventually(lambda: all(history(client, it) == ["lead.imported"] for it in imported[:5]), "of the import too")
