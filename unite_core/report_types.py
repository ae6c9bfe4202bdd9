"""The types of what reports return."""

from unite_core.reports.agent_activity import ActivityDay, ActivityFigures, ActivityReport, AgentActivity
from unite_core.reports.attempts import Attempt, AttemptsReport
from unite_core.reports.call_queries import Results
from unite_core.reports.daily import AgentDay, CallFigures, DailyReport, Hour
from unite_core.reports.day_overview import DayOverview
from unite_core.reports.differences import Difference, DifferenceKind
from unite_core.reports.funnel import CountedLeads, Funnel, SpeedToLead, Stages
from unite_core.reports.heatmap import ClockTime, Heatmap
from unite_core.reports.insights import BusyAgent, Insights, SourceConversion, TrendDay
from unite_core.reports.leaderboard import Leaderboard, LeaderboardRow
from unite_core.reports.metrics import CountMetric, Flag, RateMetric
from unite_core.reports.model import AgentName, CallItems, Count, LeadItems, ReportMeta, TaskItems
from unite_core.reports.overdue import OverdueCalls
from unite_core.reports.reconciliation import Reconciliation, Repaired
from unite_core.reports.use_cases import Rebuilt

__all__ = [
    "ActivityDay",
    "ActivityFigures",
    "ActivityReport",
    "AgentActivity",
    "AgentDay",
    "AgentName",
    "Attempt",
    "AttemptsReport",
    "BusyAgent",
    "CallFigures",
    "CallItems",
    "ClockTime",
    "Count",
    "CountMetric",
    "CountedLeads",
    "DailyReport",
    "DayOverview",
    "Difference",
    "DifferenceKind",
    "Flag",
    "Funnel",
    "Heatmap",
    "Hour",
    "Insights",
    "LeadItems",
    "Leaderboard",
    "LeaderboardRow",
    "OverdueCalls",
    "RateMetric",
    "Rebuilt",
    "Reconciliation",
    "Repaired",
    "ReportMeta",
    "Results",
    "SourceConversion",
    "SpeedToLead",
    "Stages",
    "TaskItems",
    "TrendDay",
]
