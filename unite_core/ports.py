"""The public names for adapters: the ports, and the types of what they take and return.

The types that `unite_core` has as well are there.
"""

from unite_core.application import FullUnitOfWork
from unite_core.cache import Cache, CacheLookup, CacheSlot
from unite_core.calls.ledger import Unreadable
from unite_core.calls.ports import CallLedger, CallsUnitOfWork, CallTasks, LeadCalls
from unite_core.clock import Clock
from unite_core.files import Files
from unite_core.idempotency_keys import IdempotencyKeys, StoredAnswer
from unite_core.identity.ports import AccessClaims, IdentityUnitOfWork, Passwords, Sessions, Tokens, Users
from unite_core.ids import Ids
from unite_core.imports.model import LeadSnapshot
from unite_core.imports.ports import DryRunLeads, ImportRows, Imports, ImportsUnitOfWork, OpenImports
from unite_core.jobs import Jobs
from unite_core.leads.ports import ContactMatches, LeadImages, Leads, LeadsUnitOfWork
from unite_core.notifications.delivery_reports import DeliveryReport, MessageProgress
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
from unite_core.periods import Segment
from unite_core.rate_limits import RateLimits
from unite_core.reports.documents import CallActivity, CallDocument, CallDocuments, DocumentsUnitOfWork, StoredDocument
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

__all__ = [
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
    "Jobs",
    "LeadCalls",
    "LeadImages",
    "LeadSnapshot",
    "Leads",
    "LeadsUnitOfWork",
    "Links",
    "LiveFigures",
    "MessageProgress",
    "OpenImports",
    "OverdueCall",
    "Passwords",
    "Rate",
    "RateLimits",
    "Recounted",
    "RelayUnitOfWork",
    "ReportsUnitOfWork",
    "Rollups",
    "Segment",
    "Sessions",
    "StoredAnswer",
    "StoredDocument",
    "SummariesUnitOfWork",
    "SummaryTime",
    "Tally",
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
    "Usage",
    "Users",
]
