"""Changes of rollups by ledger entries, and results from rollups and unfolded entries.

An entry holds the whole state of its call from then on. So it changes the counts by the call as it says, minus the call
as the previous entry said. These changes add up in any order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.ports import MAX_ATTEMPT
from unite_core.periods import QUARTERS_PER_DAY, quarter_of
from unite_core.reports.ports import (
    Cell,
    Dimension,
    EntryChange,
    Grain,
    Groups,
    Question,
    Recounted,
    Rollups,
    Timeline,
    Totals,
    key_of,
)
from unite_core.reports.tally import Tally

K = TypeVar("K")

OF_AGENT = (Dimension.SOURCE, Dimension.ATTEMPT)
"""The dimensions by which the calls of each agent are counted for each day."""


@dataclass(frozen=True, slots=True)
class Change:
    """A call that is counted (`times` is 1) or uncounted (-1) by an entry that was written at `recorded_at`."""

    entry: LedgerEntry
    times: int
    recorded_at: datetime


def changes(steps: Iterable[EntryChange]) -> Iterator[Change]:
    """Yield all changes of counts that the steps make."""
    for step in steps:
        if step.before is not None:
            yield Change(step.before, -1, step.entry.at)
        yield Change(step.entry, 1, step.entry.at)


def cells_of(steps: Iterable[EntryChange]) -> dict[Cell, Tally]:
    """Return the tallies that the steps add to the rollups."""
    cells: dict[Cell, Tally] = {}
    for change in changes(steps):
        entry = change.entry
        keys = {dimension: key_of(dimension, entry) for dimension in Dimension}
        for cell in _cells(quarter_of(entry.called_at), entry.agent_id, keys):
            cells.setdefault(cell, Tally()).add(entry, times=change.times, recorded_at=change.recorded_at)
    return cells


def cells_of_recounted(recounted: Iterable[Recounted]) -> dict[Cell, Tally]:
    """Return the rollups that contain the recounted calls."""
    cells: dict[Cell, Tally] = {}
    for group in recounted:
        keys = {
            Dimension.ALL: "",
            Dimension.AGENT: "" if group.agent_id is None else str(group.agent_id),
            Dimension.SOURCE: group.source or "",
            Dimension.ATTEMPT: "" if group.attempt is None else str(min(group.attempt, MAX_ATTEMPT)),
        }
        counted = Tally({group.result: group.calls}, group.seconds, group.recorded_at)
        for cell in _cells(group.quarter, group.agent_id, keys):
            cells.setdefault(cell, Tally()).include(counted)
    return cells


@dataclass(frozen=True, slots=True)
class RollupRange:
    """Rollups of one grain, from the period `first` to before `end`: added, or with `times=-1` subtracted."""

    grain: Grain
    first: int
    end: int
    times: int = 1


def run_queries(
    rollups: Rollups, steps: Sequence[EntryChange], questions: Sequence[Question]
) -> list[dict[str, Tally]]:
    """Return the results over all entries: those in the rollups, and those of the steps.

    Totals have no `recorded_at`.
    """
    combined = [dict(answer) for answer in rollups.results(questions)]
    for question, answer in zip(questions, combined, strict=True):
        for change in _relevant(steps, question.agent_id):
            for key in _keys(question, change.entry):
                tally = answer.setdefault(key, Tally())
                tally.add(change.entry, times=change.times, recorded_at=change.recorded_at)
    return [_as_asked(question, answer) for question, answer in zip(questions, combined, strict=True)]


def _as_asked(question: Question, answer: dict[str, Tally]) -> dict[str, Tally]:
    if question.groups:
        answer = {key: _in_groups(tally, question.groups) for key, tally in answer.items()}
    return _of_totals(answer) if isinstance(question, Totals) else answer


def _in_groups(tally: Tally, groups: Groups) -> Tally:
    return Tally({group[0]: number for group in groups if (number := tally.of(group))})


def _of_totals(answer: Mapping[str, Tally]) -> dict[str, Tally]:
    """Remove what remains in totals from days of which a part was subtracted."""
    totals = {}
    for key, tally in answer.items():
        if 0 in tally.calls.values():
            tally.calls = {result: number for result, number in tally.calls.items() if number}
        if tally.calls or tally.seconds:
            tally.recorded_at = None
            totals[key] = tally
    return totals


def by_agent(rollups: Rollups, steps: Iterable[EntryChange], question: Timeline) -> dict[tuple[str, int], Tally]:
    """Return the calls by agent and label over all entries, as `run_queries` does."""
    answer = dict(rollups.by_agent(question))
    for change in _relevant(steps, question.agent_id):
        quarter = quarter_of(change.entry.called_at)
        for segment in question.segments:
            if segment.first <= quarter < segment.end:
                tally = answer.setdefault((key_of(Dimension.AGENT, change.entry), segment.label(quarter)), Tally())
                tally.add(change.entry, times=change.times, recorded_at=change.recorded_at)
    return answer


def _relevant(steps: Iterable[EntryChange], agent_id: UUID | None) -> Iterator[Change]:
    return (change for change in changes(steps) if agent_id in (None, change.entry.agent_id))


def _keys(question: Question, entry: LedgerEntry) -> Iterator[str]:
    """Yield the keys under which the answer to the question counts the call; none if the question excludes it."""
    quarter = quarter_of(entry.called_at)
    if isinstance(question, Timeline):
        for segment in question.segments:
            if segment.first <= quarter < segment.end:
                yield str(segment.label(quarter))
    elif question.start <= quarter < question.end:
        yield key_of(question.by, entry)


def _cells(quarter: int, agent_id: UUID | None, keys: Mapping[Dimension, str]) -> Iterator[Cell]:
    """Yield every rollup that counts a call of that quarter hour and agent."""
    day = quarter // QUARTERS_PER_DAY
    for dimension, key in keys.items():
        yield Cell(Grain.QUARTER, quarter, dimension, key)
        yield Cell(Grain.DAY, day, dimension, key)
    if agent_id is not None:
        for dimension in OF_AGENT:
            yield Cell(Grain.DAY, day, dimension, keys[dimension], agent_id)


def rollup_ranges(start: int, end: int) -> list[RollupRange]:
    """Split the quarter hours from `start` to before `end` into whole days of UTC, and quarter hours around them.

    If most of a day is in the range, the whole day is added and the rest is subtracted.
    """
    days, quarters = nearest(start, end, QUARTERS_PER_DAY)
    edges = [RollupRange(Grain.QUARTER, *edge) for edge in quarters]
    return edges if days is None else [RollupRange(Grain.DAY, days.start, days.stop), *edges]


def nearest(first: int, end: int, length: int) -> tuple[range | None, list[tuple[int, int, int]]]:
    """Split the periods from `first` to before `end` into longer ones, each of `length` of them, and the rest.

    The longer ones begin and end as near as possible to the two ends. The rest are ranges of the shorter periods, each
    with 1 if it is to be added, or -1 if it is to be subtracted. The longer ones are None if there is none.
    """
    longer = range((first + length // 2) // length, (end + length // 2) // length)
    if not longer:
        return None, [(first, end, 1)] if first < end else []
    edges = (first, longer.start * length), (longer.stop * length, end)
    return longer, [(min(edge), max(edge), 1 if edge[0] < edge[1] else -1) for edge in edges if edge[0] != edge[1]]


def merged(results: Iterable[Mapping[K, Tally]]) -> dict[K, Tally]:
    """Merge results about different ranges into one."""
    whole: dict[K, Tally] = {}
    for answer in results:
        for key, tally in answer.items():
            whole.setdefault(key, Tally()).include(tally)
    return whole
