"""Tests of totals over any range from weekly, daily and quarter-hour rollups, compared with the calls themselves."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select

from adapters.sql.reports.rollup_queries import parts_of
from adapters.sql.reports.rollup_writes import COUNT_COLUMNS, GRAINS, add_cells, delete_day
from adapters.sql.reports.rollups import SqlRollups
from adapters.sql.reports.tables import call_rollups, weekly_rollups
from tests.databases import a_database
from unite_core.calls.model import CallResult
from unite_core.periods import QUARTERS_PER_DAY, Period
from unite_core.reports.call_queries import by_day
from unite_core.reports.heatmap import by_hour_of_week
from unite_core.reports.ports import Cell, Dimension, Grain, Totals
from unite_core.reports.tally import Tally

FIRST = 20_000 * QUARTERS_PER_DAY
DAYS = 40
KEYS = ("", "ann", "ben")
MOMENT = datetime(2026, 3, 2, tzinfo=UTC)

quarters = st.integers(FIRST, FIRST + DAYS * QUARTERS_PER_DAY)


@dataclass(frozen=True)
class Call:
    """The values of a call that are counted."""

    quarter: int
    key: str
    result: CallResult
    times: int


calls = st.lists(st.builds(Call, quarters, st.sampled_from(KEYS), st.sampled_from(CallResult), st.integers(1, 3)))


@pytest.fixture(params=["sqlite", "mysql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "mysql":
        yield request.getfixturevalue("mysql_engine")
        return
    engine = a_database(tmp_path)
    yield engine
    engine.dispose()


def cells(made: list[Call], times: int = 1) -> dict[Cell, Tally]:
    counted: dict[Cell, Tally] = {}
    for call in made:
        for grain, period in ((Grain.QUARTER, call.quarter), (Grain.DAY, call.quarter // QUARTERS_PER_DAY)):
            cell = Cell(grain, period, Dimension.AGENT, call.key)
            added = Tally({call.result: call.times * times}, 60 * call.times * times, MOMENT)
            counted.setdefault(cell, Tally()).include(added)
    return counted


def totals(connection: Connection, start: int, end: int) -> Counter[tuple[str, CallResult]]:
    [found] = SqlRollups(connection).results([Totals(start=start, end=end, by=Dimension.AGENT)])
    return +Counter({(key, result): number for key, tally in found.items() for result, number in tally.calls.items()})


def weeks(connection: Connection) -> list[tuple[int, ...]]:
    return [row for row in map(tuple, connection.execute(select(weekly_rollups)).all()) if any(row[3:])]


def sums_of_days(connection: Connection) -> list[tuple[int, ...]]:
    week = func.floor(call_rollups.c.period / 7)
    key = call_rollups.c.dimension, week, call_rollups.c.key
    sums = select(*key, *(func.sum(call_rollups.c[name]) for name in COUNT_COLUMNS))
    rows = connection.execute(sums.where(call_rollups.c.grain == GRAINS[Grain.DAY]).group_by(*key))
    return [row for row in map(tuple, rows.all()) if any(row[3:])]


# Each example ends with a rollback, so that the next one finds an empty database.
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), made=calls)
def test_totals_of_any_range_count_exactly_the_calls_in_it(
    engine: Engine, data: st.DataObject, made: list[Call]
) -> None:
    start, end = sorted(data.draw(st.tuples(quarters, quarters)))
    with engine.connect() as connection:
        add_cells(connection, cells(made))
        add_cells(connection, cells(made[::2], times=-1))
        left = made[1::2]

        expected: Counter[tuple[str, CallResult]] = Counter()
        for call in left:
            if start <= call.quarter < end:
                expected[call.key, call.result] += call.times
        assert totals(connection, start, end) == expected
        assert sorted(weeks(connection)) == sorted(sums_of_days(connection))
        for call in left[:3]:
            delete_day(connection, call.quarter // QUARTERS_PER_DAY)
        assert sorted(weeks(connection)) == sorted(sums_of_days(connection))
        connection.rollback()


def test_a_month_is_read_as_four_weeks_and_the_days_around_them() -> None:
    month = Totals(start=FIRST, end=FIRST + 30 * QUARTERS_PER_DAY, by=Dimension.AGENT)

    parts = list(parts_of(0, month))

    assert [(part.table.name, part.end - part.first, part.times) for part in parts] == [
        ("weekly_rollups", 4, 1),
        ("call_rollups", 1, -1),
        ("call_rollups", 3, 1),
    ]


@pytest.mark.parametrize(("zone", "grain"), [("UTC", Grain.DAY), ("Asia/Kathmandu", Grain.QUARTER)])
def test_local_days_that_are_days_of_utc_are_read_from_daily_rollups(zone: str, grain: Grain) -> None:
    period = Period(date(2026, 3, 1), date(2026, 3, 30), zone)

    [part] = parts_of(0, by_day(period, None))

    assert part.grain is grain
    assert part.end - part.first == 30 * (1 if grain is Grain.DAY else QUARTERS_PER_DAY)
    assert {each.grain for each in parts_of(0, by_hour_of_week(period, None))} == {Grain.QUARTER}
