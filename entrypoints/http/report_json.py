"""Reports as the API shows them, as JSON and as the rows of a CSV file."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from entrypoints.http.rendering import to_json
from entrypoints.http.report_csv import Column
from entrypoints.http.report_items import items_url
from unite_core.calls.model import CallResult
from unite_core.reports import metrics as metric
from unite_core.reports.activity import ActivityFigures, ActivityReport
from unite_core.reports.attempts import Attempt, AttemptsReport
from unite_core.reports.daily import CallFigures, DailyReport
from unite_core.reports.funnel import Funnel, SpeedToLead, Stages
from unite_core.reports.hours import ClockTime, Heatmap
from unite_core.reports.insights import Insights
from unite_core.reports.leaderboard import Leaderboard
from unite_core.reports.metrics import COUNTS, FLAGS, MEANINGS, RATES, Flag
from unite_core.reports.model import About, AgentName, Count
from unite_core.reports.reconciliation import Reconciliation
from unite_core.reports.tally import Rate, Tally

_AGENT = {"agent_id": Column.PLAIN, "name": Column.PLAIN}
_FIGURES = {
    "completed": Column.COUNT,
    "missed": Column.COUNT,
    "contacts": Column.COUNT,
    "conversions": Column.COUNT,
    "completion_rate": Column.RATE,
    "contact_rate": Column.RATE,
    "average_duration_seconds": Column.RATE,
}
_BY_AGENT = {**_AGENT, "total": Column.COUNT, **_FIGURES}
_TREND = {"date": Column.PLAIN, "total_calls": Column.COUNT, **_FIGURES}
_STAGES = {
    "source": Column.PLAIN,
    "leads": Column.COUNT,
    "called": Column.COUNT,
    "contacted": Column.COUNT,
    "converted": Column.COUNT,
    "contact_rate": Column.RATE,
    "conversion_rate": Column.RATE,
}
_ATTEMPTS = {
    "attempt": Column.PLAIN,
    "attempts": Column.COUNT,
    "contacts": Column.COUNT,
    "conversions": Column.COUNT,
    "contact_rate": Column.RATE,
    "conversion_rate": Column.RATE,
}
_SPEED = {
    "leads": Column.COUNT,
    "called": Column.COUNT,
    "within_5_minutes": Column.COUNT,
    "share_within_5_minutes": Column.RATE,
    "p50_seconds": Column.PLAIN,
    "p90_seconds": Column.PLAIN,
}
_HOURS = {
    "weekday": Column.PLAIN,
    "hour": Column.PLAIN,
    "attempts": Column.COUNT,
    "contacts": Column.COUNT,
    "contact_rate": Column.RATE,
}
_ACTIVITY = {
    "date": Column.PLAIN,
    **_AGENT,
    **dict.fromkeys(("calls", "completed", "missed", "contacts", "conversions"), Column.COUNT),
    "duration_seconds": Column.PLAIN,
}
_DIFFERENCES = dict.fromkeys(("kind", "task_id", "entry_id", "field", "expected", "found"), Column.PLAIN)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A report as JSON, and the table that it is as a CSV file."""

    content: Mapping[str, Any]
    columns: Mapping[str, Column]
    rows: Sequence[Mapping[str, Any]]
    version: str
    """Names what the report says: as long as that stays the same, so does its version."""


def count_json(count: Count) -> dict[str, Any]:
    """A count, and where what it has counted is listed."""
    return {"value": count.value, "items_url": items_url(count.items)}


def rate_json(rate: Rate) -> dict[str, Any]:
    """A rate; `value` is null where the denominator is 0."""
    return {"value": rate.value, "numerator": rate.numerator, "denominator": rate.denominator}


def daily(report: DailyReport) -> Rendered:
    """A day."""
    content = {
        "date": report.about.period.first,
        **_figures(report.figures),
        "cancelled": count_json(report.cancelled),
        "by_agent": [{**_agent(row.agent), **_figures(row.figures, total="total")} for row in report.by_agent],
        "by_outcome": {result.value: count_json(count) for result, count in report.by_outcome.items()},
        "by_hour": [
            {
                "starts_at": hour.starts_at.isoformat(),
                "hour": hour.starts_at.hour,
                "attempts": count_json(hour.attempts),
                "contacts": count_json(hour.contacts),
            }
            for hour in report.by_hour
        ],
    }
    whole = {"agent_id": None, "name": "total", **_figures(report.figures, total="total")}
    return _rendered(report.about, content, _BY_AGENT, [*content["by_agent"], whole])


