"""Counting calls: what an entry of the ledger adds to a rollup, and what has to be added to rollups that are read.

An entry says everything about its call as it is from then on. So what it changes is the call as it says, less the call
as the entry before it said. These changes add up, in whatever order they come.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.ports import MAX_ATTEMPT
from unite_core.days import QUARTERS_PER_DAY, quarter_of
from unite_core.reports.ports import (
    Cell,
    Dimension,
    Grain,
    Question,
    Recounted,
    Rollups,
    Step,
    Timeline,
    key_of,
)
from unite_core.reports.tally import Tally

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Change:
    """A call that is counted (`times` is 1) or taken out again (-1) by an entry that was written at `recorded_at`."""

    entry: LedgerEntry
    times: int
    recorded_at: datetime


def changes(steps: Iterable[Step]) -> Iterator[Change]:
    """Everything that the steps change."""
    for step in steps:
        if step.before is not None:
            yield Change(step.before, -1, step.entry.at)
        yield Change(step.entry, 1, step.entry.at)


def cells_of(steps: Iterable[Step]) -> dict[Cell, Tally]:
    """What the steps add to the rollups."""
    cells: dict[Cell, Tally] = {}
    for change in changes(steps):
        quarter = quarter_of(change.entry.called_at)
        for dimension in Dimension:
            key = key_of(dimension, change.entry)
            for cell in _cells(quarter, dimension, key):
                tally = cells.setdefault(cell, Tally())
                tally.add(change.entry, times=change.times, recorded_at=change.recorded_at)
    return cells


def cells_of_recounted(recounted: Iterable[Recounted]) -> dict[Cell, Tally]:
    """The rollups that hold what was recounted."""
    cells: dict[Cell, Tally] = {}
    for some in recounted:
        keys = {
            Dimension.ALL: "",
            Dimension.AGENT: "" if some.agent_id is None else str(some.agent_id),
            Dimension.SOURCE: some.source or "",
            Dimension.ATTEMPT: "" if some.attempt is None else str(min(some.attempt, MAX_ATTEMPT)),
        }
        counted = Tally({some.result: some.calls}, some.seconds, some.recorded_at)
        for dimension, key in keys.items():
            for cell in _cells(some.quarter, dimension, key):
                cells.setdefault(cell, Tally()).include(counted)
    return cells


def answers(rollups: Rollups, steps: Sequence[Step], questions: Sequence[Question]) -> list[dict[str, Tally]]:
    """The answers that are true of all entries: of the folded ones, and of those that the steps are of."""
    found = [dict(answer) for answer in rollups.answers(questions)]
    for question, answer in zip(questions, found, strict=True):
        for change in _relevant(steps, question.agent_id):
            for key in _keys(question, change.entry):
                tally = answer.setdefault(key, Tally())
                tally.add(change.entry, times=change.times, recorded_at=change.recorded_at)
    return found


def by_agent(rollups: Rollups, steps: Iterable[Step], question: Timeline) -> dict[tuple[str, int], Tally]:
    """The answer that is true of all entries, as those of `answers` are."""
    answer = dict(rollups.by_agent(question))
    for change in _relevant(steps, question.agent_id):
        quarter = quarter_of(change.entry.called_at)
        for segment in question.segments:
            if segment.first <= quarter < segment.end:
                tally = answer.setdefault((key_of(Dimension.AGENT, change.entry), segment.label(quarter)), Tally())
                tally.add(change.entry, times=change.times, recorded_at=change.recorded_at)
    return answer


def _relevant(steps: Iterable[Step], agent_id: UUID | None) -> Iterator[Change]:
    return (change for change in changes(steps) if agent_id in (None, change.entry.agent_id))


def _keys(question: Question, entry: LedgerEntry) -> Iterator[str]:
    """Under what the answer to the question counts the call; nothing where it is not asked for."""
    quarter = quarter_of(entry.called_at)
    if isinstance(question, Timeline):
        for segment in question.segments:
            if segment.first <= quarter < segment.end:
                yield str(segment.label(quarter))
    elif question.start <= quarter < question.end:
        yield key_of(question.by, entry)


def _cells(quarter: int, dimension: Dimension, key: str) -> tuple[Cell, Cell]:
    return (
        Cell(Grain.QUARTER, quarter, dimension, key),
        Cell(Grain.DAY, quarter // QUARTERS_PER_DAY, dimension, key),
    )


def portions(start: int, end: int) -> list[tuple[Grain, int, int]]:
    """The quarter hours from `start` to before `end`, as whole days of UTC with quarter hours before and after them."""
    first_day, end_day = -(-start // QUARTERS_PER_DAY), end // QUARTERS_PER_DAY
    if first_day >= end_day:
        return [(Grain.QUARTER, start, end)] if start < end else []
    parts = [
        (Grain.QUARTER, start, first_day * QUARTERS_PER_DAY),
        (Grain.DAY, first_day, end_day),
        (Grain.QUARTER, end_day * QUARTERS_PER_DAY, end),
    ]
    return [part for part in parts if part[1] < part[2]]


def merged(answers: Iterable[Mapping[K, Tally]]) -> dict[K, Tally]:
    """Answers about different portions, in one."""
    whole: dict[K, Tally] = {}
    for answer in answers:
        for key, tally in answer.items():
            whole.setdefault(key, Tally()).include(tally)
    return whole
