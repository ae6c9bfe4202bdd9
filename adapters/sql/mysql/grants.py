"""Privileges of the service's account on MySQL and MariaDB, granted table by table.

Neither database can grant a privilege on all tables except one: an account that may change rows in the whole schema may
change the call ledger too. So privileges are granted on each table, and none on the schema.
"""

import fnmatch
import glob
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError

from adapters.sql.mysql.identifiers import quoted

ROWS = ("SELECT", "INSERT", "UPDATE", "DELETE")
"""The privileges on every table that is not in `RESTRICTED_PRIVILEGES`."""

RESTRICTED_PRIVILEGES = {
    "alembic_version": ("SELECT",),
    "call_ledger": ("SELECT", "INSERT"),
}
"""Table -> the privileges on it."""

_ON_A_TABLE = (
    *ROWS,
    "CREATE",
    "ALTER",
    "DROP",
    "INDEX",
    "REFERENCES",
    "TRIGGER",
    "CREATE VIEW",
    "SHOW VIEW",
    "GRANT OPTION",
)
_ON_THE_SCHEMA = (
    *_ON_A_TABLE,
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "EXECUTE",
    "EVENT",
)
_MORE_ON_MARIADB = ("DELETE HISTORY",)
"""Privileges that the account may have and should not. An account can revoke only privileges that it has itself."""

# https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
_NO_SUCH_GRANT = (1141, 1147)
_DENIED = (1044, 1142)

# A line of SHOW GRANTS. A role is granted without ON.
_GRANT = re.compile(r"GRANT (?>(?P<rights>.+?) ON )(?>(?P<on>.+?) TO )[`'\"]")
_ROLE = re.compile(r"GRANT (?P<rights>[`'\"].+?) TO [`'\"]")
# A privilege, with its columns if it has any. Possessive, so that a line that does not match fails at once.
_RIGHT = re.compile(r"(?:[^,(]|\([^)]*+\)?)++")


@dataclass(frozen=True, slots=True)
class DatabaseAccount:
    """An account of MySQL or MariaDB: its name, and the host that it may connect from (`%`: any)."""

    name: str
    host: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse `name@host`."""
        name, _, host = text.rpartition("@")
        return cls(name, host)


@dataclass(frozen=True, slots=True)
class ExcessPrivileges:
    """Excess privileges: what an account has in the schema beyond the intended ones, and could not be revoked.

    `seen` is False if the migrating account may not see the grants of another account.
    """

    rights: tuple[str, ...] = ()
    seen: bool = True


def grant_privileges(connection: Connection, account: DatabaseAccount) -> ExcessPrivileges:
    """Grant the account its privileges on every table, and revoke all others on tables and on the schema.

    Grants come first, so that a running service never lacks a privilege. Raises `ValueError` for the account of this
    connection, which could not migrate any more.
    """
    if connection.exec_driver_sql("SELECT CURRENT_USER()").scalar_one() == f"{account.name}@{account.host}":
        raise ValueError("it is the account that migrates, which needs more")
    intended = {table: RESTRICTED_PRIVILEGES.get(table, ROWS) for table in inspect(connection).get_table_names()}
    for table, rights in intended.items():
        statement = f"GRANT {', '.join(rights)} ON TABLE {quoted(table)} TO %s@%s"
        connection.exec_driver_sql(statement, (account.name, account.host))
    for table, rights in intended.items():
        excess = [right for right in _ON_A_TABLE if right not in rights]
        _revoke(connection, excess, f"TABLE {quoted(table)}", account)
    schema = connection.exec_driver_sql("SELECT DATABASE()").scalar_one()
    # In the name of a schema an underscore is a wildcard unless it is escaped, and a grant may have been written either
    # way.
    for name in {schema, schema.replace("_", "\\_")}:
        _revoke(connection, _ON_THE_SCHEMA, f"{quoted(name)}.*", account)
    return _beyond(connection, account, schema, intended)


def _revoke(connection: Connection, rights: Sequence[str], on: str, account: DatabaseAccount) -> None:
    """Revoke the privileges that exist, as far as the migrating account may.

    One by one, because a REVOKE of several does nothing if one of them does not exist.
    """
    on_mariadb = _MORE_ON_MARIADB if getattr(connection.dialect, "is_mariadb", False) else ()
    for right in (*rights, *on_mariadb):
        try:
            connection.exec_driver_sql(f"REVOKE {right} ON {on} FROM %s@%s", (account.name, account.host))
        except DBAPIError as error:
            if error.orig is None or error.orig.args[0] not in (*_NO_SUCH_GRANT, *_DENIED):
                raise


def _beyond(
    connection: Connection, account: DatabaseAccount, schema: str, intended: Mapping[str, Sequence[str]]
) -> ExcessPrivileges:
    try:
        lines = connection.exec_driver_sql("SHOW GRANTS FOR %s@%s", (account.name, account.host)).scalars().all()
    except DBAPIError as error:
        if error.orig is None or error.orig.args[0] not in _DENIED:
            raise
        return ExcessPrivileges(seen=False)
    return ExcessPrivileges(tuple(excess for line in lines for excess in _excess(line, schema, intended)))


def _excess(line: str, schema: str, intended: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the privileges in a line of SHOW GRANTS that are in the schema and not intended."""
    grant = _GRANT.match(line)
    if grant is None:
        role = _ROLE.match(line)
        if role is not None:
            yield f"the role {role['rights']}"
        return
    on = grant["on"].replace("`", "").replace('"', "")
    where, _, table = on.removeprefix("PROCEDURE ").removeprefix("FUNCTION ").partition(".")
    if where != "*" and not _matches(where, schema):
        return
    allowed = ("USAGE", *(intended.get(table, ()) if where != "*" else ()))
    rights = [right for right in map(str.strip, _RIGHT.findall(grant["rights"])) if right not in allowed]
    if line.endswith("WITH GRANT OPTION"):
        rights.append("GRANT OPTION")
    if rights:
        yield f"{', '.join(rights)} ON {grant['on']}"


def _matches(pattern: str, schema: str) -> bool:
    """Return whether the pattern of a grant, with the wildcards `%` and `_`, matches the schema."""
    parts = re.findall(r"\\.|.", pattern)
    wildcards = {"%": "*", "_": "?"}
    glob_pattern = "".join(wildcards.get(part) or glob.escape(part.removeprefix("\\")) for part in parts)
    return fnmatch.fnmatchcase(schema, glob_pattern)
