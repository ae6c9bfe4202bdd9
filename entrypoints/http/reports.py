"""Reports: what happened on some days, as JSON or as a CSV file."""

from typing import Any

from flask import Response, request

from entrypoints.http import report_json as shown
from entrypoints.http.conditional import matches
from entrypoints.http.context import actor, unite
from entrypoints.http.openapi import Shown
from entrypoints.http.operations import Room
from entrypoints.http.query_string import bad_query
from entrypoints.http.rendering import JSON_TYPE, json_response
from entrypoints.http.report_csv import CSV_TYPE, to_csv
from entrypoints.http.report_examples import EXAMPLES
from entrypoints.http.report_json import Rendered
from entrypoints.http.report_schemas import (
    AttemptsSchema,
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
from unite_core.days import Period, read_period
from unite_core.errors import Malformed, Problem
from unite_core.reports.attempts import ReportAttempts
from unite_core.reports.daily import ReportDay
from unite_core.reports.funnel import ReportFunnel, ReportSpeedToLead
from unite_core.reports.hours import ReportHeatmap
from unite_core.reports.insights import ReportInsights
from unite_core.reports.leaderboard import DEFAULT_METRIC, LEADERBOARD_METRICS, ReportLeaderboard

PATH = "/v1/reports"

room = Room("reports", "What happened on some days: counts that can be opened, and rates with what they are made of.")
