"""Tests of reports through the whole Compose stack: reconciliation and repair of call documents."""

from typing import Any

from tests.compose.stack import Stack
from tests.live_scenario import LiveScenario, call_tasks
from tests.service_process import eventually


def test_a_day_is_equal_in_rollups_ledger_and_documents(stack: Stack, scenario: LiveScenario) -> None:
    amy, mo = scenario.add_user("agent"), scenario.add_user("manager")
    leads = [scenario.lead(f"Report {number}") for number in range(5)]
    before = _daily(scenario)
    for task_id in call_tasks(mo, amy, leads):
        assert amy.complete(task_id).status_code == 200

    after = _daily(scenario)
    assert after["completed"]["value"] == before["completed"]["value"] + len(leads)
    listed = scenario.admin.call("GET", after["by_outcome"]["connected"]["items_url"] + "&limit=200")["items"]
    assert len(listed) == after["by_outcome"]["connected"]["value"]

    reconciliation = eventually(lambda: _reconciled(scenario), "the documents of all calls are there")
    figures = [reconciliation[store] for store in ("rollups", "ledger", "documents")]
    assert figures[0] == figures[1] == figures[2]
    assert reconciliation["differences"] == []
    activity = scenario.admin.call("GET", "/v1/reports/activity")
    assert sum(agent["completed"]["value"] for agent in activity["agents"]) == figures[0]["completed"]
    worker = ("exec", "-T", "worker", "python", "-m", "entrypoints")
    assert "days are counted anew" in stack.compose(*worker, "rebuild-reports")
    assert _daily(scenario)["version"] == after["version"]


def test_a_tampered_document_is_reported_and_repaired(stack: Stack, scenario: LiveScenario) -> None:
    amy, mo = scenario.add_user("agent"), scenario.add_user("manager")
    (task_id,) = call_tasks(mo, amy, [scenario.lead("Report Changed")])
    assert amy.complete(task_id).status_code == 200
    eventually(lambda: _reconciled(scenario), "the document of the call is there")
    of_call = f"{{'_id': __import__('bson').Binary.from_uuid(__import__('uuid').UUID('{task_id}'))}}"
    change = f"database.call_log.update_one({of_call}, {{'$set': {{'duration_seconds': 9999}}}})"
    assert stack.as_service_in_mongo(change) == [""]

    response = scenario.admin.call("GET", "/v1/reports/reconciliation")
    (difference,) = response["differences"]

    assert not response["equal"]
    assert (difference["kind"], difference["task_id"], difference["field"]) == ("altered", task_id, "duration_seconds")


def _daily(scenario: LiveScenario) -> dict[str, Any]:
    report: dict[str, Any] = scenario.admin.call("GET", "/v1/reports/daily")
    return report


def _reconciled(scenario: LiveScenario) -> dict[str, Any] | None:
    """The reconciliation, once nothing is on its way any more and all are equal."""
    response = scenario.admin.call("GET", "/v1/reports/reconciliation")
    return response if response["equal"] and not response["pending"] else None
