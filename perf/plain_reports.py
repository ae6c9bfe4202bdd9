"""Calculate the figures of `GET /v1/reports/insights` by plain GROUP BY queries over the call ledger.

Each query counts the last entry of every chain. Days and hours are in UTC, so that the server needs no time zones.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from unite_core.calls.model import CallResult
from unite_core.reports import metrics
from unite_core.reports.insights import Insights

Figures = Mapping[str, Mapping[Any, tuple[int, ...]]]
"""Name of the query -> value of the first column -> numbers of the row."""

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


def run_queries(connection: Connection, start: datetime, end: datetime) -> Figures:
    """Run all queries about the calls from `start` (inclusive) to `end` (exclusive)."""
    answers = {}
    for name, query in QUERIES.items():
        rows = connection.exec_driver_sql(query, (start.replace(tzinfo=None), end.replace(tzinfo=None))).all()
        answers[name] = {row[0]: tuple(int(value or 0) for value in row[1:]) for row in rows}
    return answers


def differences(expected: Figures, report: Insights) -> list[str]:
    """Return the names of the queries whose result differs from the report."""
    completed = [CallResult(result) in metrics.COMPLETED.results for result in CallResult]
    reported: dict[str, Mapping[Any, object]] = {
        "day": {day.date: day.figures.completed.value for day in report.trend if day.figures.completed.value},
        "source": {each.source: (each.attempts.value, each.conversions.value) for each in report.conversion_by_source},
        "agent": {agent.agent.id.bytes: agent.calls.value for agent in report.busiest_agents if agent.agent.id},
        "hour": {each.hour: (each.attempts.value, each.contacts.value) for each in report.busiest_hours},
    }
    hours: dict[int, list[int]] = {}
    for label, numbers in expected["hour of the week"].items():
        hours[label % 24] = [sum(pair) for pair in zip(hours.get(label % 24, [0, 0]), numbers, strict=True)]
    by_agent, by_hour = expected["agent"].values(), hours.values()
    maximum, busiest = (max((each[0] for each in rows), default=0) for rows in (by_agent, by_hour))
    days = {
        day: sum(n for n, is_one in zip(row, completed, strict=False) if is_one) for day, row in expected["day"].items()
    }
    counted: dict[str, Mapping[Any, object]] = {
        "day": {day: number for day, number in days.items() if number},
        "source": {source: row for source, row in expected["source"].items() if row[0]},
        "agent": {agent: row[0] for agent, row in expected["agent"].items() if row[0] == maximum},
        "hour": {hour: tuple(row) for hour, row in hours.items() if row[0] == busiest},
    }
    return [f"by {name}" for name, answer in reported.items() if answer != counted[name]]
