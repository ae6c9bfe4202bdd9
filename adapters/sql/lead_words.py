"""The words of leads, for the search: each kind of database keeps an index of its own of them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import ColumnElement, Connection
from sqlalchemy.engine import Dialect

from adapters.sql import mysql_words, sqlite_words


class LeadWords(Protocol):
    """What a kind of database does about words; a module of this package each."""

    def stored(self, search_text: str) -> str:
        """What the column `search_text` holds of a lead's `search_text`."""

    def added_together(self, connection: Connection) -> AbstractContextManager[None]:
        """Add the leads of this block all or none."""

    def are_common(self, connection: Connection, words: Sequence[str]) -> bool:
        """Whether so many leads answer the words that looking along the list fills a page sooner than the index."""

    def in_index(self, words: Sequence[str]) -> ColumnElement[bool]:
        """The lead answers the words, as the index knows."""

    def in_text(self, words: Sequence[str]) -> list[ColumnElement[bool]]:
        """The lead answers the words, as its own text tells."""


def words_in(dialect: Dialect) -> LeadWords:
    """What the database at hand does about words."""
    return sqlite_words if dialect.name == "sqlite" else mysql_words
