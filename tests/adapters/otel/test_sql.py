"""Spans of statements: on SQLite and MySQL alike, without what people have entered."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, UniqueConstraint, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from adapters.otel.spans import LEFT_OUT, MAX_CALLS
from adapters.otel.sql import MAX_STATEMENT_LENGTH, _summary, trace_statements
from adapters.sql.engine import create_engine_for
from tests.adapters.otel.conftest import Traced

PHONE = "+12025550187"

people = Table(
    "people",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("phone", String(20)),
    UniqueConstraint("phone", name="uq_people_phone"),
)


def prepared(engine: Engine, traced: Traced) -> Engine:
    people.metadata.drop_all(engine)
    people.metadata.create_all(engine)
    engine.dispose()
    trace_statements(engine, traced.tracing.calls)
    return engine


@pytest.fixture
def sqlite(tmp_path: Path, traced: Traced) -> Iterator[Engine]:
    engine = create_engine_for(f"sqlite:///{tmp_path / 'people.db'}")
    yield prepared(engine, traced)
    engine.dispose()


@pytest.fixture
def mysql(mysql_database: str, traced: Traced) -> Iterator[Engine]:
    engine = create_engine_for(mysql_database)
    yield prepared(engine, traced)
    engine.dispose()


def test_a_transaction_on_sqlite_is_a_span_for_each_statement_and_its_commit(sqlite: Engine, traced: Traced) -> None:
    with traced.job(), sqlite.begin() as connection:
        connection.execute(insert(people), {"id": 1, "phone": PHONE})
        connection.execute(select(people).where(people.c.phone == PHONE)).all()

    job, *calls = traced.spans()
    assert [span.name for span in calls] == ["BEGIN", "INSERT people", "SELECT people", "COMMIT"]
    assert {(span.parent, span.kind, span.failed) for span in calls} == {(job.id, "client", False)}
    assert calls[2].attributes == {
        "db.system.name": "sqlite",
        "db.operation.name": "SELECT",
        "db.collection.name": "people",
        "db.query.text": "SELECT people.id, people.phone \nFROM people \nWHERE people.phone = ?",
    }
    assert b"2025550187" not in traced.sent()


def test_a_transaction_on_mysql_says_which_server_it_is_on(mysql: Engine, traced: Traced) -> None:
    with traced.job(), mysql.begin() as connection:
        connection.execute(insert(people), {"id": 1, "phone": PHONE})
        connection.execute(update(people).values(phone=None))

    calls = traced.calls()
    names = [span.name for span in calls]
    assert names[0] == "CONNECT"
    assert names[-3:] == ["INSERT people", "UPDATE people", "COMMIT"]
    for span in calls:
        assert span.attributes["db.system.name"] in ("mysql", "mariadb")
        assert span.attributes["server.address"] == mysql.url.host
        assert span.attributes["server.port"] == mysql.url.port
        assert span.attributes["db.namespace"] == mysql.url.database


def test_rows_that_are_added_together_are_one_span(mysql: Engine, traced: Traced) -> None:
    with traced.job(), mysql.begin() as connection:
        connection.exec_driver_sql("INSERT INTO people VALUES (%s, %s)", [(1, PHONE), (2, None)])

    (added,) = [span for span in traced.calls() if span.name == "INSERT people"]
    assert added.attributes["db.operation.batch.size"] == 2
    assert b"2025550187" not in traced.sent()


@pytest.mark.parametrize("database", ["sqlite", "mysql"])
def test_a_statement_that_fails_says_by_what_kind_of_error(
    database: str, traced: Traced, request: pytest.FixtureRequest
) -> None:
    engine: Engine = request.getfixturevalue(database)
    with traced.job(), engine.connect() as connection:
        connection.execute(insert(people), {"id": 1, "phone": PHONE})
        with pytest.raises(IntegrityError, match="phone"):
            connection.execute(insert(people), {"id": 2, "phone": PHONE})
        connection.rollback()

    good, bad = [span for span in traced.calls() if span.name == "INSERT people"]
    assert (good.failed, bad.failed) == (False, True)
    assert bad.attributes["error.type"] == "IntegrityError"
    assert bad.attributes.get("db.response.status_code") == (None if database == "sqlite" else "1062")
    assert bad.description == ""
    assert b"2025550187" not in traced.sent()


def test_a_commit_that_fails_is_a_span_that_says_so(sqlite: Engine, traced: Traced) -> None:
    def fail(_: object) -> None:
        raise OSError(28, "No space is left.")

    sqlite.dialect.do_commit = fail  # type: ignore[assignment,method-assign]  # it is to fail
    trace_statements(sqlite, traced.tracing.calls)
    with traced.job(), pytest.raises(OSError, match="No space"), sqlite.begin() as connection:
        connection.execute(text("SELECT 1"))

    commit = traced.calls()[-1]
    assert (commit.name, commit.failed) == ("COMMIT", True)
    assert commit.attributes["error.type"] == "OSError"


def test_outside_of_a_span_statements_have_none(sqlite: Engine, traced: Traced) -> None:
    with sqlite.begin() as connection:
        connection.execute(select(people)).all()

    assert traced.spans() == []


def test_a_long_statement_is_cut_off(sqlite: Engine, traced: Traced) -> None:
    with traced.job(), sqlite.begin() as connection:
        connection.execute(select(people).where(people.c.id.in_(range(5000)))).all()

    (found,) = [span for span in traced.calls() if span.name == "SELECT people"]
    assert len(found.attributes["db.query.text"]) == MAX_STATEMENT_LENGTH


def test_of_very_many_statements_in_one_job_the_first_ones_have_spans(sqlite: Engine, traced: Traced) -> None:
    with traced.job(), sqlite.connect() as connection:
        for _ in range(MAX_CALLS + 7):
            connection.execute(text("SELECT 1"))
        connection.rollback()

    job, *calls = traced.spans()
    assert len(calls) == MAX_CALLS
    assert job.attributes[LEFT_OUT] == 8  # with the BEGIN


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("SELECT 1", "SELECT"),
        ("  select `id` from `people` for update", "SELECT people"),
        ('DELETE FROM "people"', "DELETE people"),
        ("SET SESSION TRANSACTION READ ONLY", "SET"),
        ("WITH old AS (SELECT id FROM people) SELECT * FROM old", "WITH people"),
        ("", ""),
    ],
)
def test_a_statement_is_named_by_what_it_does_and_to_which_table(statement: str, name: str) -> None:
    operation, table = _summary(statement)
    assert " ".join(part for part in (operation, table) if part) == name
