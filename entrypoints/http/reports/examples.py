"""Examples of reports for the OpenAPI document, rendered like real reports."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from entrypoints.http.call_tasks.schemas import CALL_TASK_EXAMPLE
from entrypoints.http.reports import call_documents_json as call_document_report_json
from entrypoints.http.reports import metrics_json as report_definitions
from entrypoints.http.reports import report_json
from unite_core.calls.model import CallResult
from unite_core.periods import Period, moment_of
from unite_core.reports import metrics
from unite_core.reports.agent_activity import ActivityDay, ActivityFigures, ActivityReport, AgentActivity
from unite_core.reports.attempts import Attempt, AttemptsReport
from unite_core.reports.daily import OUTCOMES, AgentDay, DailyReport, Hour, figures_of
from unite_core.reports.differences import Difference, DifferenceKind
from unite_core.reports.funnel import Funnel, SpeedToLead, Stages
from unite_core.reports.heatmap import Heatmap, clock_time
from unite_core.reports.insights import BusyAgent, Insights, SourceConversion, TrendDay
from unite_core.reports.leaderboard import Leaderboard, LeaderboardRow
from unite_core.reports.model import AgentName, Count, LeadItems, ReportMeta, Scope, TaskItems, calls_of
from unite_core.reports.reconciliation import Reconciliation
from unite_core.reports.tally import Rate, Tally

_DAY = Period(date(2026, 2, 2), date(2026, 2, 2), "Europe/Berlin")
_WEEK = Period(date(2026, 2, 2), date(2026, 2, 8), "Europe/Berlin")
_NOW = datetime(2026, 2, 9, 8, 30, tzinfo=UTC)
_ANN = AgentName(UUID(CALL_TASK_EXAMPLE["assigned_to"]), "Ann Archer")
_TALLY = Tally(
    {CallResult.CONNECTED: 21, CallResult.CONVERTED: 3, CallResult.NO_ANSWER: 14, CallResult.MISSED: 4}, 7_980
)
_LEADS = LeadItems(start=moment_of(_WEEK.start), end=moment_of(_WEEK.end))


def _about(period: Period) -> ReportMeta:
    return ReportMeta(period=period, generated_at=_NOW, complete_through=_NOW)


def _daily() -> DailyReport:
    scope = Scope(_TALLY, calls_of(_DAY))
    of_ann = replace(scope, items=replace(scope.items, agent_id=_ANN.id))
    began = _DAY.clock_at(_DAY.start + 9 * 4)
    within = replace(scope, items=replace(scope.items, start=began, end=began + timedelta(hours=1)))
    return DailyReport(
        about=_about(_DAY),
        figures=figures_of(scope),
        cancelled=scope.count(metrics.CANCELLED),
        by_agent=[AgentDay(_ANN, figures_of(of_ann))],
        by_outcome={outcome: scope.result(outcome) for outcome in OUTCOMES},
        by_hour=[Hour(began, within.count(metrics.COMPLETED), within.count(metrics.CONTACTS))],
    )


def _insights() -> Insights:
    scope = Scope(_TALLY, calls_of(_WEEK))
    of_web = replace(scope, items=replace(scope.items, source="web"))
    return Insights(
        about=_about(_WEEK),
        figures=figures_of(scope),
        busiest_agents=[BusyAgent(_ANN, scope.count(metrics.COMPLETED))],
        busiest_hours=[clock_time(_WEEK, _TALLY, hour=9)],
        busiest_weekdays=[clock_time(_WEEK, _TALLY, weekday=1)],
        best_hours_to_connect=[clock_time(_WEEK, _TALLY, hour=9)],
        trend=[TrendDay(_WEEK.first, figures_of(Scope(_TALLY, calls_of(_DAY))))],
        conversion_by_source=[
            SourceConversion(
                source="web",
                attempts=of_web.count(metrics.COMPLETED),
                conversions=of_web.count(metrics.CONVERSIONS),
                conversion_rate=of_web.rate(metrics.CONVERSION_RATE),
            )
        ],
        overdue_now=Count(2, TaskItems(due_before=_NOW)),
    )


def _stages(source: str | None) -> Stages:
    items = _LEADS if source is None else replace(_LEADS, source=source)
    return Stages(
        source=source,
        leads=Count(40, items),
        called=Count(38, replace(items, called=True)),
        contacted=Count(24, replace(items, results=metrics.CONTACTS.results)),
        converted=Count(3, replace(items, results=metrics.CONVERSIONS.results)),
        contact_rate=Rate(24, 40),
        conversion_rate=Rate(3, 40),
    )


def _attempt() -> Attempt:
    scope = Scope(_TALLY, replace(calls_of(_WEEK), attempt=1))
    return Attempt(
        attempt=1,
        attempts=scope.count(metrics.COMPLETED),
        contacts=scope.count(metrics.CONTACTS),
        conversions=scope.count(metrics.CONVERSIONS),
        contact_rate=scope.rate(metrics.CONTACT_RATE),
        conversion_rate=scope.rate(metrics.CONVERSION_RATE),
    )


def _speed_to_lead() -> SpeedToLead:
    return SpeedToLead(
        about=_about(_WEEK),
        leads=Count(40, _LEADS),
        called=Count(38, replace(_LEADS, called=True)),
        within_5_minutes=Count(19, replace(_LEADS, within=300)),
        share_within_5_minutes=Rate(19, 38),
        p50_seconds=300,
        p90_seconds=5_400,
    )


def _leaderboard() -> Leaderboard:
    scope = Scope(_TALLY, replace(calls_of(_WEEK), agent_id=_ANN.id))
    first = LeaderboardRow(
        rank=1, agent=_ANN, value=scope.count(metrics.CONVERSIONS), completed=scope.count(metrics.COMPLETED)
    )
    return Leaderboard(about=_about(_WEEK), metric=metrics.CONVERSIONS.name, places=[first])


def _activity() -> ActivityReport:
    scope = Scope(_TALLY, replace(calls_of(_DAY), agent_id=_ANN.id))
    figures = ActivityFigures(
        calls=scope.count(metrics.TOTAL_CALLS),
        completed=scope.count(metrics.COMPLETED),
        missed=scope.count(metrics.MISSED),
        contacts=scope.count(metrics.CONTACTS),
        conversions=scope.count(metrics.CONVERSIONS),
        duration_seconds=_TALLY.seconds,
    )
    return ActivityReport(about=_about(_DAY), agents=[AgentActivity(_ANN, figures, [ActivityDay(_DAY.first, figures)])])


def _reconciliation() -> Reconciliation:
    task_id = UUID(CALL_TASK_EXAMPLE["id"])
    altered = Difference(
        kind=DifferenceKind.ALTERED,
        task_id=task_id,
        entry_id=task_id,
        field="result",
        expected=CallResult.NO_ANSWER.value,
        found=CallResult.CONVERTED.value,
    )
    return Reconciliation(
        about=_about(_DAY),
        rollups=_TALLY,
        ledger=_TALLY,
        documents=_TALLY,
        pending=0,
        differences=[altered],
        number_of_differences=1,
    )


_HOUR = clock_time(_WEEK, _TALLY, weekday=1, hour=9)

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "metrics": report_definitions.metrics().content,
    "daily": report_json.daily(_daily()).content,
    "insights": report_json.insights(_insights()).content,
    "funnel": report_json.funnel(Funnel(about=_about(_WEEK), total=_stages(None), by_source=[_stages("web")])).content,
    "attempts": report_json.attempts(AttemptsReport(about=_about(_WEEK), attempts=[_attempt()])).content,
    "speed_to_lead": report_json.speed_to_lead(_speed_to_lead()).content,
    "heatmap": report_json.heatmap(Heatmap(about=_about(_WEEK), cells=[_HOUR], best_hours=[_HOUR])).content,
    "leaderboard": report_json.leaderboard(_leaderboard()).content,
    "activity": call_document_report_json.activity(_activity()).content,
    "reconciliation": call_document_report_json.reconciliation(_reconciliation()).content,
}
"""The JSON of each report by its name."""
