"""The types of the use cases, for annotations: `build` makes them, nobody else does."""

from unite_core.application import Calls, Identity, Imports, Leads, Notifications, Reports, Upkeep
from unite_core.background import BackgroundWork
from unite_core.calls.queries import GetCallLogEntry, GetCallTask, GetLedger, ListCallLogs, ListCallTasks
from unite_core.calls.use_cases import (
    AddCallTaskNote,
    AssignCallTask,
    CancelCallsOfDeletedLeads,
    CancelCallTask,
    CompleteCallTask,
    CorrectCallLog,
    CreateCallTask,
    MarkMissed,
)
from unite_core.calls.use_cases.verification import VerifyLedger
from unite_core.checks import UseCase
from unite_core.files import RemoveLeftoverFiles
from unite_core.idempotency import PurgeIdempotencyKeys, RunOnce
from unite_core.identity.queries import GetUser, ListUsers
from unite_core.identity.use_cases import (
    Authenticate,
    AuthenticateCookie,
    ChangePassword,
    CreateUser,
    EnsureFirstAdmin,
    LogIn,
    LogInWithCookie,
    LogOut,
    LogOutEverywhere,
    PurgeSessions,
    RefreshTokens,
    ResetPassword,
    UpdateUser,
)
from unite_core.imports.queries import (
    DueImports,
    GetErrorReport,
    GetImport,
    GetImportActivity,
    ListImports,
    ListRejections,
)
from unite_core.imports.use_cases import (
    CancelImport,
    ContinueUndo,
    CreateImport,
    ImportStoredFile,
    PurgeImports,
    RemoveAbandonedImports,
    StartAnnouncedUploads,
    StartImport,
    StartUploadedImport,
    StoreFile,
    UndoImport,
)
from unite_core.imports.use_cases.continue_import import ContinueImport
from unite_core.leads.queries import GetImage, GetLead, GetLeadActivity, ListImages, ListLeads
from unite_core.leads.use_cases import (
    CompleteImage,
    CreateImage,
    CreateLead,
    DeleteImage,
    DeleteLead,
    RemoveAbandonedImages,
    UpdateLead,
)
from unite_core.leads.use_cases.images import PictureSlots
from unite_core.notifications.use_cases import (
    CheckDeliveryStatuses,
    CountDeadLetters,
    GetDelivery,
    GetDeliveryActivity,
    ListDeliveries,
    PurgeActivity,
    PurgeDeliveries,
    RecordConsent,
    RecordTextReport,
    RelayEvents,
    ReplayDelivery,
)
from unite_core.quotas import PurgeUsage
from unite_core.reports.agent_activity import DocumentsCompleteThrough, ReportActivity
from unite_core.reports.attempts import ReportAttempts
from unite_core.reports.call_queries import CacheReport, CountCalls, NameAgents
from unite_core.reports.daily import ReportDay
from unite_core.reports.day_overview import ReportDayOverview
from unite_core.reports.funnel import ReportFunnel, ReportSpeedToLead
from unite_core.reports.heatmap import ReportHeatmap
from unite_core.reports.insights import ReportInsights
from unite_core.reports.leaderboard import ReportLeaderboard
from unite_core.reports.overdue import CountOverdueCalls, ListOverdueCalls
from unite_core.reports.reconciliation import ReconcileReports, RepairDocuments
from unite_core.reports.use_cases import FoldEntries, RebuildReports
from unite_core.summaries.use_cases import CreateDailySummaries, UpdateDailySummary

__all__ = [
    "AddCallTaskNote",
    "AssignCallTask",
    "Authenticate",
    "AuthenticateCookie",
    "BackgroundWork",
    "CacheReport",
    "Calls",
    "CancelCallTask",
    "CancelCallsOfDeletedLeads",
    "CancelImport",
    "ChangePassword",
    "CheckDeliveryStatuses",
    "CompleteCallTask",
    "CompleteImage",
    "ContinueImport",
    "ContinueUndo",
    "CorrectCallLog",
    "CountCalls",
    "CountDeadLetters",
    "CountOverdueCalls",
    "CreateCallTask",
    "CreateDailySummaries",
    "CreateImage",
    "CreateImport",
    "CreateLead",
    "CreateUser",
    "DeleteImage",
    "DeleteLead",
    "DocumentsCompleteThrough",
    "DueImports",
    "EnsureFirstAdmin",
    "FoldEntries",
    "GetCallLogEntry",
    "GetCallTask",
    "GetDelivery",
    "GetDeliveryActivity",
    "GetErrorReport",
    "GetImage",
    "GetImport",
    "GetImportActivity",
    "GetLead",
    "GetLeadActivity",
    "GetLedger",
    "GetUser",
    "Identity",
    "ImportStoredFile",
    "Imports",
    "Leads",
    "ListCallLogs",
    "ListCallTasks",
    "ListDeliveries",
    "ListImages",
    "ListImports",
    "ListLeads",
    "ListOverdueCalls",
    "ListRejections",
    "ListUsers",
    "LogIn",
    "LogInWithCookie",
    "LogOut",
    "LogOutEverywhere",
    "MarkMissed",
    "NameAgents",
    "Notifications",
    "PictureSlots",
    "PurgeActivity",
    "PurgeDeliveries",
    "PurgeIdempotencyKeys",
    "PurgeImports",
    "PurgeSessions",
    "PurgeUsage",
    "RebuildReports",
    "ReconcileReports",
    "RecordConsent",
    "RecordTextReport",
    "RefreshTokens",
    "RelayEvents",
    "RemoveAbandonedImages",
    "RemoveAbandonedImports",
    "RemoveLeftoverFiles",
    "RepairDocuments",
    "ReplayDelivery",
    "ReportActivity",
    "ReportAttempts",
    "ReportDay",
    "ReportDayOverview",
    "ReportFunnel",
    "ReportHeatmap",
    "ReportInsights",
    "ReportLeaderboard",
    "ReportSpeedToLead",
    "Reports",
    "ResetPassword",
    "RunOnce",
    "StartAnnouncedUploads",
    "StartImport",
    "StartUploadedImport",
    "StoreFile",
    "UndoImport",
    "UpdateDailySummary",
    "UpdateLead",
    "UpdateUser",
    "Upkeep",
    "UseCase",
    "VerifyLedger",
]
