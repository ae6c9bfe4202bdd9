"""JSON and CSV rows of the reports from call documents: activity and reconciliation."""

from typing import Any

from entrypoints.http.reports.report_csv import Column
from entrypoints.http.reports.shared_json import (
    AGENT_COLUMNS,
    RenderedReport,
    agent_json,
    count_json,
    render_report,
    span_json,
)
from unite_core.calls.model import CallResult
from unite_core.reports import metrics as metric
from unite_core.reports.agent_activity import ActivityFigures, ActivityReport
from unite_core.reports.reconciliation import Reconciliation
from unite_core.reports.tally import Tally

_ACTIVITY = {
    "date": Column.PLAIN,
    **AGENT_COLUMNS,
    **dict.fromkeys(("calls", "completed", "missed", "contacts", "conversions"), Column.COUNT),
    "duration_seconds": Column.PLAIN,
}
_DIFFERENCES = dict.fromkeys(("kind", "task_id", "entry_id", "field", "expected", "found"), Column.PLAIN)


def activity(report: ActivityReport) -> RenderedReport:
    """Render the activity report."""
    agents = [
        {
            **agent_json(row.agent),
            **_activity(row.figures),
            "by_day": [{"date": day.date, **_activity(day.figures)} for day in row.by_day],
        }
        for row in report.agents
    ]
    rows = [{**agent, **day} for agent in agents for day in agent["by_day"]]
    return render_report(report.about, {**span_json(report.about), "agents": agents}, _ACTIVITY, rows)


def reconciliation(report: Reconciliation) -> RenderedReport:
    """Render the reconciliation report."""
    differences = [{name: getattr(difference, name) for name in _DIFFERENCES} for difference in report.differences]
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
    return render_report(report.about, content, _DIFFERENCES, differences)


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