def insights(report: Insights) -> Rendered:
    """What stands out in a period."""
    content = {
        **_span(report.about),
        **_figures(report.figures),
        "busiest_agents": [{**_agent(busy.agent), "calls": count_json(busy.calls)} for busy in report.busiest_agents],
        "busiest_hours": list(map(_clock_time, report.busiest_hours)),
        "busiest_weekdays": list(map(_clock_time, report.busiest_weekdays)),
        "best_hours_to_connect": list(map(_clock_time, report.best_hours_to_connect)),
        "trend": [{"date": day.date, **_figures(day.figures)} for day in report.trend],
        "conversion_by_source": [
            {
                "source": row.source,
                "attempts": count_json(row.attempts),
                "conversions": count_json(row.conversions),
                "conversion_rate": rate_json(row.conversion_rate),
            }
            for row in report.conversion_by_source
        ],
        "overdue_now": count_json(report.overdue_now),
    }
    # Where the overdue tasks are listed changes with every moment; how many they are is what the report says.
    steady = {**content, "overdue_now": report.overdue_now.value}
    return _rendered(report.about, content, _TREND, content["trend"], steady=steady)


def funnel(report: Funnel) -> Rendered:
    """How far leads came."""
    rows = [{"source": stages.source, **_stages(stages)} for stages in report.by_source]
    content = {**_span(report.about), "total": _stages(report.total), "by_source": rows}
    return _rendered(report.about, content, _STAGES, rows)


def attempts(report: AttemptsReport) -> Rendered:
    """What the first and later calls achieve."""
    rows = [_attempt(row) for row in report.attempts]
    return _rendered(report.about, {**_span(report.about), "attempts": rows}, _ATTEMPTS, rows)


def speed_to_lead(report: SpeedToLead) -> Rendered:
    """How soon leads are called."""
    row = {
        "leads": count_json(report.leads),
        "called": count_json(report.called),
        "within_5_minutes": count_json(report.within_5_minutes),
        "share_within_5_minutes": rate_json(report.share_within_5_minutes),
        "p50_seconds": report.p50_seconds,
        "p90_seconds": report.p90_seconds,
    }
    return _rendered(report.about, {**_span(report.about), **row}, _SPEED, [row])


def heatmap(report: Heatmap) -> Rendered:
    """Every hour of the week."""
    cells = list(map(_clock_time, report.cells))
    content = {**_span(report.about), "cells": cells, "best_hours": list(map(_clock_time, report.best_hours))}
    return _rendered(report.about, content, _HOURS, cells)


def leaderboard(report: Leaderboard) -> Rendered:
    """Agents by a metric."""
    rows = [
        {
            "rank": place.rank,
            **_agent(place.agent),
            "value": count_json(place.value) if isinstance(place.value, Count) else rate_json(place.value),
            "completed": count_json(place.completed),
        }
        for place in report.places
    ]
    value = Column.COUNT if report.metric in COUNTS else Column.RATE
    columns = {"rank": Column.PLAIN, **_AGENT, "value": value, "completed": Column.COUNT}
    return _rendered(report.about, {**_span(report.about), "metric": report.metric, "agents": rows}, columns, rows)


def activity(report: ActivityReport) -> Rendered:
    """The calls of each agent, day by day."""
    agents = [
        {
            **_agent(row.agent),
            **_activity(row.figures),
            "by_day": [{"date": day.date, **_activity(day.figures)} for day in row.by_day],
        }
        for row in report.agents
    ]
    rows = [{**agent, **day} for agent in agents for day in agent["by_day"]]
    return _rendered(report.about, {**_span(report.about), "agents": agents}, _ACTIVITY, rows)


def reconciliation(report: Reconciliation) -> Rendered:
    """The same day from every store, and the differences by name."""
    differences = [{name: getattr(it, name) for name in _DIFFERENCES} for it in report.differences]
    content = {
        "date": report.about.period.first,
        "equal": report.equal,
        "rollups": _of_store(report.rollups),
        "ledger": _of_store(report.ledger),
        "documents": None if report.documents is None else _of_store(report.documents),
        "pending": report.pending,
        "number_of_differences": report.number_of_differences,
        "differences": differences,
    }
    return _rendered(report.about, content, _DIFFERENCES, differences)


def metrics() -> Rendered:
    """The definitions of all figures."""
    content = _definitions()
    rows = [_definition(it.name, it.words, it.flags) for it in COUNTS.values()]
    rows += [
        _definition(it.name, it.numerator, it.numerator_flags, it.denominator, it.denominator_flags)
        for it in RATES.values()
    ]
    return Rendered(content, dict.fromkeys(rows[0], Column.PLAIN), rows, _version_of(content))


