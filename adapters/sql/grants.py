"""The rights of the account that the service works with, on MySQL and MariaDB: table by table.

Neither has a right that all tables are exempt from but one: an account that may change rows in the whole schema may
change those of the ledger. So each table has its own, and the schema as a whole none.
"""

import fnmatch
import glob
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError

ROWS = ("SELECT", "INSERT", "UPDATE", "DELETE")
"""What the service may do with a table, unless it is one of these:"""

RESTRICTED_PRIVILEGES = {
    "alembic_version": ("SELECT",),
    "call_ledger": ("SELECT", "INSERT"),
}
"""Table -> what the service may do with it."""

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
"""What somebody may have given it. What whoever migrates has not itself, it may not take away either."""

# https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
_NO_SUCH_GRANT = (1141, 1147)
_DENIED = (1044, 1142)

# What SHOW GRANTS says; a role is given without ON.
_GIVEN = re.compile(r"GRANT (?>(?P<rights>.+?) ON )(?>(?P<on>.+?) TO )[`'\"]")
_ROLE = re.compile(r"GRANT (?P<rights>[`'\"].+?) TO [`'\"]")
# A right, and the columns that it is for; possessive, so that a line that fits nowhere is left at once.
_RIGHT = re.compile(r"(?:[^,(]|\([^)]*+\)?)++")


@dataclass(frozen=True, slots=True)
class DatabaseAccount:
    """An account of MySQL or MariaDB: its name, and the machines that it is used from (`%`: any)."""

    name: str
    host: str

    @classmethod
    def read(cls, text: str) -> Self:
        """The account that `name@host` spells out."""
        name, _, host = text.rpartition("@")
        return cls(name, host)


@dataclass(frozen=True, slots=True)
class ExcessPrivileges:
    """What an account may do in the schema beyond what is meant, `rights`: what could not be taken away.

    `seen` is False where the account that migrates may not see what another has.
    """

    rights: tuple[str, ...] = ()
    seen: bool = True


def grant_privileges(connection: Connection, account: DatabaseAccount) -> ExcessPrivileges:
    """Give the account its rights on every table, and take away what it has beyond them and what it has on the schema.

    What it needs comes first, so that a service which is running is never without it. Raises `ValueError` where it is
    the account of this connection, which could not migrate any more.
    """
    if connection.exec_driver_sql("SELECT CURRENT_USER()").scalar_one() == f"{account.name}@{account.host}":
        raise ValueError("it is the account that migrates, which needs more")
    meant = {table: RESTRICTED_PRIVILEGES.get(table, ROWS) for table in inspect(connection).get_table_names()}
    for table, rights in meant.items():
        statement = f"GRANT {', '.join(rights)} ON TABLE {_quoted(table)} TO %s@%s"
        connection.exec_driver_sql(statement, (account.name, account.host))
    for table, rights in meant.items():
        beyond = [right for right in _ON_A_TABLE if right not in rights]
        _take(connection, beyond, f"TABLE {_quoted(table)}", account)
    schema = connection.exec_driver_sql("SELECT DATABASE()").scalar_one()
    # There an underscore stands for any character, unless it is escaped: whoever gave the rights wrote it one way or
    # the other.
    for name in {schema, schema.replace("_", "\\_")}:
        _take(connection, _ON_THE_SCHEMA, f"{_quoted(name)}.*", account)
    return _beyond(connection, account, schema, meant)


def _take(connection: Connection, rights: Sequence[str], on: str, account: DatabaseAccount) -> None:
    """Take rights away as far as they are there, and the account that migrates may.

    One by one: a REVOKE of several takes none where one of them is not there.
    """
    on_mariadb = _MORE_ON_MARIADB if getattr(connection.dialect, "is_mariadb", False) else ()
    for right in (*rights, *on_mariadb):
        try:
            connection.exec_driver_sql(f"REVOKE {right} ON {on} FROM %s@%s", (account.name, account.host))
        except DBAPIError as error:
            if error.orig is None or error.orig.args[0] not in (*_NO_SUCH_GRANT, *_DENIED):
                raise


def _beyond(
    connection: Connection, account: DatabaseAccount, schema: str, meant: Mapping[str, Sequence[str]]
) -> ExcessPrivileges:
    try:
        told = connection.exec_driver_sql("SHOW GRANTS FOR %s@%s", (account.name, account.host)).scalars().all()
    except DBAPIError as error:
        if error.orig is None or error.orig.args[0] not in _DENIED:
            raise
        return ExcessPrivileges(seen=False)
    return ExcessPrivileges(tuple(found for line in told for found in _more_than(line, schema, meant)))


def _more_than(line: str, schema: str, meant: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What a line of SHOW GRANTS gives in the schema that is not meant, in its words."""
    given = _GIVEN.match(line)
    if given is None:
        role = _ROLE.match(line)
        if role is not None:
            yield f"the role {role['rights']}"
        return
    on = given["on"].replace("`", "").replace('"', "")
    where, _, table = on.removeprefix("PROCEDURE ").removeprefix("FUNCTION ").partition(".")
    if where != "*" and not _fits(where, schema):
        return
    wanted = ("USAGE", *(meant.get(table, ()) if where != "*" else ()))
    rights = [right for right in map(str.strip, _RIGHT.findall(given["rights"])) if right not in wanted]
    if line.endswith("WITH GRANT OPTION"):
        rights.append("GRANT OPTION")
    if rights:
        yield f"{', '.join(rights)} ON {given['on']}"


def _fits(pattern: str, schema: str) -> bool:
    """Whether rights on what is written like that are rights on the schema."""
    parts = re.findall(r"\\.|.", pattern)
    signs = {"%": "*", "_": "?"}
    wanted = "".join(signs.get(part) or glob.escape(part.removeprefix("\\")) for part in parts)
    return fnmatch.fnmatchcase(schema, wanted)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"
