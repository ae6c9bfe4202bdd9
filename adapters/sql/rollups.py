"""Calls counted beforehand, in rows: one for each period, and in it for each agent, source and attempt."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeGuard

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    delete,
    func,
    literal,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.engine import Dialect, Row

from adapters.sql.call_tables import call_ledger as ledger
from adapters.sql.calls import to_entry
from adapters.sql.recounting import alike, day_of, recounted_calls
from adapters.sql.report_tables import call_rollups as rollups
from adapters.sql.report_tables import rollup_turns as turns
from adapters.sql.report_tables import unfolded_entries as unfolded
from adapters.sql.statements import by_index, in_lists, insert_missing, insert_sql, part_of, unindexed
from adapters.sql.types import moment
from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallResult
from unite_core.days import QUARTERS_PER_DAY
from unite_core.reports.counting import merged, portions
from unite_core.reports.ports import Cell, Dimension, Grain, Question, Recounted, Rollups, Step, Timeline, Totals
from unite_core.reports.tally import Tally

_DIMENSIONS = {Dimension.ALL: 0, Dimension.AGENT: 1, Dimension.SOURCE: 2, Dimension.ATTEMPT: 3}
_GRAINS = {Grain.QUARTER: 0, Grain.DAY: 1}
_COUNTS = {result: rollups.c[result.value] for result in CallResult}
_KEY = [column.name for column in rollups.primary_key.columns]
before = ledger.alias("before")
_FOLDING = 1
"""The turn that whoever folds has to wait for."""


class SqlRollups(Rollups):
    """Rollups in the relational database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def answers(self, questions: Sequence[Question]) -> Sequence[Mapping[str, Tally]]:
        answers: list[dict[str, Tally]] = [{} for _ in questions]
        sums: list[Select[Any]] = []
        for number, question in enumerate(questions):
            if _is_uncounted(question):
                answers[number] = self._count(question)
            else:
                sums += _sums_of(number, question)
        # SQLite takes up to 500 of them in one statement.
        for some in in_lists(sums):
            for row in self._connection.execute(union_all(*some)):
                answer, key = answers[row.question], row.key if row.label is None else str(row.label)
                answer.setdefault(key, Tally()).include(_to_tally(row))
        return answers

    def unfolded(self) -> Sequence[Step]:
        return self._steps(unfolded.c.entry_id.is_not(None))

    def claim(self, *, limit: int) -> Sequence[Step]:
        self._take_turn()
        oldest = select(unfolded.c.entry_id).order_by(unfolded.c.entry_id).limit(limit)
        ids = self._connection.execute(oldest).scalars().all()
        return [step for portion in in_lists(ids) for step in self._steps(unfolded.c.entry_id.in_(portion))]

    def fold(self, steps: Sequence[Step], counted: Mapping[Cell, Tally]) -> None:
        self._add(counted)
        for portion in in_lists([step.entry.id for step in steps]):
            self._connection.execute(delete(unfolded).where(unfolded.c.entry_id.in_(portion)))

    def days(self) -> range:
        quarters = select(func.min(ledger.c.called_at), func.max(ledger.c.called_at))
        called = [day_of(at) for at in self._connection.execute(quarters).one() if at is not None]
        whole = rollups.c.dimension == _DIMENSIONS[Dimension.ALL], rollups.c.grain == _GRAINS[Grain.DAY]
        counted = self._connection.execute(
            select(func.min(rollups.c.period), func.max(rollups.c.period)).where(*whole)
        ).one()
        every = [*called, *(day for day in counted if day is not None)]
        return range(min(every), max(every) + 1) if every else range(0)

    def recount(self, day: int) -> Sequence[Recounted]:
        self._take_turn()
        return recounted_calls(self._connection, day)

    def replace_day(self, day: int, counted: Mapping[Cell, Tally]) -> None:
        ends = {Grain.QUARTER: (day * QUARTERS_PER_DAY, (day + 1) * QUARTERS_PER_DAY), Grain.DAY: (day, day + 1)}
        for dimension in _DIMENSIONS.values():
            for grain, (first, end) in ends.items():
                of_day = rollups.c.dimension == dimension, rollups.c.grain == _GRAINS[grain]
                self._connection.execute(
                    delete(rollups).where(*of_day, rollups.c.period >= first, rollups.c.period < end)
                )
        self._add(counted)

    def _take_turn(self) -> None:
        insert_missing(self._connection, turns, [(_FOLDING,)])

    def _count(self, question: Totals) -> dict[str, Tally]:
        rows = self._connection.execute(alike(question))
        return merged({_key(row): _to_part(row)} for row in rows)

    def _steps(self, which: ColumnElement[bool]) -> list[Step]:
        """What these of the entries change that are not folded."""
        joined = (
            select(ledger, before)
            # Or SQLite would look for each entry of the ledger whether it is folded.
            .join(unfolded, ledger.c.id == unindexed(unfolded.c.entry_id))
            .outerjoin(before, and_(before.c.task_id == ledger.c.task_id, before.c.number == ledger.c.number - 1))
        )
        rows = self._connection.execute(by_index(joined.where(which), before, "uq_call_ledger_chain"))
        return [Step(to_entry(row), _entry_before(row)) for row in rows]

    def _add(self, counted: Mapping[Cell, Tally]) -> None:
        dialect = self._connection.dialect
        rows = sorted(_row_of(cell, tally, dialect) for cell, tally in counted.items())
        if rows:
            self._connection.exec_driver_sql(_add_sql(dialect), rows)


