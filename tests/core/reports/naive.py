"""An independent simple implementation of the reports, to compare results with (an oracle)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tests.core.reports.scenario import ReportScenario
from unite_core.calls.ledger import LedgerEntry
from unite_core.periods import Period

SPOKEN_WITH = {"connected", "callback_requested", "not_interested", "converted"}


@dataclass
class Plainly:
    """The figures of a scenario's calls and leads in a period, for one agent or for all."""

    scenario: ReportScenario
    period: Period
    agent_id: UUID | None

    def __post_init__(self) -> None:
        self.zone = ZoneInfo(self.period.tz)
        ordered = sorted(self.scenario.tables.ledger.values(), key=lambda entry: entry.number)
        self.every = [*{entry.task_id: entry for entry in ordered}.values()]
        self.own = [entry for entry in self.every if self._own(entry)]
        self.calls = [entry for entry in self.own if self._within(entry.called_at)]
        self.leads = [
            lead
            for lead in self.scenario.tables.leads.values()
            if lead.deleted_at is None and self._within(lead.created_at) and self.agent_id in (None, lead.assigned_to)
        ]

    def _own(self, entry: LedgerEntry) -> bool:
        return self.agent_id in (None, entry.agent_id)

    def _within(self, moment: datetime) -> bool:
        return self.period.first <= moment.astimezone(self.zone).date() <= self.period.last

    def daily(self) -> Any:
        by_agent = {call.agent_id for call in self.calls if call.result != "cancelled"}
        at_hours: Counter[Any] = Counter()
        for call in made(self.calls):
            shown = call.called_at.astimezone(self.zone)
            at_hours[shown.replace(minute=0, second=0, microsecond=0).isoformat()] += 1
        return (
            figures(self.calls),
            sum(call.result == "cancelled" for call in self.calls),
            {agent: figures([call for call in self.calls if call.agent_id == agent]) for agent in by_agent},
            dict(Counter(str(call.result) for call in made(self.calls))),
            dict(at_hours),
        )

    def insights(self) -> Any:
        calls = made(self.calls)
        days = [self.period.first + timedelta(days=each) for each in range(len(self.period.days))]
        sources = {call.source for call in calls}
        shown = [call.called_at.astimezone(self.zone) for call in calls]
        overdue = [
            task
            for task in self.scenario.tables.tasks.values()
            if task.status == "pending"
            and task.due_at < self.scenario.now
            and self.agent_id in (None, task.assigned_to)
        ]
        return (
            figures(self.calls),
            maximum(Counter(call.agent_id for call in calls if call.agent_id is not None)),
            maximum(Counter(at.hour for at in shown)),
            maximum(Counter(at.isoweekday() for at in shown)),
            [
                figures([call for call in self.calls if call.called_at.astimezone(self.zone).date() == day])
                for day in days
            ],
            {
                source: (
                    sum(call.source == source for call in calls),
                    sum(call.source == source and call.result == "converted" for call in calls),
                )
                for source in sources
            },
            len(overdue),
        )

    def attempts(self) -> Any:
        numbers = [(min(call.attempt or 0, 5), str(call.result)) for call in made(self.calls)]
        return [
            (
                sum(number == attempt for number, _ in numbers),
                sum(number == attempt and result in SPOKEN_WITH for number, result in numbers),
                sum(number == attempt and result == "converted" for number, result in numbers),
            )
            for attempt in range(1, 6)
        ]

    def heatmap(self) -> Any:
        cells: Counter[tuple[int, int]] = Counter()
        for call in made(self.calls):
            at = call.called_at.astimezone(self.zone)
            cells[at.isoweekday(), at.hour] += 1
        return dict(cells)

    def leaderboard(self) -> Any:
        agents = {call.agent_id for call in self.calls if call.agent_id is not None}
        won = {
            agent: sum(call.agent_id == agent and call.result == "converted" for call in self.calls) for agent in agents
        }
        rank = {agent: 1 + sum(more > number for more in won.values()) for agent, number in won.items()}
        return {agent: (rank[agent] if self.agent_id is None else None, number) for agent, number in won.items()}

    def funnel(self) -> Any:
        results: dict[UUID, set[str]] = {lead.id: set() for lead in self.leads}
        for call in made(self.own):
            results.get(call.lead_id, set()).add(str(call.result))
        return {
            source: (
                sum(lead.source == source for lead in self.leads),
                sum(lead.source == source and bool(results[lead.id]) for lead in self.leads),
                sum(lead.source == source and bool(results[lead.id] & SPOKEN_WITH) for lead in self.leads),
                sum(lead.source == source and "converted" in results[lead.id] for lead in self.leads),
            )
            for source in {lead.source for lead in self.leads}
        }

    def speed_to_lead(self) -> Any:
        waits = []
        for lead in self.leads:
            begun = [call.called_at for call in made(self.own) if call.lead_id == lead.id]
            if begun:
                waits.append(max(0, ceil((min(begun) - lead.created_at) / timedelta(seconds=1))))
        waits.sort()
        ranks = [waits[ceil(len(waits) * share) - 1] if waits else None for share in (0.5, 0.9)]
        return (len(self.leads), len(waits), sum(wait <= 300 for wait in waits), *ranks)


def made(calls: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    return [call for call in calls if call.outcome is not None]


def figures(calls: Sequence[LedgerEntry]) -> dict[str, Any]:
    completed = made(calls)
    missed = sum(call.result == "missed" for call in calls)
    contacts = sum(str(call.result) in SPOKEN_WITH for call in calls)
    return {
        "total_calls": len(completed) + missed,
        "completed": len(completed),
        "missed": missed,
        "contacts": contacts,
        "conversions": sum(call.result == "converted" for call in calls),
        "completion_rate": (len(completed), len(completed) + missed),
        "contact_rate": (contacts, len(completed)),
        "average_duration_seconds": (sum(call.duration_seconds or 0 for call in completed), len(completed)),
    }


def maximum(counts: Counter[Any]) -> dict[Any, int]:
    """Return the items with the greatest count."""
    greatest = max(counts.values(), default=0)
    return {key: number for key, number in counts.items() if number == greatest}
