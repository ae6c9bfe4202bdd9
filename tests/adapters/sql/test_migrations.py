"""Tests of migrations on SQLite: upgrade, downgrade, and the same schema as the table definitions."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from adapters.sql.engine import create_engine_for
from adapters.sql.migrate import MIGRATIONS, current, downgrade, head, is_compared, is_current, revisions, upgrade
from adapters.sql.schema import schema


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine_for(f"sqlite:///{tmp_path}/100%.db")
    yield engine
    engine.dispose()


def _things(engine: Engine) -> set[tuple[str, str, str]]:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT type, name, coalesce(sql, '') AS sql FROM sqlite_master")
        return {(row.type, row.name, row.sql) for row in rows if row.name != "alembic_version"}


def test_migrations_can_be_applied_reverted_and_applied_again(empty: Engine) -> None:
    upgrade(empty)
    made = _things(empty)

    downgrade(empty, "base")
    assert {name for _, name, _ in _things(empty) if "alembic" not in name} == set()
    assert current(empty) is None

    upgrade(empty)
    assert _things(empty) == made


def test_a_second_upgrade_does_nothing(empty: Engine) -> None:
    upgrade(empty)
    made = _things(empty)

    upgrade(empty)

    assert _things(empty) == made


def test_concurrent_upgrades_run_once(empty: Engine) -> None:
    upgrade(empty)  # the file itself is there, as it is when a service restarts
    downgrade(empty, "base")

    with ThreadPoolExecutor(5) as threads:
        list(threads.map(upgrade, [empty] * 5))

    assert is_current(empty)


def test_a_database_knows_whether_it_is_current(empty: Engine) -> None:
    assert current(empty) is None
    assert not is_current(empty)

    upgrade(empty)

    assert current(empty) == head()
    assert is_current(empty)


def test_revisions_are_the_same_and_in_the_same_order_as_for_alembic() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))

    assert revisions() == [script.revision for script in scripts.walk_revisions()][::-1]
    assert head() == scripts.get_current_head()


def test_a_database_with_two_revisions_is_not_current(empty: Engine) -> None:
    upgrade(empty)
    with empty.begin() as connection:
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0001')")

    assert not is_current(empty)


def test_migrations_create_the_schema_of_the_table_definitions(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": is_compared, "compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, schema) == []


def test_migrations_create_the_check_constraints_of_the_table_definitions(engine: Engine, tmp_path: Path) -> None:
    described = create_engine_for(f"sqlite:///{tmp_path}/described.db")
    schema.create_all(described)

    for table in schema.tables:
        expected, made = (
            {check["name"]: check["sqltext"] for check in inspect(bind).get_check_constraints(table)}
            for bind in (described, engine)
        )
        assert made == expected
    described.dispose()


def test_every_constraint_and_index_has_a_name() -> None:
    for table in schema.tables.values():
        assert [constraint for constraint in table.constraints if not constraint.name] == []
        assert [index for index in table.indexes if not index.name] == []
