"""The public names of Unite's core: call `build` with the ports to get the use cases.

Public modules are this one, `unite_core.ports` (what adapters implement), `unite_core.use_cases` (the types of what
`build` returns), `unite_core.report_types` (what reports return) and those of `unite_core.testing`. All others are
private, and in the wheel their names begin with an underscore: they change without notice.

A name is loaded when it is first used, so that `import unite_core` takes milliseconds.
"""

from typing import TYPE_CHECKING

from unite_core.lazy_names import lazy_names

if TYPE_CHECKING:
    from unite_core.application import Ports, Rules, Unite, build
    from unite_core.calls.ledger import ChainFault, EntryKind, LedgerEntry
    from unite_core.calls.model import CallOutcome, CallResult, CallTask, Completion, Note, TaskStatus
    from unite_core.calls.ports import CallCounts, ClockFilter, LedgerFilter, TaskFilter
    from unite_core.calls.queries import TaskLedger, TaskView
    from unite_core.calls.use_cases import Assignment, Cancellation, CompletedCall, Correction, NewCallTask, NewNote
    from unite_core.calls.use_cases.verification import VerificationResult
    from unite_core.errors import (
        Conflict,
        FieldError,
        Forbidden,
        Invalid,
        Malformed,
        NotFound,
        PreconditionFailed,
        TooLarge,
        TooManyRequests,
        Unauthenticated,
        Unavailable,
        UniteError,
    )
    from unite_core.events import Event
    from unite_core.files import Download, Upload
    from unite_core.idempotency import KeyedUseCase, Outcome, Replay
    from unite_core.idempotency_keys import Claim
    from unite_core.identity.model import Actor, Permission, Role, Session, TokenPair, User
    from unite_core.identity.ports import UserFilter
    from unite_core.identity.summary_settings import DailySummary
    from unite_core.identity.use_cases import (
        CookieSession,
        Credentials,
        NewUser,
        OneTimePassword,
        PasswordChange,
        PasswordReset,
        SessionCookie,
        UserChanges,
    )
    from unite_core.imports.model import (
        Counts,
        Failure,
        ImportOptions,
        ImportStatus,
        LeadImport,
        OnDuplicate,
        Progress,
        Rejection,
        RowKind,
        Undone,
        progress,
    )
    from unite_core.imports.ports import ImportFilter
    from unite_core.imports.queries import ImportsToContinue, RejectionFilter, RejectionPage
    from unite_core.imports.use_cases import FileToImport, ImportUpload, NewImport, StoredFile, UploadOutcome
    from unite_core.leads.details import LeadDetails, LeadStatus
    from unite_core.leads.model import Duplicate, DuplicateLead, ImageStatus, Lead, LeadImage
    from unite_core.leads.ports import LeadFilter
    from unite_core.leads.queries import LinkedImage
    from unite_core.leads.use_cases import ImageUpload, LeadChanges, LeadToDelete, NewImage, NewLead
    from unite_core.notifications.model import Delivery, DeliveryStatus, Receipt, RetryPolicy
    from unite_core.notifications.ports import DeliveryFilter, Destination
    from unite_core.notifications.subscriptions import Subscription
    from unite_core.notifications.use_cases import NewConsent, Relayed, TextReport
    from unite_core.paging import Page, PageRequest, Position
    from unite_core.periods import Period
    from unite_core.phone import Phone, PhonePolicy, PhoneRule
    from unite_core.quotas import NO_LIMIT, Quotas
    from unite_core.rate_limits import RateLimitStatus
    from unite_core.summaries.use_cases import SummaryChange, SummarySettings
    from unite_core.unset import UNSET, Unset

__version__ = "0.1.0"

