"""Property-based tests of daily summaries: one per user and local date, in any time zone and with any clock."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.summaries.scenario import SummaryScenario
from unite_core.zones import local_date, moment_of, zone_names

STRANGE = (
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Apia",
    "Pacific/Kiritimati",
)
"""Zones whose clocks go forward or back at midnight, by half an hour, by two hours, or that left a day out."""

RUNS = (0, 14, 15, 29, 30, 44, 45, 59)
"""Minutes of each hour at which summaries are made: among them the last one of the local hour, wherever that is."""

zones = st.one_of(st.sampled_from(STRANGE), st.sampled_from(sorted(zone_names())))
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
moments = st.datetimes(datetime(2005, 1, 1), datetime(2036, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001 - the strategy wants naive bounds


def near_a_change(zone: ZoneInfo, start: datetime) -> datetime:
    """A day before the next time that clocks in the zone change; the start itself where they do not for a year."""
    for days in range(366):
        at = start + timedelta(days=days)
        if at.astimezone(zone).utcoffset() != (at + timedelta(days=1)).astimezone(zone).utcoffset():
            return at - timedelta(days=1)
    return start


@settings(max_examples=25)
@given(tz=zones, at=times, start=moments)
@example(tz="America/Scoresbysund", at=time(23, 30), start=datetime(2026, 3, 20, tzinfo=UTC))
@example(tz="Pacific/Apia", at=time(18), start=datetime(2011, 12, 20, tzinfo=UTC))
@example(tz="Asia/Beirut", at=time(0), start=datetime(2026, 3, 20, tzinfo=UTC))
@example(tz="Asia/Beirut", at=time(23, 59), start=datetime(2026, 10, 20, tzinfo=UTC))
@example(tz="Australia/Lord_Howe", at=time(2, 15), start=datetime(2026, 9, 28, tzinfo=UTC))
def test_each_local_date_has_one_summary_while_the_service_runs(tz: str, at: time, start: datetime) -> None:
    zone = ZoneInfo(tz)
    begin = near_a_change(zone, start).replace(minute=0, second=0, microsecond=0)
    scenario = SummaryScenario(start=begin.isoformat())
    asked = scenario.update_daily_summary(scenario.manager, at=f"{at:%H:%M}", tz=tz)
    assert asked is not None

    made: Counter[date] = Counter()
    dates = set()
    for hour in range(4 * 24):
        for minute in RUNS:
            now = begin + timedelta(hours=hour, minutes=minute)
            scenario.set_clock(now)
            dates.add(local_date(now, zone))
            made[local_date(now, zone)] += scenario.unite.upkeep.create_daily_summaries()

    last = max(dates)
    assert {day: count for day, count in made.items() if count and day != last} == {
        day: 1 for day in dates if asked.since <= day < last
    }
    assert made[last] <= 1


@settings(max_examples=50)
@given(
    tz=zones,
    at=times,
    start=moments,
    steps=st.lists(st.integers(-30 * 3600, 40 * 3600), min_size=1, max_size=40),
)
def test_with_a_jumping_clock_each_date_has_at_most_one_summary_and_none_before_its_time(
    tz: str, at: time, start: datetime, steps: list[int]
) -> None:
    zone = ZoneInfo(tz)
    scenario = SummaryScenario(start=near_a_change(zone, start).isoformat())
    asked = scenario.update_daily_summary(scenario.manager, at=f"{at:%H:%M}", tz=tz)
    assert asked is not None

    made: set[date] = set()
    for step in steps:
        scenario.ports.clock.advance(timedelta(seconds=step))
        now = scenario.ports.clock.now()
        today = local_date(now, zone)
        moment = moment_of(today, at, zone)
        due = moment is not None and moment <= now and today >= asked.since and today not in made

        assert scenario.unite.upkeep.create_daily_summaries() == due
        if due:
            made.add(today)
