"""Add a table for the words of leads with its full-text index on MySQL and MariaDB; SQLite has one already.

Triggers copy `leads.search_text` into it, whichever version of Unite writes that. What is there already is copied in
portions, each with a commit of its own, while others write leads.
"""

import sqlalchemy as sa
from alembic import op

from adapters.sql.metadata import MYSQL
from adapters.sql.types import Identifier

revision = "0011~0007"
down_revision = "0010~0007"
branch_labels = None
depends_on = None

PORTION = 1_000

COPY = (
    "INSERT INTO lead_words (lead_id, search_text)"
    " VALUES (new.id, new.search_text) ON DUPLICATE KEY UPDATE search_text = new.search_text"
)
TRIGGERS = {
    "lead_words_added": f"AFTER INSERT ON leads FOR EACH ROW {COPY}",
    "lead_words_changed": (
        f"AFTER UPDATE ON leads FOR EACH ROW IF new.search_text <> old.search_text THEN {COPY}; END IF"
    ),
    "lead_words_removed": "AFTER DELETE ON leads FOR EACH ROW DELETE FROM lead_words WHERE lead_id = old.id",
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    # MySQL commits each table at once: what an upgrade that failed has left is made anew.
    downgrade()
    op.create_table(
        "lead_words",
        sa.Column("lead_id", Identifier(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("lead_id", name="pk_lead_words"),
        **MYSQL,
    )
    op.execute("CREATE FULLTEXT INDEX ft_lead_words ON lead_words (search_text)")
    for name, what in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {what}")
    _copy()


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER IF EXISTS {name}")
    op.execute("DROP TABLE IF EXISTS lead_words")


def _copy() -> None:
    """Copy the words of all leads; what a trigger has copied meanwhile is newer, and stays."""
    connection = op.get_bind()
    last = sa.text("SELECT id FROM leads WHERE id > :after ORDER BY id LIMIT 1 OFFSET :portion")
    copy = (
        "INSERT INTO lead_words (lead_id, search_text) SELECT id, search_text FROM leads WHERE id > :after AND {}"
        " ON DUPLICATE KEY UPDATE lead_id = lead_words.lead_id"
    )
    after: bytes | None = b""
    while after is not None:
        # Else the leads of a portion are locked, and a request that waits for one may hold another: a deadlock.
        op.execute("COMMIT")
        op.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        until = connection.execute(last, {"after": after, "portion": PORTION}).scalar_one_or_none()
        within = "1 = 1" if until is None else "id <= :until"
        connection.execute(sa.text(copy.format(within)), {"after": after} | ({"until": until} if until else {}))
        after = until
    op.execute("COMMIT")
