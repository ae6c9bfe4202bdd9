"""What the database refuses, in the words of the domain, and what it could not do for the moment."""

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
"""What it means that a unique constraint was violated; a test holds it against the tables."""

_TRIGGER_ERRORS = {
    "The call ledger is append-only: another entry has this place in the chain.": "uq_call_ledger_chain",
}
"""What a trigger says on SQLite before the constraint itself would be violated."""

_BUSY = "The database is busy with another change; try again in a moment."
_GONE = "The database does not answer; try again in a moment."
DAMAGED = "The database file is damaged; stop the service, and restore a backup."
_FULL = "The disk of the database is full; make room."

# https://www.sqlite.org/rescode.html: what may be over in a moment or once the disk is well again.
_PASSING_SQLITE = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_CANTOPEN: "The database file cannot be opened; see that its folder is there and can be written to.",
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: "The database's disk failed to read or write.",
    # It does not pass by itself, but it is no fault of the request either.
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
_PASSING_MYSQL = {
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
    0: _GONE,  # the driver's own, of a connection that it has closed after a failure
}


def refusal(error: IntegrityError) -> UniteError | None:
    """The domain's error for a violated unique constraint; None where the database objects to something else."""
    meaning = REFUSALS.get(violated_constraint(error) or "")
    return meaning() if meaning else None


def violated_constraint(error: IntegrityError) -> str | None:
    """The name of the unique constraint that was violated, None where it was another kind of constraint."""
    said = str(error.orig)
    named = re.search(r"for key '(?:\w+\.)?(\w+)'", said)  # MySQL and MariaDB
    if named:
        return named.group(1)
    listed = re.fullmatch(r"UNIQUE constraint failed: (.+)", said)  # SQLite names the columns instead
    return _by_columns().get(listed.group(1)) if listed else _TRIGGER_ERRORS.get(said)


def _by_columns() -> dict[str, str]:
    return {
        ", ".join(f"{table.name}.{column.name}" for column in constraint.columns): str(constraint.name)
        for table in schema.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    }


def passing_failure(error: BaseException | None) -> Unavailable | None:
    """`Unavailable` where the database failed for a reason that may pass; None for a fault of ours.

    It is `Deadlock` where the database gave up this transaction for another one: that is safe to begin anew. What was
    lost with a connection is not, since its commit may have arrived.
    """
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)  # an error of the module itself has none
        detail = _PASSING_SQLITE.get(code & _PRIMARY_CODE) if code is not None else None
    elif isinstance(error, pymysql.MySQLError):
        code = error.args[0] if error.args else _NO_CODE
        if code == ER.LOCK_DEADLOCK:
            return Deadlock(_BUSY)
        detail = _PASSING_MYSQL.get(code)
    else:
        return None
    return Unavailable(detail) if detail else None


def is_damage(error: BaseException | None) -> bool:
    """Whether SQLite has found that the file is damaged, or no database."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & _PRIMARY_CODE in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def raise_unavailable(context: ExceptionContext) -> None:
    """Have the engine raise `Unavailable` for what may pass; every other failure stays as it is."""
    if context.is_pre_ping:  # the pool opens another connection
        return
    failure = passing_failure(context.original_exception)
    if failure is not None:
        raise failure from context.original_exception
