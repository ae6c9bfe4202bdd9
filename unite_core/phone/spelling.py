"""The characters of a phone number: digits of any script, separators, and an extension behind the number."""

import re
import unicodedata
from dataclasses import dataclass, replace

_SIGNS = {
    "\u2212": "-",
    # The sign for long vowels, which Japanese keyboards write in place of a hyphen.
    **dict.fromkeys("\u30fc\uff70", "-"),
    **dict.fromkeys("\u00b7\u2022\u2219\u30fb\uff65", "."),
    **dict.fromkeys("\u2044\u2215", "/"),
    "\u00d7": "x",
    # Full-width forms of ASCII characters.
    **{chr(0xFF01 + offset): chr(ord("!") + offset) for offset in range(94)},
}
_CATEGORIES = {"Cf": "", "Zs": " ", "Pd": "-"}
"""Unicode general category of a character -> what it is in a number: nothing, a space or a hyphen."""

_LABELS = (
    *("ext", "extn", "extension", "exten", "extensión", "extensao", "extensão", "ex"),
    *("durchwahl", "dw", "nebenstelle", "apparat", "app"),
    *("poste", "interno", "interne", "int", "anexo", "ramal", "toestel", "tst", "lokal", "ankn", "anknytning"),
    *("wewn", "wew", "linka", "klapka", "mellék", "dahili", "доб", "добавочный", "вн", "внутр", "内線", "分机", "分機"),
)
"""The words that stand before an extension, in the languages of the numbers that people write down."""

_SCHEME = "tel:"
_BODY = re.compile(r"[0-9 +().\-/]*")
_BEFORE_DIGITS = "(+ "
_BEHIND_DIGITS = " .-/("
_LABELLED = re.compile(
    rf"(?:;\s*ext\s*=|[,;]?\s*\(?(?:{'|'.join(sorted(_LABELS, key=len, reverse=True))})[.:#]*\s*)([0-9]{{1,20}})\)?",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"[x#]\s*\.?([0-9]{1,7})\)?", re.IGNORECASE)
_PIECE = re.compile(r"\+?\(?[0-9][0-9 ().\-]*")
_WIDE_GAP = re.compile(r"/| -+ |  +")
_GAP = re.compile(r"[ ./-](?=[+(0-9])")
_OPTIONAL_ZERO = "(0)"
_GROUP = re.compile(r"\(0\)|[0-9]+")
_MIN_PIECE_LENGTH = 7


@dataclass(frozen=True, slots=True)
class Spelling:
    """A number as it is written: whether it begins with a plus, its groups of digits, and its extension.

    `body` is the number without the extension. `optional_zero` is which of its groups is a `(0)`, as in
    +44 (0)20 7946 0958: the zero is dialled within the country only. None if no group is one.
    """

    body: str
    plus: bool
    groups: tuple[str, ...]
    extension: str | None
    optional_zero: int | None = None

    @property
    def digits(self) -> str:
        """All digits of the number."""
        return "".join(self.groups)

    def behind(self, prefix: str) -> "Spelling":
        """Return the same number without a prefix, which it begins with."""
        first = self.groups[0].removeprefix(prefix)
        return replace(self, groups=(first, *self.groups[1:]) if first else self.groups[1:])

    def without_zero(self) -> "Spelling":
        """Return the same number without its optional zero, which it has."""
        at = self.optional_zero or 0
        return replace(self, groups=self.groups[:at] + self.groups[at + 1 :], optional_zero=None)


def plain(text: str) -> str:
    """Return the text with ASCII digits, hyphens, dots, slashes and brackets, and without invisible characters.

    Digits of every script become ASCII digits (Unicode, general category Nd). The sign that makes a spreadsheet
    calculate a cell (`=+4155550101`) is left out.
    """
    if not text.isascii():
        text = "".join(map(_plain, text))
    return text.replace("[", "(").replace("]", ")").strip().removeprefix("=")


def read_spelling(text: str) -> Spelling | None:
    """Return the parts of a number, which `plain` has returned; None if it has characters that no number has."""
    if text[: len(_SCHEME)].lower() == _SCHEME:
        text = text[len(_SCHEME) :].lstrip()
    run = _BODY.match(text)
    body = "" if run is None else run[0].rstrip(_BEHIND_DIGITS)
    number = body.lstrip(_BEFORE_DIGITS)
    plus = body[: len(body) - len(number)].count("+")
    if not number or plus > 1 or "+" in number or not _brackets_are_balanced(body):
        return None
    rest = text[len(body) :].lstrip(_BEHIND_DIGITS)
    extension = _LABELLED.fullmatch(rest) or _SIGNED.fullmatch(rest)
    if rest and extension is None:
        return None
    groups = tuple(_GROUP.findall(body))
    optional_zero = next((at for at, group in enumerate(groups) if group == _OPTIONAL_ZERO), None)
    return Spelling(
        body=body,
        plus=bool(plus),
        groups=tuple(group.strip("()") for group in groups),
        extension=extension[1] if extension else None,
        optional_zero=optional_zero,
    )


def pieces(text: str) -> list[str]:
    """Return the parts of a text that may each be a number, in their order."""
    return [part for part in _PIECE.findall(text) if _may_be_number(part)]


def wide_pieces(body: str) -> list[str]:
    """Return the parts between slashes, free-standing hyphens and wide spaces, which often part two numbers."""
    return [part for part in map(str.strip, _WIDE_GAP.split(body)) if part]


def halves(body: str) -> list[tuple[str, str]]:
    """Return the ways to part the text at a separator so that both parts may be numbers."""
    both = ((body[: gap.start()], body[gap.end() :]) for gap in _GAP.finditer(body))
    return [(left, right) for left, right in both if _may_be_number(left) and _may_be_number(right)]


def _may_be_number(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= _MIN_PIECE_LENGTH


def _plain(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    sign = _SIGNS.get(character)
    return _CATEGORIES.get(unicodedata.category(character), character) if sign is None else sign


def _brackets_are_balanced(body: str) -> bool:
    depth = 0
    for character in body:
        depth += (character == "(") - (character == ")")
        if depth not in (0, 1):
            return False
    return True
