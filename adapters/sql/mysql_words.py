"""The words of leads on MySQL and MariaDB: a full-text index of InnoDB over a copy of `leads.search_text`.

The copy is a table of its own, `lead_words`, because MySQL writes a table that has a full-text index anew for every
column that is added to it. Triggers write the copy, whoever writes a lead.

Its parser leaves out words of less than three characters, a list of English ones, and what it takes for no letter;
how it does so is a setting of the server. So each word is stored with a mark in front, which no stop word has, and in
ASCII, which every parser reads alike.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import ColumnElement, Connection, Text, column, func, select, table
from sqlalchemy.dialects.mysql import match
from sqlalchemy.exc import IntegrityError

from adapters.sql.statements import force_index
from adapters.sql.tables import leads
from adapters.sql.types import Identifier

MARK = "zz"
INDEX = "ft_lead_words"

MAX_TOKEN_LENGTH = 80
"""Characters of a word that the index takes; it leaves out longer ones than `innodb_ft_max_token_size`, 84."""

SAMPLE = 2_000
COMMON = 50
"""Of the newest leads, how many are looked at, and how many have to answer: two pages of fifty are then soon filled."""

_lead_words = table("lead_words", column("lead_id", Identifier), column("search_text", Text))

_BASE_36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_DIGITS = 4
"""Of a code point in base 36: there are 36 ** 4 = 1,679,616 numbers, and 1,114,112 code points."""


def stored(search_text: str) -> str:
    """The lead's words as the index reads them; of a long one its beginning too, by which it is found."""
    if search_text.isascii() and len(search_text) < MAX_TOKEN_LENGTH:
        # Most leads: no word in it is long, and a mark before each is all there is to do.
        return MARK + search_text.replace(" ", f" {MARK}") if search_text else ""
    tokens = []
    for word in search_text.split():
        token = _token(word)
        if len(token) > MAX_TOKEN_LENGTH:
            tokens.append(token[:MAX_TOKEN_LENGTH])
        tokens.append(token)
    return " ".join(tokens)


@contextmanager
def added_together(connection: Connection) -> Iterator[None]:
    """Add the leads of this block all or none: a large insert is sent in several statements."""
    connection.exec_driver_sql("SAVEPOINT added_together")
    try:
        yield
    except IntegrityError:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT added_together")
        raise


def are_common(connection: Connection, words: Sequence[str]) -> bool:
    """Whether of the newest `SAMPLE` leads more than `COMMON` answer the words.

    The index itself cannot be asked: InnoDB finds all that answer before it gives the first.
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


def in_index(words: Sequence[str]) -> ColumnElement[bool]:
    """The lead answers the words: those that the index finds, which is cut at long words, and whose text says so."""
    text = _lead_words.c.search_text
    return leads.c.id.in_(select(_lead_words.c.lead_id).where(_matching(words), *_answer(text, words)))


def in_text(words: Sequence[str]) -> list[ColumnElement[bool]]:
    """The lead answers the words, as its own text tells."""
    return _answer(leads.c.search_text, words)


def _answer(search_text: ColumnElement[str], words: Sequence[str]) -> list[ColumnElement[bool]]:
    padded = func.concat(" ", search_text)
    return [padded.contains(f" {_token(word)}", autoescape=True) for word in words]


def _matching(words: Sequence[str]) -> ColumnElement[bool]:
    """https://dev.mysql.com/doc/refman/8.4/en/fulltext-boolean.html: all of them, each as the beginning of a word."""
    question = " ".join(f"+{_token(word)[:MAX_TOKEN_LENGTH]}*" for word in words)
    return match(_lead_words.c.search_text, against=question, in_boolean_mode=True)


def _token(word: str) -> str:
    """The word in ASCII letters and digits, behind a mark; what begins it still does."""
    return MARK + word if word.isascii() else MARK + "".join(map(_ascii, word))


def _ascii(character: str) -> str:
    if character.isascii():
        return character
    rest, digits = ord(character), ""
    for _ in range(_DIGITS):
        rest, digit = divmod(rest, 36)
        digits = _BASE_36[digit] + digits
    return "_" + digits
