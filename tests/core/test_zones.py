"""Tests of local times in time zones, above all when clocks change."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from unite_core.zones import local_date, moment_of, zone_names


@pytest.mark.parametrize(
    ("zone", "day", "at", "moment"),
    [
        ("UTC", "2026-03-02", "18:00", "2026-03-02T18:00Z"),
        ("Asia/Kathmandu", "2026-03-02", "00:10", "2026-03-01T18:25Z"),
        ("Pacific/Kiritimati", "2026-03-02", "18:00", "2026-03-02T04:00Z"),
    ],
)
def test_a_local_time_is_converted_to_a_moment(zone: str, day: str, at: str, moment: str) -> None:
    assert local_moment(zone, day, at) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("zone", "day", "at", "moment"),
    [
        ("America/New_York", "2026-03-08", "02:00", "2026-03-08T07:00Z"),
        ("America/New_York", "2026-03-08", "02:59", "2026-03-08T07:00Z"),
        ("America/New_York", "2026-03-08", "03:00", "2026-03-08T07:00Z"),
        ("America/New_York", "2026-03-08", "01:59", "2026-03-08T06:59Z"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30Z"),
        ("Asia/Beirut", "2026-03-29", "00:00", "2026-03-28T22:00Z"),
    ],
)
def test_a_skipped_time_is_the_first_moment_after_the_gap(zone: str, day: str, at: str, moment: str) -> None:
    assert local_moment(zone, day, at) == datetime.fromisoformat(moment)


def test_if_the_gap_lasts_until_midnight_it_is_the_last_minute_before_the_gap() -> None:
    # On that Saturday clocks in Ittoqqortoormiit go from 23:00 to Sunday, 00:00.
    moment = local_moment("America/Scoresbysund", "2026-03-28", "23:30")

    assert moment == datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    assert local_date(moment, ZoneInfo("America/Scoresbysund")) == date(2026, 3, 28)


@pytest.mark.parametrize(
    ("zone", "day", "at", "moment"),
    [
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30Z"),
        ("America/Havana", "2026-11-01", "00:30", "2026-11-01T04:30Z"),
        ("Asia/Beirut", "2026-10-24", "23:30", "2026-10-24T20:30Z"),
    ],
)
def test_a_repeated_time_is_its_first_occurrence(zone: str, day: str, at: str, moment: str) -> None:
    assert local_moment(zone, day, at) == datetime.fromisoformat(moment)


def test_a_skipped_day_has_no_moment() -> None:
    assert local_moment("Pacific/Apia", "2011-12-30", "18:00") is None
    assert local_moment("Pacific/Apia", "2011-12-31", "00:00") == datetime(2011, 12, 30, 10, 0, tzinfo=UTC)


def test_zone_names_are_exact_and_without_aliases_of_the_machine() -> None:
    assert {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "US/Eastern"} <= zone_names()
    assert zone_names().isdisjoint({"localtime", "posixrules", "", "europe/berlin", "../UTC"})


def local_moment(zone: str, day: str, at: str) -> datetime | None:
    return moment_of(date.fromisoformat(day), time.fromisoformat(at), ZoneInfo(zone))
