"""Normalisation and validation of text in any script, with bounds on its length."""

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

from unite_core.errors import FieldError

MAX_TEXT_LENGTH = 10_000
"""Code points of a text that is processed; a longer one is refused before its content is looked at.

No field allows as many after normalisation, which may shorten a text, or trimming. In UTF-8 that is at most
four times as many bytes (RFC 3629, 3).
"""

MAX_MARKS = 30
"""Combining characters in a row, as in the Stream-Safe Text Format (UAX #15, 13).

Normalisation sorts the marks of one character, in time that grows with the square of their number; no language needs
more.
"""

# The C0 and C1 controls and DEL, the separators of lines and paragraphs, the surrogates (a byte that could not be
# decoded), and U+FFFE/FFFF. Joiners and directional marks (category Cf) stay: names and emoji are written with them.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_FORBIDDEN_IN_PARAGRAPHS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


_FILLERS = "\u115f\u1160\u3164\uffa0"
"""Placeholders for a missing part of a Hangul syllable: letters in Unicode, but invisible."""


# Not combining themselves, but their decompositions begin with a combining character (UAX #15, 13.1).
_DECOMPOSED_TO_MARKS = "\u0f73\u0f75\u0f81\uff9e\uff9f"


def is_within_max_length(text: str) -> bool:
    """Return whether the text is short enough to be processed. Check this before anything else."""
    return len(text) <= MAX_TEXT_LENGTH


def normalize(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    """Return the text in a Unicode normalization form (UAX #15), in time that is linear in its length.

    The text is returned unchanged if it is longer than `MAX_TEXT_LENGTH`, or has more than `MAX_MARKS` combining
    characters in a row. `text_error` refuses both.
    """
    if text.isascii() or not is_within_max_length(text) or _has_too_many_marks(text):
        return text
    return unicodedata.normalize(form, text)


def clean(text: str) -> str:
    """Trim the text and normalise it to Unicode Normalization Form C (UAX #15); return "" if nothing of it is visible.

    A text longer than `MAX_TEXT_LENGTH` is returned unchanged, to be refused by `text_error`.
    """
    if not is_within_max_length(text):
        return text
    if text.isascii():
        return text.strip()
    trimmed = normalize("NFC", text).strip()
    if trimmed[:1].isascii():
        return trimmed
    return "" if all(map(_is_invisible, trimmed)) else trimmed


def text_error(field: str, text: str, *, max_length: int, paragraphs: bool = False) -> FieldError | None:
    """Validate `text`, which `clean` has returned, as a value of `field`; return the error, or None if it is valid.

    `max_length` is in characters (code points). Line breaks and tabs are allowed in `paragraphs` only.
    """
    if len(text) > max_length:
        return FieldError(
            field=field,
            code="too_long",
            detail=f"It is {len(text)} characters long; at most {max_length} are allowed.",
        )
    forbidden = _FORBIDDEN_IN_PARAGRAPHS if paragraphs else _FORBIDDEN
    match = forbidden.search(text)
    if match:
        return FieldError(
            field=field,
            code="control_character",
            detail=f"The character U+{ord(match.group()):04X} is not allowed here; remove it.",
        )
    if _has_too_many_marks(text):
        return FieldError(
            field=field,
            code="too_many_marks",
            detail=f"A character has more than {MAX_MARKS} combining marks; remove some.",
        )
    return None


def line(max_length: int) -> Callable[[str, str], FieldError | None]:
    """Return the rule, for an annotation, that a text is one line of at most `max_length` characters."""

    def rule(field: str, text: str) -> FieldError | None:
        return text_error(field, text, max_length=max_length)

    return rule


CorrelationId: TypeAlias = Annotated[str, line(128)]
"""The type of a correlation id."""


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


def _is_invisible(character: str) -> bool:
    """Return whether the character is invisible: space, joiner, directional mark, byte order mark, or filler."""
    return character in _FILLERS or unicodedata.category(character) in ("Cf", "Zs", "Zl", "Zp")
