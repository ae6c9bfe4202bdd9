"""Run migrations over the given connection; Alembic runs this file for every command."""

from alembic import context

from adapters.sql.migrate import is_compared
from adapters.sql.schema import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema,
    include_name=is_compared,
    # SQLite undoes DDL as it undoes everything else: a migration that fails leaves the schema as it was.
    transactional_ddl=context.config.attributes["connection"].dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