def _is_uncounted(question: Question) -> TypeGuard[Totals]:
    """Nothing is counted beforehand by agent and source at once; one agent's calls are few enough to be counted."""
    apart = isinstance(question, Totals) and question.by in (Dimension.SOURCE, Dimension.ATTEMPT)
    return apart and question.agent_id is not None


def _sums_of(number: int, question: Question) -> Iterator[Select[Any]]:
    """What to ask for the question with that number: the sums of each portion, which are to be added up."""
    if isinstance(question, Timeline):
        for segment in question.segments:
            label = ((rollups.c.period + segment.shift) // segment.per) % segment.modulo
            span = rollups.c.period >= segment.first, rollups.c.period < segment.end
            yield _sums(number, question, Grain.QUARTER, label=label).where(*span)
    else:
        key = None if question.by is Dimension.ALL else rollups.c.key
        for grain, first, end in portions(question.start, question.end):
            yield _sums(number, question, grain, key=key).where(rollups.c.period >= first, rollups.c.period < end)


def _sums(
    number: int,
    question: Question,
    grain: Grain,
    *,
    label: ColumnElement[int] | None = None,
    key: ColumnElement[str] | None = None,
) -> Select[Any]:
    """Rows that say which question they answer, and for which label or key; without either it is one for all."""
    dimension = question.by if isinstance(question, Totals) else Dimension.ALL
    conditions = [rollups.c.grain == _GRAINS[grain]]
    index = "PRIMARY"
    if question.agent_id is not None:
        dimension, index = Dimension.AGENT, "ix_call_rollups_key"
        conditions.append(rollups.c.key == str(question.agent_id))
    conditions.append(rollups.c.dimension == _DIMENSIONS[dimension])
    nothing = literal("")
    columns: list[Any] = [
        literal_column(str(number), Integer()).label("question"),
        (null() if label is None else label).label("label"),
        (nothing if key is None else key).label("key"),
        *(func.sum(column).label(result.value) for result, column in _COUNTS.items()),
        func.sum(rollups.c.seconds).label("seconds"),
        func.max(rollups.c.recorded_at).label("recorded_at"),
    ]
    group = next((each for each in (label, key) if each is not None), nothing)
    return by_index(select(*columns).where(*conditions).group_by(group), rollups, index)


def _entry_before(row: Row[Any]) -> LedgerEntry | None:
    part = part_of(row, before)
    return None if part.id is None else to_entry(part)


def _to_part(row: Row[Any]) -> Tally:
    return Tally({CallResult(row.result): int(row.calls)}, int(row.seconds), row.recorded_at)


def _key(row: Row[Any]) -> str:
    return "" if row.key is None else str(row.key)


@lru_cache(maxsize=8)
def _add_sql(dialect: Dialect) -> str:
    """INSERT of a whole row, which is added to the one with the same primary key where there is one."""
    preparer = dialect.identifier_preparer
    added = [preparer.quote(name) for name in (*(result.value for result in CallResult), "seconds")]
    if dialect.name == "sqlite":
        sums = [f"{name} = {name} + excluded.{name}" for name in added]
        key = ", ".join(preparer.quote(name) for name in _KEY)
        latest = "recorded_at = max(recorded_at, excluded.recorded_at)"
        return f"{insert_sql(rollups, dialect)} ON CONFLICT ({key}) DO UPDATE SET {', '.join([*sums, latest])}"
    # MariaDB knows no alias for the row that is inserted.
    sums = [f"{name} = {name} + VALUES({name})" for name in added]
    latest = "recorded_at = GREATEST(recorded_at, VALUES(recorded_at))"
    return f"{insert_sql(rollups, dialect)} ON DUPLICATE KEY UPDATE {', '.join([*sums, latest])}"


def _row_of(cell: Cell, tally: Tally, dialect: Dialect) -> tuple[Any, ...]:
    counts = [tally.calls.get(result, 0) for result in CallResult]
    place = _DIMENSIONS[cell.dimension], _GRAINS[cell.grain], cell.period, cell.key
    return (*place, *counts, tally.seconds, moment(tally.recorded_at, dialect))


def _to_tally(row: Row[Any]) -> Tally:
    counts = {result: int(getattr(row, result.value)) for result in CallResult}
    return Tally({result: number for result, number in counts.items() if number}, int(row.seconds), row.recorded_at)
