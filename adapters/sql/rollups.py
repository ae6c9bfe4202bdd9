"""Calls counted beforehand, in rows: one for each period, and in it for each agent, source and attempt."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeGuard

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    null,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.engine import Dialect, Row

from adapters.sql.call_tables import call_ledger as ledger
from adapters.sql.calls import to_entry
from adapters.sql.recounting import alike, recounted_calls
from adapters.sql.report_tables import call_rollups as rollups
from adapters.sql.report_tables import rollup_locks as locks
from adapters.sql.report_tables import unfolded_entries as unfolded
from adapters.sql.statements import (
    by_index,
    in_lists,
    insert_missing,
    insert_sql,
    label_of,
    part_of,
    quarter_in,
    read_sums,
    sums_as_text,
    unindexed,
    whole_quotient,
)
from adapters.sql.types import moment
from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallResult
from unite_core.days import QUARTERS_PER_DAY, Segment
from unite_core.reports.counting import merged, portions
from unite_core.reports.ports import Cell, Dimension, Grain, Question, Recounted, Rollups, Step, Timeline, Totals
from unite_core.reports.tally import Tally

_DIMENSIONS = {Dimension.ALL: 0, Dimension.AGENT: 1, Dimension.SOURCE: 2, Dimension.ATTEMPT: 3}
_GRAINS = {Grain.QUARTER: 0, Grain.DAY: 1}
_COUNTS = {result: rollups.c[result.value] for result in CallResult}
_SUMMED = (*_COUNTS.values(), rollups.c.seconds)
_KEY = [column.name for column in rollups.primary_key.columns]
_before = ledger.alias("before")
_FOLDING = 1
"""The row that is locked while entries are folded or a day is rebuilt."""


class SqlRollups(Rollups):
    """Rollups in the relational database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def answers(self, questions: Sequence[Question]) -> Sequence[Mapping[str, Tally]]:
        answers: list[dict[str, Tally]] = [{} for _ in questions]
        portions_of_all: list[_Portion] = []
        for number, question in enumerate(questions):
            if _is_uncounted(question):
                answers[number] = self._count(question)
            else:
                portions_of_all += _portions_of(number, question)
        # SQLite takes up to 500 of them in one statement.
        for some in in_lists(portions_of_all):
            for row in self._ask(some):
                key = row.of_key if row.label is None else str(int(row.label))
                whole = answers[int(row.question)].setdefault(key, Tally())
                whole.include(_to_tally(row), times=int(row.times))
        return answers

    def by_agent(self, question: Timeline) -> Mapping[tuple[str, int], Tally]:
        some = [replace(portion, dimension=Dimension.AGENT, by_key=True) for portion in _portions_of(0, question)]
        rows = self._ask(some) if some else ()
        return merged({(row.of_key, int(row.label)): _to_tally(row)} for row in rows)

    def _ask(self, some: Sequence["_Portion"]) -> Sequence[Row[Any]]:
        statement = _statement(tuple(portion.shape for portion in some))
        values: dict[str, Any] = {}
        for place, portion in enumerate(some):
            values |= portion.values_at(place)
        return self._connection.execute(statement, values).all()

    def unfolded(self) -> Sequence[Step]:
        return self._steps(unfolded.c.entry_id.is_not(None))

    def claim(self, *, limit: int) -> Sequence[Step]:
        self._lock()
        oldest = select(unfolded.c.entry_id).order_by(unfolded.c.entry_id).limit(limit)
        ids = self._connection.execute(oldest).scalars().all()
        return [step for portion in in_lists(ids) for step in self._steps(unfolded.c.entry_id.in_(portion))]

    def fold(self, steps: Sequence[Step], counted: Mapping[Cell, Tally]) -> None:
        self._add(counted)
        for portion in in_lists([step.entry.id for step in steps]):
            self._connection.execute(delete(unfolded).where(unfolded.c.entry_id.in_(portion)))

    def days(self) -> Sequence[int]:
        day = func.distinct(whole_quotient(quarter_in(ledger.c.called_at), literal(QUARTERS_PER_DAY)))
        called = self._connection.execute(by_index(select(day), ledger, "ix_call_ledger_called")).scalars()
        # The first quarter hour also has whatever was before 1970.
        days = {max(0, int(each)) for each in called}
        whole = rollups.c.dimension == _DIMENSIONS[Dimension.ALL], rollups.c.grain == _GRAINS[Grain.DAY]
        days.update(self._connection.execute(select(rollups.c.period).where(*whole)).scalars())
        return sorted(days)

    def recount(self, day: int) -> Sequence[Recounted]:
        self._lock()
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

    def _lock(self) -> None:
        insert_missing(self._connection, locks, [(_FOLDING,)])

    def _count(self, question: Totals) -> dict[str, Tally]:
        rows = self._connection.execute(alike(question))
        return merged({_key(row): _to_part(row)} for row in rows)

    def _steps(self, which: ColumnElement[bool]) -> list[Step]:
        """What these of the entries change that are not folded."""
        joined = (
            select(ledger, _before)
            # Or SQLite would look for each entry of the ledger whether it is folded.
            .join(unfolded, ledger.c.id == unindexed(unfolded.c.entry_id))
            .outerjoin(_before, and_(_before.c.task_id == ledger.c.task_id, _before.c.number == ledger.c.number - 1))
        )
        rows = self._connection.execute(by_index(joined.where(which), _before, "uq_call_ledger_chain"))
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


