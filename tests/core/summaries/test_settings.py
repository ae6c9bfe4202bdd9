"""Tests of the settings of daily summaries: enable, change and disable them."""

from datetime import date, time, timedelta

import pytest

from tests.core.summaries.scenario import SummaryScenario, faults
from unite_core import Forbidden, Invalid, NewUser, PreconditionFailed, Role
from unite_core.identity.summary_settings import DailySummary
from unite_core.summaries.use_cases import SummaryChange


@pytest.fixture
def scenario() -> SummaryScenario:
    return SummaryScenario(start="2026-03-02T09:00Z")


def test_managers_and_admins_can_set_a_time_and_a_time_zone(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.admin, at="18:00", tz="Europe/Berlin")

    assert scenario.user(scenario.admin).daily_summary == DailySummary(
        at=time(18), tz="Europe/Berlin", since=date(2026, 3, 2)
    )
    assert scenario.update_daily_summary(scenario.manager, at="09:30") == DailySummary(
        at=time(9, 30), tz="UTC", since=date(2026, 3, 2)
    )
    assert scenario.user(scenario.manager).version == 2


def test_without_settings_there_is_no_summary(scenario: SummaryScenario) -> None:
    new = NewUser(email="eve@unite.example", name="Eve", role=Role.ADMIN, password="correct horse battery")

    assert scenario.unite.identity.create_user.unchecked(new).daily_summary is None


def test_agents_cannot_enable_a_daily_summary(scenario: SummaryScenario) -> None:
    with pytest.raises(Forbidden):
        scenario.update_daily_summary(scenario.ben, at="18:00")


@pytest.mark.parametrize(
    ("now", "at", "tz", "since"),
    [
        ("2026-03-02T17:59:59Z", "18:00", "UTC", date(2026, 3, 2)),
        ("2026-03-02T18:00:00Z", "18:00", "UTC", date(2026, 3, 3)),
        ("2026-03-02T23:30Z", "08:00", "Asia/Tokyo", date(2026, 3, 4)),
        ("2026-03-02T22:30Z", "08:00", "Asia/Tokyo", date(2026, 3, 3)),
        ("2026-03-08T06:59Z", "02:30", "America/New_York", date(2026, 3, 8)),
        ("2026-03-08T07:00Z", "02:30", "America/New_York", date(2026, 3, 9)),
    ],
)
def test_after_todays_time_the_first_summary_is_tomorrows(now: str, at: str, tz: str, since: date) -> None:
    scenario = SummaryScenario(start=now)

    asked = scenario.update_daily_summary(scenario.manager, at=at, tz=tz)

    assert asked is not None
    assert asked.since == since


def test_a_setting_that_is_not_mentioned_stays(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00", tz="Europe/Berlin")

    later = scenario.update_daily_summary(scenario.manager, at="19:15")
    elsewhere = scenario.update_daily_summary(scenario.manager, tz="Asia/Tokyo")

    assert later == DailySummary(at=time(19, 15), tz="Europe/Berlin", since=date(2026, 3, 2))
    assert elsewhere == DailySummary(at=time(19, 15), tz="Asia/Tokyo", since=date(2026, 3, 2))


def test_a_change_without_effect_keeps_the_version_and_the_first_day(scenario: SummaryScenario) -> None:
    asked = scenario.update_daily_summary(scenario.manager, at="18:00")
    scenario.ports.clock.advance(timedelta(hours=10))

    again = scenario.update_daily_summary(scenario.manager, at="18:00", tz="UTC")
    nothing = scenario.unite.identity.update_daily_summary(scenario.manager, SummaryChange())

    assert asked == again == nothing.daily_summary
    assert scenario.user(scenario.manager).version == 2


def test_disabling_a_summary_twice_changes_nothing(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00")

    scenario.stop(scenario.manager)
    scenario.stop(scenario.manager)

    assert scenario.user(scenario.manager).daily_summary is None
    assert scenario.user(scenario.manager).version == 3
    assert scenario.user(scenario.manager).updated_at == scenario.ports.clock.now()


def test_a_change_of_an_outdated_version_is_refused(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00")
    change = SummaryChange(daily_summary=None, expected_version=1)

    with pytest.raises(PreconditionFailed):
        scenario.unite.identity.update_daily_summary(scenario.manager, change)

    assert scenario.user(scenario.manager).daily_summary is not None


@pytest.mark.parametrize(
    "at",
    [
        "",
        "6:00",
        "24:00",
        "18:60",
        "18:00:00",
        "18.00",
        "18:0O",
        "\u0661\u0668:\u0660\u0660",
        "18:00Z",
        "+18:00",
        "-1:00",
    ],
)
def test_an_invalid_time_of_day_is_refused(scenario: SummaryScenario, at: str) -> None:
    with pytest.raises(Invalid) as refused:
        scenario.update_daily_summary(scenario.manager, at=at)

    assert faults(refused.value) == [("daily_summary.at", "invalid_time")]


@pytest.mark.parametrize("tz", ["", "Berlin", "Europe/berlin", "../UTC", "UTC+1", "localtime", "Mars/Olympus"])
def test_an_unknown_or_misspelled_time_zone_is_refused(scenario: SummaryScenario, tz: str) -> None:
    with pytest.raises(Invalid) as refused:
        scenario.update_daily_summary(scenario.manager, at="18:00", tz=tz)

    assert faults(refused.value) == [("daily_summary.tz", "unknown_time_zone")]


def test_the_correct_spelling_of_a_time_zone_is_suggested(scenario: SummaryScenario) -> None:
    with pytest.raises(Invalid) as refused:
        scenario.update_daily_summary(scenario.manager, at="18:00", tz="europe/berlin")

    assert [problem.suggestion for problem in refused.value.problems] == ["Europe/Berlin"]


def test_all_field_errors_are_reported_together(scenario: SummaryScenario) -> None:
    with pytest.raises(Invalid) as refused:
        scenario.update_daily_summary(scenario.manager, at="6 pm", tz="Berlin")

    assert faults(refused.value) == [
        ("daily_summary.at", "invalid_time"),
        ("daily_summary.tz", "unknown_time_zone"),
    ]


def test_the_first_settings_need_a_time(scenario: SummaryScenario) -> None:
    with pytest.raises(Invalid) as refused:
        scenario.update_daily_summary(scenario.manager, tz="Europe/Berlin")

    assert faults(refused.value) == [("daily_summary.at", "required")]


def test_deactivating_a_user_or_making_them_an_agent_disables_their_summary(scenario: SummaryScenario) -> None:
    scenario.update_daily_summary(scenario.manager, at="18:00")
    scenario.update_user(scenario.manager, active=False)
    scenario.update_user(scenario.manager, active=True)
    assert scenario.user(scenario.manager).daily_summary is None

    scenario.update_daily_summary(scenario.manager, at="18:00")
    scenario.update_user(scenario.manager, role=Role.AGENT)
    assert scenario.user(scenario.manager).daily_summary is None


def test_a_manager_who_becomes_an_admin_keeps_their_summary(scenario: SummaryScenario) -> None:
    asked = scenario.update_daily_summary(scenario.manager, at="18:00")

    scenario.update_user(scenario.manager, role=Role.ADMIN, name="Mia the Admin")

    assert scenario.user(scenario.manager).daily_summary == asked
