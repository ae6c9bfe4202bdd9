"""Every table that there is: whoever imports this knows them all."""

from adapters.sql import call_tables, event_tables, quota_tables, report_tables, summary_tables, tables
from adapters.sql.metadata import metadata

MODULES = (tables, call_tables, event_tables, quota_tables, report_tables, summary_tables)
"""Where tables are described, each module for some rooms."""

schema = metadata
"""All of them."""
