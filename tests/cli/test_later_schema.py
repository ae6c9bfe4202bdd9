"""A version of Unite over the schema of a later one: it works where that schema allows it, else it says why not."""

import sqlite3
import subprocess
import sys
from argparse import Namespace
from contextlib import closing
from pathlib import Path

import pytest
import requests
from alembic.script import ScriptDirectory

from adapters.sql.engine import create_engine_for
from adapters.sql.migrate import MIGRATIONS, head, revisions, upgrade
from entrypoints.cli import serve
from tests.cli.conftest import Command
from tests.conftest import CHECKOUT
from tests.service_process import ADMIN, PATIENCE, Client, direct_session, environment, eventually, free_port

Output = pytest.CaptureFixture[str]

CONTRACTING = {
    "0005": "entries of the ledger get columns that must not be NULL; docs/operating.md says what to stop",
}
"""Migrations after which the version before cannot work, and why that had to be."""


def be_at(folder: Path, revision: str) -> None:
    with closing(sqlite3.connect(folder / "unite.sqlite3")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def be_later(folder: Path, revision: str) -> None:
    """Have the database be at a schema that nobody knows, with a table more."""
    be_at(folder, revision)
    with closing(sqlite3.connect(folder / "unite.sqlite3")) as connection, connection:
        connection.execute("CREATE TABLE of_a_later_version (id INTEGER)")


def number_of_head() -> str:
    return head().partition("~")[0]


def test_a_later_schema_that_allows_it_is_worked_with(with_admin: Command, tmp_path: Path, capsys: Output) -> None:
    be_later(tmp_path / "var", f"9999~{number_of_head()}")

    assert with_admin("migrate", "--check") == 0
    assert with_admin("migrate") == 0
    assert "at a later schema, with which this version can work. It was not changed." in capsys.readouterr().out
    assert with_admin("users", "list") == 0
    assert "ann@example.com" in capsys.readouterr().out
    assert with_admin("verify-ledger") == 0


@pytest.mark.parametrize("revision", ["9999", "9999~9998"])
def test_a_later_schema_that_does_not_is_refused_in_one_line_with_exit_code_1(
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


def test_a_migration_names_a_version_that_there_is() -> None:
    numbers = {revision.partition("~")[0] for revision in revisions()}

    named = {revision: runs_from for revision in revisions() if (runs_from := revision.partition("~")[2])}

    assert {revision: oldest for revision, oldest in named.items() if oldest not in numbers or oldest > revision} == {}


def test_the_version_before_the_last_migration_works_with_the_schema_of_today(tmp_path: Path) -> None:
    if head() in CONTRACTING:
        return
    code = tmp_path / "before"
    check_out_before(Path(ScriptDirectory(str(MIGRATIONS)).get_revision(head()).path), code)
    folder = tmp_path / "var"
    folder.mkdir()
    engine = create_engine_for(f"sqlite:///{folder}/unite.sqlite3")
    upgrade(engine)
    engine.dispose()
    # What it has been told of later schemas depends on how old it is; its statements are what is tried here.
    before = ScriptDirectory(str(code / MIGRATIONS.relative_to(CHECKOUT))).get_current_head()
    assert before is not None
    be_at(folder, before)

    port = free_port()
    settings = {
        "PYTHONPATH": str(code),
        "UNITE_PORT": str(port),
        "UNITE_ADMIN_EMAIL": ADMIN["email"],
        "UNITE_ADMIN_PASSWORD": ADMIN["password"],
    }
    # How much of that version is run is of no interest.
    unmeasured = {name: it for name, it in environment(tmp_path, **settings).items() if not name.startswith("COVERAGE")}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "entrypoints", "serve"],
            cwd=code,
            env=unmeasured,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        eventually(lambda: process.poll() is not None or answers(port), "the version before answers")
        assert process.poll() is None, (tmp_path / "log").read_text()
        work_with(Client(f"http://127.0.0.1:{port}"))
    finally:
        process.terminate()
        process.wait(PATIENCE)
    assert '"ERROR"' not in (tmp_path / "log").read_text()


def answers(port: int) -> bool:
    try:
        with direct_session() as session:
            return session.get(f"http://127.0.0.1:{port}/health/ready", timeout=30).status_code == 200
    except requests.ConnectionError:
        return False


def work_with(client: Client) -> None:
    """Do what everybody does all day: log in, add a lead, plan a call and complete it, import a file, undo that."""
    pair = client.call("POST", "/v1/auth/login", json=ADMIN)
    client.session.headers["Authorization"] = f"Bearer {pair['access_token']}"
    client.call(
        "POST", "/v1/users", json={"name": "Bo", "email": "bo@example.com", "role": "agent", "password": "x" * 12}
    )
    lead = client.call("POST", "/v1/leads", json={"name": "Grace", "email": "grace@example.com"})
    task = client.call("POST", "/v1/call-tasks", json={"lead_id": lead["id"], "due_at": "2026-03-02T15:00:00Z"})
    completion = {"outcome": "connected", "duration_seconds": 300}
    client.call("POST", f"/v1/call-tasks/{task['id']}/complete", json=completion)
    import_id = client.have_imported(b"Name,Email\nAda,ada@example.com\n")
    eventually(lambda: client.lead_import(import_id)["status"] == "completed", "the import completes")
    client.call("POST", f"/v1/lead-imports/{import_id}/undo")
    eventually(lambda: (client.lead_import(import_id)["undo"] or {}).get("finished_at"), "it is undone")
    assert client.call("GET", "/v1/call-logs")["items"][0]["result"] == "connected"
    assert client.call("GET", "/v1/me")["email"] == ADMIN["email"]


def check_out_before(migration: Path, target: Path) -> None:
    """The code of the commit before the one that added the migration, or that merged what added it."""
    path = migration.relative_to(CHECKOUT).as_posix()
    added = git("log", "--first-parent", "-m", "--diff-filter=A", "--format=%H %P", "-1", "--", path).split()
    if len(added) < 2:
        pytest.fail(f"the history before {path} is missing here: fetch it (git fetch --unshallow)", pytrace=False)
    target.mkdir()
    archive = target / "code.tar"
    git("archive", "--output", str(archive), added[1], "adapters", "entrypoints", "unite_core")
    subprocess.run(["tar", "-xf", str(archive), "-C", str(target)], check=True)


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return done.stdout
