"""Rollups and live figures in memory."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallTask, TaskStatus
from unite_core.calls.ports import CallCounts
from unite_core.leads.model import Lead
from unite_core.periods import QUARTERS_PER_DAY, quarter_of
from unite_core.reports.metrics import CONTACTS, CONVERSIONS
from unite_core.reports.ports import (
    Cell,
    Cohort,
    Dimension,
    EntryChange,
    FirstCalls,
    FunnelCounts,
    Grain,
    LiveFigures,
    OverdueCall,
    Question,
    Recounted,
    Rollups,
    Timeline,
    Totals,
    key_of,
)
from unite_core.reports.rollup_counts import OF_AGENT, merged, rollup_ranges
from unite_core.reports.tally import Tally, later_of
from unite_core.testing.in_memory.copies import copied
from unite_core.testing.in_memory.leads import calls_of_agent
from unite_core.testing.in_memory.tables import Tables


class InMemoryRollups(Rollups):
    """Stores rollups of counted calls."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def results(self, questions: Sequence[Question]) -> Sequence[Mapping[str, Tally]]:
        return [
            self._totals(question) if isinstance(question, Totals) else self._timeline(question)
            for question in questions
        ]

    def _totals(self, question: Totals) -> Mapping[str, Tally]:
        if question.agent_id is not None and question.by in OF_AGENT:
            return self._of_agent(question)
        dimension = question.by if question.agent_id is None else Dimension.AGENT
        answer: dict[str, Tally] = {}
        for portion in rollup_ranges(question.start, question.end):
            for cell, tally in self._cells(portion.grain, portion.first, portion.end, dimension, question.agent_id):
                key = "" if question.by is Dimension.ALL else cell.key
                answer.setdefault(key, Tally()).include(tally, times=portion.times)
        return answer

    def _of_agent(self, question: Totals) -> Mapping[str, Tally]:
        answer: dict[str, Tally] = {}
        for portion in rollup_ranges(question.start, question.end):
            if portion.grain is Grain.DAY:
                for cell, tally in self._tables.rollups.items():
                    of_question = (cell.agent_id, cell.dimension) == (question.agent_id, question.by)
                    if of_question and portion.first <= cell.period < portion.end:
                        answer.setdefault(cell.key, Tally()).include(tally)
                continue
            for entry, times, recorded_at in self._folded_counts():
                if entry.agent_id == question.agent_id and portion.first <= _quarter(entry) < portion.end:
                    tally = answer.setdefault(key_of(question.by, entry), Tally())
                    tally.add(entry, times=portion.times * times, recorded_at=recorded_at)
        return answer

    def _timeline(self, question: Timeline) -> Mapping[str, Tally]:
        dimension = Dimension.ALL if question.agent_id is None else Dimension.AGENT
        return merged(
            {str(segment.label(cell.period)): tally}
            for segment in question.segments
            for cell, tally in self._cells(Grain.QUARTER, segment.first, segment.end, dimension, question.agent_id)
        )

    def by_agent(self, question: Timeline) -> Mapping[tuple[str, int], Tally]:
        return merged(
            {(cell.key, segment.label(cell.period)): tally}
            for segment in question.segments
            for cell, tally in self._cells(
                Grain.QUARTER, segment.first, segment.end, Dimension.AGENT, question.agent_id
            )
        )

    def unfolded(self) -> Sequence[EntryChange]:
        return [self._step(entry_id) for entry_id in self._tables.unfolded]

    def claim(self, *, limit: int) -> Sequence[EntryChange]:
        return [self._step(entry_id) for entry_id in sorted(self._tables.unfolded)[:limit]]

    def catch_up(self, *, limit: int) -> int:  # noqa: ARG002  # no other version folds in these tables
        return 0

    def fold(self, steps: Sequence[EntryChange], counted: Mapping[Cell, Tally]) -> None:
        self._add(counted)
        for step in steps:
            del self._tables.unfolded[step.entry.id]

    def days(self) -> Sequence[int]:
        called = {_quarter(entry) // QUARTERS_PER_DAY for entry in self._tables.ledger.values()}
        return sorted(called | {cell.period for cell in self._tables.rollups if cell.grain is Grain.DAY})

    def recount(self, day: int) -> Sequence[Recounted]:
        return [
            Recounted(
                quarter=_quarter(entry),
                agent_id=entry.agent_id,
                source=entry.source,
                attempt=entry.attempt,
                result=entry.result,
                calls=times,
                seconds=times * (entry.duration_seconds or 0),
                recorded_at=recorded_at,
            )
            for entry, times, recorded_at in self._folded_counts()
            if _quarter(entry) // QUARTERS_PER_DAY == day
        ]

    def replace_day(self, day: int, counted: Mapping[Cell, Tally]) -> None:
        for cell in list(self._tables.rollups):
            of_day = cell.period if cell.grain is Grain.DAY else cell.period // QUARTERS_PER_DAY
            if of_day == day:
                del self._tables.rollups[cell]
        self._add(counted)

    def _add(self, counted: Mapping[Cell, Tally]) -> None:
        for cell, tally in counted.items():
            # Other units of work share the same tallies, so none is changed in place.
            whole = copied(self._tables.rollups.get(cell, Tally()))
            whole.include(tally)
            self._tables.rollups[cell] = whole

    def _cells(
        self, grain: Grain, first: int, end: int, dimension: Dimension, agent_id: UUID | None
    ) -> Iterator[tuple[Cell, Tally]]:
        for cell, tally in self._tables.rollups.items():
            of_agent = agent_id is None or cell.key == str(agent_id)
            of_all = (cell.grain, cell.dimension, cell.agent_id) == (grain, dimension, None)
            if of_all and first <= cell.period < end and of_agent:
                yield cell, tally

    def _step(self, entry_id: UUID) -> EntryChange:
        entry = self._tables.ledger[entry_id]
        return EntryChange(entry, self._entry(entry.task_id, entry.number - 1))

    def _entry(self, task_id: UUID, number: int) -> LedgerEntry | None:
        chain = (entry for entry in self._tables.ledger.values() if (entry.task_id, entry.number) == (task_id, number))
        return next(chain, None)

    def _folded_counts(self) -> Iterator[tuple[LedgerEntry, int, datetime]]:
        """Yield every entry that is folded, or whose next one is: how often it counts, and when that last changed."""
        for entry in self._tables.ledger.values():
            following = self._entry(entry.task_id, entry.number + 1)
            folded = entry.id not in self._tables.unfolded
            followed = following is not None and following.id not in self._tables.unfolded
            recorded_at = later_of(entry.at if folded else None, following.at if following and followed else None)
            if recorded_at is not None:
                yield entry, int(folded) - int(followed), recorded_at


class InMemoryLiveFigures(LiveFigures):
    """Computes the current figures of leads and call tasks."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def funnel(self, question: Cohort) -> Mapping[str, FunnelCounts]:
        stages: dict[str, list[int]] = {}
        for lead in self._leads(question):
            counts = self._calls(lead, question)
            outcomes = {outcome.value for outcome, number in counts.outcomes.items() if number} if counts else set()
            contacted = any(result.value in outcomes for result in CONTACTS.results)
            converted = any(result.value in outcomes for result in CONVERSIONS.results)
            reached = [1, int(bool(outcomes)), int(contacted), int(converted)]
            stages[lead.source] = [
                one + more for one, more in zip(stages.get(lead.source, [0] * 4), reached, strict=True)
            ]
        return {
            source: FunnelCounts(leads=leads, called=called, contacted=contacted, converted=converted)
            for source, (leads, called, contacted, converted) in stages.items()
        }

    def first_calls(self, question: Cohort, *, within: int) -> FirstCalls:
        leads = list(self._leads(question))
        calls = ((lead, self._calls(lead, question)) for lead in leads)
        waits = sorted(max(timedelta(), each.first_called_at - lead.created_at) for lead, each in calls if each)
        return FirstCalls(
            leads=len(leads),
            called=len(waits),
            within=sum(wait <= timedelta(seconds=within) for wait in waits),
            p50=_nearest_rank(waits, 50),
            p90=_nearest_rank(waits, 90),
        )

    def overdue(self, *, before: datetime, assigned_to: UUID | None = None) -> int:
        return len(self._overdue(before, assigned_to))

    def overdue_calls(self, *, before: datetime, limit: int, assigned_to: UUID | None = None) -> Sequence[OverdueCall]:
        return [self._overdue_call(task) for task in self._overdue(before, assigned_to)[:limit]]

    def names(self, user_ids: Collection[UUID]) -> Mapping[UUID, str]:
        return {user_id: self._tables.users[user_id].name for user_id in user_ids if user_id in self._tables.users}

    def _overdue(self, before: datetime, assigned_to: UUID | None) -> Sequence[CallTask]:
        tasks = (
            task
            for task in self._tables.tasks.values()
            if task.status is TaskStatus.PENDING and task.due_at < before and assigned_to in (None, task.assigned_to)
        )
        return sorted(tasks, key=lambda task: (task.due_at, task.id))

    def _overdue_call(self, task: CallTask) -> OverdueCall:
        lead = self._tables.leads[task.lead_id]
        assignee = None if task.assigned_to is None else self._tables.users[task.assigned_to]
        return OverdueCall(
            task_id=task.id,
            due_at=task.due_at,
            lead_name=lead.name if lead.deleted_at is None else None,
            assignee_name=assignee.name if assignee else None,
        )

    def _calls(self, lead: Lead, question: Cohort) -> CallCounts | None:
        if question.assigned_to is None:
            return self._tables.lead_calls.get(lead.id)
        return calls_of_agent(self._tables.ledger.values(), lead.id, question.assigned_to)

    def _leads(self, question: Cohort) -> Iterator[Lead]:
        for lead in self._tables.leads.values():
            created = question.created_from <= lead.created_at < question.created_to
            if created and lead.deleted_at is None and question.assigned_to in (None, lead.assigned_to):
                yield lead


def _nearest_rank(waits: Sequence[timedelta], percent: int) -> int | None:
    # Rounded up, because the leads were called within that many seconds.
    return ceil(waits[ceil(len(waits) * percent / 100) - 1] / timedelta(seconds=1)) if waits else None


def _quarter(entry: LedgerEntry) -> int:
    return quarter_of(entry.called_at)
