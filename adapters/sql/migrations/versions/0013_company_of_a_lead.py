"""Add the company of leads, and a lower-case key to filter by it."""

import sqlalchemy as sa
from alembic import op

from adapters.sql.types import exact_text

revision = "0013~0007"
down_revision = "0012~0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("leads", sa.Column("company", exact_text(200)))
    op.add_column("leads", sa.Column("company_key", exact_text(400)))
    named = sa.text("company_key IS NOT NULL")
    op.create_index("ix_leads_company_listed", "leads", ["company_key", "listed_at", "id"], sqlite_where=named)


def downgrade() -> None:
    op.drop_index("ix_leads_company_listed", "leads")
    op.drop_column("leads", "company_key")
    op.drop_column("leads", "company")
