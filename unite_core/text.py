"""What Unite accepts as a line of text, in any script, and the bounds within which a text is read at all."""

import re
import unicodedata
from typing import Literal

from unite_core.errors import FieldError

MAX_TEXT_LENGTH = 10_000
"""Code points of a text that is read; a longer one is refused without a look at what is in it.

No field takes as many after normalisation, which may shorten a text, or trimming. In UTF-8 that is at most
four times as many bytes (RFC 3629, 3).
"""

MAX_MARKS = 30
"""Combining characters in a row, as in the Stream-Safe Text Format (UAX #15, 13).

Normalisation puts the marks of one character in order, which takes the square of their number; no language needs more.
"""

# The C0 and C1 controls and DEL, the separators of lines and paragraphs, the surrogates (a byte that could not be
# decoded), and U+FFFE/FFFF. Joiners and directional marks (category Cf) stay: names and emoji are written with them.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_FORBIDDEN_IN_PARAGRAPHS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


_FILLERS = "\u115f\u1160\u3164\uffa0"
"""Stand in for a missing part of a Hangul syllable; letters to Unicode, nothing to the eye."""


# Not combining themselves, but their decompositions begin with a combining character (UAX #15, 13.1).
_DECOMPOSED_TO_MARKS = "\u0f73\u0f75\u0f81\uff9e\uff9f"


def is_within_max_length(text: str) -> bool:
    """Whether the text is short enough to be read: the one check that comes before everything else."""
    return len(text) <= MAX_TEXT_LENGTH


def normalize(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    """The text in a Unicode normalization form (UAX #15), in time that is linear in its length.

    The text stays as it is where it is longer than `MAX_TEXT_LENGTH`, or has more than `MAX_MARKS` combining
    characters in a row. `text_error` refuses both.
    """
    if text.isascii() or not is_within_max_length(text) or _has_too_many_marks(text):
        return text
    return unicodedata.normalize(form, text)


def clean(text: str) -> str:
    """Trimmed and in Unicode Normalization Form C (UAX #15); empty where nothing of it can be seen.

    A text longer than `MAX_TEXT_LENGTH` stays as it is, to be refused by `text_error`.
    """
    if not is_within_max_length(text):
        return text
    if text.isascii():
        return text.strip()
    trimmed = normalize("NFC", text).strip()
    if trimmed[:1].isascii():
        return trimmed
    return "" if all(map(_unseen, trimmed)) else trimmed


def text_error(field: str, text: str, *, max_length: int, paragraphs: bool = False) -> FieldError | None:
    """Why `text`, cleaned already, is no good as a value of `field`; None if it is good.

    `max_length` is in characters (code points). Line breaks and tabs are allowed in `paragraphs` only.
    """
    if len(text) > max_length:
        return FieldError(
            field=field,
            code="too_long",
            detail=f"It is {len(text)} characters long; at most {max_length} are allowed.",
        )
    forbidden = _FORBIDDEN_IN_PARAGRAPHS if paragraphs else _FORBIDDEN
    found = forbidden.search(text)
    if found:
        return FieldError(
            field=field,
            code="control_character",
            detail=f"The character U+{ord(found.group()):04X} is not allowed here; remove it.",
        )
    if _has_too_many_marks(text):
        return FieldError(
            field=field,
            code="too_many_marks",
            detail=f"A character has more than {MAX_MARKS} combining marks; remove some.",
        )
    return None


def _has_too_many_marks(text: str) -> bool:
    if len(text) <= MAX_MARKS or text.isascii():
        return False
    marks = 0
    for character in text:
        if unicodedata.combining(character) or character in _DECOMPOSED_TO_MARKS:
            marks += 1
            if marks > MAX_MARKS:
                return True
        else:
            marks = 0
    return False


def _unseen(character: str) -> bool:
    """Whether it leaves no trace on paper: spaces, joiners, directional marks, byte order marks, fillers."""
    return character in _FILLERS or unicodedata.category(character) in ("Cf", "Zs", "Zl", "Zp")
