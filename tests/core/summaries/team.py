"""In-memory scenario for daily summaries: a manager, an admin and an agent, and a clock that a test sets."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from unite_core import Actor, NewUser, Role, Unite, User, UserChanges, build
from unite_core.errors import Invalid
from unite_core.events import Event
from unite_core.identity.daily_summary import DailySummary
from unite_core.notifications.audience import DAILY_SUMMARY
from unite_core.notifications.model import ACTIVITY
from unite_core.summaries.model import DayFigure
from unite_core.summaries.ports import DayFigures
from unite_core.summaries.use_cases import SummaryChange, SummarySettings
from unite_core.testing.builders import acting
from unite_core.testing.in_memory import FixedClock, InMemoryPorts, in_memory_ports

FIGURE = DayFigure(total_calls=42, completed=38, missed=4, contacts=21, conversions=3)


def at(text: str) -> datetime:
    """Parse a moment in ISO 8601 with an offset."""
    return datetime.fromisoformat(text)


def counting(unite: Unite, figures: DayFigures) -> Unite:
    """Return a copy of `unite` whose summaries have these figures."""
    make = replace(unite.upkeep.create_daily_summaries, figures=figures)
    return replace(unite, upkeep=replace(unite.upkeep, create_daily_summaries=make))


@dataclass
class Team:
    """Mia is a manager, Ada an admin and Ben an agent; the figures of every day are `FIGURE`."""

    now: str = "2026-03-02T09:00Z"
    between: Callable[[], None] = lambda: None
    asked_for: list[tuple[date, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ports: InMemoryPorts = in_memory_ports(clock=FixedClock(at(self.now)))
        self.unite: Unite = counting(build(self.ports), self._figures)
        self.ada = self.add_user("ada", Role.ADMIN)
        self.mia = self.add_user("mia", Role.MANAGER)
        self.ben = self.add_user("ben", Role.AGENT)

    def _figures(self, day: date, tz: str) -> DayFigure:
        self.asked_for.append((day, tz))
        self.between()
        return FIGURE

    def add_user(self, name: str, role: Role) -> User:
        new = NewUser(email=f"{name}@unite.example", name=name, role=role, password="correct horse battery")
        return self.unite.identity.create_user.unchecked(new)

    def ask(self, user: User, **wanted: str) -> DailySummary | None:
        """Request the summary; return the stored one."""
        change = SummaryChange(daily_summary=SummarySettings(**wanted))
        return self.unite.identity.update_daily_summary(acting(user), change).daily_summary

    def stop(self, user: User) -> None:
        self.unite.identity.update_daily_summary(acting(user), SummaryChange(daily_summary=None))

    def change(self, user: User, **changes: Any) -> None:
        admin = Actor(user_id=self.ada.id, role=Role.ADMIN)
        self.unite.identity.update_user(admin, UserChanges(user_id=user.id, **changes))

    def read(self, user: User) -> User:
        return self.unite.identity.get_user(acting(user), user.id)

    def set_clock(self, moment: datetime) -> None:
        self.ports.clock.advance(moment - self.ports.clock.now())

    def make_at(self, *moments: str) -> list[int]:
        """Make summaries at each of the moments; return their numbers."""
        made = []
        for moment in moments:
            self.set_clock(at(moment))
            made.append(self.unite.upkeep.create_daily_summaries())
        return made

    def events(self) -> list[Event]:
        """Return the events of the summaries, oldest first."""
        with self.ports.work() as work:
            claimed = work.deliveries.claim(
                ACTIVITY, now=at("2099-01-01T00:00Z"), until=at("2100-01-01T00:00Z"), limit=99
            )
        return [event for _, event in claimed if event.type == DAILY_SUMMARY]


def faults(refused: Invalid) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in refused.problems]
