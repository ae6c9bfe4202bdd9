"""Tests of days and hours of time zones as ranges of quarter hours in UTC."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unite_core.errors import Malformed
from unite_core.periods import (
    FIRST_DATE,
    LAST_DATE,
    MAX_DAYS,
    Day,
    Period,
    Segment,
    hour_segments,
    moment_of,
    parse_period,
    quarter_of,
)
from unite_core.zones import zone_names

ODD_ZONES = (
    "UTC",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Havana",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kwajalein",
)
ZONES = st.sampled_from(ODD_ZONES) | st.sampled_from(sorted(zone_names()))
DATES = st.dates(FIRST_DATE, date(2040, 12, 31))
QUARTERS_UNTIL_1980 = 3652 * 96
NOW = datetime(2026, 3, 2, 3, 30, tzinfo=UTC)


def a_day(on: str, tz: str) -> Day:
    day = date.fromisoformat(on)
    [only] = Period(day, day, tz).days
    return only


def hours(day: Day) -> float:
    return (day.end - day.first) / 4


def begins(day: Day, tz: str) -> str:
    """What clocks show when the day begins."""
    return moment_of(day.first).astimezone(ZoneInfo(tz)).strftime("%Y-%m-%d %H:%M")


def dates_of_quarters(period: Period) -> dict[int, date]:
    """The date of each quarter hour, counted one by one: the latest that clocks have shown until then.

    Clocks that go back over midnight show the day before for a second time, and a new day begins only once.
    """
    latest = FIRST_DATE - timedelta(days=3)
    results: dict[int, date] = {}
    begin = quarter_of(datetime.combine(period.first - timedelta(days=2), datetime.min.time(), UTC))
    for quarter in range(begin, begin + ((period.last - period.first).days + 5) * 96):
        latest = max(latest, period.clock_at(quarter).date())
        if period.first <= latest <= period.last:
            results[quarter] = latest
    return results


def labels_of(segments: Sequence[Segment]) -> dict[int, int]:
    """The label of each quarter hour; none is in two segments, and no segment is empty."""
    labelled: dict[int, int] = {}
    for segment in segments:
        assert segment.first < segment.end
        assert labelled.keys().isdisjoint(range(segment.first, segment.end))
        labelled.update((quarter, segment.label(quarter)) for quarter in range(segment.first, segment.end))
    return labelled


def quarters(period: Period) -> Iterator[int]:
    return iter(range(period.start, period.end))


@example(first=date(2011, 12, 28), days=4, tz="Pacific/Apia")
@example(first=date(2018, 11, 2), days=4, tz="America/Sao_Paulo")
@example(first=date(2022, 3, 26), days=3, tz="Asia/Beirut")
@example(first=date(2010, 11, 5), days=4, tz="America/St_Johns")
@example(first=date(2026, 4, 4), days=2, tz="Australia/Lord_Howe")
@example(first=date(2025, 11, 1), days=3, tz="America/Havana")
@given(first=DATES, days=st.integers(0, 40), tz=ZONES)
def test_every_quarter_hour_of_a_period_belongs_to_one_day_and_has_its_number_as_label(
    first: date, days: int, tz: str
) -> None:
    period = Period(first, first + timedelta(days=days), tz)

    by_date = dates_of_quarters(period)

    assert [day.date for day in period.days] == [first + timedelta(days=each) for each in range(days + 1)]
    assert all(one.end == following.first for one, following in pairwise(period.days))
    assert list(quarters(period)) == sorted(by_date)
    counted = {quarter: day.date for day in period.days for quarter in range(day.first, day.end)}
    assert counted == by_date
    assert labels_of(period.by_day()) == {quarter: (day - first).days for quarter, day in by_date.items()}


@example(first=date(2026, 4, 4), days=2, tz="Australia/Lord_Howe")
@example(first=date(2010, 11, 6), days=2, tz="America/St_Johns")
@example(first=date(2011, 12, 29), days=2, tz="Pacific/Apia")
@given(first=DATES, days=st.integers(0, 40), tz=ZONES)
def test_the_hour_of_the_week_is_that_of_local_clocks_at_the_start_of_the_quarter_hour(
    first: date, days: int, tz: str
) -> None:
    period = Period(first, first + timedelta(days=days), tz)

    labelled = labels_of(period.by_hour_of_week())

    shown = {quarter: moment_of(quarter).astimezone(ZoneInfo(tz)) for quarter in quarters(period)}
    assert labelled == {quarter: at.weekday() * 24 + at.hour for quarter, at in shown.items()}


@given(first=st.integers(QUARTERS_UNTIL_1980, 2_500_000), length=st.integers(0, 500), tz=ZONES)
def test_any_quarter_hours_can_be_labelled_with_their_hour_of_the_week(first: int, length: int, tz: str) -> None:
    labelled = labels_of(hour_segments(first, first + length, tz))

    assert sorted(labelled) == list(range(first, first + length))
    for quarter, label in labelled.items():
        at = moment_of(quarter).astimezone(ZoneInfo(tz))
        assert label == at.weekday() * 24 + at.hour


@pytest.mark.parametrize(
    ("tz", "on", "length"),
    [
        ("UTC", "2026-03-08", 24),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-03-09", 24),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Asia/Kathmandu", "1986-01-01", 23.75),
        ("Asia/Kathmandu", "2026-01-01", 24),
        ("America/St_Johns", "2026-03-08", 23),
        ("America/St_Johns", "2026-11-01", 25),
        ("Antarctica/Troll", "2026-03-29", 22),
        ("Pacific/Apia", "2011-12-29", 24),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Pacific/Apia", "2011-12-31", 24),
        ("Asia/Beirut", "2022-03-27", 23),
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("America/Sao_Paulo", "2018-02-17", 25),
    ],
)
def test_a_day_has_the_length_of_the_local_day(tz: str, on: str, length: float) -> None:
    assert hours(a_day(on, tz)) == length


@pytest.mark.parametrize(
    ("tz", "on", "begin"),
    [
        ("Asia/Kathmandu", "2026-01-01", "2026-01-01 00:00"),
        ("Asia/Beirut", "2022-03-27", "2022-03-27 01:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04 01:00"),
        ("America/Havana", "2025-11-02", "2025-11-02 00:00"),
        ("Pacific/Apia", "2011-12-31", "2011-12-31 00:00"),
    ],
)
def test_a_day_begins_at_midnight_or_after_the_gap_that_skips_it(tz: str, on: str, begin: str) -> None:
    assert begins(a_day(on, tz), tz) == begin


def test_of_two_midnights_the_day_begins_at_the_earlier_one() -> None:
    day = a_day("2025-11-02", "America/Havana")

    assert moment_of(day.first) == datetime(2025, 11, 2, 4, tzinfo=UTC)
    assert hours(day) == 25


def test_days_and_hours_with_the_same_rule_are_one_segment() -> None:
    year = Period(date(2026, 1, 1), date(2026, 12, 31), "UTC")
    assert len(year.by_day()) == len(year.by_hour_of_week()) == 1

    with_changes = Period(date(2026, 1, 1), date(2026, 12, 31), "America/New_York")
    assert len(with_changes.by_day()) == 5
    assert len(with_changes.by_hour_of_week()) == 3


def test_a_skipped_day_has_no_segment() -> None:
    skipped = Period(date(2011, 12, 30), date(2011, 12, 30), "Pacific/Apia")

    assert (skipped.by_day(), skipped.by_hour_of_week()) == ((), ())
    assert skipped.start == skipped.end


@given(st.integers(0, 2**35).map(lambda second: datetime.fromtimestamp(second + 0.5, UTC)))
def test_a_quarter_hour_contains_the_moments_until_the_next_one(moment: datetime) -> None:
    quarter = quarter_of(moment)

    assert moment_of(quarter) <= moment < moment_of(quarter + 1)


def test_moments_before_1970_are_in_the_first_quarter_hour() -> None:
    assert quarter_of(datetime(1969, 12, 31, 23, 59, tzinfo=UTC)) == 0
    assert quarter_of(datetime(1, 1, 1, tzinfo=UTC)) == 0


def read(first: str | None, last: str | None, tz: str = "UTC") -> Period:
    return parse_period(first, last, tz, names=("from", "to"), today=NOW)


def refusals(first: str | None, last: str | None, tz: str = "UTC") -> list[tuple[str, str]]:
    with pytest.raises(Malformed) as caught:
        read(first, last, tz)
    return [(problem.field, problem.code) for problem in caught.value.problems]


def test_a_period_includes_both_of_its_dates() -> None:
    assert read("2026-01-31", "2026-02-01", "Asia/Kathmandu") == Period(
        date(2026, 1, 31), date(2026, 2, 1), "Asia/Kathmandu"
    )


@pytest.mark.parametrize("dates", [("2026-01-31", None), (None, "2026-01-31"), ("2026-01-31", "2026-01-31")])
def test_a_single_date_is_a_period_of_one_day(dates: tuple[str | None, str | None]) -> None:
    assert read(*dates) == Period(date(2026, 1, 31), date(2026, 1, 31), "UTC")


@pytest.mark.parametrize(
    ("tz", "today"),
    [("UTC", date(2026, 3, 2)), ("America/New_York", date(2026, 3, 1)), ("Asia/Tokyo", date(2026, 3, 2))],
)
def test_without_a_date_the_period_is_the_current_local_day(tz: str, today: date) -> None:
    assert read(None, None, tz) == Period(today, today, tz)


@pytest.mark.parametrize("tz", ["Mars/Base", "", "localtime", "europe/berlin", "../etc/passwd", "UTC\0"])
def test_an_unknown_time_zone_is_refused(tz: str) -> None:
    assert refusals("2026-01-01", None, tz) == [("tz", "unknown_time_zone")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-2-1",
        "2026-02-30",
        "20260201",
        "2026-W05-7",
        "2026-02- 1",
        "2026-02-1 ",
        "+026-02-01",
        "2026/02/01",
        "2026-02-01T00:00",
        "2026-02-01\n",
        "0000-01-01",
        "\uff12\uff10\uff12\uff16-\uff10\uff12-\uff10\uff11",
        "\u0662\u0660\u0662\u0666-\u0660\u0662-\u0660\u0661",
        "today",
    ],
)
def test_an_invalid_date_is_refused(text: str) -> None:
    assert refusals(text, None) == [("from", "invalid_date")]
    assert refusals("2026-01-01", text) == [("to", "invalid_date")]


@pytest.mark.parametrize("text", ["1979-12-31", "0001-01-01", "3000-01-01", "9999-12-31"])
def test_a_date_out_of_range_is_refused(text: str) -> None:
    assert refusals(text, None) == [("from", "out_of_range")]


@pytest.mark.parametrize("day", [FIRST_DATE, LAST_DATE])
@pytest.mark.parametrize("tz", ODD_ZONES)
def test_the_first_and_the_last_date_have_quarter_hours(day: date, tz: str) -> None:
    period = read(str(day), str(day), tz)

    assert 0 < period.start < period.end


def test_all_field_errors_are_reported_together() -> None:
    assert refusals("1979-01-01", "x", "Mars/Base") == [
        ("tz", "unknown_time_zone"),
        ("from", "out_of_range"),
        ("to", "invalid_date"),
    ]


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    assert refusals("2026-02-02", "2026-02-01") == [("from", "after_end")]


def test_a_period_has_at_most_400_days() -> None:
    first = date(2026, 1, 1)
    last = first + timedelta(days=MAX_DAYS - 1)

    assert len(read(str(first), str(last)).days) == MAX_DAYS == 400
    assert refusals(str(first), str(last + timedelta(days=1))) == [("to", "span_too_long")]
