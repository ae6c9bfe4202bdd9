"""Questions about calls that were counted beforehand, all in one statement."""

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

from adapters.sql.report_tables import agent_rollups, call_rollups
from adapters.sql.rollup_writes import COUNT_COLUMNS, DIMENSIONS, GRAINS
from adapters.sql.statements import concatenated_sums, force_index, label_of, read_sums
from adapters.sql.types import read_moment
from unite_core.calls.model import CallResult
from unite_core.days import Segment
from unite_core.reports.counting import OF_AGENT, rollup_ranges
from unite_core.reports.ports import Dimension, Grain, Groups, Question, Timeline, Totals
from unite_core.reports.tally import Tally

_RESULTS = tuple(CallResult)


class Shape(NamedTuple):
    """What the SQL of a part depends on.

    Whether its rows are by label and by key, about one agent, and of those that are counted for each agent apart.
    """

    by_label: bool
    by_key: bool
    of_one: bool
    of_agent: bool
    groups: Groups


@dataclass(frozen=True, slots=True)
class QueryPart:
    """A part of a question that is one range of rollups; the answers to the parts are added up, as often as it says.

    With `of_agent` it is about the rollups that are counted for each agent apart.
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
    of_agent: bool = False
    groups: Groups = ()

    @property
    def shape(self) -> Shape:
        """What its SQL depends on: everything else is a value."""
        return Shape(self.segment is not None, self.by_key, self.agent_id is not None, self.of_agent, self.groups)

    def values_at(self, place: int) -> dict[str, Any]:
        """The values of its parameters, where it is in that place of a statement, as the driver takes them."""
        values: dict[str, Any] = {
            "dimension": DIMENSIONS[self.dimension],
            "grain": GRAINS[self.grain],
            "first": self.first,
            "end": self.end,
        }
        if self.segment is not None:
            values |= {"shift": self.segment.shift, "per": self.segment.per, "modulo": self.segment.modulo}
        if self.agent_id is not None:
            values["agent"] = self.agent_id.bytes if self.of_agent else str(self.agent_id)
        return {f"{name}_{place}": value for name, value in values.items()}


def is_of_agent(question: Question) -> bool:
    """Whether it is about rollups that are counted for each agent apart, which there are for days alone."""
    return isinstance(question, Totals) and question.agent_id is not None and question.by in OF_AGENT


def parts_of(number: int, question: Question) -> Iterator[QueryPart]:
    """The parts of the question with that number, without those that no rollup answers."""
    agent = question.agent_id
    dimension = Dimension.ALL if agent is None else Dimension.AGENT
    if isinstance(question, Timeline):
        for segment in question.segments:
            yield QueryPart(
                number,
                Grain.QUARTER,
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
    by_key = question.by is not Dimension.ALL
    for each in rollup_ranges(question.start, question.end):
        if each.grain is Grain.DAY or not of_agent:
            yield QueryPart(
                number,
                each.grain,
                each.first,
                each.end,
                dimension,
                agent,
                by_key,
                times=each.times,
                of_agent=of_agent,
                groups=question.groups,
            )


def run_query(connection: Connection, parts: Sequence[QueryPart]) -> Iterator[tuple[int, str, str, Tally]]:
    """The place of the part that each row is of, its label and key, either empty, and its tally."""
    statement, names = _statement(tuple(part.shape for part in parts), connection.dialect)
    values: dict[str, Any] = {}
    for place, part in enumerate(parts):
        values |= part.values_at(place)
    rows = connection.exec_driver_sql(statement, tuple(values[name] for name in names))
    return (_read(label, text, parts) for label, text in rows.all())


@lru_cache(maxsize=256)
def _statement(shapes: tuple[Shape, ...], dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """What to ask for parts of these shapes, all in one statement, as the driver itself takes it.

    With it come the names of its parameters in their order. To look up in SQLAlchemy what such a statement compiles to
    takes longer than to send it.
    """
    statement = union_all(*(_sums(place, shape) for place, shape in enumerate(shapes)))
    compiled = statement.compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ())


def _sums(place: int, shape: Shape) -> Select[Any]:
    """Rows that say which part they are of, and for which label and key; without either it is one for all."""

    def parameter(name: str) -> BindParameter[int]:
        return bindparam(f"{name}_{place}", type_=BigInteger())

    by_label, by_key, of_one, of_agent, groups = shape
    table = agent_rollups if of_agent else call_rollups
    period = table.c.day if of_agent else table.c.period
    nothing: ColumnElement[Any] = literal_column("''")
    label: ColumnElement[Any] = nothing
    if by_label:
        label = label_of(period, parameter("shift"), parameter("per"), parameter("modulo"))
    key = table.c.key if by_key else nothing
    recorded_at = func.max(call_rollups.c.recorded_at) if by_label and not groups else nothing
    summed = [_added(table, group) for group in groups] or [table.c[name] for name in COUNT_COLUMNS]
    row = concatenated_sums([literal_column(str(place))], summed, [recorded_at, key])
    # MariaDB groups by no expression that is a part of another one.
    statement = select(label.label("label"), row).where(
        table.c.dimension == parameter("dimension"), period >= parameter("first"), period < parameter("end")
    )
    if not of_agent:
        statement = statement.where(call_rollups.c.grain == parameter("grain"))
    if of_one:
        column = agent_rollups.c.agent_id if of_agent else call_rollups.c.key
        statement = statement.where(column == bindparam(f"agent_{place}", type_=column.type))
    # Grouped even where all is one row, so that there is none where nothing was counted.
    grouping: list[ColumnElement[Any]] = [literal_column("label")] if by_label or not by_key else []
    if by_key:
        grouping.append(table.c.key)
    index = "ix_call_rollups_key" if of_one and not of_agent else "PRIMARY"
    return force_index(statement.group_by(*grouping), table, index)


def _added(table: Table, results: Sequence[CallResult]) -> ColumnElement[int]:
    return reduce(operator.add, (table.c[result.value] for result in results)).self_group()


def _read(label: int | str, text: str, parts: Sequence[QueryPart]) -> tuple[int, str, str, Tally]:
    """A row that `_sums` asks for."""
    number, _, counted = text.partition(",")
    place = int(number)
    groups = parts[place].groups
    # The key may hold commas; it is the last one.
    *sums, recorded_at, key = counted.split(",", (len(groups) or len(COUNT_COLUMNS)) + 1)
    numbers = read_sums(sums)
    if groups:
        tally = Tally({group[0]: number for group, number in zip(groups, numbers, strict=True) if number})
    else:
        calls = {result: number for result, number in zip(_RESULTS, numbers, strict=False) if number}
        tally = Tally(calls, numbers[-1], read_moment(recorded_at) if recorded_at else None)
    return place, str(label), key, tally
