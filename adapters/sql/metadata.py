"""What all tables have in common. Migrations make them; a test holds both against each other."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, MetaData

MAX_CODE_LENGTH = 32
"""Characters of a status, a role or the like."""

MAX_CORRELATION_ID_LENGTH = 128

MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
"""What a table says to MySQL and MariaDB, whatever the server would do by itself."""

# MySQL counts a named key's name among 64 characters, and names a primary key PRIMARY whatever it is called.
metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)


def one_of(column: str, values: Iterable[StrEnum], name: str) -> CheckConstraint:
    """The check that a column holds one of the values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name)
