"""Names of leads in text messages, without anything that a phone turns into a link or a number."""

import re
from unicodedata import category

from unite_core.text import normalize

MAX_NAME_LENGTH = 200
"""The maximum number of characters of a name that are read: far more than a text message has room for."""

MASK = "***"
"""The replacement of digits that may be a phone number."""

MAX_MARKS = 3
"""The maximum number of combining marks after a letter: enough for any script, too few to cover other lines."""

_FOLDED = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʼ`´", "'"),  # noqa: RUF001 - these are what is folded
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),  # noqa: RUF001 - these are what is folded
        "…": "...",
    }
)

_SIGNS = frozenset("'\"-.,&()!·・־׳״")  # noqa: RUF001 - the geresh of Hebrew names is meant
"""The signs that occur in names; the last ones are Catalan, Japanese and Hebrew. No other sign is shown."""

_NOT_LETTERS = frozenset("\ua4f8\ua4f9\ua4fa\ua4fb\ua4fc\ua4fd\U0001d16d")
"""Lisu tones and a musical mark that look like dots, colons and commas, but are letters or marks in Unicode."""

_IN_A_LABEL = frozenset("-'·・&")
"""Signs that programs may read as a part of a host name."""

_ANY_SIGNS_BETWEEN = re.compile(r"\d(?:[\W_]*\d){6,}")
"""Seven digits or more, with anything but letters between them."""

_PHONE_SIGNS_BETWEEN = re.compile(r"\d(?:[-.() ]*\d){4,}")
"""Five digits or more in the format of a phone number: the fewest that Android turns into a link (`Linkify`)."""


def name_in_text(name: str) -> str:
    """Return the name on one line, without anything that a phone makes tappable; empty if nothing is left.

    Letters of every script, emoji, and the signs that occur in names stay. A scheme (`https://`) is removed.
    A dot stays at the end of a word and between initials (`J.R.R. Tolkien`, `Ph.D.`). Any other dot becomes a space,
    because it may separate the labels of a host name; the last label is a top-level domain of two letters or more
    (RFC 1034, 3.5; RFC 3696, 2). Every other sign becomes a space, too: that removes addresses, paths, hashtags, and
    the full stops of other scripts that count as a dot in host names (RFC 3490, 3.1). Control and format characters
    are removed, including those that change the direction of writing. Digits that may be a phone number are masked.
    """
    folded = name[:MAX_NAME_LENGTH].translate(_FOLDED)
    words = [word.rpartition("://")[2] for word in folded.split()]
    shown = _without_dots_in_words(_known_characters(" ".join(words)))
    one_line = " ".join(shown.split())
    if not any(character.isalnum() or category(character) == "So" for character in one_line):
        return ""
    return _PHONE_SIGNS_BETWEEN.sub(MASK, _ANY_SIGNS_BETWEEN.sub(MASK, one_line))


def _known_characters(text: str) -> str:
    """Return the text with a space for each sign that is not shown, and without invisible characters."""
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
    """Return the text with a space for each dot that a program may read as part of a host name."""
    return "".join(
        " " if character == "." and _may_divide_labels(text, place) else character
        for place, character in enumerate(text)
    )


def _may_divide_labels(text: str, place: int) -> bool:
    """Return whether a label begins after the dot; a single initial with up to two letters before the dot is none."""
    before, first, second = text[max(0, place - 3) : place], text[place + 1 : place + 2], text[place + 2 : place + 3]
    if not first.isalnum():  # a label begins with a letter or a digit (RFC 1123, 2.1)
        return False
    is_initial = (first.isupper() or first.islower()) and not (second and _in_a_label(second))
    return not is_initial or (len(before) == 3 and all(map(_in_a_label, before)))


def _in_a_label(character: str) -> bool:
    return character.isalnum() or character in _IN_A_LABEL or category(character)[0] == "M"
