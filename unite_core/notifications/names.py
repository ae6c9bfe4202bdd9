"""Names of leads as text messages show them: without anything that a phone turns into a link or a number."""

import re
from unicodedata import category

from unite_core.text import normalize

MAX_NAME_LENGTH = 200
"""Characters of a name that are looked at: far more than a text has room for."""

MASK = "***"
"""What stands in place of digits that may be a phone number."""

MAX_MARKS = 3
"""Combining marks after one letter: more than any script needs, and too few to draw over the lines around."""

_FOLDED = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʼ`´", "'"),  # noqa: RUF001 - these are what is folded
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),  # noqa: RUF001 - these are what is folded
        "…": "...",
    }
)

_SIGNS = frozenset("'\"-.,&()!·・־׳״")  # noqa: RUF001 - the geresh of Hebrew names is meant
"""The signs that names are written with; the last ones are Catalan, Japanese and Hebrew. No other sign is shown."""

_NOT_LETTERS = frozenset("\ua4f8\ua4f9\ua4fa\ua4fb\ua4fc\ua4fd\U0001d16d")
"""Tones of Lisu and a mark of music, which look like dots, colons and commas, and count as letters or marks."""

_IN_A_LABEL = frozenset("-'·・&")
"""Signs that programs may take for a part of a host's name."""

_ANY_SIGNS_BETWEEN = re.compile(r"\d(?:[\W_]*\d){6,}")
"""Seven digits or more, whatever stands between them but letters."""

_PHONE_SIGNS_BETWEEN = re.compile(r"\d(?:[-.() ]*\d){4,}")
"""Five digits or more as phone numbers are written: the fewest that Android makes a link of (`Linkify`)."""


def name_in_text(name: str) -> str:
    """The name on one line, with nothing in it that a phone makes tappable; empty where nothing is left of it.

    Letters of every script, emoji, and the signs that names are written with stay. A scheme (`https://`) is left out.
    A dot stays at the end of a word and between initials (`J.R.R. Tolkien`, `Ph.D.`). Elsewhere it may divide the
    labels of a host's name, whose last one is a top-level domain of two letters or more (RFC 1034, 3.5; RFC 3696, 2),
    and becomes a space. So does every other sign: that takes away addresses, paths, hashtags, and the full stops of
    other scripts that stand for a dot in host names (RFC 3490, 3.1). Control and format characters are left out, those
    that turn the direction of writing among them. Digits that may be a phone number are masked.
    """
    folded = name[:MAX_NAME_LENGTH].translate(_FOLDED)
    words = [word.rpartition("://")[2] for word in folded.split()]
    shown = _without_dots_in_words(_known_characters(" ".join(words)))
    one_line = " ".join(shown.split())
    if not any(character.isalnum() or category(character) == "So" for character in one_line):
        return ""
    return _PHONE_SIGNS_BETWEEN.sub(MASK, _ANY_SIGNS_BETWEEN.sub(MASK, one_line))


def _known_characters(text: str) -> str:
    """The text with spaces for the signs that are not shown, and without what cannot be seen."""
    shown: list[str] = []
    marks = MAX_MARKS  # a mark that follows no letter is left out
    for character in text:
        kind = category(character)
        if kind in ("Mn", "Mc") and character not in _NOT_LETTERS:
            if marks < MAX_MARKS:
                shown.append(character)
            marks += 1
            continue
        if kind not in ("Cc", "Cf", "Cs", "Co", "Cn", "Me"):
            shown.append(_shown(character, kind))
            marks = 0 if kind[0] == "L" else MAX_MARKS
    return "".join(shown)


def _shown(character: str, kind: str) -> str:
    if kind in ("No", "Nl", "So"):  # Roman numerals, digits in circles, abbreviations in one square
        plain = normalize("NFKC", character)
        if plain != character:
            return _known_characters(plain)
    known = (kind[0] == "L" and character not in _NOT_LETTERS) or kind in ("Nd", "So") or character in _SIGNS
    return character if known else " "


def _without_dots_in_words(text: str) -> str:
    """The text with a space for each dot that a program may take for one in the name of a host."""
    return "".join(
        " " if character == "." and _may_divide_labels(text, place) else character
        for place, character in enumerate(text)
    )


def _may_divide_labels(text: str, place: int) -> bool:
    """Whether a label begins after the dot, unless that is a single initial and up to two letters stand before it."""
    before, first, second = text[max(0, place - 3) : place], text[place + 1 : place + 2], text[place + 2 : place + 3]
    if not first.isalnum():  # a label begins with a letter or a digit (RFC 1123, 2.1)
        return False
    is_initial = (first.isupper() or first.islower()) and not (second and _in_a_label(second))
    return not is_initial or (len(before) == 3 and all(map(_in_a_label, before)))


def _in_a_label(character: str) -> bool:
    return character.isalnum() or character in _IN_A_LABEL or category(character)[0] == "M"
