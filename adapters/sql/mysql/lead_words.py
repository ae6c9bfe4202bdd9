"""Search leads by words on MySQL and MariaDB, with a full-text index of InnoDB over a copy of `leads.search_text`.

The copy is in a separate table, `lead_words`, because MySQL rebuilds a table with a full-text index for every column
that is added to it. Triggers update the copy on every write to a lead.

The parser of the index leaves out words of less than three characters, a list of English stop words, and characters
that it does not regard as letters; the details are settings of the server. So each word is stored with a mark in front,
which no stop word has, and in ASCII, which every parser reads in the same way.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import ColumnElement, Connection, Text, column, func, select, table
from sqlalchemy.dialects.mysql import match
from sqlalchemy.exc import IntegrityError

from adapters.sql.leads.tables import leads
from adapters.sql.statements import force_index
from adapters.sql.types import Identifier

MARK = "zz"
INDEX = "ft_lead_words"

MAX_TOKEN_LENGTH = 80
"""Characters of a word that is indexed; the index leaves out words longer than `innodb_ft_max_token_size`, 84."""

SAMPLE = 2_000
COMMON = 50
"""Words are common if more than `COMMON` of the newest `SAMPLE` leads match: two pages of fifty then fill soon."""

_lead_words = table("lead_words", column("lead_id", Identifier), column("search_text", Text))

_BASE_36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_DIGITS = 4
"""Digits of a code point in base 36: there are 36 ** 4 = 1,679,616 numbers, and 1,114,112 code points."""


def stored(search_text: str) -> str:
    """Return the lead's words as tokens for the index; a long one is preceded by its beginning, which is indexed."""
    if search_text.isascii() and len(search_text) < MAX_TOKEN_LENGTH:
        # Most leads have no long word, and need only a mark in front of each word.
        return MARK + search_text.replace(" ", f" {MARK}") if search_text else ""
    tokens = []
    for word in search_text.split():
        token = _token(word)
        if len(token) > MAX_TOKEN_LENGTH:
            tokens.append(token[:MAX_TOKEN_LENGTH])
        tokens.append(token)
    return " ".join(tokens)


@contextmanager
def atomic_insert(connection: Connection) -> Iterator[None]:
    """Add all leads of this block, or none of them: a large insert is sent in several statements."""
    connection.exec_driver_sql("SAVEPOINT added_together")
    try:
        yield
    except IntegrityError:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT added_together")
        raise


def are_common(connection: Connection, words: Sequence[str]) -> bool:
    """Return whether more than `COMMON` of the newest `SAMPLE` leads match the words.

    The index cannot answer this quickly: InnoDB finds all matches before it returns the first.
    """
    newest = (
        force_index(select(leads.c.search_text), leads, "ix_leads_listed")
        .where(leads.c.listed_at.is_not(None))
        .order_by(leads.c.listed_at.desc(), leads.c.id.desc())
        .limit(SAMPLE)
        .subquery("newest")
    )
    answering = select(func.count()).select_from(newest).where(*_answer(newest.c.search_text, words))
    answered: int = connection.execute(answering).scalar_one()
    return answered > COMMON


def index_condition(words: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a lead matches the words.

    The index finds leads by the beginnings of long words, so the condition checks the text of these leads too.
    """
    text = _lead_words.c.search_text
    return leads.c.id.in_(select(_lead_words.c.lead_id).where(_matching(words), *_answer(text, words)))


def text_conditions(words: Sequence[str]) -> list[ColumnElement[bool]]:
    """Return the conditions that a lead matches the words, by its own text."""
    return _answer(leads.c.search_text, words)


def _answer(search_text: ColumnElement[str], words: Sequence[str]) -> list[ColumnElement[bool]]:
    padded = func.concat(" ", search_text)
    return [padded.contains(f" {_token(word)}", autoescape=True) for word in words]


def _matching(words: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that the index has all words, each as the beginning of a word.

    See https://dev.mysql.com/doc/refman/8.4/en/fulltext-boolean.html.
    """
    question = " ".join(f"+{_token(word)[:MAX_TOKEN_LENGTH]}*" for word in words)
    return match(_lead_words.c.search_text, against=question, in_boolean_mode=True)


def _token(word: str) -> str:
    """Return the word in ASCII letters, digits and underscores after a mark; a prefix of a word remains a prefix."""
    return MARK + word if word.isascii() else MARK + "".join(map(_ascii, word))


def _ascii(character: str) -> str:
    if character.isascii():
        return character
    rest, digits = ord(character), ""
    for _ in range(_DIGITS):
        rest, digit = divmod(rest, 36)
        digits = _BASE_36[digit] + digits
    return "_" + digits
