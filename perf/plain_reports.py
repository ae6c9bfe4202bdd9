"""The figures of `GET /v1/reports/insights` by plain GROUP BYs over the call ledger, as one would ask first.

Each counts the last entry of every chain. Days and hours are those of UTC, which needs no time zones of the server.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from unite_core.calls.model import CallResult
from unite_core.reports import metrics
from unite_core.reports.insights import Insights

IdempotencyKeys = Mapping[str, Mapping[Any, tuple[int, ...]]]
"""By the name of each question: the numbers of each row, by what its first column says."""

_FROM = (
    " FROM call_ledger e LEFT JOIN call_ledger later ON later.task_id = e.task_id AND later.number = e.number + 1"
    " WHERE later.id IS NULL AND e.called_at >= %s AND e.called_at < %s GROUP BY 1"
)
_RESULT = "COALESCE(e.outcome, e.kind)"


def _number(results: Iterable[CallResult]) -> str:
    values = ", ".join(f"'{result}'" for result in sorted(results))
    return f"SUM({_RESULT} IN ({values}))"


_EACH = ", ".join(_number([result]) for result in CallResult)
_COMPLETED, _CONTACTS, _CONVERSIONS = (
    _number(metric.results) for metric in (metrics.COMPLETED, metrics.CONTACTS, metrics.CONVERSIONS)
)

QUERIES: Mapping[str, str] = {
    "day": f"SELECT DATE(e.called_at), {_EACH}, SUM(e.duration_seconds){_FROM}",
    "hour of the week": f"SELECT WEEKDAY(e.called_at) * 24 + HOUR(e.called_at), {_COMPLETED}, {_CONTACTS}{_FROM}",
    "agent": f"SELECT e.agent_id, {_COMPLETED}{_FROM}",
    "source": f"SELECT e.source, {_COMPLETED}, {_CONVERSIONS}{_FROM}",
}


def ask(connection: Connection, start: datetime, end: datetime) -> IdempotencyKeys:
    """What the ledger says of the calls from `start` to before `end`, for each of the questions."""
    answers = {}
    for name, query in QUERIES.items():
        rows = connection.exec_driver_sql(query, (start.replace(tzinfo=None), end.replace(tzinfo=None))).all()
        answers[name] = {row[0]: tuple(int(value or 0) for value in row[1:]) for row in rows}
    return answers


def differences(said: IdempotencyKeys, report: Insights) -> list[str]:
    """Where the report says something else than the ledger itself."""
    completed = [CallResult(result) in metrics.COMPLETED.results for result in CallResult]
    ours: dict[str, Mapping[Any, object]] = {
        "day": {day.date: day.figures.completed.value for day in report.trend if day.figures.completed.value},
        "source": {each.source: (each.attempts.value, each.conversions.value) for each in report.conversion_by_source},
        "agent": {agent.agent.id.bytes: agent.calls.value for agent in report.busiest_agents if agent.agent.id},
        "hour": {each.hour: (each.attempts.value, each.contacts.value) for each in report.busiest_hours},
    }
    hours: dict[int, list[int]] = {}
    for label, numbers in said["hour of the week"].items():
        hours[label % 24] = [sum(pair) for pair in zip(hours.get(label % 24, [0, 0]), numbers, strict=True)]
    maximum, busiest = (max((each[0] for each in some), default=0) for some in (said["agent"].values(), hours.values()))
    days = {
        day: sum(n for n, is_one in zip(row, completed, strict=False) if is_one) for day, row in said["day"].items()
    }
    theirs: dict[str, Mapping[Any, object]] = {
        "day": {day: number for day, number in days.items() if number},
        "source": {source: row for source, row in said["source"].items() if row[0]},
        "agent": {agent: row[0] for agent, row in said["agent"].items() if row[0] == maximum},
        "hour": {hour: tuple(row) for hour, row in hours.items() if row[0] == busiest},
    }
    return [f"by {name}" for name, answer in ours.items() if answer != theirs[name]]
