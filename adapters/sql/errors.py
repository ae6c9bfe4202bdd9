"""Translation of database errors to domain errors."""

import re
import sqlite3
from collections.abc import Callable

import pymysql
from pymysql.constants import CR, ER
from sqlalchemy import UniqueConstraint
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import IntegrityError

from adapters.sql.schema import schema
from unite_core.errors import Conflict, Deadlock, Unavailable, UniteError
from unite_core.imports.model import SameFile
from unite_core.leads.model import Duplicate, DuplicateLead

REFUSALS: dict[str, Callable[[], UniteError]] = {
    "uq_users_email": lambda: Conflict("Another user has this e-mail address already.", code="duplicate_user"),
    "uq_leads_phone_key": lambda: DuplicateLead((Duplicate("phone", None),)),
    "uq_leads_email_key": lambda: DuplicateLead((Duplicate("email", None),)),
    "uq_lead_imports_same_file_key": lambda: SameFile("The same file is being imported already."),
    "uq_call_ledger_chain": lambda: Deadlock("Another entry was quicker to be the next in the chain."),
}
"""Unique constraint -> the domain error of its violation. A test compares it with the tables."""

_TRIGGER_MESSAGES = {
    "The call ledger is append-only: another entry has this place in the chain.": "uq_call_ledger_chain",
}
"""Message of a trigger on SQLite -> the unique constraint that would be violated without it."""

_BUSY = "The database is busy with another change; try again in a moment."
_GONE = "The database does not answer; try again in a moment."
DAMAGED = "The database file is damaged; stop the service, and restore a backup."
_FULL = "The disk of the database is full; make room."

# https://www.sqlite.org/rescode.html: errors that pass, or end once the disk is repaired.
_TRANSIENT_SQLITE = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_CANTOPEN: "The database file cannot be opened; see that its folder is there and can be written to.",
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: "The database's disk failed to read or write.",
    # These two do not pass by themselves, but the request is not at fault either.
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_NOMEM: "The database has no memory left; try again in a moment.",
}

_NO_CODE = -1

_PRIMARY_CODE = 0xFF
"""An extended result code holds its primary one in the lowest byte."""

# https://dev.mysql.com/doc/mysql-errors/8.4/en/ and https://mariadb.com/kb/en/mariadb-error-codes/
_CONNECTION_KILLED_BY_MARIADB = 1927
_CLIENT_INTERACTION_TIMEOUT = 4031
_TRANSIENT_MYSQL = {
    ER.LOCK_WAIT_TIMEOUT: _BUSY,
    ER.CON_COUNT_ERROR: "The database has no connection left; try again in a moment.",
    ER.TOO_MANY_USER_CONNECTIONS: "The database has no connection left for this account; try again in a moment.",
    ER.SERVER_SHUTDOWN: _GONE,
    ER.QUERY_INTERRUPTED: _GONE,
    ER.OPTION_PREVENTS_STATEMENT: "The database takes no changes at present; try again in a moment.",
    ER.DISK_FULL: _FULL,
    ER.RECORD_FILE_FULL: _FULL,
    _CONNECTION_KILLED_BY_MARIADB: _GONE,
    _CLIENT_INTERACTION_TIMEOUT: _GONE,
    CR.CR_CONNECTION_ERROR: _GONE,
    CR.CR_CONN_HOST_ERROR: _GONE,
    CR.CR_UNKNOWN_HOST: _GONE,
    CR.CR_SERVER_GONE_ERROR: _GONE,
    CR.CR_SERVER_LOST: _GONE,
    0: _GONE,  # the driver's code for a connection that it closed after a failure
}


def refusal(error: IntegrityError) -> UniteError | None:
    """Return the domain error for a violated unique constraint; None for any other kind of constraint."""
    new_error = REFUSALS.get(violated_constraint(error) or "")
    return new_error() if new_error else None


def violated_constraint(error: IntegrityError) -> str | None:
    """Return the name of the violated unique constraint; None for any other kind of constraint."""
    message = str(error.orig)
    named = re.search(r"for key '(?:\w+\.)?(\w+)'", message)  # MySQL and MariaDB
    if named:
        return named.group(1)
    listed = re.fullmatch(r"UNIQUE constraint failed: (.+)", message)  # SQLite lists the columns instead of the name
    return _constraints_by_columns().get(listed.group(1)) if listed else _TRIGGER_MESSAGES.get(message)


def _constraints_by_columns() -> dict[str, str]:
    return {
        ", ".join(f"{table.name}.{column.name}" for column in constraint.columns): str(constraint.name)
        for table in schema.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    }


def transient_failure(error: BaseException | None) -> Unavailable | None:
    """Return `Unavailable` for a transient failure of the database; None for an error in our statements.

    It is `Deadlock` if the transaction was rolled back after a deadlock, and can safely run again. After a lost
    connection it cannot, because the commit may have reached the database.
    """
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)  # an error raised by the Python module itself has none
        detail = _TRANSIENT_SQLITE.get(code & _PRIMARY_CODE) if code is not None else None
    elif isinstance(error, pymysql.MySQLError):
        code = error.args[0] if error.args else _NO_CODE
        if code == ER.LOCK_DEADLOCK:
            return Deadlock(_BUSY)
        detail = _TRANSIENT_MYSQL.get(code)
    else:
        return None
    return Unavailable(detail) if detail else None


def is_damage(error: BaseException | None) -> bool:
    """Return whether SQLite reports that the file is damaged, or is not a database."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & _PRIMARY_CODE in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def raise_unavailable(context: ExceptionContext) -> None:
    """Raise `Unavailable` for a transient failure; leave every other error as it is. A listener of the engine."""
    if context.is_pre_ping:  # the pool opens another connection by itself
        return
    failure = transient_failure(context.original_exception)
    if failure is not None:
        raise failure from context.original_exception
