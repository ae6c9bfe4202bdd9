"""SQLAlchemy metadata, options and column lengths shared by all table definitions.

Migrations create the tables; a test compares the result with the definitions.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, MetaData

from unite_core.phone import MAX_EXTENSION_LENGTH, MAX_PHONE_LENGTH

MAX_CODE_LENGTH = 32
"""Characters of a status, a role and similar codes."""

MAX_CORRELATION_ID_LENGTH = 128
TRACEPARENT_LENGTH = 55
"""Characters of a traceparent of version 00, the only one that the service writes (W3C Trace Context, 3.2)."""

MAX_PHONE_KEY_LENGTH = MAX_PHONE_LENGTH + len(";ext=") + MAX_EXTENSION_LENGTH
MAX_DIGEST_LENGTH = 128
MAX_HOLDER_LENGTH = 128
MAX_FILE_KEY_LENGTH = 255

MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
"""Options of every table on MySQL and MariaDB, independent of the defaults of the server."""

# Names of keys on MySQL have at most 64 characters, and a primary key is always called PRIMARY.
metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)


def one_of(column: str, values: Iterable[StrEnum], name: str) -> CheckConstraint:
    """Return the check constraint that a column has one of the values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name)
