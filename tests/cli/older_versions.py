"""Runs older versions of Unite, from the git history, with the current database schema."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests
from alembic.script import ScriptDirectory

from adapters.sql.engine import create_engine_for
from adapters.sql.migrate import MIGRATIONS, upgrade
from tests.conftest import CHECKOUT
from tests.service_process import ADMIN, TIMEOUT, Client, direct_session, environment, eventually, free_port


@contextmanager
def older_version(revision: str, folder: Path, user: dict[str, str] = ADMIN) -> Iterator[Client]:
    """Serve the version from before that migration over a database of today's schema.

    The database is made where there is none. The client is logged in as the user with these credentials. After the
    block the service has ended, and the database says again that it is at today's schema.
    """
    code = folder / "before"
    check_out_before(revision, code)
    data = folder / "var"
    data.mkdir(exist_ok=True)
    engine = create_engine_for(f"sqlite:///{data}/unite.sqlite3")
    upgrade(engine)
    engine.dispose()
    # How much the older version knows of later schemas depends on its age; its statements are what is tried here.
    before = ScriptDirectory(str(code / MIGRATIONS.relative_to(CHECKOUT))).get_current_head()
    assert before is not None
    today = be_at(data, before)
    with serving(code, folder) as client:
        log_in(client, user)
        yield client
    be_at(data, today)


def be_at(folder: Path, revision: str) -> str:
    """Set the schema revision that the database reports; return the former one."""
    with closing(sqlite3.connect(folder / "unite.sqlite3")) as connection, connection:
        [before] = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    return str(before)


@contextmanager
def serving(code: Path, folder: Path) -> Iterator[Client]:
    """Serve with the code in that folder, over the data in `folder`; it must log no error."""
    port = free_port()
    settings = {
        "PYTHONPATH": str(code),
        "UNITE_PORT": str(port),
        "UNITE_ADMIN_EMAIL": ADMIN["email"],
        "UNITE_ADMIN_PASSWORD": ADMIN["password"],
    }
    log = folder / "older.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "entrypoints", "serve"],
            cwd=code,
            env=environment(folder, **settings),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
    try:
        eventually(lambda: process.poll() is not None or answers(port), "the older version answers")
        assert process.poll() is None, log.read_text()
        yield Client(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(TIMEOUT)
    assert '"ERROR"' not in log.read_text()


def log_in(client: Client, credentials: dict[str, str]) -> None:
    """Log in, and send what that gives with every request."""
    pair = client.call("POST", "/v1/auth/login", json=credentials)
    client.session.headers["Authorization"] = f"Bearer {pair['access_token']}"


def answers(port: int) -> bool:
    """Whether the service at that port is ready."""
    try:
        with direct_session() as session:
            return session.get(f"http://127.0.0.1:{port}/health/ready", timeout=30).status_code == 200
    except requests.ConnectionError:
        return False


def run_older(revision: str, script: str, *arguments: str, folder: Path) -> None:
    """Run a script of Python with the code of the commit that added that migration."""
    code = folder / "older"
    path = _path_of(revision)
    added = git("log", "--diff-filter=A", "--format=%H", "--", path).split()
    _write_code(_known(added, path)[-1], code)
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(
        command, cwd=code, env=environment(folder, PYTHONPATH=str(code)), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def check_out_before(revision: str, target: Path) -> None:
    """Write the code of the commit before the one that added the migration, or that merged what added it."""
    path = _path_of(revision)
    added = git("log", "--first-parent", "-m", "--diff-filter=A", "--format=%H %P", "-1", "--", path).split()
    _write_code(_known(added[1:], path)[0], target)


def _path_of(revision: str) -> str:
    migration = ScriptDirectory(str(MIGRATIONS)).get_revision(revision)
    return Path(migration.path).relative_to(CHECKOUT).as_posix()


def _known(commits: list[str], path: str) -> list[str]:
    if not commits:
        pytest.fail(f"the history before {path} is missing here: fetch it (git fetch --unshallow)", pytrace=False)
    return commits


def _write_code(commit: str, target: Path) -> None:
    target.mkdir()
    archive = target / "code.tar"
    git("archive", "--output", str(archive), commit, "adapters", "entrypoints", "unite_core")
    subprocess.run(["tar", "-xf", str(archive), "-C", str(target)], check=True)


def git(*arguments: str) -> str:
    """What git says."""
    done = subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return done.stdout
