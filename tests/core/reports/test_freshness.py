"""How fresh a report is, what it remembers, and when a day was changed after it had ended."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.core.reports.team import MONDAY, Team, a_period, moment
from unite_core import Actor, CallOutcome
from unite_core.cache import MAX_TTL, CacheLookup, NoCache
from unite_core.calls.ports import CALL_COUNTS_NAMESPACE
from unite_core.reports.model import ReportMeta
from unite_core.testing.in_memory import in_memory_ports

COUNTING = ("daily", "insights", "attempts", "heatmap", "leaderboard")
EVERY = (*COUNTING, "funnel", "speed_to_lead")


class Spoiled(NoCache):
    """Holds something else than the counts that were put there."""

    def __init__(self, value: bytes) -> None:
        self.value = value

    def get(self, namespace: str, key: str) -> CacheLookup:
        return (
            CacheLookup(self.value, "a ticket") if namespace == CALL_COUNTS_NAMESPACE else super().get(namespace, key)
        )


def about(
    team: Team, report: str, first: Any = MONDAY, last: Any = None, tz: str = "UTC", actor: Actor | None = None
) -> ReportMeta:
    found: ReportMeta = getattr(team.unite.reports, report)(actor or team.manager, a_period(first, last, tz)).about
    return found


def completed(team: Team) -> int:
    return team.unite.reports.daily(team.manager, a_period()).figures.completed.value


@pytest.fixture
def uncached() -> Team:
    return Team(ports=in_memory_ports(cache=NoCache()))


@pytest.mark.parametrize("report", EVERY)
def test_a_report_says_what_it_is_about_and_until_when_it_is_complete(team: Team, report: str) -> None:
    team.call()

    found = about(team, report, "2026-03-01", "2026-03-02", tz="Asia/Kathmandu")

    assert found.period == a_period("2026-03-01", "2026-03-02", "Asia/Kathmandu")
    assert found.complete_through == found.generated_at == team.now
    assert found.restated_at is None


@pytest.mark.parametrize("report", COUNTING)
@pytest.mark.parametrize("folded", [False, True])
def test_an_entry_that_is_written_after_its_day_had_ended_restates_the_day(
    uncached: Team, report: str, folded: bool
) -> None:
    team = uncached
    team.call()
    team.go_to("2026-03-03T00:30")
    team.call(at="2026-03-02T23:00")
    team.go_to("2026-03-04T00:00")
    team.call()
    if folded:
        team.unite.reports.fold()

    assert about(team, report).restated_at == moment("2026-03-03T00:30")
    assert about(team, report, "2026-03-01", "2026-03-05").restated_at == moment("2026-03-03T00:30")
    assert about(team, report, "2026-03-04").restated_at is None
    assert about(team, report, "2026-03-02", tz="America/New_York").restated_at is None


def test_a_correction_on_the_day_restates_nothing_and_a_later_one_does(uncached: Team) -> None:
    team = uncached
    task = team.call(CallOutcome.BUSY)
    team.go_to("2026-03-02T23:59:59")
    team.correct(task, CallOutcome.CONNECTED)
    assert about(team, "daily").restated_at is None

    team.go_to("2026-03-03T00:00")
    team.correct(task, CallOutcome.CONVERTED)
    first = team.now
    assert about(team, "daily").restated_at == first

    team.go_to("2026-03-09T00:00")
    team.correct(task, CallOutcome.CONNECTED)
    assert about(team, "daily").restated_at == team.now > first


@pytest.mark.parametrize("step", ["nothing", "fold", "rebuild"])
def test_a_correction_that_moves_a_call_restates_the_day_it_leaves_and_not_the_one_it_comes_to(
    uncached: Team, step: str
) -> None:
    team = uncached
    task = team.call(at="2026-03-02T08:00")
    team.go_to("2026-03-04T09:00")
    team.correct(task, CallOutcome.CONNECTED, started_at=moment("2026-03-04T08:00"))
    do: dict[str, Any] = {"nothing": list, "fold": team.unite.reports.fold, "rebuild": team.unite.reports.rebuild}
    do[step]()
    team.go_to("2026-03-05T09:00")

    assert about(team, "daily", "2026-03-02").restated_at == moment("2026-03-04T09:00")
    assert about(team, "daily", "2026-03-04").restated_at is None
    assert about(team, "daily", "2026-03-03").restated_at is None


@pytest.mark.parametrize("agent", ["ann", "ben"])
def test_an_agents_report_is_restated_by_entries_of_their_calls_alone(uncached: Team, agent: str) -> None:
    team = uncached
    team.call(agent=team.ben)
    task = team.call(agent=team.ann)
    team.go_to("2026-03-03T09:00")
    team.correct(task)

    restated: datetime | None = about(team, "daily", actor=getattr(team, agent)).restated_at
    assert restated == (team.now if agent == "ann" else None)


def test_a_report_that_is_read_right_after_a_change_shows_it(team: Team) -> None:
    assert completed(team) == 0

    task = team.call(CallOutcome.BUSY)
    assert completed(team) == 1
    team.missed_call()
    assert team.unite.reports.daily(team.manager, a_period()).figures.missed.value == 1
    team.cancelled_call()
    assert team.unite.reports.daily(team.manager, a_period()).cancelled.value == 1
    team.correct(task, CallOutcome.CONVERTED)
    assert team.unite.reports.daily(team.manager, a_period()).figures.conversions.value == 1


@pytest.mark.parametrize("report", COUNTING)
def test_the_same_question_is_answered_as_it_was_until_an_entry_is_written(team: Team, report: str) -> None:
    team.call()
    first = about(team, report)

    team.advance(MAX_TTL / 2)
    assert about(team, report) == first
    assert about(team, report, "2026-03-03").generated_at == team.now
    assert about(team, report, tz="Asia/Tokyo").generated_at == team.now
    assert about(team, report, actor=team.ben).generated_at == team.now

    team.call()
    assert about(team, report).generated_at == team.now > first.generated_at


def test_an_answer_is_remembered_for_no_longer_than_a_cache_may_be_out_of_date(team: Team) -> None:
    first = about(team, "daily")

    team.advance(MAX_TTL)

    assert about(team, "daily").generated_at == first.generated_at + MAX_TTL


def test_folding_and_rebuilding_change_no_answer_that_is_remembered(team: Team) -> None:
    team.call(CallOutcome.CONVERTED)
    before = team.unite.reports.insights(team.manager, a_period())

    team.unite.reports.fold()
    team.unite.reports.rebuild()

    assert team.unite.reports.insights(team.manager, a_period()) == before


def test_what_comes_out_of_the_cache_is_what_was_put_in(team: Team) -> None:
    team.call(CallOutcome.CONVERTED, at="2026-03-02T08:10", source="fair, spring")
    team.missed_call(team.ben)
    for report in COUNTING:
        read: Any = getattr(team.unite.reports, report)
        assert read(team.manager, a_period()) == read(team.manager, a_period())


@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b'["now", []]', b'["2026-03-02T09:00:00+00:00", [[1]]]', b"7"])
def test_an_answer_that_nobody_can_read_is_worked_out_anew(value: bytes) -> None:
    team = Team(ports=in_memory_ports(cache=Spoiled(value)))
    team.call()

    assert completed(team) == 1


def test_an_agent_who_was_renamed_is_shown_so_at_once(team: Team) -> None:
    team.call()
    reports = team.unite.reports
    assert [row.agent.name for row in reports.daily(team.manager, a_period()).by_agent] == ["ann"]

    team.rename(team.ann, "Anna")

    [row] = reports.daily(team.manager, a_period()).by_agent
    [busy] = reports.insights(team.manager, a_period()).busiest_agents
    [place] = reports.leaderboard(team.manager, a_period()).places
    assert (row.agent.name, busy.agent.name, place.agent.name) == ("Anna", "Anna", "Anna")


def test_a_day_that_goes_on_is_not_restated(team: Team) -> None:
    team.call()
    team.advance(timedelta(hours=2))
    team.call()

    assert about(team, "daily", MONDAY).restated_at is None


def test_activity_from_the_call_log_is_remembered_until_an_entry_is_written(team: Team) -> None:
    def completed_by_agent() -> dict[str | None, int]:
        report = team.unite.reports.activity(team.manager, a_period())
        return {row.agent.name: row.figures.completed.value for row in report.agents}

    team.call()
    assert completed_by_agent() == {"ann": 1}
    team.write_unseen(team.ben)
    assert completed_by_agent() == {"ann": 1}
    assert team.unite.reports.activity(team.ben, a_period()).agents[0].figures.completed.value == 1

    team.call()
    assert completed_by_agent() == {"ann": 2, "ben": 1}
