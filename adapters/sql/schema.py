"""The complete schema: imports all modules with table definitions."""

from adapters.sql.calls import tables as call_tables
from adapters.sql.events import tables as event_tables
from adapters.sql.idempotency import tables as idempotency_tables
from adapters.sql.identity import tables as identity_tables
from adapters.sql.imports import tables as import_tables
from adapters.sql.leads import tables as lead_tables
from adapters.sql.metadata import metadata
from adapters.sql.quotas import tables as quota_tables
from adapters.sql.reports import tables as report_tables
from adapters.sql.summaries import tables as summary_tables

MODULES = (
    identity_tables,
    lead_tables,
    import_tables,
    call_tables,
    event_tables,
    report_tables,
    summary_tables,
    quota_tables,
    idempotency_tables,
)
"""The modules with table definitions."""

schema = metadata
"""The metadata with all tables."""