_NAMES = {
    "unite_core.application": ("Ports", "Rules", "Unite", "build"),
    "unite_core.calls.ledger": ("ChainFault", "EntryKind", "LedgerEntry"),
    "unite_core.calls.model": ("CallResult", "CallTask", "Completion", "Note", "CallOutcome", "TaskStatus"),
    "unite_core.calls.ports": ("CallCounts", "ClockFilter", "LedgerFilter", "TaskFilter"),
    "unite_core.calls.queries": ("TaskLedger", "TaskView"),
    "unite_core.calls.use_cases": (
        "Assignment",
        "Cancellation",
        "CompletedCall",
        "Correction",
        "NewCallTask",
        "NewNote",
    ),
    "unite_core.calls.use_cases.verification": ("VerificationResult",),
    "unite_core.errors": (
        "Conflict",
        "FieldError",
        "Forbidden",
        "Invalid",
        "Malformed",
        "NotFound",
        "PreconditionFailed",
        "TooLarge",
        "TooManyRequests",
        "Unauthenticated",
        "Unavailable",
        "UniteError",
    ),
    "unite_core.events": ("Event",),
    "unite_core.files": ("Download", "Upload"),
    "unite_core.idempotency": ("KeyedUseCase", "Outcome", "Replay"),
    "unite_core.idempotency_keys": ("Claim",),
    "unite_core.identity.model": ("Actor", "Permission", "Role", "Session", "TokenPair", "User"),
    "unite_core.identity.ports": ("UserFilter",),
    "unite_core.identity.summary_settings": ("DailySummary",),
    "unite_core.identity.use_cases": (
        "CookieSession",
        "Credentials",
        "NewUser",
        "OneTimePassword",
        "PasswordChange",
        "PasswordReset",
        "SessionCookie",
        "UserChanges",
    ),
    "unite_core.imports.model": (
        "Counts",
        "Failure",
        "ImportOptions",
        "ImportStatus",
        "LeadImport",
        "OnDuplicate",
        "Progress",
        "Rejection",
        "RowKind",
        "Undone",
        "progress",
    ),
    "unite_core.imports.ports": ("ImportFilter",),
    "unite_core.imports.queries": ("ImportsToContinue", "RejectionFilter", "RejectionPage"),
    "unite_core.imports.use_cases": ("FileToImport", "ImportUpload", "NewImport", "StoredFile", "UploadOutcome"),
    "unite_core.leads.details": ("LeadDetails", "LeadStatus"),
    "unite_core.leads.model": ("Duplicate", "DuplicateLead", "ImageStatus", "Lead", "LeadImage"),
    "unite_core.leads.ports": ("LeadFilter",),
    "unite_core.leads.queries": ("LinkedImage",),
    "unite_core.leads.use_cases": ("ImageUpload", "LeadChanges", "LeadToDelete", "NewImage", "NewLead"),
    "unite_core.notifications.model": ("Delivery", "DeliveryStatus", "Receipt", "RetryPolicy"),
    "unite_core.notifications.ports": ("DeliveryFilter", "Destination"),
    "unite_core.notifications.subscriptions": ("Subscription",),
    "unite_core.notifications.use_cases": ("NewConsent", "Relayed", "TextReport"),
    "unite_core.paging": ("Page", "PageRequest", "Position"),
    "unite_core.periods": ("Period",),
    "unite_core.phone": ("Phone", "PhonePolicy", "PhoneRule"),
    "unite_core.quotas": ("NO_LIMIT", "Quotas"),
    "unite_core.rate_limits": ("RateLimitStatus",),
    "unite_core.summaries.use_cases": ("SummaryChange", "SummarySettings"),
    "unite_core.unset": ("UNSET", "Unset"),
}
"""Module -> the public names that it defines; those of the type checker are above, and a test compares the two."""

__all__ = [
    "NO_LIMIT",
    "UNSET",
    "Actor",
    "Assignment",
    "CallCounts",
    "CallOutcome",
    "CallResult",
    "CallTask",
    "Cancellation",
    "ChainFault",
    "Claim",
    "ClockFilter",
    "CompletedCall",
    "Completion",
    "Conflict",
    "CookieSession",
    "Correction",
    "Counts",
    "Credentials",
    "DailySummary",
    "Delivery",
    "DeliveryFilter",
    "DeliveryStatus",
    "Destination",
    "Download",
    "Duplicate",
    "DuplicateLead",
    "EntryKind",
    "Event",
    "Failure",
    "FieldError",
    "FileToImport",
    "Forbidden",
    "ImageStatus",
    "ImageUpload",
    "ImportFilter",
    "ImportOptions",
    "ImportStatus",
    "ImportUpload",
    "ImportsToContinue",
    "Invalid",
    "KeyedUseCase",
    "Lead",
    "LeadChanges",
    "LeadDetails",
    "LeadFilter",
    "LeadImage",
    "LeadImport",
    "LeadStatus",
    "LeadToDelete",
    "LedgerEntry",
    "LedgerFilter",
    "LinkedImage",
    "Malformed",
    "NewCallTask",
    "NewConsent",
    "NewImage",
    "NewImport",
    "NewLead",
    "NewNote",
    "NewUser",
    "NotFound",
    "Note",
    "OnDuplicate",
    "OneTimePassword",
    "Outcome",
    "Page",
    "PageRequest",
    "PasswordChange",
    "PasswordReset",
    "Period",
    "Permission",
    "Phone",
    "PhonePolicy",
    "PhoneRule",
    "Ports",
    "Position",
    "PreconditionFailed",
    "Progress",
    "Quotas",
    "RateLimitStatus",
    "Receipt",
    "Rejection",
    "RejectionFilter",
    "RejectionPage",
    "Relayed",
    "Replay",
    "RetryPolicy",
    "Role",
    "RowKind",
    "Rules",
    "Session",
    "SessionCookie",
    "StoredFile",
    "Subscription",
    "SummaryChange",
    "SummarySettings",
    "TaskFilter",
    "TaskLedger",
    "TaskStatus",
    "TaskView",
    "TextReport",
    "TokenPair",
    "TooLarge",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
    "Undone",
    "Unite",
    "UniteError",
    "Unset",
    "Upload",
    "UploadOutcome",
    "User",
    "UserChanges",
    "UserFilter",
    "VerificationResult",
    "__version__",
    "build",
    "progress",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _NAMES)
