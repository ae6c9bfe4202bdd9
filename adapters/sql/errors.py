"""What the database refuses, in the words of the domain, and what it could not do for the moment."""

import re
import sqlite3
from collections.abc import Callable

from sqlalchemy import UniqueConstraint
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import IntegrityError

from adapters.sql.tables import metadata
from unite_core.errors import Conflict, Unavailable, UniteError
from unite_core.leads.model import Duplicate, DuplicateLead

REFUSALS: dict[str, Callable[[], UniteError]] = {
    "uq_users_email": lambda: Conflict("Another user has this e-mail address already.", code="duplicate_user"),
    "uq_leads_phone_key": lambda: DuplicateLead((Duplicate("phone", None),)),
    "uq_leads_email_key": lambda: DuplicateLead((Duplicate("email", None),)),
    "uq_lead_imports_same_file_key": lambda: Conflict("The same file is being imported already.", code="same_file"),
}
"""What it means that a unique constraint was violated; a test holds it against the tables."""

# https://www.sqlite.org/rescode.html: what may be over in a moment or once the disk is well again.
_PASSING = {
    sqlite3.SQLITE_BUSY: "The database is busy with another change; try again in a moment.",
    sqlite3.SQLITE_LOCKED: "The database is busy with another change; try again in a moment.",
    sqlite3.SQLITE_PROTOCOL: "The database is busy with another change; try again in a moment.",
    sqlite3.SQLITE_CANTOPEN: "The database file cannot be opened; see that its folder is there and can be written to.",
    sqlite3.SQLITE_FULL: "The disk of the database is full; make room.",
    sqlite3.SQLITE_IOERR: "The database's disk failed to read or write.",
    sqlite3.SQLITE_NOMEM: "The database has no memory left; try again in a moment.",
}

_PRIMARY_CODE = 0xFF
"""An extended result code holds its primary one in the lowest byte."""


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
    return _by_columns().get(listed.group(1)) if listed else None


def _by_columns() -> dict[str, str]:
    return {
        ", ".join(f"{table.name}.{column.name}" for column in constraint.columns): str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    }


def passing_failure(error: BaseException | None) -> Unavailable | None:
    """`Unavailable` where SQLite failed for a reason that may pass; None for a fault of ours."""
    if not isinstance(error, sqlite3.Error):
        return None
    code = getattr(error, "sqlite_errorcode", None)  # an error of the module itself has none
    detail = _PASSING.get(code & _PRIMARY_CODE) if code is not None else None
    return Unavailable(detail) if detail else None


def raise_unavailable(context: ExceptionContext) -> None:
    """Have the engine raise `Unavailable` for what may pass; every other failure stays as it is."""
    failure = passing_failure(context.original_exception)
    if failure is not None:
        raise failure from context.original_exception
