"""Tests of MySQL and MariaDB: transactions, locks, exact values, lost connections and outages."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import IntegrityError, OperationalError

from adapters.sql.engine import create_engine_for, ping
from adapters.sql.migrate import upgrade
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from tests.servers.mysql import WITHOUT_TLS
from tests.servers.own import OwnServer
from unite_core.errors import Deadlock, Unavailable
from unite_core.leads.model import Lead
from unite_core.leads.ports import LeadFilter
from unite_core.paging import PageRequest
from unite_core.testing.builders import a_lead, a_session, a_user, revise
from unite_core.testing.contracts.database import add_all, run_concurrently

SESSION = {
    "time_zone": "+00:00",
    "character_set_client": "utf8mb4",
    "character_set_connection": "utf8mb4",
    "innodb_lock_wait_timeout": "30",
}


@pytest.fixture
def work(mysql_engine: Engine) -> SqlUnitOfWorkFactory:
    return SqlUnitOfWorkFactory(mysql_engine)


@pytest.fixture
def reads(mysql_engine: Engine) -> SqlUnitOfWorkFactory:
    return SqlUnitOfWorkFactory(mysql_engine, reading=True)


@pytest.fixture
def short_timeout_engine(mysql_engine: Engine) -> Iterator[Engine]:
    engine = create_engine_for(mysql_engine.url, timeout=1)
    yield engine
    engine.dispose()


def test_sessions_are_in_utc_and_strict(mysql_engine: Engine) -> None:
    with mysql_engine.connect() as connection:
        rows = connection.exec_driver_sql("SHOW SESSION VARIABLES").all()

    variables = {str(name): str(value) for name, value in rows}
    assert {name: variables[name] for name in SESSION} == SESSION
    assert {"STRICT_TRANS_TABLES", "STRICT_ALL_TABLES", "ONLY_FULL_GROUP_BY"} <= set(variables["sql_mode"].split(","))


@pytest.mark.parametrize(("reading", "isolation"), [(True, "REPEATABLE-READ"), (False, "READ-COMMITTED")])
def test_a_unit_of_work_has_the_isolation_level_that_it_needs(
    mysql_engine: Engine, isolation: str, *, reading: bool
) -> None:
    results: dict[str, str] = {}
    for mode in (not reading, reading):  # on one connection, one after the other
        with SqlUnitOfWorkFactory(mysql_engine, reading=mode)() as unit:
            assert unit._connection is not None
            rows = unit._connection.exec_driver_sql("SHOW SESSION VARIABLES").all()
            results = {str(name): str(value) for name, value in rows}

    names = {"transaction_isolation", "tx_isolation"}  # MySQL has the first, MariaDB the second, newer ones both
    assert {value for name, value in results.items() if name in names} == {isolation}


def test_a_reading_unit_of_work_refuses_writes_and_later_ones_are_unaffected(
    work: SqlUnitOfWorkFactory, reads: SqlUnitOfWorkFactory
) -> None:
    with reads() as unit, pytest.raises(OperationalError, match="READ ONLY"):
        unit.users.add(a_user())

    ann = a_user()
    add_all(work, ann)
    with reads() as unit:
        assert unit.users.get(ann.id) == ann


def test_ids_are_stored_as_16_bytes_in_the_same_order(work: SqlUnitOfWorkFactory, mysql_engine: Engine) -> None:
    made = [a_lead() for _ in range(3)]
    add_all(work, *made)

    with mysql_engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT id, length(id) FROM leads ORDER BY id").all()

    assert [(UUID(bytes=raw), size) for raw, size in kept] == [(lead.id, 16) for lead in made]


def test_text_of_any_unicode_plane_and_microseconds_are_stored_exactly(
    work: SqlUnitOfWorkFactory, reads: SqlUnitOfWorkFactory
) -> None:
    lead = a_lead(name="👩🏽‍💻 𠜎 Ω", created_at=datetime(2026, 10, 25, 0, 59, 59, 999_999, tzinfo=UTC))
    add_all(work, lead)

    with reads() as unit:
        assert unit.leads.get(lead.id) == lead


def test_a_value_that_is_too_long_is_refused_and_not_truncated(work: SqlUnitOfWorkFactory) -> None:
    with work() as unit, pytest.raises(Exception, match="Data too long"):
        unit.leads.add(a_lead(name="x" * 201))


def test_units_of_work_that_add_different_leads_do_not_wait_for_each_other(work: SqlUnitOfWorkFactory) -> None:
    with work() as first, work() as second:
        first.leads.add(a_lead())
        second.leads.add(a_lead())
        second.commit()
        first.commit()


def test_a_unit_of_work_that_waits_too_long_for_a_lock_is_unavailable(short_timeout_engine: Engine) -> None:
    work, lead = SqlUnitOfWorkFactory(short_timeout_engine), a_lead()
    add_all(work, lead)

    with work() as first:
        first.leads.get(lead.id)
        with work() as second, pytest.raises(Unavailable, match="busy with another change"):
            second.leads.get(lead.id)


def in_each_others_way(work: SqlUnitOfWorkFactory) -> list[bool]:
    """Run two units of work that deadlock; return which of them were committed."""
    pair = [a_lead(name="one"), a_lead(name="two")]
    add_all(work, *pair)
    holding = Barrier(2, timeout=30)

    def swap(number: int) -> bool:
        with suppress(Deadlock), work() as unit:
            mine, theirs = unit.leads.get(pair[number].id), pair[1 - number].id
            rename(mine, "changed")
            unit.leads.save(mine)
            holding.wait()
            unit.leads.get(theirs)
            unit.commit()
            return True
        return False

    return run_concurrently(2, swap)


def rename(lead: Lead, name: str) -> None:
    revise(lead, name=name)
    lead.mark_updated(lead.updated_at)


def test_of_two_deadlocked_units_of_work_one_is_rolled_back(
    work: SqlUnitOfWorkFactory, reads: SqlUnitOfWorkFactory
) -> None:
    committed = in_each_others_way(work)

    assert sorted(committed) == [False, True]
    with reads() as unit:
        names = sorted(lead.name for lead in unit.leads.page(LeadFilter(), PageRequest()).items)
    assert names in (["changed", "two"], ["changed", "one"])


def kill_connections(engine: Engine) -> None:
    """End every connection of the pool's, as a server does that is restarted."""
    with engine.connect() as connection:
        mine = connection.exec_driver_sql("SELECT connection_id()").scalar_one()
        database = connection.exec_driver_sql("SELECT database()").scalar_one()
        others = connection.exec_driver_sql(
            "SELECT id FROM information_schema.processlist WHERE db = %s AND id <> %s", (database, mine)
        )
        for other in others.scalars().all():
            connection.exec_driver_sql(f"KILL {int(other)}")


