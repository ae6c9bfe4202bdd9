"""The protocol of the search of leads by words, and the choice of its SQLite or MySQL implementation."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import ColumnElement, Connection
from sqlalchemy.engine import Dialect

from adapters.sql.mysql import lead_words as mysql_words
from adapters.sql.sqlite import lead_words as sqlite_words


class LeadWords(Protocol):
    """The search by words in one kind of database; a module of this package implements it for each."""

    def stored(self, search_text: str) -> str:
        """Return the value of the column `search_text` for the `search_text` of a lead."""

    def atomic_insert(self, connection: Connection) -> AbstractContextManager[None]:
        """Add all leads of this block, or none of them."""

    def are_common(self, connection: Connection, words: Sequence[str]) -> bool:
        """Return whether so many leads match the words that walking the list fills a page faster than the index."""

    def index_condition(self, words: Sequence[str]) -> ColumnElement[bool]:
        """Return the condition that a lead matches the words, by the index."""

    def text_conditions(self, words: Sequence[str]) -> list[ColumnElement[bool]]:
        """Return the conditions that a lead matches the words, by its own text."""


def lead_words_for(dialect: Dialect) -> LeadWords:
    """Return the search by words for this kind of database."""
    return sqlite_words if dialect.name == "sqlite" else mysql_words
