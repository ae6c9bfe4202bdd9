"""Tests of the number of database queries of the dashboard."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from tests.databases import a_database
from tests.http.dashboard.sales_day import TZ, SalesDay, service_over
from tests.http.dashboard.visitor import HOME, signed_in
from unite_core.identity.model import User

MAX_QUERIES = 8

_NO_QUERIES = ("BEGIN", "PRAGMA", "SET ", "COMMIT", "ROLLBACK")
"""What prepares a connection or begins and ends a transaction: it reads nothing, and does not count."""


@contextmanager
def queries_of(engine: Engine) -> Iterator[list[str]]:
    """The statements that are sent to the database meanwhile."""
    sent: list[str] = []

    def write_down(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.upper().startswith(_NO_QUERIES):
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", write_down)
    yield sent
    event.remove(engine, "before_cursor_execute", write_down)


@pytest.fixture(params=["sqlite", "mysql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "mysql":
        yield request.getfixturevalue("mysql_engine")
        return
    made = a_database(tmp_path)
    yield made
    made.dispose()


def test_the_dashboard_of_an_admin_needs_at_most_eight_queries(engine: Engine) -> None:
    day = SalesDay(service_over(engine), calls_of_hours=(4, 9, 6))

    page, sent = _opened(engine, day, day.admin)

    for shown in ("Priya Raman", "trade fair", "newsletter-march.csv", "crm", "Robin Castellan"):
        assert shown in page, shown
    assert len(sent) <= MAX_QUERIES, "\n\n".join(sent)


def test_the_dashboard_of_an_agent_needs_no_more(engine: Engine) -> None:
    day = SalesDay(service_over(engine), calls_of_hours=(4, 9, 6))

    page, sent = _opened(engine, day, day.agents[0])

    assert "Amara Okafor" in page
    assert "Robin" not in page
    assert len(sent) <= MAX_QUERIES, "\n\n".join(sent)


def _opened(engine: Engine, day: SalesDay, user: User) -> tuple[str, list[str]]:
    visitor = signed_in(day.service, user)
    # Whatever is prepared once for each connection is prepared by now.
    visitor.get(HOME)
    with queries_of(engine) as sent:
        answer = visitor.get(f"{HOME}?tz={TZ}")
    assert answer.status_code == 200
    return answer.text, sent
