"""What Unite accepts as a line of text, in any script."""

import re
import unicodedata

from unite_core.errors import Problem

# The C0 and C1 controls and DEL, the surrogates (a byte that could not be decoded), and U+FFFE/FFFF.
# Joiners and directional marks (category Cf) stay: names and emoji are written with them.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_FORBIDDEN_IN_PARAGRAPHS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """Trimmed and in Unicode Normalization Form C (UAX #15)."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", text).strip()


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
