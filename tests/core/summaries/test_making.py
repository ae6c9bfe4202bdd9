"""When a daily summary is made, for whom, and that it is made once."""

from dataclasses import replace
from datetime import date
from functools import partial

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError
from tests.core.summaries.team import FIGURE, Team, at
from unite_core import Role, build
from unite_core.errors import Deadlock, Unavailable
from unite_core.events import Event
from unite_core.notifications.audience import DAILY_SUMMARY


@pytest.fixture
def team() -> Team:
    return Team(now="2026-03-02T09:00Z")


def test_a_summary_is_made_once_its_local_time_has_come_and_each_day_again(team: Team) -> None:
    team.ask(team.mia, at="18:00", tz="Europe/Berlin")

    made = team.make_at(
        "2026-03-02T16:59:59Z",
        "2026-03-02T17:00:00Z",
        "2026-03-02T17:00:15Z",
        "2026-03-03T16:59:59Z",
        "2026-03-03T17:00:07Z",
    )

    assert made == [0, 1, 0, 0, 1]
    assert team.asked_for == [(date(2026, 3, 2), "Europe/Berlin"), (date(2026, 3, 3), "Europe/Berlin")]


def test_the_event_says_whose_summary_it_is_and_what_the_figures_are(team: Team) -> None:
    team.ask(team.mia, at="18:00", tz="Europe/Berlin")

    team.make_at("2026-03-02T17:00:03Z")

    (event,) = team.events()
    assert event == Event(
        id=event.id,
        type=DAILY_SUMMARY,
        at=at("2026-03-02T17:00:03Z"),
        data={
            "user_id": str(team.mia.id),
            "date": "2026-03-02",
            "time": "18:00",
            "tz": "Europe/Berlin",
            "total_calls": FIGURE.total_calls,
            "completed": FIGURE.completed,
            "missed": FIGURE.missed,
            "contacts": FIGURE.contacts,
            "conversions": FIGURE.conversions,
        },
    )


def test_everybody_who_asked_gets_theirs_and_the_figures_are_counted_once_per_time(team: Team) -> None:
    others = [team.add_user(f"manager{number}", Role.MANAGER) for number in range(4)]
    for user in (team.ada, team.mia, *others):
        team.ask(user, at="18:00")
    team.ask(others[3], at="20:00")

    assert team.make_at("2026-03-02T18:00Z", "2026-03-02T20:00Z") == [5, 1]
    assert team.asked_for == [(date(2026, 3, 2), "UTC")] * 2


def test_more_than_one_portion_is_made_in_one_run(team: Team) -> None:
    for number in range(5):
        team.ask(team.add_user(f"manager{number}", Role.MANAGER), at="18:00")
    team.set_clock(at("2026-03-02T18:00Z"))

    assert team.unite.upkeep.create_daily_summaries(limit=2) == 5
    assert team.unite.upkeep.create_daily_summaries(limit=2) == 0


def test_a_run_ends_where_it_is_told_to_and_the_next_one_makes_the_rest(team: Team) -> None:
    for number in range(5):
        team.ask(team.add_user(f"manager{number}", Role.MANAGER), at="18:00")
    team.set_clock(at("2026-03-02T18:00Z"))
    answers = iter([False, True])

    assert team.unite.upkeep.create_daily_summaries(limit=2, should_stop=partial(next, answers)) == 2
    assert team.unite.upkeep.create_daily_summaries(limit=2) == 3


def test_after_a_time_without_service_it_is_made_as_long_as_the_date_is_the_same(team: Team) -> None:
    team.ask(team.mia, at="18:00", tz="Europe/Berlin")

    made = team.make_at("2026-03-02T22:59:59Z", "2026-03-03T23:00:00Z", "2026-03-04T17:00Z")

    assert made == [1, 0, 1]
    assert [event.data["date"] for event in team.events()] == ["2026-03-02", "2026-03-04"]


