"""Public names of the bootstrap, which wires settings, adapters and use cases; only it imports adapters.

The modules `backup` and `restore` are imported by their commands alone: the service needs neither.
"""

from adapters.local.message_file import FILE as MESSAGES_FILE
from adapters.sql.mysql.grants import ExcessPrivileges
from entrypoints.bootstrap.data_folder import folder_warning
from entrypoints.bootstrap.database import FILE as DATABASE_FILE
from entrypoints.bootstrap.database import database_is_current, database_is_later, database_url, grant_rights
from entrypoints.bootstrap.ledger import open_ledger_read_only
from entrypoints.bootstrap.optional_servers import Dependency, grant_mongodb_privileges, provide_storage
from entrypoints.bootstrap.refusal import StartRefused, port_refusal
from entrypoints.bootstrap.starting import (
    OPERATOR,
    Started,
    create_first_admin,
    has_admin,
    load_settings,
    start,
)
from entrypoints.bootstrap.tracing import tracing_of

__all__ = [
    "DATABASE_FILE",
    "MESSAGES_FILE",
    "OPERATOR",
    "Dependency",
    "ExcessPrivileges",
    "StartRefused",
    "Started",
    "create_first_admin",
    "database_is_current",
    "database_is_later",
    "database_url",
    "folder_warning",
    "grant_mongodb_privileges",
    "grant_rights",
    "has_admin",
    "load_settings",
    "open_ledger_read_only",
    "port_refusal",
    "provide_storage",
    "start",
    "tracing_of",
]
