"""Tests of connections and transactions on SQLite: waiting for locks, and error translation."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, OperationalError

from adapters.sql.engine import MAX_CONNECTIONS, create_engine_for, ping
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from tests.databases import a_database
from unite_core.errors import Unavailable
from unite_core.identity.ports import UserFilter
from unite_core.leads.ports import LeadFilter
from unite_core.paging import PageRequest
from unite_core.testing.builders import a_lead, a_user
from unite_core.testing.contracts.database import add_all


@pytest.fixture
def short_timeout_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = a_database(tmp_path, timeout=0.05)
    yield engine
    engine.dispose()


def test_a_reading_unit_of_work_does_not_wait_for_a_writing_one(short_timeout_engine: Engine) -> None:
    work, reads = SqlUnitOfWorkFactory(short_timeout_engine), SqlUnitOfWorkFactory(short_timeout_engine, reading=True)
    add_all(work, a_lead())

    with work() as writing:
        writing.leads.add_many([a_lead() for _ in range(100)])
        with reads() as unit:
            assert len(unit.leads.page(LeadFilter(), PageRequest()).items) == 1
        writing.commit()

    with reads() as unit:
        assert unit.leads.page(LeadFilter(), PageRequest()).next is not None


def test_a_writing_unit_of_work_raises_unavailable_if_it_waits_too_long(short_timeout_engine: Engine) -> None:
    work = SqlUnitOfWorkFactory(short_timeout_engine)
    with work() as first:
        first.users.add(a_user())
        since = time.monotonic()
        with pytest.raises(Unavailable, match="busy with another change"), work():
            pass
        assert time.monotonic() - since < 5
        first.commit()

    add_all(work, a_user())
    assert short_timeout_engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # a QueuePool counts them


def test_a_writing_unit_of_work_waits_for_another_to_end(work: SqlUnitOfWorkFactory) -> None:
    begun = Event()

    def write_slowly() -> None:
        with work() as unit:
            unit.users.add(a_user())
            begun.set()
            time.sleep(0.2)
            unit.commit()

    thread = Thread(target=write_slowly)
    thread.start()
    begun.wait(10)
    add_all(work, a_user())
    thread.join()

    with work() as unit:
        assert len(unit.users.page(UserFilter(), PageRequest()).items) == 2


def test_a_reading_unit_of_work_refuses_writes_and_later_ones_are_unaffected(
    work: SqlUnitOfWorkFactory, reads: SqlUnitOfWorkFactory
) -> None:
    with reads() as unit, pytest.raises(OperationalError, match="readonly"):
        unit.users.add(a_user())

    with reads() as unit, pytest.raises(RuntimeError):
        unit.commit()
    ann = a_user()
    add_all(work, ann)
    with reads() as unit:
        assert unit.users.get(ann.id) == ann


def test_a_unit_of_work_can_commit_only_once(work: SqlUnitOfWorkFactory) -> None:
    with work() as unit:
        unit.commit()
        with pytest.raises(RuntimeError):
            unit.commit()


def test_more_units_of_work_than_connections_raise_unavailable(short_timeout_engine: Engine) -> None:
    reads = SqlUnitOfWorkFactory(short_timeout_engine, reading=True)
    with ExitStack() as units:
        for _ in range(MAX_CONNECTIONS):
            units.enter_context(reads())
        with pytest.raises(Unavailable, match="Too much is going on"):
            units.enter_context(reads())
    with reads():
        pass


def test_failures_of_the_database_are_unavailable_and_errors_of_our_own_are_not(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(OperationalError, match="no such table"):
        connection.exec_driver_sql("SELECT 1 FROM nowhere")


def test_an_error_message_does_not_contain_the_values_of_its_statement(work: SqlUnitOfWorkFactory) -> None:
    ann = a_user(password_hash="secret")
    add_all(work, ann)

    with work() as unit, pytest.raises(IntegrityError) as refused:
        unit.users.add(a_user(id=ann.id, password_hash="secret"))

    assert "secret" not in str(refused.value)


def test_a_ping_of_an_existing_database_succeeds(engine: Engine) -> None:
    ping(engine)


def test_a_missing_folder_makes_the_database_unavailable(tmp_path: Path) -> None:
    engine = create_engine_for(f"sqlite:///{tmp_path}/nowhere/unite.db")

    with pytest.raises(Unavailable, match="cannot be opened"):
        ping(engine)
    with pytest.raises(Unavailable, match="cannot be opened"), SqlUnitOfWorkFactory(engine)():
        pass


def test_a_file_that_is_not_a_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "unite.db").write_bytes(b"this is not a database, and long enough to tell" * 100)

    with pytest.raises(Unavailable):
        ping(create_engine_for(f"sqlite:///{tmp_path}/unite.db"))


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "postgresql://localhost/unite", "mysql:///unite", "mysql://localhost"]
)
def test_an_unsupported_database_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="The database has to be"):
        create_engine_for(url)


def test_connections_have_safe_and_fast_settings(engine: Engine) -> None:
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "temp_store", "busy_timeout", "cache_size")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "temp_store": 2,
        "busy_timeout": 30_000,
        "cache_size": -32 * 1024,
    }
