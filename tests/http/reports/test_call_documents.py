"""Tests of the reports from call documents over HTTP: activity and reconciliation."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from tests.http.service import HttpScenario, Person, Service, complete, id_of, problem
from unite_core.errors import Unavailable
from unite_core.identity.model import Role
from unite_core.testing.in_memory import InMemoryActivityLog, InMemoryCallDocuments

DAY = "date=2026-03-02&tz=Europe/Berlin"
SPAN = "from=2026-03-01&to=2026-03-03&tz=Europe/Berlin"


class UnavailableCallDocuments(InMemoryCallDocuments):
    """Documents that may be out of reach."""

    away = False

    def by_agent(self, question: Any) -> Any:
        if self.away:
            raise Unavailable("MongoDB did not answer several times; try again in a moment.")
        return super().by_agent(question)

    def of_tasks(self, task_ids: Any) -> Any:
        if self.away:
            raise Unavailable("MongoDB did not answer several times; try again in a moment.")
        return super().of_tasks(task_ids)


def make_call(scenario: HttpScenario, agent: Person, outcome: str) -> None:
    """Complete a call task to a new lead as the agent."""
    lead_id = scenario.create_lead("Grace", email=f"{scenario.service.ports.ids.new()}@example.com")
    task = scenario.create_call_task(lead_id=lead_id, assigned_to=id_of(agent), due_at="2026-03-02T12:00:00Z")
    assert complete(agent, task["id"], outcome=outcome, duration_seconds=60).status_code == 200


def deliver(scenario: HttpScenario) -> None:
    scenario.service.ports.clock.advance(timedelta(seconds=1))
    scenario.service.unite.notifications.relay("activity")


def scenario_with_calls(service: Service) -> HttpScenario:
    """Return a scenario in which Ann made two calls and missed none."""
    scenario = HttpScenario(service, lead=False)
    for outcome in ("connected", "converted"):
        make_call(scenario, scenario.ann, outcome)
    return scenario


@pytest.fixture
def documents() -> UnavailableCallDocuments:
    return UnavailableCallDocuments()


@pytest.fixture
def scenario(documents: UnavailableCallDocuments) -> HttpScenario:
    return scenario_with_calls(Service(documents=documents, activity=InMemoryActivityLog(documents)))


def read(person: Person, path: str) -> dict[str, Any]:
    answer = person.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.json is not None
    return dict(answer.json)


def rows(person: Person, path: str) -> list[dict[str, str]]:
    answer = person.get(path, headers={"Accept": "text/csv"})
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


def test_activity_is_counted_from_documents_with_the_time_up_to_which_it_is_complete(scenario: HttpScenario) -> None:
    scenario.service.ports.clock.advance(timedelta(minutes=1))
    before = read(scenario.manager, f"/v1/reports/activity?{SPAN}")
    assert before["agents"] == []
    assert before["complete_through"] < before["generated_at"]

    deliver(scenario)

    after = read(scenario.manager, f"/v1/reports/activity?{SPAN}")
    [ann] = after["agents"]
    assert (ann["agent_id"], ann["name"]) == (str(scenario.ann.user.id), scenario.ann.user.name)
    assert {name: ann[name]["value"] for name in ("calls", "completed", "missed", "contacts", "conversions")} == {
        "calls": 2,
        "completed": 2,
        "missed": 0,
        "contacts": 2,
        "conversions": 1,
    }
    assert ann["duration_seconds"] == 120
    [day] = ann["by_day"]
    assert (day["date"], day["conversions"]["value"], day["duration_seconds"]) == ("2026-03-02", 1, 120)
    assert after["complete_through"] == after["generated_at"]
    assert after["version"] != before["version"]


def test_the_counts_of_activity_link_to_their_calls(scenario: HttpScenario) -> None:
    deliver(scenario)
    make_call(scenario, scenario.ann, "busy")
    deliver(scenario)

    [ann] = read(scenario.manager, f"/v1/reports/activity?{SPAN}")["agents"]

    for count in (ann["calls"], ann["contacts"], ann["by_day"][0]["completed"], ann["by_day"][0]["missed"]):
        assert len(read(scenario.manager, count["items_url"])["items"]) == count["value"]


def test_without_documents_activity_is_counted_from_the_ledger() -> None:
    scenario = scenario_with_calls(Service())

    [ann] = read(scenario.ann, f"/v1/reports/activity?{SPAN}")["agents"]

    assert (ann["calls"]["value"], ann["duration_seconds"]) == (2, 120)


def test_activity_as_csv_has_a_row_per_agent_and_day(scenario: HttpScenario) -> None:
    deliver(scenario)

    assert rows(scenario.manager, f"/v1/reports/activity?{SPAN}") == [
        {
            "date": "2026-03-02",
            "agent_id": str(scenario.ann.user.id),
            "name": scenario.ann.user.name,
            "calls": "2",
            "completed": "2",
            "missed": "0",
            "contacts": "2",
            "conversions": "1",
            "duration_seconds": "120",
        }
    ]


def test_agents_see_their_own_activity_and_no_reconciliation(scenario: HttpScenario) -> None:
    other = scenario.service.agent()
    make_call(scenario, other, "busy")
    deliver(scenario)

    assert [it["agent_id"] for it in read(other, f"/v1/reports/activity?{SPAN}")["agents"]] == [str(other.user.id)]
    assert len(read(scenario.manager, f"/v1/reports/activity?{SPAN}")["agents"]) == 2
    assert problem(other.get(f"/v1/reports/reconciliation?{DAY}")) == (403, "forbidden")


def test_a_reconciliation_lists_each_difference(scenario: HttpScenario, documents: UnavailableCallDocuments) -> None:
    deliver(scenario)
    alike = read(scenario.manager, f"/v1/reports/reconciliation?{DAY}")
    assert (alike["equal"], alike["differences"], alike["date"], alike["pending"]) == (True, [], "2026-03-02", 0)
    assert alike["rollups"] == alike["ledger"] == alike["documents"]
    assert (alike["ledger"]["total_calls"], alike["ledger"]["by_result"]["converted"]) == (2, 1)
    [altered, _] = documents.contents.values()
    altered["duration_seconds"] = 61

    report = read(scenario.manager, f"/v1/reports/reconciliation?{DAY}")

    difference = {
        "kind": "altered",
        "task_id": str(altered["task_id"]),
        "entry_id": str(altered["entry_id"]),
        "field": "duration_seconds",
        "expected": "60",
        "found": "61",
    }
    assert (report["equal"], report["number_of_differences"]) == (False, 1)
    assert report["differences"] == [difference]
    assert report["documents"]["duration_seconds"] == report["ledger"]["duration_seconds"] + 1
    assert rows(scenario.manager, f"/v1/reports/reconciliation?{DAY}") == [difference]
    assert report["version"] != alike["version"]


def test_calls_with_a_pending_event_are_counted_as_pending(scenario: HttpScenario) -> None:
    report = read(scenario.manager, f"/v1/reports/reconciliation?{DAY}")

    assert (report["equal"], report["pending"], report["differences"]) == (True, 2, [])
    assert report["documents"]["total_calls"] == 0


def test_without_documents_the_ledger_is_reconciled_with_the_rollups() -> None:
    scenario = scenario_with_calls(Service())

    report = read(scenario.manager, f"/v1/reports/reconciliation?{DAY}")

    assert (report["equal"], report["documents"]) == (True, None)
    assert report["rollups"] == report["ledger"]


def test_during_an_outage_of_the_documents_only_their_reports_are_503(
    scenario: HttpScenario, documents: UnavailableCallDocuments
) -> None:
    documents.away = True

    for path in (f"activity?{SPAN}", f"reconciliation?{DAY}"):
        assert problem(scenario.manager.get(f"/v1/reports/{path}")) == (503, "unavailable")
    for path in (f"daily?{DAY}", f"insights?{SPAN}", f"attempts?{SPAN}"):
        assert scenario.manager.get(f"/v1/reports/{path}").status_code == 200


@pytest.mark.parametrize("path", ["activity?from=2026-03-02&to=2026-03-01", "reconciliation?date=2026-02-30"])
def test_invalid_days_are_refused(scenario: HttpScenario, path: str) -> None:
    assert problem(scenario.manager.get(f"/v1/reports/{path}")) == (400, "invalid_parameter")


def test_a_report_with_the_same_content_has_the_same_version(scenario: HttpScenario) -> None:
    deliver(scenario)
    first = scenario.manager.get(f"/v1/reports/activity?{SPAN}")
    scenario.service.ports.clock.advance(timedelta(minutes=5))

    again = scenario.manager.get(f"/v1/reports/activity?{SPAN}", headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304


def test_every_role_with_the_permission_can_reconcile(scenario: HttpScenario) -> None:
    for role in (Role.ADMIN, Role.MANAGER):
        person = scenario.service.log_in(scenario.service.add(role))
        assert person.get(f"/v1/reports/reconciliation?{DAY}").status_code == 200
