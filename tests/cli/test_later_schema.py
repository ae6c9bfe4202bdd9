"""Tests of a database whose schema is later than the running version: used if compatible, else refused."""

import sqlite3
from argparse import Namespace
from contextlib import closing
from pathlib import Path

import pytest

from adapters.sql.migrate import head, revisions
from entrypoints.cli import serve
from tests.cli.conftest import Command
from tests.cli.older_versions import be_at, older_version
from tests.service_process import ADMIN, Client, eventually, free_port

Output = pytest.CaptureFixture[str]

CONTRACTING = {
    "0005": "entries of the ledger get columns that must not be NULL; docs/how-to/upgrade.md says what to stop",
}
"""Migrations after which the version before cannot work, and why that had to be."""


def be_later(folder: Path, revision: str) -> None:
    """Give the database an unknown later revision, and a further table."""
    be_at(folder, revision)
    with closing(sqlite3.connect(folder / "unite.sqlite3")) as connection, connection:
        connection.execute("CREATE TABLE of_a_later_version (id INTEGER)")


def number_of_head() -> str:
    return head().partition("~")[0]


def test_a_compatible_later_schema_can_be_used(with_admin: Command, tmp_path: Path, capsys: Output) -> None:
    be_later(tmp_path / "var", f"9999~{number_of_head()}")

    assert with_admin("migrate", "--check") == 0
    assert with_admin("migrate") == 0
    assert "at a later schema, with which this version can work. It was not changed." in capsys.readouterr().out
    assert with_admin("users", "list") == 0
    assert "ann@example.com" in capsys.readouterr().out
    assert with_admin("verify-ledger") == 0


@pytest.mark.parametrize("revision", ["9999", "9999~9998"])
def test_an_incompatible_later_schema_is_refused_with_exit_code_1(
    with_admin: Command, tmp_path: Path, capsys: Output, revision: str
) -> None:
    be_later(tmp_path / "var", revision)

    assert with_admin("migrate", "--check") == 1
    capsys.readouterr()
    assert with_admin("migrate") == 1
    assert "The database is at a schema that this version of Unite cannot work with" in capsys.readouterr().err
    settings = {"UNITE_DATA_DIR": str(tmp_path / "var"), "UNITE_PORT": str(free_port())}
    assert serve.run(Namespace(), settings) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "cannot work with" in line


def test_every_migration_names_an_existing_oldest_compatible_revision() -> None:
    numbers = {revision.partition("~")[0] for revision in revisions()}

    named = {revision: runs_from for revision in revisions() if (runs_from := revision.partition("~")[2])}

    assert {revision: oldest for revision, oldest in named.items() if oldest not in numbers or oldest > revision} == {}


def test_the_previous_version_works_with_the_current_schema(tmp_path: Path) -> None:
    if head() in CONTRACTING:
        return
    with older_version(head(), tmp_path) as client:
        work_with(client)


def work_with(client: Client) -> None:
    """Do what everybody does all day: log in, add a lead, plan a call and complete it, import a file, undo that."""
    client.call(
        "POST", "/v1/users", json={"name": "Bo", "email": "bo@example.com", "role": "agent", "password": "x" * 12}
    )
    lead = client.call("POST", "/v1/leads", json={"name": "Grace", "email": "grace@example.com"})
    task = client.call("POST", "/v1/call-tasks", json={"lead_id": lead["id"], "due_at": "2026-03-02T15:00:00Z"})
    completion = {"outcome": "connected", "duration_seconds": 300}
    client.call("POST", f"/v1/call-tasks/{task['id']}/complete", json=completion)
    import_id = client.import_leads(b"Name,Email\nAda,ada@example.com\n")
    eventually(lambda: client.lead_import(import_id)["status"] == "completed", "the import completes")
    client.call("POST", f"/v1/lead-imports/{import_id}/undo")
    eventually(lambda: (client.lead_import(import_id)["undo"] or {}).get("finished_at"), "it is undone")
    assert client.call("GET", "/v1/call-logs")["items"][0]["result"] == "connected"
    assert client.call("GET", "/v1/me")["email"] == ADMIN["email"]
