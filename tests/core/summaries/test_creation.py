"""Tests of the creation of daily summaries: when, for whom, and only once."""

from dataclasses import replace
from datetime import date
from functools import partial

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError
from tests.core.summaries.scenario import FIGURE, SummaryScenario, at
from unite_core import Role, build
from unite_core.errors import Deadlock, Unavailable
from unite_core.events import Event
from unite_core.notifications.audience import DAILY_SUMMARY


@pytest.fixture
def scenario() -> SummaryScenario:
    return SummaryScenario(start="2026-03-02T09:00Z")


def test_a_summary_is_created_each_day_after_its_local_time(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00", tz="Europe/Berlin")

    made = scenario.make_at(
        "2026-03-02T16:59:59Z",
        "2026-03-02T17:00:00Z",
        "2026-03-02T17:00:15Z",
        "2026-03-03T16:59:59Z",
        "2026-03-03T17:00:07Z",
    )

    assert made == [0, 1, 0, 0, 1]
    assert scenario.asked_for == [(date(2026, 3, 2), "Europe/Berlin"), (date(2026, 3, 3), "Europe/Berlin")]


def test_the_event_has_the_recipient_and_the_figures(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00", tz="Europe/Berlin")

    scenario.make_at("2026-03-02T17:00:03Z")

    (event,) = scenario.summaries()
    assert event == Event(
        id=event.id,
        type=DAILY_SUMMARY,
        at=at("2026-03-02T17:00:03Z"),
        data={
            "user_id": str(scenario.manager.user_id),
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


def test_all_users_get_their_summary_and_figures_are_computed_once_per_time(scenario: SummaryScenario) -> None:
    others = [scenario.add_user(f"manager{number}", Role.MANAGER) for number in range(4)]
    for user in (scenario.admin, scenario.manager, *others):
        scenario.update_daily_summary(user, at="18:00")
    scenario.update_daily_summary(others[3], at="20:00")

    assert scenario.make_at("2026-03-02T18:00Z", "2026-03-02T20:00Z") == [5, 1]
    assert scenario.asked_for == [(date(2026, 3, 2), "UTC")] * 2


def test_several_batches_are_created_in_one_run(scenario: SummaryScenario) -> None:
    for number in range(5):
        scenario.update_daily_summary(scenario.add_user(f"manager{number}", Role.MANAGER), at="18:00")
    scenario.set_clock(at("2026-03-02T18:00Z"))

    assert scenario.unite.upkeep.create_daily_summaries(limit=2) == 5
    assert scenario.unite.upkeep.create_daily_summaries(limit=2) == 0


def test_a_run_can_be_stopped_and_the_next_one_creates_the_rest(scenario: SummaryScenario) -> None:
    for number in range(5):
        scenario.update_daily_summary(scenario.add_user(f"manager{number}", Role.MANAGER), at="18:00")
    scenario.set_clock(at("2026-03-02T18:00Z"))
    stops = iter([False, True])

    assert scenario.unite.upkeep.create_daily_summaries(limit=2, should_stop=partial(next, stops)) == 2
    assert scenario.unite.upkeep.create_daily_summaries(limit=2) == 3


def test_a_late_summary_is_created_until_the_end_of_its_local_date(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00", tz="Europe/Berlin")

    made = scenario.make_at("2026-03-02T22:59:59Z", "2026-03-03T23:00:00Z", "2026-03-04T17:00Z")

    assert made == [1, 0, 1]
    assert [event.data["date"] for event in scenario.summaries()] == ["2026-03-02", "2026-03-04"]


def test_a_time_that_the_clocks_skip_is_due_after_the_gap(
    scenario: SummaryScenario,
) -> None:
    scenario.update_daily_summary(scenario.manager, at="02:30", tz="America/New_York")
    scenario.make_at("2026-03-07T07:30Z")

    assert scenario.make_at("2026-03-08T06:59:59Z", "2026-03-08T07:00Z", "2026-03-08T07:30Z") == [0, 1, 0]


def test_a_time_that_the_clocks_repeat_creates_one_summary(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="01:30", tz="America/New_York")

    made = scenario.make_at("2026-11-01T05:29Z", "2026-11-01T05:30Z", "2026-11-01T06:30Z", "2026-11-02T06:30Z")

    assert made == [0, 1, 0, 1]


def test_a_summary_that_is_enabled_after_todays_time_starts_tomorrow(scenario: SummaryScenario) -> None:
    scenario.make_at("2026-03-02T18:30Z")
    scenario.update_daily_summary(scenario.manager, at="18:00")

    assert scenario.make_at("2026-03-02T18:31Z", "2026-03-03T17:59Z", "2026-03-03T18:00Z") == [0, 0, 1]


@pytest.mark.parametrize(("at", "tz"), [("20:00", "UTC"), ("18:00", "America/New_York"), ("23:00", "Asia/Tokyo")])
def test_a_changed_time_creates_no_second_summary_of_the_date(scenario: SummaryScenario, at: str, tz: str) -> None:
    scenario.update_daily_summary(scenario.manager, at="10:00")
    assert scenario.make_at("2026-03-02T10:00Z") == [1]

    scenario.update_daily_summary(scenario.manager, at=at, tz=tz)

    assert sum(scenario.make_at("2026-03-02T14:00Z", "2026-03-02T23:00Z")) == 0
    assert sum(scenario.make_at("2026-03-03T14:00Z", "2026-03-03T23:30Z")) == 1


def test_disabling_and_enabling_creates_no_second_summary_of_the_date(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="10:00")
    scenario.make_at("2026-03-02T10:00Z")

    scenario.stop(scenario.manager)
    scenario.update_daily_summary(scenario.manager, at="11:00")

    assert scenario.make_at("2026-03-02T11:00Z", "2026-03-03T11:00Z") == [0, 1]


def test_a_clock_that_is_set_back_creates_no_second_summary(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00")

    made = scenario.make_at("2026-03-05T18:00Z", "2026-03-04T18:00Z", "2026-03-05T18:00Z", "2026-03-06T18:00Z")

    assert made == [1, 1, 0, 1]


@pytest.mark.parametrize("changes", [{"active": False}, {"role": Role.AGENT}])
def test_deactivated_users_and_agents_get_none(scenario: SummaryScenario, changes: dict[str, object]) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00")

    scenario.update_user(scenario.manager, **changes)

    assert scenario.make_at("2026-03-02T18:00Z") == [0]


@pytest.mark.parametrize("changes", [{"active": False}, {"role": Role.AGENT}])
def test_users_who_lose_the_permission_while_figures_are_computed_get_none(
    scenario: SummaryScenario, changes: dict[str, object]
) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00")
    scenario.between = lambda: scenario.update_user(scenario.manager, **changes)

    assert scenario.make_at("2026-03-02T18:00Z") == [0]
    assert scenario.summaries() == []


@pytest.mark.parametrize(("active", "role"), [(False, Role.MANAGER), (True, Role.AGENT)])
def test_settings_of_a_user_without_the_permission_are_ignored(
    scenario: SummaryScenario, *, active: bool, role: Role
) -> None:
    asked = scenario.update_daily_summary(scenario.manager, at="18:00")
    scenario.between = lambda: _store(scenario, active=active, role=role)

    assert scenario.make_at("2026-03-02T18:00Z") == [0]
    assert asked == scenario.user(scenario.manager).daily_summary
    assert scenario.make_at("2026-03-02T18:01Z") == [0]


def _store(scenario: SummaryScenario, *, active: bool, role: Role) -> None:
    """Change the user without what the model does about the summary, as an earlier version did."""
    with scenario.ports.work() as work:
        mia = work.users.get(scenario.manager.user_id)
        mia.active, mia.role = active, role
        mia.mark_updated(scenario.ports.clock.now())
        work.users.save(mia)
        work.commit()


def test_a_time_that_is_changed_while_figures_are_computed_applies_at_once(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00")

    def ask_for_later() -> None:
        scenario.update_daily_summary(scenario.manager, at="19:00")

    scenario.between = ask_for_later
    assert scenario.make_at("2026-03-02T18:00Z") == [0]
    scenario.between = lambda: None
    assert scenario.make_at("2026-03-02T19:00Z") == [1]


def test_a_summary_that_is_enabled_again_while_figures_are_computed_starts_tomorrow(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00")

    def ask_again() -> None:
        scenario.stop(scenario.manager)
        scenario.update_daily_summary(scenario.manager, at="18:00")

    scenario.between = ask_again
    assert scenario.make_at("2026-03-02T18:00Z") == [0]
    scenario.between = lambda: None
    assert scenario.make_at("2026-03-02T18:01Z", "2026-03-03T18:00Z") == [0, 1]


def test_a_summary_that_another_worker_creates_meanwhile_is_not_an_error(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00")
    other = build(scenario.ports)

    def other_worker() -> None:
        scenario.between = lambda: None
        assert other.upkeep.create_daily_summaries() == 1

    scenario.between = other_worker

    assert scenario.make_at("2026-03-02T18:00Z") == [0]
    assert len(scenario.summaries()) == 1


def test_a_transaction_that_loses_a_deadlock_is_retried(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00")
    scenario.set_clock(at("2026-03-02T18:00Z"))
    gives_way_once = FailingWork(scenario.ports.work, Deadlock("Another one was quicker."), at=0)

    assert replace(scenario.unite.upkeep.create_daily_summaries, work=gives_way_once)() == 1
    assert len(scenario.summaries()) == 1


@pytest.mark.parametrize(("after", "left"), [(False, 1), (True, 0)])
def test_after_a_crash_a_summary_has_its_event_or_neither_exists(
    scenario: SummaryScenario, *, after: bool, left: int
) -> None:
    scenario.update_daily_summary(scenario.admin, at="18:00")
    scenario.update_daily_summary(scenario.manager, at="18:00")
    scenario.set_clock(at("2026-03-02T18:00Z"))
    dies = FailingWork(scenario.ports.work, PowerCutError(), at=1, after=after)

    with pytest.raises(PowerCutError):
        replace(scenario.unite.upkeep.create_daily_summaries, work=dies)()

    assert scenario.unite.upkeep.create_daily_summaries() == left
    assert sorted(event.data["user_id"] for event in scenario.summaries()) == [
        str(scenario.admin.user_id),
        str(scenario.manager.user_id),
    ]


def test_summaries_whose_figures_cannot_be_computed_are_left_to_the_next_run(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00")

    def fail() -> None:
        raise Unavailable("The database does not answer.")

    scenario.between = fail
    with pytest.raises(Unavailable):
        scenario.make_at("2026-03-02T18:00Z")
    scenario.between = lambda: None

    assert scenario.make_at("2026-03-02T18:01Z") == [1]


def test_an_unknown_time_zone_does_not_affect_other_users(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.admin, at="18:00")
    asked = scenario.update_daily_summary(scenario.manager, at="18:00")
    assert asked is not None
    with scenario.ports.work() as work:
        mia = work.users.get(scenario.manager.user_id)
        mia.set_summary(replace(asked, tz="Mars/Olympus"))
        mia.mark_updated(scenario.ports.clock.now())
        work.users.save(mia)
        work.commit()

    assert scenario.make_at("2026-03-02T23:59Z") == [1]


def test_a_day_that_the_time_zone_skips_has_no_summary() -> None:
    scenario = SummaryScenario(start="2011-12-28T20:00Z")
    scenario.update_daily_summary(scenario.manager, at="18:00", tz="Pacific/Apia")

    made = scenario.make_at("2011-12-30T04:00Z", "2011-12-30T09:59Z", "2011-12-30T10:00Z", "2011-12-31T04:00Z")

    assert made == [1, 0, 0, 1]
    assert [event.data["date"] for event in scenario.summaries()] == ["2011-12-29", "2011-12-31"]
