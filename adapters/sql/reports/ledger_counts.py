"""SQL queries that count calls in the ledger itself, for rebuilding and completing rollups.

An entry counts once it is folded, and no longer once the next entry of its chain is folded. So its weight is 1, 0, or,
because entries can be folded in any order, -1.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    literal_column,
    null,
    select,
)

from adapters.sql.calls.tables import call_ledger as ledger
from adapters.sql.reports.tables import unfolded_entries as unfolded
from adapters.sql.statements import force_index, quarter_hour_of
from unite_core.calls.model import CallResult
from unite_core.calls.ports import MAX_ATTEMPT
from unite_core.periods import QUARTERS_PER_DAY, moment_of
from unite_core.reports.ports import Dimension, Recounted, Totals

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
    statement = _counted(day * QUARTERS_PER_DAY, (day + 1) * QUARTERS_PER_DAY, index="ix_call_ledger_called")
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


def select_folded_calls(question: Totals) -> Select[Any]:
    """Return the statement for the folded calls of an agent, by source or attempt, and by result."""
    key: ColumnElement[Any] = ledger.c.source
    if question.by is Dimension.ATTEMPT:
        key = case((ledger.c.attempt > MAX_ATTEMPT, literal_column(str(MAX_ATTEMPT))), else_=ledger.c.attempt)
    statement = _counted(question.start, question.end, index="ix_call_ledger_agent_called")
    statement = statement.where(ledger.c.agent_id == question.agent_id)
    return statement.add_columns(key.label("key"), _RESULT.label("result")).group_by(key, _RESULT)


def _quarter_in(connection: Connection) -> ColumnElement[int]:
    """Return the quarter hour of the call, numbered as by `quarter_of`."""
    quarter = quarter_hour_of(ledger.c.called_at)
    return func.max(0, quarter) if connection.dialect.name == "sqlite" else func.greatest(0, quarter)


def _counted(first: int, end: int, *, index: str) -> Select[Any]:
    """Return the statement for the number of calls in these quarter hours, their seconds, and the last change."""
    seconds = func.sum(_WEIGHT * func.coalesce(ledger.c.duration_seconds, 0))
    statement = (
        select(func.sum(_WEIGHT).label("calls"), seconds.label("seconds"), _RECORDED_AT.label("recorded_at"))
        .select_from(ledger)
        .outerjoin(
            _following, and_(_following.c.task_id == ledger.c.task_id, _following.c.number == ledger.c.number + 1)
        )
        .outerjoin(_waiting, _waiting.c.entry_id == ledger.c.id)
        .outerjoin(_following_waiting, _following_waiting.c.entry_id == _following.c.id)
        .where(ledger.c.called_at < moment_of(end))
        .having(_RECORDED_AT.is_not(None))
    )
    if first > 0:
        # Calls before 1970 are counted in the first quarter hour.
        statement = statement.where(ledger.c.called_at >= moment_of(first))
    return force_index(statement, ledger, index)
