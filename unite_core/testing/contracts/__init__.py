"""Contract tests: one suite per port, which every implementation of the port has to pass.

A suite is a class; derive a test class from it and give it the fixtures that it names. The suites need pytest.
"""

from pkgutil import iter_modules

try:
    import pytest
except ModuleNotFoundError as _error:
    if _error.name != "pytest":
        raise
    raise ImportError(
        "The contract suites run under pytest, which is not installed: pip install 'unite-core[testing]'", name="pytest"
    ) from _error

# Before the suites are imported: their failed assertions then show the values, as those of a test module do.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))

from unite_core.notifications.destinations import TextsOfEvents, TopicOfEvents
from unite_core.testing.contracts.activity import ActivityLogContract
from unite_core.testing.contracts.agent_activity import CallActivityContract
from unite_core.testing.contracts.cache import CacheContract
from unite_core.testing.contracts.cached_reads import CachedReadsContract, WatchedCache
from unite_core.testing.contracts.call_documents import CallDocumentsContract
from unite_core.testing.contracts.call_ledger import CallLedgerContract, CallLedgerUnit
from unite_core.testing.contracts.call_tasks import CallTasksContract, CallTasksUnit
from unite_core.testing.contracts.consents import ConsentsContract, ConsentsUnit
from unite_core.testing.contracts.database import DatabaseContract, LeadsUnit, Transaction, Units
from unite_core.testing.contracts.deliveries import DeliveriesContract, DeliveriesUnit
from unite_core.testing.contracts.destinations import (
    DestinationContract,
    TextsOfEventsContract,
    TopicOfEventsContract,
)
from unite_core.testing.contracts.dry_runs import DryRunLeadsContract, DryRunLeadsUnit
from unite_core.testing.contracts.files import FilesContract, SignedFilesContract
from unite_core.testing.contracts.idempotency_keys import IdempotencyKeysContract, IdempotencyKeysUnit
from unite_core.testing.contracts.import_rows import ImportRowsContract, ImportRowsUnit
from unite_core.testing.contracts.imports import ImportsContract, ImportsUnit
from unite_core.testing.contracts.infrastructure import (
    ALL,
    ANYTHING,
    ClockContract,
    IdsContract,
    JobsContract,
    LinksContract,
    RateLimitsContract,
    WakeUp,
)
from unite_core.testing.contracts.lead_calls import LeadCallsContract
from unite_core.testing.contracts.lead_images import LeadImagesContract, LeadImagesUnit
from unite_core.testing.contracts.lead_list import LeadListContract
from unite_core.testing.contracts.leads import LeadsContract
from unite_core.testing.contracts.live_figures import LiveFiguresContract
from unite_core.testing.contracts.messages import SentText, TextMessagesContract, TopicContract
from unite_core.testing.contracts.passwords import PasswordsContract, TokensContract
from unite_core.testing.contracts.pending_events import PendingEventsContract
from unite_core.testing.contracts.rollups import RollupsContract
from unite_core.testing.contracts.sessions import SessionsContract, SessionsUnit
from unite_core.testing.contracts.summaries import DailySummariesContract, DailySummariesUnit
from unite_core.testing.contracts.unit_of_work import UnitOfWorkContract
from unite_core.testing.contracts.upload_notices import UploadNoticesContract
from unite_core.testing.contracts.usage import UsageContract, UsageUnit
from unite_core.testing.contracts.users import UsersContract, UsersUnit

__all__ = [
    "ALL",
    "ANYTHING",
    "ActivityLogContract",
    "CacheContract",
    "CachedReadsContract",
    "CallActivityContract",
    "CallDocumentsContract",
    "CallLedgerContract",
    "CallLedgerUnit",
    "CallTasksContract",
    "CallTasksUnit",
    "ClockContract",
    "ConsentsContract",
    "ConsentsUnit",
    "DailySummariesContract",
    "DailySummariesUnit",
    "DatabaseContract",
    "DeliveriesContract",
    "DeliveriesUnit",
    "DestinationContract",
    "DryRunLeadsContract",
    "DryRunLeadsUnit",
    "FilesContract",
    "IdempotencyKeysContract",
    "IdempotencyKeysUnit",
    "IdsContract",
    "ImportRowsContract",
    "ImportRowsUnit",
    "ImportsContract",
    "ImportsUnit",
    "JobsContract",
    "LeadCallsContract",
    "LeadImagesContract",
    "LeadImagesUnit",
    "LeadListContract",
    "LeadsContract",
    "LeadsUnit",
    "LinksContract",
    "LiveFiguresContract",
    "PasswordsContract",
    "PendingEventsContract",
    "RateLimitsContract",
    "RollupsContract",
    "SentText",
    "SessionsContract",
    "SessionsUnit",
    "SignedFilesContract",
    "TextMessagesContract",
    "TextsOfEvents",
    "TextsOfEventsContract",
    "TokensContract",
    "TopicContract",
    "TopicOfEvents",
    "TopicOfEventsContract",
    "Transaction",
    "UnitOfWorkContract",
    "Units",
    "UploadNoticesContract",
    "UsageContract",
    "UsageUnit",
    "UsersContract",
    "UsersUnit",
    "WakeUp",
    "WatchedCache",
]