def test_clocks_that_go_forward_over_the_time_bring_it_at_the_first_moment_after_the_gap(team: Team) -> None:
    team.ask(team.mia, at="02:30", tz="America/New_York")
    team.make_at("2026-03-07T07:30Z")

    assert team.make_at("2026-03-08T06:59:59Z", "2026-03-08T07:00Z", "2026-03-08T07:30Z") == [0, 1, 0]


def test_clocks_that_show_the_time_twice_bring_it_once(team: Team) -> None:
    team.ask(team.mia, at="01:30", tz="America/New_York")

    made = team.make_at("2026-11-01T05:29Z", "2026-11-01T05:30Z", "2026-11-01T06:30Z", "2026-11-02T06:30Z")

    assert made == [0, 1, 0, 1]


def test_whoever_asks_after_todays_time_gets_the_first_one_tomorrow(team: Team) -> None:
    team.make_at("2026-03-02T18:30Z")
    team.ask(team.mia, at="18:00")

    assert team.make_at("2026-03-02T18:31Z", "2026-03-03T17:59Z", "2026-03-03T18:00Z") == [0, 0, 1]


@pytest.mark.parametrize(("at", "tz"), [("20:00", "UTC"), ("18:00", "America/New_York"), ("23:00", "Asia/Tokyo")])
def test_another_time_on_the_same_date_brings_no_second_one(team: Team, at: str, tz: str) -> None:
    team.ask(team.mia, at="10:00")
    assert team.make_at("2026-03-02T10:00Z") == [1]

    team.ask(team.mia, at=at, tz=tz)

    assert sum(team.make_at("2026-03-02T14:00Z", "2026-03-02T23:00Z")) == 0
    assert sum(team.make_at("2026-03-03T14:00Z", "2026-03-03T23:30Z")) == 1


def test_ending_it_and_asking_again_brings_no_second_one(team: Team) -> None:
    team.ask(team.mia, at="10:00")
    team.make_at("2026-03-02T10:00Z")

    team.stop(team.mia)
    team.ask(team.mia, at="11:00")

    assert team.make_at("2026-03-02T11:00Z", "2026-03-03T11:00Z") == [0, 1]


def test_a_clock_that_goes_back_brings_no_second_one(team: Team) -> None:
    team.ask(team.mia, at="18:00")

    made = team.make_at("2026-03-05T18:00Z", "2026-03-04T18:00Z", "2026-03-05T18:00Z", "2026-03-06T18:00Z")

    assert made == [1, 1, 0, 1]


@pytest.mark.parametrize("changes", [{"active": False}, {"role": Role.AGENT}])
def test_whoever_has_left_or_is_an_agent_gets_none(team: Team, changes: dict[str, object]) -> None:
    team.ask(team.mia, at="18:00")

    team.change(team.mia, **changes)

    assert team.make_at("2026-03-02T18:00Z") == [0]


@pytest.mark.parametrize("changes", [{"active": False}, {"role": Role.AGENT}])
def test_whoever_leaves_while_the_figures_are_counted_gets_none(team: Team, changes: dict[str, object]) -> None:
    team.ask(team.mia, at="18:00")
    team.between = lambda: team.change(team.mia, **changes)

    assert team.make_at("2026-03-02T18:00Z") == [0]
    assert team.events() == []


@pytest.mark.parametrize(("active", "role"), [(False, Role.MANAGER), (True, Role.AGENT)])
def test_a_request_of_somebody_who_may_not_get_it_is_not_followed_wherever_it_comes_from(
    team: Team, *, active: bool, role: Role
) -> None:
    asked = team.ask(team.mia, at="18:00")
    team.between = lambda: _store(team, active=active, role=role)

    assert team.make_at("2026-03-02T18:00Z") == [0]
    assert asked == team.read(team.mia).daily_summary
    assert team.make_at("2026-03-02T18:01Z") == [0]


def _store(team: Team, *, active: bool, role: Role) -> None:
    """Change the user without what the model does about the summary, as an earlier version did."""
    with team.ports.work() as work:
        mia = work.users.get(team.mia.id)
        mia.active, mia.role = active, role
        mia.touched(team.ports.clock.now())
        work.users.save(mia)
        work.commit()


