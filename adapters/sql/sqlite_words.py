"""The words of leads on SQLite: a full-text index that is kept beside the table (FTS5).

Triggers keep it in step with `leads.search_text`, whoever changes that. A row that a trigger adds costs the index a
write of its own, so leads that are added together are left out by the trigger and indexed in one go; both happen in
the same transaction.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import ColumnElement, Connection, bindparam, literal, literal_column, select, text

from adapters.sql.tables import leads

COMMON = 5_000
"""Words that more leads answer than this are looked for along the list."""


def stored(search_text: str) -> str:
    """The lead's words as they are: the tokenizer was chosen for them."""
    return search_text


@contextmanager
def added_together(connection: Connection) -> Iterator[None]:
    """Add the leads of this block all or none, and index them at its end.

    They are taken back by hand: within a savepoint SQLite keeps a copy of every page that each of the rows touches,
    which takes ten times as long as the rows themselves.
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
    """Whether more than `COMMON` leads answer the words: the index tells them one by one, and is asked no further."""
    counted = text("SELECT count(*) FROM (SELECT 1 FROM lead_words WHERE lead_words MATCH :question LIMIT :most)")
    answered: int = connection.execute(counted, {"question": _match(words), "most": COMMON + 1}).scalar_one()
    return answered > COMMON


def in_index(words: Sequence[str]) -> ColumnElement[bool]:
    """The lead answers the words, as the index knows."""
    matching = text("lead_words MATCH :question").bindparams(bindparam("question", _match(words)))
    return literal_column("leads.rowid").in_(
        select(literal_column("rowid")).select_from(text("lead_words")).where(matching)
    )


def in_text(words: Sequence[str]) -> list[ColumnElement[bool]]:
    """The lead answers the words, as its own text tells."""
    padded = literal(" ").concat(leads.c.search_text)
    return [padded.contains(f" {word}", autoescape=True) for word in words]


def _match(words: Sequence[str]) -> str:
    """Every word as the beginning of one: https://www.sqlite.org/fts5.html#full_text_query_syntax."""
    return " ".join('"' + word.replace('"', '""') + '" *' for word in words)
