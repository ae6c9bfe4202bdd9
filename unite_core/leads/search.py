"""Search of leads: a lead matches if each word of the query begins a word of one of its searched texts or phone."""

import re
import unicodedata
from collections.abc import Iterable

from unite_core.errors import FieldError
from unite_core.text import clean, normalize, text_error

_WORD = re.compile(r"[^\W_]+")
# Scripts that write without spaces: each character is a word of its own, or "小明" would not find "王小明".
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]"
)
_NUMBER = re.compile(r"[+\uff0b]?[\d\s().\-/\uff08\uff09\uff0d\u2010-\u2015]+")

MAX_QUERY_LENGTH = 200
MAX_QUERY_WORDS = 10


def words(text: str) -> list[str]:
    """Return the words of `text` in lower case and without accents, in their order."""
    if not text.isascii():
        decomposed = normalize("NFKD", text.casefold())
        text = "".join(character for character in decomposed if not unicodedata.combining(character))
        text = _UNSPACED.sub(r" \g<0> ", text)
    return _WORD.findall(text.casefold())


def search_text(texts: Iterable[str], phone: str | None) -> str:
    """Return the indexed text of a lead: its words, separated by spaces.

    A phone number is included from each of its first four digits on, so that it matches with and without its
    country calling code. Its last seven and last four digits are included because people remember those.
    """
    indexed: list[str] = []
    for text in texts:
        indexed += words(text)
    if phone:
        digits = phone.lstrip("+")
        indexed += [digits[start:] for start in (0, 1, 2, 3, -7, -4)]
    return " ".join(indexed)


def query_words(query: str) -> list[str]:
    """Return the words of a query; each must begin a word of the lead. A number in any format is one word.

    A word that is the beginning of another word is left out, because the other word implies it. Of the rest, the ten
    longest are returned.
    """
    if _NUMBER.fullmatch(query):
        # The digits may be of any script, but phone numbers are stored in ASCII digits.
        digits = "".join(str(unicodedata.digit(character)) for character in query if character.isdecimal())
        return [digits] if digits else []
    longest_words: list[str] = []
    for word in sorted(set(words(query)), key=lambda word: (-len(word), word)):
        if not any(longer.startswith(word) for longer in longest_words):
            longest_words.append(word)
    return longest_words[:MAX_QUERY_WORDS]


def query_error(name: str, query: str) -> FieldError | None:
    """Return the error of a query that is too long or has characters that no text has."""
    return text_error(name, clean(query), max_length=MAX_QUERY_LENGTH)


def matches(text: str, query: list[str]) -> bool:
    """Return whether the indexed `text` of a lead matches the words of a query."""
    indexed = text.split(" ")
    return all(any(word.startswith(prefix) for word in indexed) for prefix in query)
