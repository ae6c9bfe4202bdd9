"""The rights of the account that the service works with, on MySQL and MariaDB: table by table.

Neither has a right that all tables are exempt from but one: an account that may change rows in the whole schema may
change those of the ledger. So each table has its own, and the schema as a whole none.
"""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError

ROWS = ("SELECT", "INSERT", "UPDATE", "DELETE")
"""What the service may do with a table, unless it is one of these:"""

FEWER = {
    "alembic_version": ("SELECT",),
    "call_ledger": ("SELECT", "INSERT"),
}
"""Table -> what the service may do with it."""

_OF_THE_SCHEMA = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER"
"""What somebody may have given it on all tables at once; whoever migrates has these rights too."""

# https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
_NO_SUCH_GRANT = 1141
_NO_SUCH_GRANT_ON_THE_TABLE = 1147


@dataclass(frozen=True, slots=True)
class Account:
    """An account of MySQL or MariaDB: its name, and the machines that it is used from (`%`: any)."""

    name: str
    host: str

    @classmethod
    def read(cls, text: str) -> Self:
        """The account that `name@host` spells out."""
        name, _, host = text.rpartition("@")
        return cls(name, host)


def give(connection: Connection, account: Account) -> None:
    """Give the account its rights on every table, and take away what it has beyond them and what it has on the schema.

    The schema's go last, so that a service which is running is never without the rights that it needs. Raises
    `ValueError` where it is the account of this connection, which could not migrate any more.
    """
    if connection.exec_driver_sql("SELECT CURRENT_USER()").scalar_one() == f"{account.name}@{account.host}":
        raise ValueError("it is the account that migrates, which needs more")
    for table in inspect(connection).get_table_names():
        name = _quoted(table)
        rights = FEWER.get(table, ROWS)
        beyond = ", ".join(right for right in ROWS if right not in rights)
        if beyond:
            _revoke(connection, f"{beyond} ON TABLE {name}", account)
        connection.exec_driver_sql(f"GRANT {', '.join(rights)} ON TABLE {name} TO %s@%s", (account.name, account.host))
    schema = connection.exec_driver_sql("SELECT DATABASE()").scalar_one()
    # There an underscore stands for any character, unless it is escaped: whoever gave the rights wrote it one way or
    # the other.
    for name in {schema, schema.replace("_", "\\_")}:
        _revoke(connection, f"{_OF_THE_SCHEMA} ON {_quoted(name)}.*", account)


def _revoke(connection: Connection, what: str, account: Account) -> None:
    try:
        connection.exec_driver_sql(f"REVOKE {what} FROM %s@%s", (account.name, account.host))
    except DBAPIError as error:
        if error.orig is None or error.orig.args[0] not in (_NO_SUCH_GRANT, _NO_SUCH_GRANT_ON_THE_TABLE):
            raise


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"
