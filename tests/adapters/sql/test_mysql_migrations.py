"""Tests of migrations on MySQL and MariaDB: upgrade, downgrade, locks, and the schema of the table definitions."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, delete, event, inspect, select, update

from adapters.sql.engine import create_engine_for
from adapters.sql.leads.tables import leads
from adapters.sql.migrate import current, downgrade, head, is_compared, is_current, upgrade
from adapters.sql.mysql.lead_words import index_condition, stored
from adapters.sql.schema import schema
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from unite_core.testing.builders import a_lead


@pytest.fixture
def empty(mysql_database: str) -> Iterator[Engine]:
    engine = create_engine_for(mysql_database)
    yield engine
    engine.dispose()


def _things(engine: Engine) -> dict[str, str]:
    """The statement that would make each table."""
    names = inspect(engine).get_table_names()
    with engine.connect() as connection:
        return {
            name: str(connection.exec_driver_sql(f"SHOW CREATE TABLE {name}").one()[1])
            for name in names
            if name != "alembic_version"
        }


def test_migrations_can_be_applied_reverted_and_applied_again(empty: Engine) -> None:
    upgrade(empty)
    made = _things(empty)
    assert set(made) == {*schema.tables, "lead_words"}

    downgrade(empty, "base")
    assert _things(empty) == {}
    assert current(empty) is None

    upgrade(empty)
    assert _things(empty) == made


def test_each_migration_can_be_reverted_and_applied_again(empty: Engine) -> None:
    upgrade(empty, "0001")
    before = _things(empty)
    upgrade(empty)

    downgrade(empty, "0001")

    assert _things(empty) == before
    upgrade(empty)
    assert is_current(empty)


def test_concurrent_upgrades_run_once(empty: Engine) -> None:
    with ThreadPoolExecutor(5) as threads:
        list(threads.map(upgrade, [empty] * 5))

    assert current(empty) == head()


def test_a_process_that_waited_for_an_upgrade_sees_its_revision(empty: Engine) -> None:
    seen: list[str | None] = []
    other = create_engine_for(empty.url.render_as_string(hide_password=False))

    def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "RELEASE_LOCK" in statement:
            seen.append(current(other))

    event.listen(empty, "before_cursor_execute", look)
    upgrade(empty)

    other.dispose()
    assert seen == [head()]


def test_migrations_create_the_schema_of_the_table_definitions(mysql_engine: Engine) -> None:
    options = {"include_name": is_compared, "compare_type": True, "compare_server_default": True}
    with mysql_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema) == []


def test_migrations_create_the_check_constraints_of_the_table_definitions(mysql_engine: Engine, empty: Engine) -> None:
    schema.create_all(empty)

    for table in schema.tables:
        expected, made = (
            {check["name"]: check["sqltext"] for check in inspect(engine).get_check_constraints(table)}
            for engine in (empty, mysql_engine)
        )
        assert made == expected


def test_all_tables_have_the_same_engine_and_character_set(mysql_engine: Engine) -> None:
    with mysql_engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT engine, table_collation FROM information_schema.tables"
            " WHERE table_schema = database() AND table_name <> 'alembic_version'"
        ).all()

    assert {tuple(row) for row in rows} == {("InnoDB", "utf8mb4_bin")}


def test_the_words_of_leads_are_indexed_in_their_own_table(mysql_engine: Engine) -> None:
    made = _things(mysql_engine)

    assert "FULLTEXT KEY `ft_lead_words` (`search_text`)" in made["lead_words"]
    assert "FULLTEXT" not in made["leads"]


def test_a_column_can_be_added_to_leads_instantly(empty: Engine) -> None:
    upgrade(empty)

    with empty.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE leads ADD COLUMN another VARCHAR(200), ALGORITHM = INSTANT")


def test_existing_leads_and_those_that_the_previous_version_writes_can_be_searched(empty: Engine) -> None:
    upgrade(empty)
    # More than are copied at once.
    many = [a_lead(name="Davis") for _ in range(2_100)]
    old, renamed, gone = (a_lead(name=name) for name in ("Adams", "Brown", "Clark"))
    with SqlUnitOfWorkFactory(empty)() as unit:
        unit.leads.add_many([old, *many[:1_200], renamed, *many[1_200:], gone])
        unit.commit()
    downgrade(empty, "0010~0007")
    upgrade(empty)
    assert [found(empty, word) for word in ("adams", "brown", "clark")] == [[old.id], [renamed.id], [gone.id]]
    assert len(found(empty, "davis")) == len(many)

    with empty.begin() as connection:
        # What a version does that knows no other table: it writes the column.
        connection.execute(update(leads).where(leads.c.id == renamed.id).values(search_text=stored("foster")))
        connection.execute(update(leads).where(leads.c.id == gone.id).values(search_text=""))

    assert [found(empty, word) for word in ("adams", "foster", "brown", "clark")] == [[old.id], [renamed.id], [], []]
    with empty.begin() as connection:
        connection.execute(delete(leads).where(leads.c.id == renamed.id))
    assert found(empty, "foster") == []
    with empty.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM lead_words").scalar_one() == len(many) + 2


def found(engine: Engine, word: str) -> list[UUID]:
    """The leads that the index finds by the word."""
    with engine.connect() as connection:
        return list(connection.execute(select(leads.c.id).where(index_condition([word]))).scalars())


def test_adding_the_status_skipped_does_not_copy_the_table_of_deliveries(empty: Engine) -> None:
    def copy() -> object:
        with empty.connect() as connection:
            of_server = "INNODB_SYS_TABLES" if connection.dialect.is_mariadb else "INNODB_TABLES"  # type: ignore[attr-defined]  # of MySQL's
            return connection.exec_driver_sql(
                f"SELECT table_id FROM information_schema.{of_server} WHERE name = concat(database(), '/deliveries')"
            ).scalar_one()

    upgrade(empty, "0002")
    before = copy()

    upgrade(empty)

    assert copy() == before
