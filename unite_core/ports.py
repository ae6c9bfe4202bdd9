"""The public names for adapters: the ports, the types of what they take and return, and what adapters of a port share.

The types that `unite_core` has as well are there.
"""

from unite_core.application import FullUnitOfWork
from unite_core.cache import MAX_TTL, Cache, CacheLookup, CacheSlot, NoCache
from unite_core.calls.ledger import Unreadable, orphan_fault
from unite_core.calls.ports import (
    CALL_COUNTS_NAMESPACE,
    MAX_ATTEMPT,
    MAX_NOTES_IN_LISTS,
    CallLedger,
    CallsUnitOfWork,
    CallTasks,
    LeadCalls,
)
from unite_core.clock import Clock
from unite_core.errors import Deadlock
from unite_core.files import UPLOAD_RETENTION, UPLOADS, Files, ServedFile, SignedFiles, link_expiry, upload_key
from unite_core.idempotency_keys import STORED_ANSWER_TTL, IdempotencyKeys, StoredAnswer
from unite_core.identity.ports import (
    REPORTS_NAMESPACE,
    AccessClaims,
    IdentityUnitOfWork,
    Passwords,
    Sessions,
    Tokens,
    Users,
    sessions_namespace,
)
from unite_core.ids import Ids
from unite_core.imports.model import TOUCHED, LeadSnapshot, SameFile
from unite_core.imports.ports import (
    DryRunLeads,
    ImportRows,
    Imports,
    ImportsUnitOfWork,
    NoUploadNotices,
    OpenImports,
    UploadNotice,
    UploadNotices,
)
from unite_core.jobs import JobHandler, Jobs
from unite_core.leads.details import TextField
from unite_core.leads.ports import (
    CALLED_LEADS_NAMESPACE,
    LEAD_LISTS,
    ContactMatches,
    LeadImages,
    Leads,
    LeadsUnitOfWork,
    lead_namespace,
)
from unite_core.notifications.delivery_reports import DeliveryReport, MessageProgress
from unite_core.notifications.model import NEVER, delivery_of
from unite_core.notifications.ports import (
    ActivityLog,
    Consent,
    Consents,
    Deliveries,
    EventFilter,
    Links,
    RelayUnitOfWork,
    TextMessage,
    TextMessages,
    TextsUnitOfWork,
    Topic,
    TopicMessage,
)
from unite_core.notifications.subscriptions import ACTIVITY_SUBSCRIPTION, BUILT_IN, recipients_of
from unite_core.paging import page_of
from unite_core.periods import Segment, moment_of, quarter_of
from unite_core.rate_limits import RateLimits
from unite_core.reports.documents import (
    CallActivity,
    CallDocument,
    CallDocuments,
    DocumentsUnitOfWork,
    StoredDocument,
    documents_of,
)
from unite_core.reports.ports import (
    Cell,
    Cohort,
    Dimension,
    EntryChange,
    FirstCalls,
    FunnelCounts,
    Grain,
    LiveFigures,
    OverdueCall,
    Recounted,
    ReportsUnitOfWork,
    Rollups,
    Timeline,
    Totals,
)
from unite_core.reports.tally import Rate, Tally
from unite_core.summaries.model import DayFigure, SummaryTime
from unite_core.summaries.ports import CreatedSummary, DailySummaries, SummariesUnitOfWork
from unite_core.unit_of_work import UnitOfWork, UnitOfWorkFactory
from unite_core.usage import Usage
from unite_core.versions import require_version

__all__ = [
    "ACTIVITY_SUBSCRIPTION",
    "BUILT_IN",
    "CALLED_LEADS_NAMESPACE",
    "CALL_COUNTS_NAMESPACE",
    "LEAD_LISTS",
    "MAX_ATTEMPT",
    "MAX_NOTES_IN_LISTS",
    "MAX_TTL",
    "NEVER",
    "REPORTS_NAMESPACE",
    "STORED_ANSWER_TTL",
    "TOUCHED",
    "UPLOADS",
    "UPLOAD_RETENTION",
    "AccessClaims",
    "ActivityLog",
    "Cache",
    "CacheLookup",
    "CacheSlot",
    "CallActivity",
    "CallDocument",
    "CallDocuments",
    "CallLedger",
    "CallTasks",
    "CallsUnitOfWork",
    "Cell",
    "Clock",
    "Cohort",
    "Consent",
    "Consents",
    "ContactMatches",
    "CreatedSummary",
    "DailySummaries",
    "DayFigure",
    "Deadlock",
    "Deliveries",
    "DeliveryReport",
    "Dimension",
    "DocumentsUnitOfWork",
    "DryRunLeads",
    "EntryChange",
    "EventFilter",
    "Files",
    "FirstCalls",
    "FullUnitOfWork",
    "FunnelCounts",
    "Grain",
    "IdempotencyKeys",
    "IdentityUnitOfWork",
    "Ids",
    "ImportRows",
    "Imports",
    "ImportsUnitOfWork",
    "JobHandler",
    "Jobs",
    "LeadCalls",
    "LeadImages",
    "LeadSnapshot",
    "Leads",
    "LeadsUnitOfWork",
    "Links",
    "LiveFigures",
    "MessageProgress",
    "NoCache",
    "NoUploadNotices",
    "OpenImports",
    "OverdueCall",
    "Passwords",
    "Rate",
    "RateLimits",
    "Recounted",
    "RelayUnitOfWork",
    "ReportsUnitOfWork",
    "Rollups",
    "SameFile",
    "Segment",
    "ServedFile",
    "Sessions",
    "SignedFiles",
    "StoredAnswer",
    "StoredDocument",
    "SummariesUnitOfWork",
    "SummaryTime",
    "Tally",
    "TextField",
    "TextMessage",
    "TextMessages",
    "TextsUnitOfWork",
    "Timeline",
    "Tokens",
    "Topic",
    "TopicMessage",
    "Totals",
    "UnitOfWork",
    "UnitOfWorkFactory",
    "Unreadable",
    "UploadNotice",
    "UploadNotices",
    "Usage",
    "Users",
    "delivery_of",
    "documents_of",
    "lead_namespace",
    "link_expiry",
    "moment_of",
    "orphan_fault",
    "page_of",
    "quarter_of",
    "recipients_of",
    "require_version",
    "sessions_namespace",
    "upload_key",
]
