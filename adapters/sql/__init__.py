"""Units of work and the activity log on SQLite, MySQL and MariaDB; `migrate` changes the schema."""

from typing import TYPE_CHECKING

from adapters.extras import require
from unite_core.lazy_names import lazy_names

require("sql", "sqlalchemy", "alembic", "orjson", "pymysql")

if TYPE_CHECKING:
    from adapters.sql.engine import create_engine_for
    from adapters.sql.events.activity import SqlActivityLog
    from adapters.sql.mysql.grants import DatabaseAccount, ExcessPrivileges
    from adapters.sql.unit_of_work import Outbox, SqlUnitOfWork, SqlUnitOfWorkFactory
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "adapters.sql.engine": ("create_engine_for",),
            "adapters.sql.events.activity": ("SqlActivityLog",),
            "adapters.sql.mysql.grants": ("DatabaseAccount", "ExcessPrivileges"),
            "adapters.sql.unit_of_work": ("Outbox", "SqlUnitOfWork", "SqlUnitOfWorkFactory"),
        },
    )

__all__ = [
    "DatabaseAccount",
    "ExcessPrivileges",
    "Outbox",
    "SqlActivityLog",
    "SqlUnitOfWork",
    "SqlUnitOfWorkFactory",
    "create_engine_for",
]
