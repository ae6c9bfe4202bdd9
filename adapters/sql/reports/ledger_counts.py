"""SQL queries that count calls in the ledger itself, for rebuilding and completing rollups.

An entry counts once it is folded, and no longer once the next entry of its chain is folded. So its weight is 1, 0, or,
because entries can be folded in any order, -1.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.engine import Dialect

from adapters.sql.calls.tables import call_ledger as ledger
from adapters.sql.reports.tables import unfolded_entries as unfolded
from adapters.sql.statements import force_index, quarter_hour_of
from adapters.sql.types import moment
from unite_core.calls.model import CallResult
from unite_core.calls.ports import MAX_ATTEMPT
from unite_core.periods import QUARTERS_PER_DAY, moment_of
from unite_core.reports.ports import Dimension, Recounted, Totals
from unite_core.reports.rollup_counts import RollupRange
from unite_core.reports.tally import Tally

_EARLIEST = datetime.min.replace(tzinfo=UTC)

_following = ledger.alias("following")
_waiting = unfolded.alias("waiting")
_following_waiting = unfolded.alias("following_waiting")

_FOLDED = _waiting.c.entry_id.is_(None)
_FOLLOWED = and_(_following.c.id.is_not(None), _following_waiting.c.entry_id.is_(None))
_WEIGHT = case((_FOLDED, 1), else_=0) - case((_FOLLOWED, 1), else_=0)
_RESULT = func.coalesce(ledger.c.outcome, ledger.c.kind)
_RECORDED_AT = func.max(case((_FOLLOWED, _following.c.at), (_FOLDED, ledger.c.at), else_=null()))


def recounted_calls(connection: Connection, day: int) -> Sequence[Recounted]:
    """Return the folded calls of a UTC day, by all dimensions of rollups."""
    quarter = _quarter_in(connection)
    groups = [quarter, ledger.c.agent_id, ledger.c.source, ledger.c.attempt, _RESULT]
    names = ["quarter", "agent_id", "source", "attempt", "result"]
    first, end = day * QUARTERS_PER_DAY, (day + 1) * QUARTERS_PER_DAY
    at = ledger.c.called_at.type
    statement = _counted(literal(_start_of(first), at), literal(moment_of(end), at), index="ix_call_ledger_called")
    statement = statement.add_columns(*(group.label(name) for group, name in zip(groups, names, strict=True)))
    return [
        Recounted(
            quarter=int(row.quarter),
            agent_id=row.agent_id,
            source=row.source,
            attempt=row.attempt,
            result=CallResult(row.result),
            calls=int(row.calls),
            seconds=int(row.seconds),
            recorded_at=row.recorded_at,
        )
        for row in connection.execute(statement.group_by(*groups))
    ]


def folded_calls_of_agent(
    connection: Connection, question: Totals, ranges: Sequence[RollupRange]
) -> Iterator[tuple[str, Tally]]:
    """Yield the folded calls of an agent in these ranges of quarter hours, by source or attempt: each key and tally.

    They are counted as often as their range says, which may be -1.
    """
    if not ranges or question.agent_id is None:
        return
    statement, names, constants = _of_agent(question.by, len(ranges), connection.dialect)
    values = constants | {"agent": question.agent_id.bytes}
    for place, each in enumerate(ranges):
        values[f"start_{place}"] = moment(_start_of(each.first), connection.dialect)
        values[f"end_{place}"] = moment(moment_of(each.end), connection.dialect)
    for row in connection.exec_driver_sql(statement, tuple(values[name] for name in names)):
        tally = Tally()
        tally.include(Tally({CallResult(row.result): int(row.calls)}, int(row.seconds)), times=ranges[row.place].times)
        yield "" if row.key is None else str(row.key), tally


@lru_cache(maxsize=16)
def _of_agent(by: Dimension, parts: int, dialect: Dialect) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    """Return one SQL statement for so many ranges, the names of its parameters in their order, and those that are set.

    Cached as text for the driver, because building it and looking up what was compiled takes longer than sending it.
    """
    key: ColumnElement[Any] = ledger.c.source
    if by is Dimension.ATTEMPT:
        key = case((ledger.c.attempt > MAX_ATTEMPT, literal_column(str(MAX_ATTEMPT))), else_=ledger.c.attempt)
    agent = bindparam("agent", type_=ledger.c.agent_id.type)
    selects = [
        _counted(
            bindparam(f"start_{place}", type_=ledger.c.called_at.type),
            bindparam(f"end_{place}", type_=ledger.c.called_at.type),
            index="ix_call_ledger_agent_called",
        )
        .where(ledger.c.agent_id == agent)
        .add_columns(literal_column(str(place)).label("place"), key.label("key"), _RESULT.label("result"))
        .group_by(key, _RESULT)
        for place in range(parts)
    ]
    compiled = union_all(*selects).compile(dialect=dialect)
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return str(compiled), tuple(compiled.positiontup or ()), constants


def _quarter_in(connection: Connection) -> ColumnElement[int]:
    """Return the quarter hour of the call, numbered as by `quarter_of`."""
    quarter = quarter_hour_of(ledger.c.called_at)
    return func.max(0, quarter) if connection.dialect.name == "sqlite" else func.greatest(0, quarter)


def _counted(start: ColumnElement[datetime], end: ColumnElement[datetime], *, index: str) -> Select[Any]:
    """Return the statement for the number of calls from `start` to before `end`, their seconds, and the last change."""
    seconds = func.sum(_WEIGHT * func.coalesce(ledger.c.duration_seconds, 0))
    statement = (
        select(func.sum(_WEIGHT).label("calls"), seconds.label("seconds"), _RECORDED_AT.label("recorded_at"))
        .select_from(ledger)
        .outerjoin(
            _following, and_(_following.c.task_id == ledger.c.task_id, _following.c.number == ledger.c.number + 1)
        )
        .outerjoin(_waiting, _waiting.c.entry_id == ledger.c.id)
        .outerjoin(_following_waiting, _following_waiting.c.entry_id == _following.c.id)
        .where(ledger.c.called_at >= start, ledger.c.called_at < end)
        .having(_RECORDED_AT.is_not(None))
    )
    return force_index(statement, ledger, index)


def _start_of(quarter: int) -> datetime:
    """Return the first moment of calls that are counted in the quarter hour; the first one has all those before it."""
    return moment_of(quarter) if quarter > 0 else _EARLIEST
