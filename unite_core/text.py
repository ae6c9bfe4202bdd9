"""What Unite accepts as a line of text, in any script."""

import re
import unicodedata

from unite_core.errors import Problem

# The C0 and C1 controls and DEL, the separators of lines and paragraphs, the surrogates (a byte that could not be
# decoded), and U+FFFE/FFFF. Joiners and directional marks (category Cf) stay: names and emoji are written with them.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_FORBIDDEN_IN_PARAGRAPHS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


_FILLERS = "\u115f\u1160\u3164\uffa0"
"""Stand in for a missing part of a Hangul syllable; letters to Unicode, nothing to the eye."""


def clean(text: str) -> str:
    """Trimmed and in Unicode Normalization Form C (UAX #15); empty where nothing of it can be seen."""
    if text.isascii():
        return text.strip()
    trimmed = unicodedata.normalize("NFC", text).strip()
    if trimmed[:1].isascii():
        return trimmed
    return "" if all(map(_unseen, trimmed)) else trimmed


def text_problem(field: str, text: str, *, longest: int, paragraphs: bool = False) -> Problem | None:
    """Why `text`, cleaned already, is no good as a value of `field`; None if it is good.

    `longest` is in characters (code points). Line breaks and tabs are allowed in `paragraphs` only.
    """
    forbidden = _FORBIDDEN_IN_PARAGRAPHS if paragraphs else _FORBIDDEN
    found = forbidden.search(text)
    if found:
        return Problem(
            field=field,
            code="control_character",
            detail=f"The character U+{ord(found.group()):04X} is not allowed here; remove it.",
        )
    if len(text) > longest:
        return Problem(
            field=field,
            code="too_long",
            detail=f"It is {len(text)} characters long; at most {longest} are allowed.",
        )
    return None


def _unseen(character: str) -> bool:
    """Whether it leaves no trace on paper: spaces, joiners, directional marks, byte order marks, fillers."""
    return character in _FILLERS or unicodedata.category(character) in ("Cf", "Zs", "Zl", "Zp")
