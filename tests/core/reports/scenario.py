"""Scenario for reports: calls at a moment, and the counts of a report as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from unite_core import Actor, CallOutcome, CallTask, Lead
from unite_core.periods import Period
from unite_core.reports.model import AgentName, Count
from unite_core.reports.tally import Rate
from unite_core.testing.builders import an_entry
from unite_core.testing.in_memory import InMemoryUnitOfWorkFactory
from unite_core.testing.scenario import Scenario

MONDAY = date(2026, 3, 2)
"""The first day of the clock, which begins at 9:00 UTC."""


@dataclass
class ReportScenario(Scenario):
    """Scenario with helpers to make calls at a moment and to read the counts."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.names = {self.ann.user_id: "ann", self.ben.user_id: "ben", self.manager.user_id: "manager"}

    def add_agent(self, name: str) -> Actor:
        agent = self.add_user(name)
        self.names[agent.user_id] = name
        return agent

    def rename(self, agent: Actor, name: str) -> None:
        self.update_user(agent, name=name)

    def call(
        self,
        outcome: CallOutcome = CallOutcome.CONNECTED,
        *,
        at: str | None = None,
        agent: Actor | None = None,
        seconds: int = 60,
        lead: Lead | None = None,
        **of_lead: Any,
    ) -> CallTask:
        """Make a call to the lead (default: a new one) that began at that moment (default: now)."""
        who = agent or self.ann
        lead = lead or self.create_lead(assigned_to=who.user_id, **of_lead)
        task = self.create_call_task(lead, assigned_to=who.user_id)
        callback = outcome is CallOutcome.CALLBACK_REQUESTED
        return self.complete(
            task,
            who,
            outcome=outcome,
            duration_seconds=seconds,
            started_at=moment(at) if at else self.now,
            follow_up_at=self.now + timedelta(days=300) if callback else None,
        )

    def calls(self, number: int, outcome: CallOutcome = CallOutcome.CONNECTED, **rest: Any) -> None:
        for _ in range(number):
            self.call(outcome, **rest)

    def missed_call(self, agent: Actor | None = None, lead: Lead | None = None) -> CallTask:
        """Miss a call that was due now."""
        task = self.create_call_task(lead, assigned_to=(agent or self.ann).user_id, due_at=self.now)
        self.miss(task)
        return task

    def cancelled_call(self, agent: Actor | None = None) -> CallTask:
        """Cancel a call that was due now."""
        return self.cancel(self.create_call_task(assigned_to=(agent or self.ann).user_id, due_at=self.now))

    def write(self, at: datetime, **facts: Any) -> None:
        """Append an entry with these values, for a call to a new lead, to the ledger."""
        lead = self.create_lead()
        task = self.create_call_task(lead)
        with self.ports.work() as unit:
            unit.ledger.append(an_entry(task, at=at, duration_seconds=0, **facts))
            unit.commit()

    def write_unseen(self, agent: Actor) -> None:
        """Append an entry of a call of the agent without invalidating the cache."""
        task = self.create_call_task()
        entry = an_entry(task, at=self.now, agent_id=agent.user_id)
        unseen = InMemoryUnitOfWorkFactory(self.ports.reads._store)
        with unseen() as unit:
            unit.ledger.append(entry)
            unit.commit()

    def name_of(self, agent: AgentName) -> str | None:
        """Return the name of the agent of a row, and check that it belongs to the id."""
        assert agent.name == (None if agent.id is None else self.names[agent.id])
        return agent.name

    def go_to(self, at: str) -> None:
        self.advance(moment(at) - self.now)


def moment(text: str) -> datetime:
    """Parse a moment in ISO 8601, in UTC if it has no offset."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def a_period(first: date | str = MONDAY, last: date | str | None = None, tz: str = "UTC") -> Period:
    begin, end = (date.fromisoformat(str(day)) for day in (first, last or first))
    return Period(begin, end, tz)


def values(row: Any) -> dict[str, Any]:
    """Return the counts of a row as numbers, and its rates as numerator and denominator."""
    shown: dict[str, Any] = {}
    for name in row.__dataclass_fields__:
        each = getattr(row, name)
        if isinstance(each, Count):
            shown[name] = each.value
        elif isinstance(each, Rate):
            shown[name] = (each.numerator, each.denominator)
    return shown


def nonzero(counts: Mapping[Any, Count]) -> dict[str, int]:
    """Return the counts that are not 0."""
    return {str(key): count.value for key, count in counts.items() if count.value}