def _definition(
    name: str, numerator: str, flags: Sequence[Flag], denominator: str | None = None, of: Sequence[Flag] = ()
) -> dict[str, Any]:
    return {
        "name": name,
        "numerator": numerator,
        "numerator_flags": " ".join(flags),
        "denominator": denominator,
        "denominator_flags": " ".join(of),
    }


def _definitions() -> dict[str, Any]:
    return {
        "flags": [{"name": flag.value, "meaning": meaning} for flag, meaning in MEANINGS.items()],
        "results": [{"result": result.value, "flags": sorted(flags)} for result, flags in FLAGS.items()],
        "counts": [
            {"name": metric.name, "meaning": metric.words, "flags": [flag.value for flag in metric.flags]}
            for metric in COUNTS.values()
        ],
        "rates": [
            {
                "name": metric.name,
                "numerator": {"meaning": metric.numerator, "flags": [flag.value for flag in metric.numerator_flags]},
                "denominator": {
                    "meaning": metric.denominator,
                    "flags": [flag.value for flag in metric.denominator_flags],
                },
                "unit": "seconds" if metric.of_seconds else "share",
            }
            for metric in RATES.values()
        ],
    }


def _rendered(
    about: About,
    content: Mapping[str, Any],
    columns: Mapping[str, Column],
    rows: Sequence[Mapping[str, Any]],
    *,
    steady: Mapping[str, Any] | None = None,
) -> Rendered:
    """A report; its version is made of its content, or of what is `steady` in it."""
    place = {"tz": about.period.tz, "restated_at": about.restated_at}
    version = _version_of({**(steady or content), **place})
    fresh = {"complete_through": about.complete_through, "generated_at": about.generated_at, "version": version}
    return Rendered({**content, **place, **fresh}, columns, rows, version)


def _version_of(says: Mapping[str, Any]) -> str:
    return hashlib.sha256(to_json(says)).hexdigest()[:32]


def _span(about: About) -> dict[str, Any]:
    return {"from": about.period.first, "to": about.period.last}


def _agent(agent: AgentName) -> dict[str, Any]:
    return {"agent_id": agent.id, "name": agent.name}


def _figures(figures: CallFigures, *, total: str = "total_calls") -> dict[str, Any]:
    return {
        total: count_json(figures.total_calls),
        "completed": count_json(figures.completed),
        "missed": count_json(figures.missed),
        "contacts": count_json(figures.contacts),
        "conversions": count_json(figures.conversions),
        "completion_rate": rate_json(figures.completion_rate),
        "contact_rate": rate_json(figures.contact_rate),
        "average_duration_seconds": rate_json(figures.average_duration_seconds),
    }


def _stages(stages: Stages) -> dict[str, Any]:
    return {
        "leads": count_json(stages.leads),
        "called": count_json(stages.called),
        "contacted": count_json(stages.contacted),
        "converted": count_json(stages.converted),
        "contact_rate": rate_json(stages.contact_rate),
        "conversion_rate": rate_json(stages.conversion_rate),
    }


def _attempt(row: Attempt) -> dict[str, Any]:
    return {
        "attempt": row.attempt,
        "attempts": count_json(row.attempts),
        "contacts": count_json(row.contacts),
        "conversions": count_json(row.conversions),
        "contact_rate": rate_json(row.contact_rate),
        "conversion_rate": rate_json(row.conversion_rate),
    }


def _clock_time(time: ClockTime) -> dict[str, Any]:
    place = {"weekday": time.weekday, "hour": time.hour}
    return {
        **{name: value for name, value in place.items() if value is not None},
        "attempts": count_json(time.attempts),
        "contacts": count_json(time.contacts),
        "contact_rate": rate_json(time.contact_rate),
    }


def _activity(figures: ActivityFigures) -> dict[str, Any]:
    return {
        "calls": count_json(figures.calls),
        "completed": count_json(figures.completed),
        "missed": count_json(figures.missed),
        "contacts": count_json(figures.contacts),
        "conversions": count_json(figures.conversions),
        "duration_seconds": figures.duration_seconds,
    }


def _of_store(tally: Tally) -> dict[str, Any]:
    counted = (metric.TOTAL_CALLS, metric.COMPLETED, metric.MISSED, metric.CANCELLED)
    return {
        **{each.name: tally.count(each) for each in counted},
        "duration_seconds": tally.seconds,
        "by_result": {result.value: tally.calls.get(result, 0) for result in CallResult},
    }