def test_whoever_changes_the_time_while_the_figures_are_counted_gets_it_then(team: Team) -> None:
    team.ask(team.mia, at="18:00")

    def ask_for_later() -> None:
        team.ask(team.mia, at="19:00")

    team.between = ask_for_later
    assert team.make_at("2026-03-02T18:00Z") == [0]
    team.between = lambda: None
    assert team.make_at("2026-03-02T19:00Z") == [1]


def test_whoever_asks_for_the_same_time_again_meanwhile_waits_until_tomorrow(team: Team) -> None:
    team.ask(team.mia, at="18:00")

    def ask_again() -> None:
        team.stop(team.mia)
        team.ask(team.mia, at="18:00")

    team.between = ask_again
    assert team.make_at("2026-03-02T18:00Z") == [0]
    team.between = lambda: None
    assert team.make_at("2026-03-02T18:01Z", "2026-03-03T18:00Z") == [0, 1]


def test_another_worker_that_makes_it_meanwhile_is_no_failure(team: Team) -> None:
    team.ask(team.mia, at="18:00")
    other = build(team.ports)

    def other_worker() -> None:
        team.between = lambda: None
        assert other.upkeep.create_daily_summaries() == 1

    team.between = other_worker

    assert team.make_at("2026-03-02T18:00Z") == [0]
    assert len(team.events()) == 1


def test_a_transaction_that_gave_way_is_begun_again(team: Team) -> None:
    team.ask(team.mia, at="18:00")
    team.set_clock(at("2026-03-02T18:00Z"))
    gives_way_once = FailingWork(team.ports.work, Deadlock("Another one was quicker."), at=0)

    assert replace(team.unite.upkeep.create_daily_summaries, work=gives_way_once)() == 1
    assert len(team.events()) == 1


@pytest.mark.parametrize(("after", "left"), [(False, 1), (True, 0)])
def test_a_worker_that_dies_leaves_a_summary_made_with_its_event_or_not_at_all(
    team: Team, *, after: bool, left: int
) -> None:
    team.ask(team.ada, at="18:00")
    team.ask(team.mia, at="18:00")
    team.set_clock(at("2026-03-02T18:00Z"))
    dies = FailingWork(team.ports.work, PowerCutError(), at=1, after=after)

    with pytest.raises(PowerCutError):
        replace(team.unite.upkeep.create_daily_summaries, work=dies)()

    assert team.unite.upkeep.create_daily_summaries() == left
    assert sorted(event.data["user_id"] for event in team.events()) == [str(team.ada.id), str(team.mia.id)]


def test_figures_that_cannot_be_counted_leave_it_to_the_next_run(team: Team) -> None:
    team.ask(team.mia, at="18:00")

    def fail() -> None:
        raise Unavailable("The database does not answer.")

    team.between = fail
    with pytest.raises(Unavailable):
        team.make_at("2026-03-02T18:00Z")
    team.between = lambda: None

    assert team.make_at("2026-03-02T18:01Z") == [1]


def test_a_zone_that_is_unknown_here_holds_nobody_else_up(team: Team) -> None:
    team.ask(team.ada, at="18:00")
    asked = team.ask(team.mia, at="18:00")
    assert asked is not None
    with team.ports.work() as work:
        mia = work.users.get(team.mia.id)
        mia.ask_for_summary(replace(asked, tz="Mars/Olympus"))
        mia.touched(team.ports.clock.now())
        work.users.save(mia)
        work.commit()

    assert team.make_at("2026-03-02T23:59Z") == [1]


def test_a_day_that_a_zone_leaves_out_has_no_summary() -> None:
    team = Team(now="2011-12-28T20:00Z")
    team.ask(team.mia, at="18:00", tz="Pacific/Apia")

    made = team.make_at("2011-12-30T04:00Z", "2011-12-30T09:59Z", "2011-12-30T10:00Z", "2011-12-31T04:00Z")

    assert made == [1, 0, 0, 1]
    assert [event.data["date"] for event in team.events()] == ["2011-12-29", "2011-12-31"]
