"""Migrations walk up, down and up again on MySQL and MariaDB, and make the schema that the code expects there."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

from adapters.sql.engine import create_engine_for
from adapters.sql.migrate import current, downgrade, head, is_compared, is_current, upgrade
from adapters.sql.schema import schema


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


def test_migrations_walk_up_and_down_and_up_again(empty: Engine) -> None:
    upgrade(empty)
    made = _things(empty)
    assert set(made) == set(schema.tables)

    downgrade(empty, "base")
    assert _things(empty) == {}
    assert current(empty) is None

    upgrade(empty)
    assert _things(empty) == made


def test_each_migration_is_taken_back_and_applied_again_by_itself(empty: Engine) -> None:
    upgrade(empty, "0001")
    before = _things(empty)
    upgrade(empty)

    downgrade(empty, "0001")

    assert _things(empty) == before
    upgrade(empty)
    assert is_current(empty)


def test_several_that_upgrade_at_once_do_it_once(empty: Engine) -> None:
    with ThreadPoolExecutor(5) as threads:
        list(threads.map(upgrade, [empty] * 5))

    assert current(empty) == head()


def test_migrations_make_what_the_tables_say(mysql_engine: Engine) -> None:
    options = {"include_name": is_compared, "compare_type": True, "compare_server_default": True}
    with mysql_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema) == []


def test_migrations_make_the_checks_that_the_tables_say(mysql_engine: Engine, empty: Engine) -> None:
    schema.create_all(empty)

    for table in schema.tables:
        wanted, made = (
            {check["name"]: check["sqltext"] for check in inspect(engine).get_check_constraints(table)}
            for engine in (empty, mysql_engine)
        )
        assert made == wanted


def test_every_table_is_of_one_engine_and_one_character_set(mysql_engine: Engine) -> None:
    with mysql_engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT engine, table_collation FROM information_schema.tables"
            " WHERE table_schema = database() AND table_name <> 'alembic_version'"
        ).all()

    assert {tuple(row) for row in rows} == {("InnoDB", "utf8mb4_bin")}


def test_the_words_of_leads_have_their_index(mysql_engine: Engine) -> None:
    assert "FULLTEXT KEY `ft_leads_search_text` (`search_text`)" in _things(mysql_engine)["leads"]


def test_those_who_record_events_do_not_wait_for_the_deliveries_to_be_copied(empty: Engine) -> None:
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
