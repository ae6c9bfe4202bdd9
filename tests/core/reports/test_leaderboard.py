"""Tests of the ranking of agents by a metric."""

from typing import Any

import pytest

from tests.core.reports.scenario import ReportScenario, a_period
from unite_core import Actor, CallOutcome
from unite_core.reports.leaderboard import DEFAULT_METRIC, LEADERBOARD_METRICS, Leaderboard
from unite_core.reports.metrics import COUNTS, RATES
from unite_core.reports.model import CallItems


def report(scenario: ReportScenario, *metric: str, actor: Actor | None = None, **period: Any) -> Leaderboard:
    return scenario.unite.reports.leaderboard(actor or scenario.manager, a_period(**period), *metric)


def places(scenario: ReportScenario, *metric: str, **rest: Any) -> list[tuple[int | None, str | None, float | None]]:
    result = report(scenario, *metric, **rest)
    return [(place.rank, scenario.name_of(place.agent), place.value.value) for place in result.places]


def test_agents_with_the_same_value_share_a_rank_and_the_next_rank_counts_them(scenario: ReportScenario) -> None:
    cid, dora, emil = scenario.add_agent("cid"), scenario.add_agent("dora"), scenario.add_agent("emil")
    for agent, conversions in ((emil, 1), (dora, 2), (cid, 3), (scenario.ben, 2), (scenario.ann, 0)):
        scenario.calls(conversions, CallOutcome.CONVERTED, agent=agent)
        scenario.call(CallOutcome.BUSY, agent=agent)

    assert places(scenario) == [(1, "cid", 3), (2, "ben", 2), (2, "dora", 2), (4, "emil", 1), (5, "ann", 0)]
    assert report(scenario).metric == DEFAULT_METRIC == "conversions"
    assert [place.completed.value for place in report(scenario).places] == [4, 3, 3, 2, 1]


def test_agents_are_ranked_by_the_requested_metric(scenario: ReportScenario) -> None:
    scenario.call(CallOutcome.CONVERTED, agent=scenario.ann, seconds=10)
    scenario.calls(3, CallOutcome.BUSY, agent=scenario.ann, seconds=10)
    scenario.call(CallOutcome.CONNECTED, agent=scenario.ben, seconds=50)

    assert places(scenario, "completed") == [(1, "ann", 4), (2, "ben", 1)]
    assert places(scenario, "contact_rate") == [(1, "ben", 1), (2, "ann", 0.25)]
    assert places(scenario, "average_duration_seconds") == [(1, "ben", 50), (2, "ann", 10)]


def test_an_agent_without_a_rate_is_last_and_has_no_rank(scenario: ReportScenario) -> None:
    zoe = scenario.add_agent("zoe")
    scenario.missed_call(scenario.ann)
    scenario.call(CallOutcome.BUSY, agent=scenario.ben)
    scenario.call(CallOutcome.CONNECTED, agent=zoe)

    assert places(scenario, "contact_rate") == [(1, "zoe", 1), (2, "ben", 0), (None, "ann", None)]
    assert places(scenario, "conversions") == [(1, "ann", 0), (1, "ben", 0), (1, "zoe", 0)]


def test_agents_without_calls_and_calls_without_an_agent_are_not_ranked(scenario: ReportScenario) -> None:
    without_agent = scenario.create_call_task(scenario.create_lead(assigned_to=None), due_at=scenario.now)
    scenario.miss(without_agent)
    moved = scenario.call(agent=scenario.ben, at="2026-03-02T08:00", seconds=0)
    scenario.call(agent=scenario.ann, at="2026-03-02T08:00")
    scenario.correct(moved, started_at=scenario.now.replace(day=1))

    assert places(scenario) == [(1, "ann", 0)]
    assert places(scenario, first="2026-03-01") == [(1, "ben", 1)]


def test_agents_see_only_themselves_without_a_rank(scenario: ReportScenario) -> None:
    scenario.calls(2, CallOutcome.CONVERTED, agent=scenario.ann)
    scenario.calls(1, CallOutcome.CONVERTED, agent=scenario.ben)

    assert places(scenario, actor=scenario.ben) == [(None, "ben", 1)]
    assert places(scenario, actor=scenario.ann) == [(None, "ann", 2)]
    assert places(scenario, actor=scenario.admin) == places(scenario) == [(1, "ann", 2), (2, "ben", 1)]


def test_a_row_links_to_the_calls_of_its_agent(scenario: ReportScenario) -> None:
    scenario.call(CallOutcome.CONVERTED, agent=scenario.ben)

    [place] = report(scenario).places

    items = place.completed.items
    assert isinstance(items, CallItems)
    assert items.agent_id == scenario.ben.user_id


@pytest.mark.parametrize("metric", LEADERBOARD_METRICS)
def test_every_metric_can_be_requested(scenario: ReportScenario, metric: str) -> None:
    scenario.call(CallOutcome.CONVERTED, agent=scenario.ann)
    scenario.call(CallOutcome.WRONG_NUMBER, agent=scenario.ben)

    result = report(scenario, metric)

    assert result.metric == metric
    shown = [place.value.value for place in result.places]
    ranked = [value for value in shown if value is not None]
    assert ranked == sorted(ranked, reverse=True)
    assert shown[len(ranked) :] == [None] * (2 - len(ranked))
    assert {*COUNTS, *RATES} == set(LEADERBOARD_METRICS)
