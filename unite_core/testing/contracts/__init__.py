"""Contract tests: one suite per port, which every implementation of the port has to pass.

A suite is a class; derive a test class from it and give it the fixtures that it names. The suites need pytest.
"""

from pkgutil import iter_modules

try:
    import pytest
except ModuleNotFoundError as error:
    if error.name != "pytest":
        raise
    raise ImportError(
        "The contract suites run under pytest, which is not installed: pip install 'unite-core[testing]'", name="pytest"
    ) from error

# Before the suites are imported: their failed assertions then show the values, as those of a test module do.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))

from unite_core.testing.contracts.activity import ActivityLogContract
from unite_core.testing.contracts.agent_activity import CallActivityContract
from unite_core.testing.contracts.cache import CacheContract
from unite_core.testing.contracts.cached_reads import CachedReadsContract
from unite_core.testing.contracts.call_documents import CallDocumentsContract
from unite_core.testing.contracts.call_ledger import CallLedgerContract
from unite_core.testing.contracts.call_tasks import CallTasksContract
from unite_core.testing.contracts.consents import ConsentsContract
from unite_core.testing.contracts.database import DatabaseContract, Transaction, Units
from unite_core.testing.contracts.deliveries import DeliveriesContract
from unite_core.testing.contracts.destinations import (
    DestinationContract,
    TextsOfEventsContract,
    TopicOfEventsContract,
)
from unite_core.testing.contracts.dry_runs import DryRunLeadsContract
from unite_core.testing.contracts.files import FilesContract, SignedFilesContract
from unite_core.testing.contracts.idempotency_keys import IdempotencyKeysContract
from unite_core.testing.contracts.import_rows import ImportRowsContract
from unite_core.testing.contracts.imports import ImportsContract
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
from unite_core.testing.contracts.lead_images import LeadImagesContract
from unite_core.testing.contracts.lead_list import LeadListContract
from unite_core.testing.contracts.leads import LeadsContract
from unite_core.testing.contracts.live_figures import LiveFiguresContract
from unite_core.testing.contracts.messages import SentText, TextMessagesContract, TopicContract
from unite_core.testing.contracts.passwords import PasswordsContract, TokensContract
from unite_core.testing.contracts.pending_events import PendingEventsContract
from unite_core.testing.contracts.rollups import RollupsContract
from unite_core.testing.contracts.sessions import SessionsContract
from unite_core.testing.contracts.summaries import DailySummariesContract
from unite_core.testing.contracts.unit_of_work import UnitOfWorkContract
from unite_core.testing.contracts.usage import UsageContract
from unite_core.testing.contracts.users import UsersContract

__all__ = [
    "ALL",
    "ANYTHING",
    "ActivityLogContract",
    "CacheContract",
    "CachedReadsContract",
    "CallActivityContract",
    "CallDocumentsContract",
    "CallLedgerContract",
    "CallTasksContract",
    "ClockContract",
    "ConsentsContract",
    "DailySummariesContract",
    "DatabaseContract",
    "DeliveriesContract",
    "DestinationContract",
    "DryRunLeadsContract",
    "FilesContract",
    "IdempotencyKeysContract",
    "IdsContract",
    "ImportRowsContract",
    "ImportsContract",
    "JobsContract",
    "LeadCallsContract",
    "LeadImagesContract",
    "LeadListContract",
    "LeadsContract",
    "LinksContract",
    "LiveFiguresContract",
    "PasswordsContract",
    "PendingEventsContract",
    "RateLimitsContract",
    "RollupsContract",
    "SentText",
    "SessionsContract",
    "SignedFilesContract",
    "TextMessagesContract",
    "TextsOfEventsContract",
    "TokensContract",
    "TopicContract",
    "TopicOfEventsContract",
    "Transaction",
    "UnitOfWorkContract",
    "Units",
    "UsageContract",
    "UsersContract",
    "WakeUp",
]
