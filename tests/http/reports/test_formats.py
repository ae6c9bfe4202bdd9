"""Tests of reports over HTTP: JSON and CSV, versions, malformed queries, and roles."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.http.reports.history import History
from tests.http.service import Person, faults, problem
from unite_core import CallOutcome
from unite_core.identity.model import Role
from unite_core.identity.use_cases import UserChanges
from unite_core.testing.builders import an_actor

REPORTS = ("daily", "insights", "funnel", "attempts", "speed-to-lead", "heatmap", "leaderboard")
SPANS = tuple(report for report in REPORTS if report != "daily")
CALL: dict[str, Any] = {
    "later": 0,
    "new_lead": True,
    "agent": "amy",
    "source": "web",
    "how": "complete",
    "outcome": CallOutcome.CONVERTED,
    "seconds": 60,
    "began": None,
    "corrected": None,
    "fold": False,
}


@pytest.fixture
def history() -> History:
    """Amy has made a call on the day on which the history begins."""
    history = History()
    history.happen(CALL)
    return history


@pytest.fixture
def manager(history: History) -> Person:
    return history.person("mo")


def read(person: Person, report: str, accept: str = "", **query: str) -> TestResponse:
    headers = {"Accept": accept} if accept else {}
    return person.get(f"/v1/reports/{report}", query_string=query, headers=headers)


def rows(answer: TestResponse) -> list[dict[str, str]]:
    assert (answer.status_code, answer.mimetype) == (200, "text/csv"), answer.text
    return [*csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline=""))]


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("text/csv;q=0.4, application/json;q=0.5", "application/json"),
        ("text/csv;q=0.5, application/json;q=0.4", "text/csv"),
        ("text/csv, application/json", "application/json"),
        ("text/csv;q=0, */*", "application/json"),
        ("text/html, text/csv;q=0.1", "text/csv"),
    ],
)
def test_a_report_has_the_format_that_the_client_accepts(
    manager: Person, report: str, accept: str, mimetype: str
) -> None:
    answer = read(manager, report, accept)

    assert (answer.status_code, answer.mimetype) == (200, mimetype)
    assert "Accept" in {*answer.vary}
    name = answer.headers.get("Content-Disposition")
    assert name == (f'attachment; filename="{report}.csv"' if mimetype == "text/csv" else None)


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_an_unchanged_report_is_304(history: History, manager: Person, report: str, accept: str) -> None:
    path = f"/v1/reports/{report}"
    first = read(manager, report, accept)
    tag = first.headers["ETag"]

    again = manager.get(path, headers={"Accept": accept, "If-None-Match": tag})
    assert (again.status_code, again.headers["ETag"]) == (304, tag)
    assert "Accept" in {*again.vary}
    other = {"application/json": "text/csv", "text/csv": "application/json"}[accept]
    assert manager.get(path, headers={"Accept": other, "If-None-Match": tag}).status_code == 200

    history.happen(CALL)
    changed = manager.get(path, headers={"Accept": accept, "If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag


def test_the_version_stays_while_the_content_does(history: History, manager: Person) -> None:
    first = read(manager, "daily", date="2026-03-02").get_json()
    history.happen({**CALL, "how": "leave"})
    history.service.unite.reports.fold()
    history.service.ports.clock.advance(history.service.ports.clock.now() - datetime(2026, 3, 2, 8, 55, tzinfo=UTC))

    again = read(history.person("mo"), "daily", date="2026-03-02").get_json()

    assert again["version"] == first["version"]
    assert again["generated_at"] > first["generated_at"]


def test_the_rows_of_csv_are_those_of_the_report(manager: Person) -> None:
    report = read(manager, "daily").get_json()

    amy, total = rows(read(manager, "daily", "text/csv"))

    assert amy["agent_id"] == report["by_agent"][0]["agent_id"]
    assert (amy["name"], amy["total"], amy["completed"]) == ("Somebody agent", "1", "1")
    assert (amy["completion_rate"], amy["completion_rate_numerator"], amy["completion_rate_denominator"]) == (
        "1.0",
        "1",
        "1",
    )
    assert (total["agent_id"], total["name"], total["total"]) == ("", "total", "1")


@pytest.mark.parametrize(
    ("report", "number"),
    [
        ("daily", 2),
        ("insights", 1),
        ("funnel", 1),
        ("attempts", 5),
        ("speed-to-lead", 1),
        ("heatmap", 168),
        ("leaderboard", 1),
    ],
)
def test_every_report_is_available_as_csv(manager: Person, report: str, number: int) -> None:
    assert len(rows(read(manager, report, "text/csv"))) == number


def test_a_rate_without_a_value_is_an_empty_cell(history: History) -> None:
    [row] = rows(read(history.person("mo"), "insights", "text/csv", **{"from": "2026-01-01"}))

    assert (row["contact_rate"], row["contact_rate_numerator"], row["contact_rate_denominator"]) == ("", "0", "0")
    [speed] = rows(read(history.person("mo"), "speed-to-lead", "text/csv", **{"from": "2026-01-01"}))
    assert (speed["p50_seconds"], speed["p90_seconds"]) == ("", "")


@pytest.mark.parametrize("metric", ["conversions", "conversion_rate"])
def test_a_leaderboard_is_available_as_csv_for_every_metric(manager: Person, metric: str) -> None:
    [row] = rows(read(manager, "leaderboard", "text/csv", metric=metric))

    assert (row["rank"], row["completed"]) == ("1", "1")
    assert ("value_numerator" in row) == (metric == "conversion_rate")
    assert float(row["value"]) == 1


@pytest.mark.parametrize("text", ["=hyperlink(1)", "+1", "-1", "@sum(1)"])
def test_formulas_in_names_and_sources_are_escaped(history: History, text: str) -> None:
    history.service.unite.identity.update_user(
        an_actor(Role.ADMIN), UserChanges(user_id=history.users["amy"].id, name=text)
    )
    history.happen({**CALL, "source": text})
    manager = history.person("mo")

    for report, column in (("daily", "name"), ("leaderboard", "name"), ("funnel", "source")):
        cells = {row[column] for row in rows(read(manager, report, "text/csv"))}
        assert f"'{text}" in cells
        assert text not in cells


def test_a_source_with_commas_and_quotes_is_one_cell(history: History) -> None:
    source = 'a "quoted", one'
    history.happen({**CALL, "source": source})

    csv_rows = rows(read(history.person("mo"), "funnel", "text/csv"))

    assert {row["source"] for row in csv_rows} == {source, "web"}


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
@pytest.mark.parametrize("report", SPANS)
@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"tz": "Mars/Base"}, [("tz", "unknown_time_zone")]),
        ({"from": "2026-2-1"}, [("from", "invalid_date")]),
        ({"from": "2026-02-30", "to": "x"}, [("from", "invalid_date"), ("to", "invalid_date")]),
        ({"from": "2026-03-02", "to": "2026-03-01"}, [("from", "after_end")]),
        ({"from": "2025-01-01", "to": "2026-02-05"}, [("to", "span_too_long")]),
        ({"from": "1979-12-31"}, [("from", "out_of_range")]),
    ],
)
def test_a_malformed_query_is_refused_with_the_parameter(
    manager: Person, report: str, accept: str, query: dict[str, str], wrong: list[tuple[str, str]]
) -> None:
    answer = read(manager, report, accept, **query)

    assert problem(answer)[0] == 400
    assert faults(answer) == wrong
    assert {*answer.get_json()["errors"][0]} >= {"parameter", "code", "detail"}


@pytest.mark.parametrize(("value", "code"), [("yesterday", "invalid_date"), ("3000-01-01", "out_of_range")])
def test_an_invalid_day_is_reported_once(manager: Person, value: str, code: str) -> None:
    assert set(faults(read(manager, "daily", date=value))) == {("date", code)}
    assert len(faults(read(manager, "daily", date=value))) == 1


def test_an_unknown_metric_is_refused(manager: Person) -> None:
    answer = read(manager, "leaderboard", metric="applause")

    assert problem(answer)[0] == 400
    assert faults(answer) == [("metric", "unknown_value")]


def test_a_period_may_have_400_days(manager: Person) -> None:
    answer = read(manager, "insights", **{"from": "2025-01-01", "to": "2026-02-04"})

    assert len(answer.get_json()["trend"]) == 400


@pytest.mark.parametrize("report", [*REPORTS, "metrics"])
def test_unauthenticated_clients_get_no_report(history: History, report: str) -> None:
    assert problem(read(history.service.stranger, report))[0] == 401


@pytest.mark.parametrize(("role", "calls"), [(Role.ADMIN, 2), (Role.MANAGER, 2), (Role.AGENT, 0)])
def test_agents_see_their_own_figures_and_other_roles_those_of_all_agents(
    history: History, role: Role, calls: int
) -> None:
    history.happen({**CALL, "agent": "bob"})
    person = history.service.log_in(history.service.add(role))

    assert read(person, "daily").get_json()["total_calls"]["value"] == calls
    assert read(person, "funnel").get_json()["total"]["leads"]["value"] == calls
    assert [place["rank"] for place in read(person, "leaderboard").get_json()["agents"]] == [1] * calls
    assert read(history.person("bob"), "daily").get_json()["total_calls"]["value"] == 1
    assert [place["rank"] for place in read(history.person("bob"), "leaderboard").get_json()["agents"]] == [None]


@pytest.mark.parametrize("who", ["mo", "amy"])
def test_every_role_can_read_the_definitions(history: History, who: str) -> None:
    body = read(history.person(who), "metrics").get_json()

    assert len(body["results"]) == 10
    [rate] = [each for each in body["rates"] if each["name"] == "contact_rate"]
    assert (rate["numerator"]["flags"], rate["denominator"]["flags"], rate["unit"]) == (
        ["contact"],
        ["attempt"],
        "share",
    )


def test_a_skipped_day_has_a_report_whose_links_work(manager: Person) -> None:
    body = read(manager, "daily", date="2011-12-30", tz="Pacific/Apia").get_json()

    assert (body["total_calls"]["value"], body["by_hour"]) == (0, [])
    opened = manager.get(body["total_calls"]["items_url"])
    assert (opened.status_code, opened.get_json()["items"]) == (200, [])


def logs(person: Person, **query: str) -> TestResponse:
    return person.get("/v1/call-logs", query_string=query)


DAY = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}


@pytest.mark.parametrize(
    ("clock", "number"),
    [
        ({"hour": "8"}, 1),
        ({"hour": "9"}, 0),
        ({"hour": "7,8"}, 1),
        ({"weekday": "1"}, 1),
        ({"weekday": "2,3"}, 0),
        ({"hour": "8", "weekday": "7"}, 0),
        ({"hour": "14", "tz": "Asia/Kathmandu"}, 1),
        ({"hour": "8", "tz": "Asia/Kathmandu"}, 0),
        ({"tz": "Asia/Kathmandu"}, 1),
    ],
)
def test_the_call_log_is_filtered_by_hours_and_weekdays(manager: Person, clock: dict[str, str], number: int) -> None:
    answer = logs(manager, **DAY, **clock)

    assert answer.status_code == 200, answer.text
    assert len(answer.get_json()["items"]) == number


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"hour": "8"}, [("from", "required"), ("to", "required")]),
        ({"weekday": "1", "from": DAY["from"]}, [("to", "required")]),
        ({"hour": "8", "to": DAY["to"]}, [("from", "required")]),
        ({**DAY, "hour": "8", "tz": "Mars/Base"}, [("tz", "unknown_time_zone")]),
        ({"tz": "Mars/Base"}, [("tz", "unknown_time_zone")]),
        ({"hour": "8", "from": "2025-01-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, [("to", "span_too_long")]),
    ],
)
def test_a_filter_by_hours_or_weekdays_needs_a_time_zone_and_days(
    manager: Person, query: dict[str, str], wrong: list[tuple[str, str]]
) -> None:
    answer = logs(manager, **query)

    assert problem(answer)[0] == 400
    assert faults(answer) == wrong


@pytest.mark.parametrize(("name", "value"), [("hour", "24"), ("hour", "-1"), ("weekday", "0"), ("weekday", "8")])
def test_hours_and_weekdays_out_of_range_are_refused(manager: Person, name: str, value: str) -> None:
    answer = logs(manager, **DAY, **{name: value})

    assert problem(answer)[0] == 400
    assert [parameter for parameter, _ in faults(answer)] == [name]
