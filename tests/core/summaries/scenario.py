"""Scenario for daily summaries: a clock that a test sets, and the same figures for every day."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from unite_core import Actor, Unite
from unite_core.errors import Invalid
from unite_core.events import Event
from unite_core.notifications.audience import DAILY_SUMMARY
from unite_core.notifications.model import ACTIVITY
from unite_core.summaries.model import DayFigure
from unite_core.summaries.ports import DayFigures
from unite_core.summaries.use_cases import SummaryChange
from unite_core.testing.scenario import Scenario

FIGURE = DayFigure(total_calls=42, completed=38, missed=4, contacts=21, conversions=3)


def at(text: str) -> datetime:
    """Parse a moment in ISO 8601 with an offset."""
    return datetime.fromisoformat(text)


def counting(unite: Unite, figures: DayFigures) -> Unite:
    """Return a copy of `unite` whose summaries have these figures."""
    make = replace(unite.upkeep.create_daily_summaries, figures=figures)
    return replace(unite, upkeep=replace(unite.upkeep, create_daily_summaries=make))


@dataclass
class SummaryScenario(Scenario):
    """A scenario that begins at `start`; the figures of every day are `FIGURE`.

    `between` is called when figures are read, and `asked_for` is which were.
    """

    start: str = "2026-03-02T09:00Z"
    between: Callable[[], object] = lambda: None
    asked_for: list[tuple[date, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.set_clock(at(self.start))
        super().__post_init__()
        self.unite = counting(self.unite, self._figures)

    def _figures(self, day: date, tz: str) -> DayFigure:
        self.asked_for.append((day, tz))
        self.between()
        return FIGURE

    def stop(self, actor: Actor) -> None:
        """End the daily summary of the user."""
        self.unite.identity.update_daily_summary(actor, SummaryChange(daily_summary=None))

    def set_clock(self, moment: datetime) -> None:
        self.advance(moment - self.now)

    def make_at(self, *moments: str) -> list[int]:
        """Make summaries at each of the moments; return their numbers."""
        made = []
        for moment in moments:
            self.set_clock(at(moment))
            made.append(self.unite.upkeep.create_daily_summaries())
        return made

    def summaries(self) -> list[Event]:
        """Return the events of the summaries, oldest first."""
        with self.ports.work() as work:
            claimed = work.deliveries.claim(
                ACTIVITY, now=at("2099-01-01T00:00Z"), until=at("2100-01-01T00:00Z"), limit=99
            )
        return [event for _, event in claimed if event.type == DAILY_SUMMARY]


def faults(refused: Invalid) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in refused.problems]
