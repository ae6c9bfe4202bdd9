"""A database file that cannot be read is known to `/health/ready`."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
from sqlalchemy import Engine

from adapters.sql.engine import create_engine_for
from adapters.sql.health import CHECK_SECONDS, DAMAGED_CHECK_SECONDS, SqliteHealth, health_check
from adapters.sql.migrate import upgrade
from tests.databases import a_database
from tests.service_process import Service, direct_session, eventually, service
from unite_core.errors import Unavailable

PAGE = 4096


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = a_database(tmp_path)
    yield engine
    engine.dispose()


class Hours:
    """A clock that is set by hand, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def damage(path: Path) -> None:
    """Overwrite every page but the first, which says that this is a database."""
    content = bytearray(path.read_bytes())
    content[PAGE:] = b"\xff" * (len(content) - PAGE)
    path.write_bytes(content)


def mend(path: Path, content: bytes) -> None:
    with path.open("r+b") as file:
        file.write(content)


def says(ask: Callable[[], None]) -> str:
    """What is wrong, in the words of the check; nothing where it finds nothing."""
    try:
        ask()
    except Unavailable as error:
        return error.detail
    return ""


def test_a_database_that_can_be_read_is_said_to_be_so(engine: Engine) -> None:
    health_check(engine)()


def test_damage_is_found_by_the_first_question(engine: Engine) -> None:
    engine.dispose()
    damage(Path(engine.url.database or ""))

    with pytest.raises(Unavailable, match="The database file is damaged"):
        health_check(engine)()


def test_damage_is_found_an_hour_later_and_its_end_a_minute_later(engine: Engine) -> None:
    path = Path(engine.url.database or "")
    now = Hours()
    ask = SqliteHealth(engine, clock=now).check
    assert says(ask) == ""
    engine.dispose()
    whole = path.read_bytes()
    damage(path)

    now.seconds += CHECK_SECONDS
    eventually(lambda: "damaged" in says(ask), "the damage is found")
    mend(path, whole)
    now.seconds += DAMAGED_CHECK_SECONDS
    eventually(lambda: says(ask) == "", "it is found to be whole")


def test_damage_that_a_statement_meets_is_looked_into_at_once(engine: Engine) -> None:
    ask = SqliteHealth(engine, clock=Hours()).check
    assert says(ask) == ""
    engine.dispose()
    damage(Path(engine.url.database or ""))

    with pytest.raises(Unavailable, match="damaged"), engine.connect() as connection:
        connection.exec_driver_sql("SELECT * FROM users").all()

    eventually(lambda: "damaged" in says(ask), "the damage is found")


def test_a_file_that_is_gone_or_replaced_is_noticed(engine: Engine) -> None:
    path = Path(engine.url.database or "")
    ask = health_check(engine)
    ask()
    content = path.read_bytes()

    path.rename(path.with_name("elsewhere"))
    assert "gone, or was replaced" in says(ask)
    path.write_bytes(content)

    assert "gone, or was replaced" in says(ask)


def test_a_server_without_our_tables_cannot_be_read(mysql_database: str) -> None:
    engine = create_engine_for(mysql_database)
    ask = health_check(engine)

    assert "does not have the tables of Unite" in says(ask)
    upgrade(engine)

    assert says(ask) == ""
    engine.dispose()


def ready(one: Service) -> tuple[int, str] | None:
    """How the service is, and its database; None where it does not answer yet."""
    try:
        with direct_session() as session:
            answer = session.get(f"{one.url}/health/ready", timeout=30)
    except requests.ConnectionError:
        return None
    return answer.status_code, answer.json()["checks"]["database"]["status"]


def test_a_database_copied_over_one_with_a_log_beside_it_is_not_ready(tmp_path: Path) -> None:
    with service(tmp_path) as one:
        one.start()
        path = tmp_path / "var" / "unite.sqlite3"
        client = one.client()
        with closing(sqlite3.connect(path)) as copying, closing(sqlite3.connect(tmp_path / "copy")) as copy:
            copying.backup(copy)
        for number in range(40):
            client.call("POST", "/v1/leads", json={"name": "x" * 150, "email": f"{number}@example.com"})
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for number in range(40, 60):
            client.call("POST", "/v1/leads", json={"name": "x" * 150, "email": f"{number}@example.com"})
        one.kill_all()
        assert path.with_name("unite.sqlite3-wal").stat().st_size
        path.write_bytes((tmp_path / "copy").read_bytes())

        one.start(wait=False)

        eventually(lambda: ready(one) == (503, "down"), "the damage is known")
