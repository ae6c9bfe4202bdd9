"""Tests of when a report was generated and restated, and of how long it is cached."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.core.reports.scenario import MONDAY, ReportScenario, a_period, moment
from unite_core import Actor, CallOutcome
from unite_core.cache import MAX_TTL, CacheLookup, NoCache
from unite_core.calls.ports import CALL_COUNTS_NAMESPACE
from unite_core.reports.model import ReportMeta
from unite_core.testing.in_memory import in_memory_ports

COUNTING = ("daily", "insights", "attempts", "heatmap", "leaderboard")
CACHED_REPORTS = (*COUNTING, "funnel", "speed_to_lead")


class Spoiled(NoCache):
    """Holds something else than the counts that were put there."""

    def __init__(self, value: bytes) -> None:
        self.value = value

    def get(self, namespace: str, key: str) -> CacheLookup:
        return (
            CacheLookup(self.value, "a ticket") if namespace == CALL_COUNTS_NAMESPACE else super().get(namespace, key)
        )


def about(
    scenario: ReportScenario,
    report: str,
    first: Any = MONDAY,
    last: Any = None,
    tz: str = "UTC",
    actor: Actor | None = None,
) -> ReportMeta:
    result: ReportMeta = getattr(scenario.unite.reports, report)(
        actor or scenario.manager, a_period(first, last, tz)
    ).about
    return result


def completed(scenario: ReportScenario) -> int:
    return scenario.unite.reports.daily(scenario.manager, a_period()).figures.completed.value


@pytest.fixture
def uncached() -> ReportScenario:
    return ReportScenario(ports=in_memory_ports(cache=NoCache()))


@pytest.mark.parametrize("report", CACHED_REPORTS)
def test_a_report_has_its_period_and_the_time_up_to_which_it_is_complete(scenario: ReportScenario, report: str) -> None:
    scenario.call()

    result = about(scenario, report, "2026-03-01", "2026-03-02", tz="Asia/Kathmandu")

    assert result.period == a_period("2026-03-01", "2026-03-02", "Asia/Kathmandu")
    assert result.complete_through == result.generated_at == scenario.now
    assert result.restated_at is None


@pytest.mark.parametrize("report", COUNTING)
@pytest.mark.parametrize("folded", [False, True])
def test_an_entry_written_after_the_end_of_its_day_changes_restated_at(
    uncached: ReportScenario, report: str, folded: bool
) -> None:
    scenario = uncached
    scenario.call()
    scenario.go_to("2026-03-03T00:30")
    scenario.call(at="2026-03-02T23:00")
    scenario.go_to("2026-03-04T00:00")
    scenario.call()
    if folded:
        scenario.unite.reports.fold()

    assert about(scenario, report).restated_at == moment("2026-03-03T00:30")
    assert about(scenario, report, "2026-03-01", "2026-03-05").restated_at == moment("2026-03-03T00:30")
    assert about(scenario, report, "2026-03-04").restated_at is None
    assert about(scenario, report, "2026-03-02", tz="America/New_York").restated_at is None


def test_only_a_correction_after_the_end_of_the_day_changes_restated_at(uncached: ReportScenario) -> None:
    scenario = uncached
    task = scenario.call(CallOutcome.BUSY)
    scenario.go_to("2026-03-02T23:59:59")
    scenario.correct(task, CallOutcome.CONNECTED)
    assert about(scenario, "daily").restated_at is None

    scenario.go_to("2026-03-03T00:00")
    scenario.correct(task, CallOutcome.CONVERTED)
    first = scenario.now
    assert about(scenario, "daily").restated_at == first

    scenario.go_to("2026-03-09T00:00")
    scenario.correct(task, CallOutcome.CONNECTED)
    assert about(scenario, "daily").restated_at == scenario.now > first


@pytest.mark.parametrize("step", ["nothing", "fold", "rebuild"])
def test_a_correction_that_moves_a_call_to_another_day_restates_only_the_former_day(
    uncached: ReportScenario, step: str
) -> None:
    scenario = uncached
    task = scenario.call(at="2026-03-02T08:00")
    scenario.go_to("2026-03-04T09:00")
    scenario.correct(task, CallOutcome.CONNECTED, started_at=moment("2026-03-04T08:00"))
    do: dict[str, Any] = {
        "nothing": list,
        "fold": scenario.unite.reports.fold,
        "rebuild": scenario.unite.reports.rebuild,
    }
    do[step]()
    scenario.go_to("2026-03-05T09:00")

    assert about(scenario, "daily", "2026-03-02").restated_at == moment("2026-03-04T09:00")
    assert about(scenario, "daily", "2026-03-04").restated_at is None
    assert about(scenario, "daily", "2026-03-03").restated_at is None


@pytest.mark.parametrize("agent", ["ann", "ben"])
def test_the_report_of_an_agent_is_restated_only_by_their_own_calls(uncached: ReportScenario, agent: str) -> None:
    scenario = uncached
    scenario.call(agent=scenario.ben)
    task = scenario.call(agent=scenario.ann)
    scenario.go_to("2026-03-03T09:00")
    scenario.correct(task)

    restated: datetime | None = about(scenario, "daily", actor=getattr(scenario, agent)).restated_at
    assert restated == (scenario.now if agent == "ann" else None)


def test_a_change_is_visible_in_the_next_report(scenario: ReportScenario) -> None:
    assert completed(scenario) == 0

    task = scenario.call(CallOutcome.BUSY)
    assert completed(scenario) == 1
    scenario.missed_call()
    assert scenario.unite.reports.daily(scenario.manager, a_period()).figures.missed.value == 1
    scenario.cancelled_call()
    assert scenario.unite.reports.daily(scenario.manager, a_period()).cancelled.value == 1
    scenario.correct(task, CallOutcome.CONVERTED)
    assert scenario.unite.reports.daily(scenario.manager, a_period()).figures.conversions.value == 1


@pytest.mark.parametrize("report", COUNTING)
def test_a_result_is_cached_until_an_entry_is_written(scenario: ReportScenario, report: str) -> None:
    scenario.call()
    first = about(scenario, report)

    scenario.advance(MAX_TTL / 2)
    assert about(scenario, report) == first
    assert about(scenario, report, "2026-03-03").generated_at == scenario.now
    assert about(scenario, report, tz="Asia/Tokyo").generated_at == scenario.now
    assert about(scenario, report, actor=scenario.ben).generated_at == scenario.now

    scenario.call()
    assert about(scenario, report).generated_at == scenario.now > first.generated_at


def test_a_result_is_cached_up_to_the_maximum_ttl(scenario: ReportScenario) -> None:
    first = about(scenario, "daily")

    scenario.advance(MAX_TTL)

    assert about(scenario, "daily").generated_at == first.generated_at + MAX_TTL


def test_folding_and_rebuilding_do_not_change_cached_results(scenario: ReportScenario) -> None:
    scenario.call(CallOutcome.CONVERTED)
    before = scenario.unite.reports.insights(scenario.manager, a_period())

    scenario.unite.reports.fold()
    scenario.unite.reports.rebuild()

    assert scenario.unite.reports.insights(scenario.manager, a_period()) == before


def test_a_cached_result_equals_the_computed_one(scenario: ReportScenario) -> None:
    scenario.call(CallOutcome.CONVERTED, at="2026-03-02T08:10", source="fair, spring")
    scenario.missed_call(scenario.ben)
    for report in COUNTING:
        read: Any = getattr(scenario.unite.reports, report)
        assert read(scenario.manager, a_period()) == read(scenario.manager, a_period())


@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b'["now", []]', b'["2026-03-02T09:00:00+00:00", [[1]]]', b"7"])
def test_an_unreadable_cached_result_is_computed_again(value: bytes) -> None:
    scenario = ReportScenario(ports=in_memory_ports(cache=Spoiled(value)))
    scenario.call()

    assert completed(scenario) == 1


def test_a_renamed_agent_has_the_new_name_at_once(scenario: ReportScenario) -> None:
    scenario.call()
    reports = scenario.unite.reports
    assert [row.agent.name for row in reports.daily(scenario.manager, a_period()).by_agent] == ["ann"]

    scenario.rename(scenario.ann, "Anna")

    [row] = reports.daily(scenario.manager, a_period()).by_agent
    [busy] = reports.insights(scenario.manager, a_period()).busiest_agents
    [place] = reports.leaderboard(scenario.manager, a_period()).places
    assert (row.agent.name, busy.agent.name, place.agent.name) == ("Anna", "Anna", "Anna")


def test_a_day_that_has_not_ended_is_not_restated(scenario: ReportScenario) -> None:
    scenario.call()
    scenario.advance(timedelta(hours=2))
    scenario.call()

    assert about(scenario, "daily", MONDAY).restated_at is None


def test_activity_from_the_ledger_is_cached_until_an_entry_is_written(scenario: ReportScenario) -> None:
    def completed_by_agent() -> dict[str | None, int]:
        report = scenario.unite.reports.activity(scenario.manager, a_period())
        return {row.agent.name: row.figures.completed.value for row in report.agents}

    scenario.call()
    assert completed_by_agent() == {"ann": 1}
    scenario.write_unseen(scenario.ben)
    assert completed_by_agent() == {"ann": 1}
    assert scenario.unite.reports.activity(scenario.ben, a_period()).agents[0].figures.completed.value == 1

    scenario.call()
    assert completed_by_agent() == {"ann": 2, "ben": 1}
