"""Tests of the text message of the daily summary, and of its recipients."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.notifications.test_text_recipients import sent, texts_of
from tests.core.summaries.scenario import counting
from unite_core import Role
from unite_core.events import Event
from unite_core.notifications.audience import DAILY_SUMMARY
from unite_core.notifications.model import DeliveryStatus
from unite_core.notifications.texts import compose, segments
from unite_core.notifications.use_cases import NewConsent
from unite_core.summaries.model import DayFigure
from unite_core.testing.builders import an_event
from unite_core.testing.in_memory import InMemoryLinks
from unite_core.testing.scenario import Scenario

LINKS = InMemoryLinks()
FIGURES = {"total_calls": 42, "completed": 38, "missed": 4, "contacts": 21, "conversions": 3}


def summary(day: str = "2026-02-02", **figures: int) -> Event:
    return an_event(type=DAILY_SUMMARY, data={"date": day, **FIGURES, **figures})


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (summary(), "Unite, Mon 2 Feb: 42 calls, 38 completed, 4 missed, 21 reached (55 %), 3 converted."),
        (
            summary("2026-12-31", total_calls=1, completed=1, missed=0, contacts=1, conversions=0),
            "Unite, Thu 31 Dec: 1 call, 1 completed, 0 missed, 1 reached (100 %), 0 converted.",
        ),
        (
            summary(total_calls=3, completed=0, missed=3, contacts=0, conversions=0),
            "Unite, Mon 2 Feb: 3 calls, 0 completed, 3 missed, 0 reached, 0 converted.",
        ),
        (
            summary(total_calls=0, completed=0, missed=0, contacts=0, conversions=0),
            "Unite, Mon 2 Feb: no calls.",
        ),
    ],
)
def test_the_text_has_the_figures_of_the_day(event: Event, text: str) -> None:
    assert compose(event, LINKS).rpartition(" #")[0] == text


@given(st.lists(st.integers(0, 10**9), min_size=4, max_size=4))
def test_the_text_has_one_segment_for_any_figures(numbers: list[int]) -> None:
    completed, missed, contacts, conversions = numbers
    event = summary(
        total_calls=completed + missed,
        completed=completed,
        missed=missed,
        contacts=min(contacts, completed),
        conversions=min(conversions, completed),
    )

    taken = segments(compose(event, LINKS))

    assert (taken.encoding, taken.count) == ("GSM-7", 1)


def test_two_summaries_with_the_same_figures_have_different_texts() -> None:
    assert compose(summary(), LINKS) != compose(summary(), LINKS)


@pytest.fixture
def scenario() -> Scenario:
    scenario = Scenario()
    scenario.unite = counting(scenario.unite, lambda _day, _tz: DayFigure(**FIGURES))
    scenario.update_daily_summary(scenario.manager, at="09:30", tz="UTC")
    return scenario


def make(scenario: Scenario) -> None:
    scenario.ports.clock.advance(timedelta(minutes=30))
    assert scenario.unite.upkeep.create_daily_summaries() == 1


TEXT = "Unite, Mon 2 Mar: 42 calls, 38 completed, 4 missed, 21 reached (55 %), 3 converted."


def test_a_user_who_enabled_the_summary_is_texted_once(scenario: Scenario) -> None:
    make(scenario)

    ((to, text),) = sent(scenario)
    assert (to, text.rpartition(" #")[0]) == ("+12125550101", TEXT)
    scenario.unite.upkeep.create_daily_summaries()
    assert len(sent(scenario)) == 1


def _deactivate(scenario: Scenario) -> None:
    scenario.update_user(scenario.manager, active=False)


def _demote(scenario: Scenario) -> None:
    scenario.update_user(scenario.manager, role=Role.AGENT)


def _lose_phone(scenario: Scenario) -> None:
    scenario.update_user(scenario.manager, phone=None)


def _opt_out(scenario: Scenario) -> None:
    scenario.unite.notifications.record_consent(NewConsent(source="stop", phone="+12125550101", opted_out=True))


@pytest.mark.parametrize(
    ("happens", "reason"),
    [(_deactivate, "inactive"), (_demote, "not_visible"), (_lose_phone, "no_phone"), (_opt_out, "opted_out")],
)
def test_a_summary_is_not_texted_to_a_user_who_may_no_longer_get_it(
    scenario: Scenario, happens: Any, reason: str
) -> None:
    make(scenario)
    happens(scenario)

    assert sent(scenario) == []
    scenario.manager = scenario.admin
    (delivery,) = texts_of(scenario)
    assert (delivery.status, delivery.response) == (DeliveryStatus.SKIPPED, {"reason": reason})
