"""Agents in the order of a metric."""

from typing import Any

import pytest

from tests.core.reports.team import Team, a_period
from unite_core import Actor, CallOutcome
from unite_core.reports.leaderboard import DEFAULT_METRIC, LEADERBOARD_METRICS, Leaderboard
from unite_core.reports.metrics import COUNTS, RATES
from unite_core.reports.model import CallItems


def report(team: Team, *metric: str, actor: Actor | None = None, **period: Any) -> Leaderboard:
    return team.unite.reports.leaderboard(actor or team.manager, a_period(**period), *metric)


def places(team: Team, *metric: str, **rest: Any) -> list[tuple[int | None, str | None, float | None]]:
    found = report(team, *metric, **rest)
    return [(place.rank, team.name_of(place.agent), place.value.value) for place in found.places]


def test_agents_with_the_same_value_share_a_rank_and_the_next_one_is_further_down(team: Team) -> None:
    cid, dora, emil = team.add_agent("cid"), team.add_agent("dora"), team.add_agent("emil")
    for agent, conversions in ((emil, 1), (dora, 2), (cid, 3), (team.ben, 2), (team.ann, 0)):
        team.calls(conversions, CallOutcome.CONVERTED, agent=agent)
        team.call(CallOutcome.BUSY, agent=agent)

    assert places(team) == [(1, "cid", 3), (2, "ben", 2), (2, "dora", 2), (4, "emil", 1), (5, "ann", 0)]
    assert report(team).metric == DEFAULT_METRIC == "conversions"
    assert [place.completed.value for place in report(team).places] == [4, 3, 3, 2, 1]


def test_the_order_is_that_of_the_metric_which_is_asked_for(team: Team) -> None:
    team.call(CallOutcome.CONVERTED, agent=team.ann, seconds=10)
    team.calls(3, CallOutcome.BUSY, agent=team.ann, seconds=10)
    team.call(CallOutcome.CONNECTED, agent=team.ben, seconds=50)

    assert places(team, "completed") == [(1, "ann", 4), (2, "ben", 1)]
    assert places(team, "contact_rate") == [(1, "ben", 1), (2, "ann", 0.25)]
    assert places(team, "average_duration_seconds") == [(1, "ben", 50), (2, "ann", 10)]


def test_a_rate_that_says_nothing_of_an_agent_is_last_and_has_no_rank(team: Team) -> None:
    zoe = team.add_agent("zoe")
    team.missed_call(team.ann)
    team.call(CallOutcome.BUSY, agent=team.ben)
    team.call(CallOutcome.CONNECTED, agent=zoe)

    assert places(team, "contact_rate") == [(1, "zoe", 1), (2, "ben", 0), (None, "ann", None)]
    assert places(team, "conversions") == [(1, "ann", 0), (1, "ben", 0), (1, "zoe", 0)]


def test_agents_without_calls_and_calls_of_nobody_have_no_place(team: Team) -> None:
    without_agent = team.create(team.lead(assigned_to=None), due_at=team.now)
    team.miss(without_agent)
    moved = team.call(agent=team.ben, at="2026-03-02T08:00", seconds=0)
    team.call(agent=team.ann, at="2026-03-02T08:00")
    team.correct(moved, started_at=team.now.replace(day=1))

    assert places(team) == [(1, "ann", 0)]
    assert places(team, first="2026-03-01") == [(1, "ben", 1)]


def test_agents_see_themselves_without_a_rank(team: Team) -> None:
    team.calls(2, CallOutcome.CONVERTED, agent=team.ann)
    team.calls(1, CallOutcome.CONVERTED, agent=team.ben)

    assert places(team, actor=team.ben) == [(None, "ben", 1)]
    assert places(team, actor=team.ann) == [(None, "ann", 2)]
    assert places(team, actor=team.admin) == places(team) == [(1, "ann", 2), (2, "ben", 1)]


def test_the_calls_of_a_place_are_those_of_its_agent(team: Team) -> None:
    team.call(CallOutcome.CONVERTED, agent=team.ben)

    [place] = report(team).places

    items = place.completed.items
    assert isinstance(items, CallItems)
    assert items.agent_id == team.ben.user_id


@pytest.mark.parametrize("metric", LEADERBOARD_METRICS)
def test_every_metric_can_be_asked_for(team: Team, metric: str) -> None:
    team.call(CallOutcome.CONVERTED, agent=team.ann)
    team.call(CallOutcome.WRONG_NUMBER, agent=team.ben)

    found = report(team, metric)

    assert found.metric == metric
    shown = [place.value.value for place in found.places]
    ranked = [value for value in shown if value is not None]
    assert ranked == sorted(ranked, reverse=True)
    assert shown[len(ranked) :] == [None] * (2 - len(ranked))
    assert {*COUNTS, *RATES} == set(LEADERBOARD_METRICS)
