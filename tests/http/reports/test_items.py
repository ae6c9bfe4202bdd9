"""Property-based test that every count of every report links to a list of exactly that length."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.http.reports.history import History, a_history
from tests.http.service import Person

REPORTS = ("daily", "insights", "funnel", "attempts", "speed-to-lead", "heatmap", "leaderboard", "activity")


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(
    history=a_history(),
    first=st.integers(-2, 3),
    days=st.integers(0, 3),
    tz=st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"]),
    who=st.sampled_from(["mo", "amy", "bob"]),
)
def test_each_count_is_the_number_of_entries_of_its_list(
    history: History, first: int, days: int, tz: str, who: str
) -> None:
    person = history.person(who)
    begin = history.day + timedelta(days=first)
    for report in REPORTS:
        counts = list(_counts(_read(person, report, begin, begin + timedelta(days=days), tz)))
        assert counts or report in ("leaderboard", "activity")
        for where, count in counts:
            if count["value"] or "heatmap" not in where:
                assert (where, _length(person, count["items_url"])) == (where, count["value"])


@pytest.mark.parametrize("report", REPORTS)
def test_a_period_without_calls_is_zeros(report: str) -> None:
    history = History()

    document = _read(history.person("mo"), report, date(2026, 1, 1), date(2026, 1, 31), "UTC")

    assert {count["value"] for _, count in _counts(document)} <= {0}
    assert {rate["value"] for rate in _rates(document)} <= {None}


def _read(person: Person, report: str, first: date, last: date, tz: str) -> Any:
    query = {"date": str(first)} if report == "daily" else {"from": str(first), "to": str(last)}
    answer = person.get(f"/v1/reports/{report}", query_string={**query, "tz": tz})
    assert answer.status_code == 200, answer.text
    return answer.json


def _counts(content: Any, where: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(content, Mapping):
        if "items_url" in content:
            yield where, content
        for name, inner in content.items():
            yield from _counts(inner, f"{where}/{name}")
    elif isinstance(content, list):
        for number, inner in enumerate(content):
            yield from _counts(inner, f"{where}/{number}")


def _rates(content: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(content, Mapping):
        if "denominator" in content:
            yield content
        for inner in content.values():
            yield from _rates(inner)
    elif isinstance(content, list):
        for inner in content:
            yield from _rates(inner)


def _length(person: Person, url: str) -> int:
    ids: list[str] = []
    cursor: str | None = None
    while True:
        query = "" if cursor is None else f"&cursor={cursor}"
        page = person.get(f"{url}&limit=7{query}")
        assert page.status_code == 200, (url, page.text)
        assert page.json is not None
        ids += [item["id"] for item in page.json["items"]]
        cursor = page.json["next_cursor"]
        if cursor is None:
            assert len(ids) == len(set(ids))
            return len(ids)
