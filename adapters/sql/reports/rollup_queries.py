"""SQL queries over rollups: answer several report questions with one statement."""

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    Table,
    bindparam,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.engine import Dialect

from adapters.sql.reports.rollup_writes import COUNT_COLUMNS, DAYS_PER_WEEK, DIMENSIONS, GRAINS
from adapters.sql.reports.tables import agent_rollups, call_rollups, weekly_rollups
from adapters.sql.statements import concatenated_sums, force_index, label_of, read_sums
from adapters.sql.types import read_moment
from unite_core.calls.model import CallResult
from unite_core.periods import QUARTERS_PER_DAY, Segment
from unite_core.reports.ports import Dimension, Grain, Groups, Question, Timeline, Totals
from unite_core.reports.rollup_counts import OF_AGENT, RollupRange, nearest, rollup_ranges
from unite_core.reports.tally import Tally

_RESULTS = tuple(CallResult)
_PERIODS = {call_rollups: "period", agent_rollups: "day", weekly_rollups: "week"}
"""Table -> its column with the number of the period."""


class Shape(NamedTuple):
    """What the SQL of a part depends on.

    Whether its rows are grouped by label and by key, whether it is about one agent, the table that it reads, and the
    groups of results.
    """

    by_label: bool
    by_key: bool
    of_one: bool
    table: Table
    groups: Groups


@dataclass(frozen=True, slots=True)
class QueryPart:
    """A part of a question that is one range of rollups. The results of all parts are added up, each `times` times.

    `first` and `end` number quarter hours or days; weeks if the table is `weekly_rollups`.
    """

    question: int
    grain: Grain
    first: int
    end: int
    dimension: Dimension
    agent_id: UUID | None
    by_key: bool = False
    segment: Segment | None = None
    times: int = 1
    table: Table = call_rollups
    groups: Groups = ()

    @property
    def shape(self) -> Shape:
        """What its SQL depends on. Everything else is a parameter."""
        return Shape(self.segment is not None, self.by_key, self.agent_id is not None, self.table, self.groups)

    def values_at(self, place: int) -> dict[str, Any]:
        """Return the values of its parameters, as the driver takes them, if it has this place in a statement."""
        values: dict[str, Any] = {
            "dimension": DIMENSIONS[self.dimension],
            "grain": GRAINS[self.grain],
            "first": self.first,
            "end": self.end,
        }
        if self.segment is not None:
            values |= {"shift": self.segment.shift, "per": self.segment.per, "modulo": self.segment.modulo}
        if self.agent_id is not None:
            values["agent"] = self.agent_id.bytes if self.table is agent_rollups else str(self.agent_id)
        return {f"{name}_{place}": value for name, value in values.items()}


def is_of_agent(question: Question) -> bool:
    """Return whether the question needs the rollups per agent, which exist for days only."""
    return isinstance(question, Totals) and question.agent_id is not None and question.by in OF_AGENT


def parts_of(number: int, question: Question) -> Iterator[QueryPart]:
    """Yield the parts of the question with that number, except for those that no rollup answers."""
    agent = question.agent_id
    dimension = Dimension.ALL if agent is None else Dimension.AGENT
    if isinstance(question, Timeline):
        for grain, segment in map(_in_longest_grain, question.segments):
            yield QueryPart(
                number,
                grain,
                segment.first,
                segment.end,
                dimension,
                agent,
                segment=segment,
                groups=question.groups,
            )
        return
    of_agent = is_of_agent(question)
    if agent is None or of_agent:
        dimension = question.by
    for table, each in _table_ranges(question):
        yield QueryPart(
            number,
            each.grain,
            each.first,
            each.end,
            dimension,
            agent,
            question.by is not Dimension.ALL,
            times=each.times,
            table=table,
            groups=question.groups,
        )


