"""JSON and CSV rows of the reports on calls and leads."""

from typing import Any

from entrypoints.http.reports.report_csv import Column
from entrypoints.http.reports.shared_json import (
    AGENT_COLUMNS,
    RenderedReport,
    agent_json,
    count_json,
    rate_json,
    render_report,
    span_json,
    version_of,
)
from unite_core.reports.attempts import Attempt, AttemptsReport
from unite_core.reports.daily import CallFigures, DailyReport
from unite_core.reports.funnel import Funnel, SpeedToLead, Stages
from unite_core.reports.heatmap import ClockTime, Heatmap
from unite_core.reports.insights import Insights
from unite_core.reports.leaderboard import Leaderboard
from unite_core.reports.metrics import COUNTS
from unite_core.reports.model import Count

_FIGURES = {
    "completed": Column.COUNT,
    "missed": Column.COUNT,
    "contacts": Column.COUNT,
    "conversions": Column.COUNT,
    "completion_rate": Column.RATE,
    "contact_rate": Column.RATE,
    "average_duration_seconds": Column.RATE,
}
_BY_AGENT = {**AGENT_COLUMNS, "total": Column.COUNT, **_FIGURES}
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


def daily(report: DailyReport) -> RenderedReport:
    """Render the daily report."""
    content = {
        "date": report.about.period.first,
        **_figures(report.figures),
        "cancelled": count_json(report.cancelled),
        "by_agent": [{**agent_json(row.agent), **_figures(row.figures, total="total")} for row in report.by_agent],
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
    return render_report(report.about, content, _BY_AGENT, [*content["by_agent"], whole])


def insights(report: Insights) -> RenderedReport:
    """Render the insights report."""
    lasting = cacheable_insights(report)
    content = {**lasting.content, **live_insights(lasting.version, report.overdue_now)}
    return RenderedReport(content, lasting.columns, lasting.rows, str(content["version"]))


def cacheable_insights(report: Insights) -> RenderedReport:
    """Render the insights report without the overdue tasks, which change all the time."""
    content = {
        **span_json(report.about),
        **_figures(report.figures),
        "busiest_agents": [
            {**agent_json(busy.agent), "calls": count_json(busy.calls)} for busy in report.busiest_agents
        ],
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
    }
    return render_report(report.about, content, _TREND, content["trend"])


def live_insights(lasting_version: str, overdue: Count) -> dict[str, Any]:
    """Return the number of overdue tasks, and the version of the insights including it.

    The version depends on the number only, because the URL of the list contains the current time.
    """
    version = version_of({"version": lasting_version, "overdue_now": overdue.value})
    return {"overdue_now": count_json(overdue), "version": version}


def funnel(report: Funnel) -> RenderedReport:
    """Render the funnel report."""
    rows = [{"source": stages.source, **_stages(stages)} for stages in report.by_source]
    content = {**span_json(report.about), "total": _stages(report.total), "by_source": rows}
    return render_report(report.about, content, _STAGES, rows)


def attempts(report: AttemptsReport) -> RenderedReport:
    """Render the attempts report."""
    rows = [_attempt(row) for row in report.attempts]
    return render_report(report.about, {**span_json(report.about), "attempts": rows}, _ATTEMPTS, rows)


def speed_to_lead(report: SpeedToLead) -> RenderedReport:
    """Render the speed-to-lead report."""
    row = {
        "leads": count_json(report.leads),
        "called": count_json(report.called),
        "within_5_minutes": count_json(report.within_5_minutes),
        "share_within_5_minutes": rate_json(report.share_within_5_minutes),
        "p50_seconds": report.p50_seconds,
        "p90_seconds": report.p90_seconds,
    }
    return render_report(report.about, {**span_json(report.about), **row}, _SPEED, [row])


def heatmap(report: Heatmap) -> RenderedReport:
    """Render the heatmap report."""
    cells = list(map(_clock_time, report.cells))
    content = {**span_json(report.about), "cells": cells, "best_hours": list(map(_clock_time, report.best_hours))}
    return render_report(report.about, content, _HOURS, cells)


def leaderboard(report: Leaderboard) -> RenderedReport:
    """Render the leaderboard."""
    rows = [
        {
            "rank": place.rank,
            **agent_json(place.agent),
            "value": count_json(place.value) if isinstance(place.value, Count) else rate_json(place.value),
            "completed": count_json(place.completed),
        }
        for place in report.places
    ]
    value = Column.COUNT if report.metric in COUNTS else Column.RATE
    columns = {"rank": Column.PLAIN, **AGENT_COLUMNS, "value": value, "completed": Column.COUNT}
    return render_report(
        report.about, {**span_json(report.about), "metric": report.metric, "agents": rows}, columns, rows
    )


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
    hour_and_weekday = {"weekday": time.weekday, "hour": time.hour}
    return {
        **{name: value for name, value in hour_and_weekday.items() if value is not None},
        "attempts": count_json(time.attempts),
        "contacts": count_json(time.contacts),
        "contact_rate": rate_json(time.contact_rate),
    }
