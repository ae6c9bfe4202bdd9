"""In-memory adapters of all ports: for tests, for examples, and as the reference implementation."""

from unite_core.testing.in_memory.activity import InMemoryActivityLog
from unite_core.testing.in_memory.application import InMemoryPorts, in_memory_ports, in_memory_unite
from unite_core.testing.in_memory.cache import InMemoryCache
from unite_core.testing.in_memory.call_documents import InMemoryCallDocuments
from unite_core.testing.in_memory.calls import InMemoryCallLedger, InMemoryCallTasks
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING, FixedClock, SequentialIds
from unite_core.testing.in_memory.deliveries import InMemoryDeliveries
from unite_core.testing.in_memory.files import InMemoryFiles
from unite_core.testing.in_memory.idempotency_keys import InMemoryIdempotencyKeys
from unite_core.testing.in_memory.identity import FastPasswords, FastTokens, InMemorySessions, InMemoryUsers
from unite_core.testing.in_memory.imports import InMemoryDryRunLeads, InMemoryImportRows, InMemoryImports
from unite_core.testing.in_memory.jobs import InMemoryJobs
from unite_core.testing.in_memory.leads import InMemoryLeadImages, InMemoryLeads
from unite_core.testing.in_memory.links import InMemoryLinks
from unite_core.testing.in_memory.messages import InMemoryConsents, InMemoryTextMessages, InMemoryTopic
from unite_core.testing.in_memory.rate_limits import InMemoryRateLimits
from unite_core.testing.in_memory.summaries import InMemoryDailySummaries
from unite_core.testing.in_memory.tables import ClaimedKey, Store, Tables
from unite_core.testing.in_memory.unit_of_work import InMemoryUnitOfWork, InMemoryUnitOfWorkFactory
from unite_core.testing.in_memory.upload_notices import InMemoryUploadNotices

__all__ = [
    "A_MONDAY_MORNING",
    "ClaimedKey",
    "FastPasswords",
    "FastTokens",
    "FixedClock",
    "InMemoryActivityLog",
    "InMemoryCache",
    "InMemoryCallDocuments",
    "InMemoryCallLedger",
    "InMemoryCallTasks",
    "InMemoryConsents",
    "InMemoryDailySummaries",
    "InMemoryDeliveries",
    "InMemoryDryRunLeads",
    "InMemoryFiles",
    "InMemoryIdempotencyKeys",
    "InMemoryImportRows",
    "InMemoryImports",
    "InMemoryJobs",
    "InMemoryLeadImages",
    "InMemoryLeads",
    "InMemoryLinks",
    "InMemoryPorts",
    "InMemoryRateLimits",
    "InMemorySessions",
    "InMemoryTextMessages",
    "InMemoryTopic",
    "InMemoryUnitOfWork",
    "InMemoryUnitOfWorkFactory",
    "InMemoryUploadNotices",
    "InMemoryUsers",
    "SequentialIds",
    "Store",
    "Tables",
    "in_memory_ports",
    "in_memory_unite",
]