def test_a_connection_that_was_lost_while_idle_is_replaced(
    work: SqlUnitOfWorkFactory, short_timeout_engine: Engine
) -> None:
    add_all(work, a_lead())
    kill_connections(short_timeout_engine)

    add_all(work, a_lead())

    with work() as unit:
        assert len(unit.leads.page(LeadFilter(), PageRequest()).items) == 2


def test_a_unit_of_work_that_loses_its_connection_is_unavailable_and_the_next_one_works(
    work: SqlUnitOfWorkFactory, short_timeout_engine: Engine
) -> None:
    gone, there = a_lead(), a_lead()
    with work() as unit:
        unit.leads.add(gone)
        kill_connections(short_timeout_engine)
        with pytest.raises(Unavailable, match="does not answer") as lost:
            unit.leads.add(a_lead())

    assert not isinstance(lost.value, Deadlock)
    add_all(work, there)
    with work() as unit:
        assert [lead.id for lead in unit.leads.page(LeadFilter(), PageRequest()).items] == [there.id]


def test_an_error_message_does_not_contain_the_values_of_its_statement(work: SqlUnitOfWorkFactory) -> None:
    without_agent = a_session(a_user(), current_refresh="secret")

    with work() as unit, pytest.raises(IntegrityError) as refused:
        unit.sessions.add(without_agent)

    assert "secret" not in str(refused.value)


def test_tls_parameters_of_the_url_are_passed_to_the_driver() -> None:
    engine = create_engine_for("mysql://ann:secret@db.example/unite?ssl_ca=/etc/ca.pem&ssl_check_hostname=true")

    _, arguments = engine.dialect.create_connect_args(engine.url)

    assert arguments["ssl"] == {"ca": "/etc/ca.pem", "check_hostname": True}
    assert engine.url.drivername == "mysql+pymysql"


def test_a_url_without_options_leaves_tls_to_the_driver(mysql_schema: str) -> None:
    engine = create_engine_for(make_url(mysql_schema).difference_update_query([WITHOUT_TLS]))

    ping(engine)

    engine.dispose()


@pytest.fixture
def own_engine(private_mysql: OwnServer) -> Iterator[Engine]:
    url = make_url(private_mysql.url)
    root = create_engine(url)
    with root.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE unite_stopped")
    root.dispose()
    engine = create_engine_for(url.set(database="unite_stopped"))
    upgrade(engine)
    yield engine
    engine.dispose()


def test_a_stopped_server_is_unavailable_until_it_is_back(private_mysql: OwnServer, own_engine: Engine) -> None:
    work, kept, lost = SqlUnitOfWorkFactory(own_engine), a_lead(), a_lead()
    add_all(work, kept)
    ping(own_engine)

    with work() as unit:
        unit.leads.add(lost)
        private_mysql.stop()
        with pytest.raises(Unavailable):
            unit.commit()
    with pytest.raises(Unavailable):
        add_all(work, lost)
    with pytest.raises(Unavailable):
        ping(own_engine)
    private_mysql.start()

    answering(lambda: ping(own_engine))
    with SqlUnitOfWorkFactory(own_engine, reading=True)() as unit:
        assert [lead.id for lead in unit.leads.page(LeadFilter(), PageRequest()).items] == [kept.id]
    add_all(work, lost)


def answering(question: Callable[[], None]) -> None:
    """Wait until a server that was started answers."""
    until = time.monotonic() + 60
    while True:
        try:
            return question()
        except Unavailable:
            assert time.monotonic() < until, "the server did not come back"
            time.sleep(0.1)
