"""Tests of cached reports: computed again after a change, and never shown to another user."""

from datetime import timedelta
from typing import Any

import pytest

from tests.http.reports.history import History
from unite_core import CallOutcome
from unite_core.identity.use_cases import UserChanges
from unite_core.testing.builders import an_actor

CALL: dict[str, Any] = {
    "later": 0,
    "new_lead": True,
    "agent": "amy",
    "source": "web",
    "how": "complete",
    "outcome": CallOutcome.CONNECTED,
    "seconds": 60,
    "began": None,
    "corrected": None,
    "fold": False,
}
REPORTS = ("daily", "insights", "attempts", "heatmap", "leaderboard")


@pytest.fixture
def history() -> History:
    history = History()
    history.happen(CALL)
    return history


def read(history: History, report: str, who: str = "mo", accept: str = "application/json") -> Any:
    answer = history.person(who).get(f"/v1/reports/{report}", headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    return answer.json if accept == "application/json" else answer.text


def advance(history: History) -> None:
    history.service.ports.clock.advance(timedelta(seconds=1))


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_is_computed_again_only_after_a_change(history: History, report: str) -> None:
    first = read(history, report)
    advance(history)
    again = read(history, report)
    history.happen(CALL)
    advance(history)
    changed = read(history, report)

    assert again["generated_at"] == first["generated_at"]
    assert again["version"] == first["version"]
    assert changed["generated_at"] > first["generated_at"]
    assert changed["version"] != first["version"]


@pytest.mark.parametrize("report", ["daily", "insights", "leaderboard"])
def test_a_renamed_user_has_the_new_name_at_once(history: History, report: str) -> None:
    old, new = history.users["amy"].name, "Amy Adams"
    assert old in str(read(history, report))

    change = UserChanges(user_id=history.users["amy"].id, name=new)
    history.service.unite.identity.update_user(an_actor(), change)

    report_text = str(read(history, report))
    assert new in report_text


@pytest.mark.parametrize("report", REPORTS)
def test_a_cached_report_of_one_user_is_not_shown_to_another(history: History, report: str) -> None:
    counted = {who: str(read(history, report, who)).count("'value': 1,") for who in ("mo", "bob", "amy")}

    assert counted["bob"] == 0
    assert counted["mo"] >= counted["amy"] > 0


def test_each_format_is_cached_separately(history: History) -> None:
    for _ in range(2):
        assert read(history, "daily")["total_calls"]["value"] == 1
        assert read(history, "daily", accept="text/csv").startswith("agent_id,name,total")


def test_the_number_of_overdue_tasks_is_always_current(history: History) -> None:
    history.happen({**CALL, "how": "leave"})
    before = read(history, "insights")
    advance(history)
    after = read(history, "insights")

    assert (before["overdue_now"]["value"], after["overdue_now"]["value"]) == (0, 1)
    assert after["version"] != before["version"]
    assert after["generated_at"] == before["generated_at"]


def test_insights_with_the_same_content_have_the_same_version(history: History) -> None:
    person = history.person("mo")
    first = person.get("/v1/reports/insights")
    advance(history)

    again = person.get("/v1/reports/insights", headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304
