"""Parse a phone number: the one number that a text is, or why it is none or may be another one."""

import re
from functools import cache
from typing import TYPE_CHECKING

from unite_core.errors import FieldError
from unite_core.phone.look_alikes import look_alike
from unite_core.phone.model import MAX_EXTENSION_LENGTH, MAX_PHONE_INPUT_LENGTH, Phone, PhoneRule
from unite_core.phone.spelling import Spelling, halves, pieces, plain, read_spelling, wide_pieces

if TYPE_CHECKING:
    from unite_core.phone.meaning import Reader

# Numbers that need no library, in the only numbering plan whose numbers all have one length: ten digits, of which the
# first is no 0 and no 1, written as people in North America do. A test compares the result with the library's.
_PLAIN = re.compile(
    r"(\+1[-. ]?)?\(?([2-9][0-9]{2})\)?[-. ]?([0-9]{3})[-. ]?([0-9]{4})(?: ?(?:x|ext\.?) ?([0-9]{1,7}))?"
)

_VANITY = re.compile(r"(?:\+?1[-. ]?)?\(?[2-9][0-9]{2}\)?[-. ]?(?=[0-9-]*[A-Za-z])[0-9A-Za-z-]{7,10}")
_TWO_NUMBERS = "There is more than one number here; leave one."
_CHARACTERS = (
    "A telephone number has digits, and between them spaces, hyphens, dots, slashes and brackets; an extension follows "
    "behind ext. or x. Leave out all other words and signs."
)
_NO_NUMBER = "This is not a telephone number."


def parse_phone(
    text: str, *, country: str | None, rule: PhoneRule = PhoneRule.POSSIBLE, extension: str | None = None
) -> Phone | FieldError:
    """Parse a phone number; return it, or the error that makes it invalid.

    A number without a plus is parsed as a national one of `country` (ISO 3166-1, capitals). `extension` is one
    that was given separately from the text, None if none was; if the text contains one too, they must be the same.

    A text that may be two different numbers, or is more than a number, is refused, with the probable number as a
    suggestion.
    """
    if len(text) > MAX_PHONE_INPUT_LENGTH:
        return _problem(f"A phone number has at most {MAX_PHONE_INPUT_LENGTH} characters.", code="too_long")
    if extension is None and rule is PhoneRule.POSSIBLE:
        found = _PLAIN.fullmatch(text)
        if found is not None and (found[1] or _in_north_america(country)):
            return Phone(f"+1{found[2]}{found[3]}{found[4]}", found[5])
    return _read(text, country, rule, extension)


@cache
def _in_north_america(country: str | None) -> bool:
    from unite_core.phone import numbering  # noqa: PLC0415 - it loads slowly, see there

    return numbering.is_north_american(country)


def _read(text: str, country: str | None, rule: PhoneRule, extension: str | None) -> Phone | FieldError:
    from unite_core.phone.meaning import Reader, Refusal  # noqa: PLC0415 - it loads slowly, see `numbering`

    reader = Reader(country, rule)
    written = plain(text)
    seems = None if written.startswith("+") else look_alike(written)
    if seems is not None and seems.always:
        # Spreadsheets write 4155550101.0 for a number in a column with empty cells.
        whole, point, rest = written.partition(".0")
        return _problem(seems.detail, _valid_number(reader, whole) if point and not rest else None)
    spelling = read_spelling(written)
    if spelling is None:
        return _unreadable(reader, written)
    first_of_two = _first_of_two_numbers(reader, spelling)
    if first_of_two is not None:
        return _problem(_TWO_NUMBERS, first_of_two)
    meant = reader.meaning_of(spelling)
    if seems is not None and not meant.is_certain:
        return _problem(seems.detail)
    if isinstance(meant, Refusal):
        return _problem(meant.detail, _with_extension(meant.suggestion, spelling.extension))
    used = spelling.extension if extension is None else extension
    return _extension_error(spelling.extension, used) or Phone(meant.number, used)


def _unreadable(reader: "Reader", written: str) -> FieldError:
    """Return the error of a text that is no spelling of a number; it suggests the first number in it."""
    if not any(map(str.isdigit, written)):
        return _problem(_NO_NUMBER)
    if _VANITY.fullmatch(written):
        return _problem(_CHARACTERS, _valid_number(reader, reader.digits_of_letters(written)))
    parts = pieces(written)
    return _problem(_TWO_NUMBERS if len(parts) > 1 else _CHARACTERS, _first_number(reader, parts))


def _first_of_two_numbers(reader: "Reader", spelling: Spelling) -> str | None:
    """Return the first number of a spelling that is more than one number; None if it is one."""
    first, *others = wide_pieces(spelling.body)
    number = _valid_number(reader, first) if others else None
    if number is not None:
        return number
    for left, right in halves(spelling.body):
        if _valid_number(reader, right) is not None and (number := _valid_number(reader, left)) is not None:
            return number
    return None


def _first_number(reader: "Reader", texts: list[str]) -> str | None:
    return next((number for text in texts if (number := _valid_number(reader, text)) is not None), None)


def _valid_number(reader: "Reader", text: str) -> str | None:
    """Return the number that a part of a text is if it stood alone, and is in use as far as is known."""
    spelling = read_spelling(text)
    meant = None if spelling is None else reader.meaning_of(spelling)
    return meant.number if meant is not None and meant.is_valid else None


def extension_error(extension: str) -> FieldError | None:
    """Return the error of an extension that is not written in digits; None if it is."""
    if 0 < len(extension) <= MAX_EXTENSION_LENGTH and extension.isascii() and extension.isdigit():
        return None
    return _extension_problem(f"An extension is 1 to {MAX_EXTENSION_LENGTH} digits.")


def _extension_error(in_text: str | None, used: str | None) -> FieldError | None:
    if used is None:
        return None
    if in_text not in (None, used):
        problem = f"The number itself carries the extension {in_text}; leave one of the two out."
        return extension_error(used) or _extension_problem(problem)
    return extension_error(used)


def _extension_problem(detail: str) -> FieldError:
    return FieldError(field="phone_extension", code="invalid_extension", detail=detail)


def _with_extension(suggestion: str | None, extension: str | None) -> str | None:
    return f"{suggestion} ext. {extension}" if suggestion and extension else suggestion


def _problem(detail: str, suggestion: str | None = None, *, code: str = "invalid_phone") -> FieldError:
    return FieldError(field="phone", code=code, detail=detail, suggestion=suggestion)