@dataclass(frozen=True, slots=True)
class _Portion:
    """A part of a question that is one range of rollups; the answers to the parts are added up, as often as it says."""

    question: int
    grain: Grain
    first: int
    end: int
    dimension: Dimension
    agent: str | None
    by_key: bool = False
    segment: Segment | None = None
    times: int = 1

    @property
    def shape(self) -> tuple[bool, bool, bool]:
        """What its SQL depends on: everything else is a value."""
        return self.segment is not None, self.by_key, self.agent is not None

    def values_at(self, place: int) -> dict[str, Any]:
        """The values of its parameters, where it is in that place of a statement."""
        values: dict[str, Any] = {
            "question": self.question,
            "times": self.times,
            "dimension": _DIMENSIONS[self.dimension],
            "grain": _GRAINS[self.grain],
            "first": self.first,
            "end": self.end,
        }
        if self.segment is not None:
            values |= {"shift": self.segment.shift, "per": self.segment.per, "modulo": self.segment.modulo}
        if self.agent is not None:
            values["agent"] = self.agent
        return {f"{name}_{place}": value for name, value in values.items()}


def _portions_of(number: int, question: Question) -> Iterator[_Portion]:
    agent = None if question.agent_id is None else str(question.agent_id)
    if isinstance(question, Timeline):
        dimension = Dimension.ALL if agent is None else Dimension.AGENT
        for segment in question.segments:
            yield _Portion(number, Grain.QUARTER, segment.first, segment.end, dimension, agent, segment=segment)
    else:
        dimension = question.by if agent is None else Dimension.AGENT
        by_key = question.by is not Dimension.ALL
        for each in portions(question.start, question.end):
            yield _Portion(number, each.grain, each.first, each.end, dimension, agent, by_key, times=each.times)


@lru_cache(maxsize=256)
def _statement(shapes: tuple[tuple[bool, bool, bool], ...]) -> CompoundSelect[Any]:
    """What to ask for portions of these shapes: all in one statement."""
    return union_all(*(_sums(place, *shape) for place, shape in enumerate(shapes)))


def _sums(place: int, by_label: bool, by_key: bool, of_agent: bool) -> Select[Any]:
    """Rows that say which question they answer, and for which label and key; without either it is one for all."""

    def parameter(name: str) -> BindParameter[int]:
        return bindparam(f"{name}_{place}", type_=BigInteger())

    label = label_of(rollups.c.period, parameter("shift"), parameter("per"), parameter("modulo"))
    columns: list[ColumnElement[Any]] = [
        parameter("question").label("question"),
        parameter("times").label("times"),
        (label if by_label else null()).label("label"),
        (rollups.c.key if by_key else literal_column("''")).label("of_key"),
        sums_as_text(*_SUMMED).label("sums"),
        (func.max(rollups.c.recorded_at) if by_label else type_coerce(null(), rollups.c.recorded_at.type)).label(
            "recorded_at"
        ),
    ]
    statement = select(*columns).where(
        rollups.c.dimension == parameter("dimension"),
        rollups.c.grain == parameter("grain"),
        rollups.c.period >= parameter("first"),
        rollups.c.period < parameter("end"),
    )
    if of_agent:
        statement = statement.where(rollups.c.key == bindparam(f"agent_{place}", type_=rollups.c.key.type))
    # Grouped even where all is one row, so that there is none where nothing was counted.
    names = [name for name, grouped in (("label", by_label), ("of_key", by_key or not by_label)) if grouped]
    index = "ix_call_rollups_key" if of_agent else "PRIMARY"
    return by_index(statement.group_by(*map(literal_column, names)), rollups, index)


def _entry_before(row: Row[Any]) -> LedgerEntry | None:
    part = part_of(row, _before)
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
    *counts, seconds = read_sums(row.sums)
    calls = {result: number for result, number in zip(_COUNTS, counts, strict=True) if number}
    return Tally(calls, seconds, row.recorded_at)
