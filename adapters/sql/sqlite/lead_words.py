"""Search leads by words on SQLite, with a full-text index beside the table (FTS5).

Triggers update the index on every change of `leads.search_text`. Each row that a trigger adds costs a separate write to
the index. So the trigger skips leads that are added together, and they are indexed in one statement of the same
transaction.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import ColumnElement, Connection, bindparam, literal, literal_column, select, text

from adapters.sql.leads.tables import leads

COMMON = 5_000
"""If more leads than this match the words, the search walks the list."""


def stored(search_text: str) -> str:
    """Return the lead's words unchanged: the tokenizer was chosen for them."""
    return search_text


@contextmanager
def atomic_insert(connection: Connection) -> Iterator[None]:
    """Add all leads of this block, or none of them, and index them at its end.

    After an error they are deleted without a savepoint: in a savepoint SQLite copies every page that each of the rows
    touches, which takes ten times as long as the rows themselves.
    """
    connection.exec_driver_sql("INSERT INTO lead_words_paused (paused) VALUES (1)")
    last = connection.exec_driver_sql("SELECT coalesce(max(rowid), 0) FROM leads").scalar_one()
    try:
        yield
    except Exception:
        connection.exec_driver_sql("DELETE FROM leads WHERE rowid > ?", (last,))
        connection.exec_driver_sql("DELETE FROM lead_words_paused")
        raise
    connection.exec_driver_sql(
        "INSERT INTO lead_words (rowid, search_text) SELECT rowid, search_text FROM leads WHERE rowid > ?", (last,)
    )
    connection.exec_driver_sql("DELETE FROM lead_words_paused")


def are_common(connection: Connection, words: Sequence[str]) -> bool:
    """Return whether more than `COMMON` leads match the words; the index is read only until that is known."""
    counted = text("SELECT count(*) FROM (SELECT 1 FROM lead_words WHERE lead_words MATCH :question LIMIT :most)")
    answered: int = connection.execute(counted, {"question": _match(words), "most": COMMON + 1}).scalar_one()
    return answered > COMMON


def index_condition(words: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a lead matches the words, by the index."""
    matching = text("lead_words MATCH :question").bindparams(bindparam("question", _match(words)))
    return literal_column("leads.rowid").in_(
        select(literal_column("rowid")).select_from(text("lead_words")).where(matching)
    )


def text_conditions(words: Sequence[str]) -> list[ColumnElement[bool]]:
    """Return the conditions that a lead matches the words, by its own text."""
    padded = literal(" ").concat(leads.c.search_text)
    return [padded.contains(f" {word}", autoescape=True) for word in words]


def _match(words: Sequence[str]) -> str:
    """Return the query for every word as a prefix: https://www.sqlite.org/fts5.html#full_text_query_syntax."""
    return " ".join('"' + word.replace('"', '""') + '" *' for word in words)