def _in_longest_grain(segment: Segment) -> tuple[Grain, Segment]:
    """Return the segment in days of UTC if it and its labels consist of whole ones, as the days of UTC do."""
    in_quarters = (segment.first, segment.end, segment.shift, segment.per)
    if any(number % QUARTERS_PER_DAY for number in in_quarters):
        return Grain.QUARTER, segment
    first, end, shift, per = (number // QUARTERS_PER_DAY for number in in_quarters)
    return Grain.DAY, Segment(first=first, end=end, shift=shift, per=per, modulo=segment.modulo)


def _table_ranges(question: Totals) -> Iterator[tuple[Table, RollupRange]]:
    """Yield the ranges of rollups that answer the question, each with its table."""
    for each in rollup_ranges(question.start, question.end):
        if is_of_agent(question):
            if each.grain is Grain.DAY:
                yield agent_rollups, each
        elif each.grain is Grain.DAY and question.agent_id is None:
            weeks, days = nearest(each.first, each.end, DAYS_PER_WEEK)
            if weeks is not None:
                yield weekly_rollups, RollupRange(Grain.DAY, weeks.start, weeks.stop)
            for first, end, times in days:
                yield call_rollups, RollupRange(Grain.DAY, first, end, times)
        else:
            yield call_rollups, each


def run_query(connection: Connection, parts: Sequence[QueryPart]) -> Iterator[tuple[int, str, str, Tally]]:
    """Query the parts; yield for each row the place of its part, its label and key (either may be '') and its tally."""
    statement, names = _statement(tuple(part.shape for part in parts), connection.dialect)
    values: dict[str, Any] = {}
    for place, part in enumerate(parts):
        values |= part.values_at(place)
    rows = connection.exec_driver_sql(statement, tuple(values[name] for name in names))
    return (_read(label, text, parts) for label, text in rows.all())


@lru_cache(maxsize=256)
def _statement(shapes: tuple[Shape, ...], dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """Return one SQL statement for parts of these shapes, and the names of its parameters in their order.

    Cached as text for the driver, because SQLAlchemy's lookup of a compiled statement takes longer than sending it.
    """
    statement = union_all(*(_sums(place, shape) for place, shape in enumerate(shapes)))
    compiled = statement.compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ())


def _sums(place: int, shape: Shape) -> Select[Any]:
    """Return the SELECT for one part: a row per label and key, or a single row, each with the place of the part."""

    def parameter(name: str) -> BindParameter[int]:
        return bindparam(f"{name}_{place}", type_=BigInteger())

    by_label, by_key, of_one, table, groups = shape
    period = table.c[_PERIODS[table]]
    empty: ColumnElement[Any] = literal_column("''")
    label: ColumnElement[Any] = empty
    if by_label:
        label = label_of(period, parameter("shift"), parameter("per"), parameter("modulo"))
    key = table.c.key if by_key else empty
    recorded_at = func.max(call_rollups.c.recorded_at) if by_label and not groups else empty
    summed = [_sum_of(table, group) for group in groups] or [table.c[name] for name in COUNT_COLUMNS]
    row = concatenated_sums([literal_column(str(place))], summed, [recorded_at, key])
    # MariaDB cannot group by an expression that is part of another one, so that the label is a column of its own.
    statement = select(label.label("label"), row).where(
        table.c.dimension == parameter("dimension"), period >= parameter("first"), period < parameter("end")
    )
    if table is call_rollups:
        statement = statement.where(call_rollups.c.grain == parameter("grain"))
    if of_one:
        column = agent_rollups.c.agent_id if table is agent_rollups else table.c.key
        statement = statement.where(column == bindparam(f"agent_{place}", type_=column.type))
    # Grouped even if there is one row for all, so that there is no row if nothing was counted.
    grouping: list[ColumnElement[Any]] = [literal_column("label")] if by_label or not by_key else []
    if by_key:
        grouping.append(table.c.key)
    index = "ix_call_rollups_key" if of_one and table is call_rollups else "PRIMARY"
    return force_index(statement.group_by(*grouping), table, index)


def _sum_of(table: Table, results: Sequence[CallResult]) -> ColumnElement[int]:
    return reduce(operator.add, (table.c[result.value] for result in results)).self_group()


def _read(label: int | str, text: str, parts: Sequence[QueryPart]) -> tuple[int, str, str, Tally]:
    """Parse a row of `_sums`."""
    number, _, rest = text.partition(",")
    place = int(number)
    groups = parts[place].groups
    # The key is last because it may contain commas.
    *sums, recorded_at, key = rest.split(",", (len(groups) or len(COUNT_COLUMNS)) + 1)
    numbers = read_sums(sums)
    if groups:
        tally = Tally({group[0]: number for group, number in zip(groups, numbers, strict=True) if number})
    else:
        calls = {result: number for result, number in zip(_RESULTS, numbers, strict=False) if number}
        tally = Tally(calls, numbers[-1], read_moment(recorded_at) if recorded_at else None)
    return place, str(label), key, tally
