"""Calls counted beforehand, in rows: one for each period, and in it for each agent, source and attempt."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.engine import Dialect, Row

from adapters.sql.call_tables import call_ledger as ledger
from adapters.sql.calls import SqlCallLedger, to_entry
from adapters.sql.recounting import alike, recounted_calls
from adapters.sql.report_tables import call_rollups as rollups
from adapters.sql.report_tables import rollup_locks as locks
from adapters.sql.report_tables import unfolded_entries as unfolded
from adapters.sql.statements import (
    by_index,
    in_lists,
    insert_missing,
    insert_sql,
    quarter_in,
    quick_sum,
    whole_quotient,
)
from adapters.sql.types import moment
from unite_core.calls.model import CallResult
from unite_core.days import QUARTERS_PER_DAY, Segment
from unite_core.reports.counting import merged, portions
from unite_core.reports.ports import Cell, Dimension, Grain, Recounted, Rollups, Step, Timeline, Totals
from unite_core.reports.tally import Tally

_DIMENSIONS = {Dimension.ALL: 0, Dimension.AGENT: 1, Dimension.SOURCE: 2, Dimension.ATTEMPT: 3}
_GRAINS = {Grain.QUARTER: 0, Grain.DAY: 1}
_COUNTS = {result: rollups.c[result.value] for result in CallResult}
_KEY = [column.name for column in rollups.primary_key.columns]
_FOLDING = 1
"""The row that is locked while entries are folded or a day is rebuilt."""


class SqlRollups(Rollups):
    """Rollups in the relational database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def totals(self, question: Totals) -> Mapping[str, Tally]:
        if question.agent_id is not None and question.by in (Dimension.SOURCE, Dimension.ATTEMPT):
            # Nothing is counted beforehand by agent and source at once; one agent's calls are few enough to be counted.
            rows = self._connection.execute(alike(question))
            return merged({_key(row): _to_part(row)} for row in rows)
        answers = []
        by_key = question.by is not Dimension.ALL
        for grain, first, end in portions(question.start, question.end):
            values = {"grain": _GRAINS[grain], "first": first, "end": end, **_place(question)}
            rows = self._connection.execute(_sums(by_key=by_key, of_agent=question.agent_id is not None), values)
            answers.append(dict(map(_to_tally, rows)))
        return merged(answers)

    def timeline(self, question: Timeline) -> Mapping[int, Tally]:
        return merged(self._labelled(question, segment) for segment in question.segments)

    def by_agent(self, question: Timeline) -> Mapping[tuple[str, int], Tally]:
        return merged(self._labelled_by_agent(question, segment) for segment in question.segments)

    def unfolded(self) -> Sequence[Step]:
        return self._steps(select(ledger).join(unfolded, unfolded.c.entry_id == ledger.c.id))

    def claim(self, *, limit: int) -> Sequence[Step]:
        self._lock()
        oldest = select(unfolded.c.entry_id).order_by(unfolded.c.entry_id).limit(limit)
        ids = self._connection.execute(oldest).scalars().all()
        return [
            step for portion in in_lists(ids) for step in self._steps(select(ledger).where(ledger.c.id.in_(portion)))
        ]

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

    def _steps(self, entries: Select[Any]) -> list[Step]:
        found = [to_entry(row) for row in self._connection.execute(entries)]
        followed = {entry.task_id for entry in found if entry.number > 1}
        chains = SqlCallLedger(self._connection, set()).chains(followed) if followed else {}
        return [Step(entry, chains[entry.task_id][entry.number - 2] if entry.number > 1 else None) for entry in found]

    def _labelled(self, question: Timeline, segment: Segment) -> Mapping[int, Tally]:
        statement = _labels(of_agent=question.agent_id is not None)
        return dict(map(_to_tally, self._connection.execute(statement, _values(question, segment))))

    def _labelled_by_agent(self, question: Timeline, segment: Segment) -> Mapping[tuple[str, int], Tally]:
        statement = _labels(of_agent=question.agent_id is not None, by_agent=True)
        values = {**_values(question, segment), "dimension": _DIMENSIONS[Dimension.AGENT]}
        found: dict[tuple[str, int], Tally] = {}
        for agent, *row in self._connection.execute(statement, values):
            label, tally = _to_tally(row)
            found[agent, label] = tally
        return found

    def _add(self, counted: Mapping[Cell, Tally]) -> None:
        dialect = self._connection.dialect
        rows = sorted(_row_of(cell, tally, dialect) for cell, tally in counted.items())
        if rows:
            self._connection.exec_driver_sql(_add_sql(dialect), rows)


def _place(question: Totals | Timeline) -> dict[str, Any]:
    """Which of the rollups answer the question: their dimension, and the key where it is about an agent."""
    if question.agent_id is not None:
        return {"dimension": _DIMENSIONS[Dimension.AGENT], "one_key": str(question.agent_id)}
    return {"dimension": _DIMENSIONS[question.by if isinstance(question, Totals) else Dimension.ALL]}


@cache
def _sums(*, by_key: bool, of_agent: bool) -> Select[Any]:
    """What to ask for totals."""
    return _counted(rollups.c.key if by_key else literal_column("''"), of_agent=of_agent)


@cache
def _labels(*, of_agent: bool, by_agent: bool = False) -> Select[Any]:
    """What to ask for a timeline; with `by_agent` each row begins with the key of an agent."""
    shifted = rollups.c.period + _parameter("shift")
    statement = _counted(whole_quotient(shifted, _parameter("per")) % _parameter("modulo"), of_agent=of_agent)
    if not by_agent:
        return statement
    return statement.with_only_columns(rollups.c.key, *statement.selected_columns).group_by(rollups.c.key)


def _values(question: Timeline, segment: Segment) -> dict[str, Any]:
    """What the parameters of `_labels` are for a segment."""
    return {
        "grain": _GRAINS[Grain.QUARTER],
        "first": segment.first,
        "end": segment.end,
        "shift": segment.shift,
        "per": segment.per,
        "modulo": segment.modulo,
        **_place(question),
    }


def _counted(label: ColumnElement[Any], *, of_agent: bool) -> Select[Any]:
    sums = (quick_sum(column) for column in (*_COUNTS.values(), rollups.c.seconds))
    statement = select(label.label("label"), *sums, func.max(rollups.c.recorded_at)).where(
        rollups.c.dimension == _parameter("dimension"),
        rollups.c.grain == _parameter("grain"),
        rollups.c.period >= _parameter("first"),
        rollups.c.period < _parameter("end"),
    )
    if of_agent:
        statement = statement.where(rollups.c.key == bindparam("one_key", type_=rollups.c.key.type))
    index = "ix_call_rollups_key" if of_agent else "PRIMARY"
    return by_index(statement.group_by(literal_column("label")), rollups, index)


def _parameter(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger())


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


def _to_tally(row: Sequence[Any]) -> tuple[Any, Tally]:
    label, *counts, seconds, recorded_at = row
    calls = {result: int(number) for result, number in zip(_COUNTS, counts, strict=True) if number}
    return label, Tally(calls, int(seconds), recorded_at)
