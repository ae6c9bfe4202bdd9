"""The complete schema: imports all modules with table definitions."""

from adapters.sql import call_tables, event_tables, quota_tables, report_tables, summary_tables, tables
from adapters.sql.metadata import metadata

MODULES = (tables, call_tables, event_tables, quota_tables, report_tables, summary_tables)
"""The modules with table definitions."""

schema = metadata
"""The metadata with all tables."""
