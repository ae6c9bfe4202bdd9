"""Drop the full-text index of `leads` on MySQL and MariaDB, so that adding a column to it is instant.

The index has left a hidden column, `FTS_DOC_ID`, which goes when the table is written anew. Others write leads
meanwhile. A version that does not know 0011 searches by the index that is gone: docs/how-to/upgrade.md says what to do.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012~0007"
down_revision = "0011~0007"
branch_labels = None
depends_on = None

INDEX = "ft_leads_search_text"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    # MySQL commits each statement: what an upgrade that failed has done is not done again.
    there = sa.text(
        "SELECT count(*) FROM information_schema.statistics"
        " WHERE table_schema = database() AND table_name = 'leads' AND index_name = :name"
    )
    if op.get_bind().execute(there, {"name": INDEX}).scalar_one():
        op.execute(f"ALTER TABLE leads DROP INDEX {INDEX}, ALGORITHM = INPLACE, LOCK = NONE")
    op.execute("ALTER TABLE leads FORCE, ALGORITHM = INPLACE, LOCK = NONE")


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"CREATE FULLTEXT INDEX {INDEX} ON leads (search_text)")
