"""Routes for reports, as JSON or CSV."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request
from marshmallow import Schema

from entrypoints.http.framework.conditional import tagged_response
from entrypoints.http.framework.context import actor, unite
from entrypoints.http.framework.json_responses import JSON_TYPE, to_json
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.framework.query_string import query_error
from entrypoints.http.reports import call_documents_json as call_document_report_json
from entrypoints.http.reports import metrics_json as report_definitions
from entrypoints.http.reports import report_json
from entrypoints.http.reports.call_documents_schemas import ActivityReportSchema, ReconciliationSchema
from entrypoints.http.reports.examples import EXAMPLES
from entrypoints.http.reports.report_csv import CSV_TYPE, to_csv
from entrypoints.http.reports.schemas import (
    AttemptsReportSchema,
    DailySchema,
    DayQuery,
    FunnelSchema,
    HeatmapSchema,
    InsightsSchema,
    LeaderboardQuery,
    LeaderboardSchema,
    MetricsSchema,
    PeriodQuery,
    SpeedToLeadSchema,
)
from entrypoints.http.reports.shared_json import RenderedReport
from unite_core.errors import FieldError, Malformed
from unite_core.identity.model import Permission
from unite_core.periods import Period, parse_period
from unite_core.reports.agent_activity import ReportActivity
from unite_core.reports.attempts import ReportAttempts
from unite_core.reports.daily import ReportDay
from unite_core.reports.funnel import ReportFunnel, ReportSpeedToLead
from unite_core.reports.heatmap import ReportHeatmap
from unite_core.reports.insights import ReportInsights
from unite_core.reports.leaderboard import DEFAULT_METRIC, LEADERBOARD_METRICS, ReportLeaderboard
from unite_core.reports.reconciliation import ReconcileReports
from unite_core.zones import DEFAULT_ZONE

PATH = "/v1/reports"

_END_OF_VERSION = b"\n"

operations = OperationGroup("reports", "Reports on calls and leads. Each count links to the entries it counts.")


def report_responses(schema: type[Schema], name: str) -> list[ResponseDoc]:
    """Return the documented responses of a report: JSON, or the same as CSV."""
    return [
        ResponseDoc(status=200, schema=schema, example=EXAMPLES[name], headers=("ETag",)),
        ResponseDoc(
            status=200, schema={"type": "string"}, content_type=CSV_TYPE, headers=("ETag", "Content-Disposition")
        ),
    ]


@operations.operation(
    "GET",
    f"{PATH}/metrics",
    description="For each result of a call its flags, and for each metric its numerator and denominator.",
    responses=report_responses(MetricsSchema, "metrics"),
    if_none_match=True,
)
def get_metrics() -> Response:
    """List metric definitions."""
    actor()
    return _answer(report_definitions.metrics())


@operations.operation(
    "GET",
    f"{PATH}/daily",
    use_case=ReportDay,
    query=DayQuery,
    responses=report_responses(DailySchema, "daily"),
    if_none_match=True,
)
def get_daily_report(query: dict[str, Any]) -> Response:
    """Get the daily report."""
    date = query.get("date")
    period = _period(query, date, None, names=("date", "date"))
    return _cached(("daily", period), lambda: report_json.daily(unite().reports.daily(actor(), period)))


@operations.operation(
    "GET",
    f"{PATH}/insights",
    use_case=ReportInsights,
    query=PeriodQuery,
    responses=report_responses(InsightsSchema, "insights"),
    if_none_match=True,
)
def get_insights(query: dict[str, Any]) -> Response:
    """Get the insights report."""
    period = _span(query)

    return _cached(
        ("insights", period),
        lambda: report_json.cacheable_insights(unite().reports.insights(actor(), period)),
        live=lambda version: report_json.live_insights(version, unite().reports.count_overdue(actor())),
    )


@operations.operation(
    "GET",
    f"{PATH}/funnel",
    use_case=ReportFunnel,
    query=PeriodQuery,
    responses=report_responses(FunnelSchema, "funnel"),
    if_none_match=True,
)
def get_funnel(query: dict[str, Any]) -> Response:
    """Get the funnel report."""
    return _answer(report_json.funnel(unite().reports.funnel(actor(), _span(query))))


@operations.operation(
    "GET",
    f"{PATH}/attempts",
    use_case=ReportAttempts,
    query=PeriodQuery,
    responses=report_responses(AttemptsReportSchema, "attempts"),
    if_none_match=True,
)
def get_attempts(query: dict[str, Any]) -> Response:
    """Get the attempts report."""
    period = _span(query)
    return _cached(("attempts", period), lambda: report_json.attempts(unite().reports.attempts(actor(), period)))


@operations.operation(
    "GET",
    f"{PATH}/speed-to-lead",
    use_case=ReportSpeedToLead,
    query=PeriodQuery,
    responses=report_responses(SpeedToLeadSchema, "speed_to_lead"),
    if_none_match=True,
)
def get_speed_to_lead(query: dict[str, Any]) -> Response:
    """Get the speed-to-lead report."""
    return _answer(report_json.speed_to_lead(unite().reports.speed_to_lead(actor(), _span(query))))


@operations.operation(
    "GET",
    f"{PATH}/heatmap",
    use_case=ReportHeatmap,
    query=PeriodQuery,
    responses=report_responses(HeatmapSchema, "heatmap"),
    if_none_match=True,
)
def get_heatmap(query: dict[str, Any]) -> Response:
    """Get the heatmap report."""
    period = _span(query)
    return _cached(("heatmap", period), lambda: report_json.heatmap(unite().reports.heatmap(actor(), period)))


@operations.operation(
    "GET",
    f"{PATH}/leaderboard",
    use_case=ReportLeaderboard,
    query=LeaderboardQuery,
    responses=report_responses(LeaderboardSchema, "leaderboard"),
    if_none_match=True,
)
def get_leaderboard(query: dict[str, Any]) -> Response:
    """Get the leaderboard."""
    metric = query.get("metric", DEFAULT_METRIC)
    if metric not in LEADERBOARD_METRICS:
        detail = f"One of {', '.join(LEADERBOARD_METRICS)} is expected here."
        raise query_error([FieldError(field="metric", code="unknown_value", detail=detail)])
    period = _span(query)
    return _cached(
        ("leaderboard", metric, period),
        lambda: report_json.leaderboard(unite().reports.leaderboard(actor(), period, metric)),
    )


@operations.operation(
    "GET",
    f"{PATH}/activity",
    use_case=ReportActivity,
    query=PeriodQuery,
    responses=report_responses(ActivityReportSchema, "activity"),
    if_none_match=True,
)
def get_activity(query: dict[str, Any]) -> Response:
    """Get the activity report."""
    return _answer(call_document_report_json.activity(unite().reports.activity(actor(), _span(query))))


@operations.operation(
    "GET",
    f"{PATH}/reconciliation",
    use_case=ReconcileReports,
    permission=Permission.SEE_ALL_CALLS,
    query=DayQuery,
    responses=report_responses(ReconciliationSchema, "reconciliation"),
    if_none_match=True,
)
def get_reconciliation(query: dict[str, Any]) -> Response:
    """Get the reconciliation report."""
    date = query.get("date")
    period = _period(query, date, date, names=("date", "date"))
    return _answer(call_document_report_json.reconciliation(unite().reports.reconcile(actor(), period)))


def _span(query: dict[str, Any]) -> Period:
    return _period(query, query.get("from_"), query.get("to"), names=("from", "to"))


def _period(query: dict[str, Any], first: str | None, last: str | None, *, names: tuple[str, str]) -> Period:
    try:
        return parse_period(first, last, query.get("tz", DEFAULT_ZONE), names=names, today=unite().clock.now())
    except Malformed as error:
        raise query_error(error.problems) from error


def _cached(
    key: object,
    make: Callable[[], RenderedReport],
    *,
    live: Callable[[str], Mapping[str, Any]] | None = None,
) -> Response:
    """Return the cached report, or render and cache the report that `make` returns.

    `live` gets the version of the cached report. It returns the JSON fields that are current at this moment and must
    not be cached, and the version of the whole.
    """
    as_csv = _prefers_csv()

    def render() -> bytes:
        report = make()
        body = to_csv(report.columns, report.rows) if as_csv else to_json(report.content)
        return report.version.encode() + _END_OF_VERSION + body

    prefix, _, body = unite().reports.cache_report(actor(), (key, as_csv), render).partition(_END_OF_VERSION)
    version = prefix.decode()
    if as_csv or live is None:
        return _response(version, body, as_csv=as_csv)
    live_fields = live(version)
    return _response(str(live_fields["version"]), _joined(body, version, to_json(live_fields)), as_csv=False)


def _joined(report: bytes, version: str, live_fields: bytes) -> bytes:
    """Replace the version of a JSON report with the live fields; parsing the report would take a millisecond.

    The version is the last field that `rendered` adds to a report.
    """
    cached_fields, _, _ = report.rpartition(b'"version":' + to_json(version))
    return cached_fields + live_fields[1:]


def _answer(report: RenderedReport) -> Response:
    """Return the report in the format that the client prefers: JSON or CSV."""
    as_csv = _prefers_csv()
    body = to_csv(report.columns, report.rows) if as_csv else to_json(report.content)
    return _response(report.version, body, as_csv=as_csv)


def _prefers_csv() -> bool:
    return request.accept_mimetypes.best_match([JSON_TYPE, CSV_TYPE]) == CSV_TYPE


def _response(version: str, body: bytes, *, as_csv: bool) -> Response:
    if as_csv:
        name = request.path.rpartition("/")[2]
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        response = tagged_response(
            f"{version}-csv", lambda: Response(body, content_type=f"{CSV_TYPE}; charset=utf-8", headers=headers)
        )
    else:
        response = tagged_response(version, lambda: Response(body, content_type=JSON_TYPE))
    response.vary.add("Accept")
    return response
