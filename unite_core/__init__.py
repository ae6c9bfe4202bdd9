"""The public names of Unite's core: call `build` with the ports to get the use cases."""

from unite_core.application import Ports, Rules, Unite, build
from unite_core.calls.ledger import ChainFault, EntryKind, LedgerEntry
from unite_core.calls.model import CallOutcome, CallResult, CallTask, Completion, Note, TaskStatus
from unite_core.calls.ports import CallCounts, LedgerFilter, TaskFilter
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
from unite_core.idempotency import Outcome, Replay
from unite_core.idempotency_keys import Claim
from unite_core.identity.model import Actor, Permission, Role, Session, TokenPair, User
from unite_core.identity.ports import UserFilter
from unite_core.identity.use_cases import (
    Credentials,
    NewUser,
    OneTimePassword,
    PasswordChange,
    PasswordReset,
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
from unite_core.leads.details import LeadStatus
from unite_core.leads.model import Duplicate, DuplicateLead, ImageStatus, Lead, LeadImage
from unite_core.leads.ports import LeadFilter
from unite_core.leads.queries import LinkedImage
from unite_core.leads.search import query_words
from unite_core.leads.use_cases import ImageUpload, LeadChanges, LeadToDelete, NewImage, NewLead
from unite_core.notifications.model import Delivery, DeliveryStatus, Receipt
from unite_core.notifications.ports import DeliveryFilter, Destination
from unite_core.paging import Page, PageRequest, Position
from unite_core.phone import Phone, PhonePolicy, PhoneRule
from unite_core.quotas import Quotas
from unite_core.rate_limits import RateLimitStatus
from unite_core.unset import UNSET, Unset

__all__ = [
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
    "CompletedCall",
    "Completion",
    "Conflict",
    "Correction",
    "Counts",
    "Credentials",
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
    "Lead",
    "LeadChanges",
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
    "Replay",
    "Role",
    "RowKind",
    "Rules",
    "Session",
    "StoredFile",
    "TaskFilter",
    "TaskLedger",
    "TaskStatus",
    "TaskView",
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
    "build",
    "progress",
    "query_words",
]
