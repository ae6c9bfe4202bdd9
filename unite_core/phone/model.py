"""A phone number in E.164, and the policy by which texts are read as one."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from unite_core.checks import Checked
from unite_core.errors import FieldError

MAX_PHONE_LENGTH = 16
"""An E.164 number has at most 15 digits (ITU-T E.164, 6.2.1), and a plus."""

MAX_EXTENSION_LENGTH = 20
"""The longest extension (RFC 3966, 5.3, sets no limit; the numbering library accepts as many)."""

MAX_PHONE_INPUT_LENGTH = 64


_E164 = re.compile(r"\+[1-9][0-9]{1,14}")


def phone_error(field: str, number: str) -> FieldError | None:
    """Return the error of a number that is not written in E.164; whether it exists is not checked."""
    if _E164.fullmatch(number):
        return None
    return FieldError(field=field, code="invalid_phone", detail="A number is written as in +18158908301.")


def country_error(field: str, code: str) -> FieldError | None:
    """Return the error of a country that has no numbers."""
    if is_country(code):
        return None
    detail = "A country is two capital letters of ISO 3166-1, such as US or DE."
    return FieldError(field=field, code="unknown_country", detail=detail)


def is_country(code: str) -> bool:
    """Return whether `code` is a two-letter region (ISO 3166-1, capitals) that the numbering data knows."""
    from unite_core.phone import numbering  # noqa: PLC0415 - it loads slowly, and most imports of Unite need it not

    return numbering.is_region(code)


class PhoneRule(StrEnum):
    """How strictly a number is validated.

    POSSIBLE requires that its length and its first digits are those of numbers of its country; VALID also that it lies
    in a range that is in use there, as far as the numbering data knows.
    """

    POSSIBLE = "possible"
    VALID = "valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhonePolicy(Checked):
    """How phone numbers are parsed: the country of national ones (None: they are refused), and how strictly."""

    default_country: Annotated[str | None, country_error] = None
    rule: PhoneRule = PhoneRule.POSSIBLE


@dataclass(frozen=True, slots=True)
class Phone(Checked):
    """A number in E.164 (`+18158908301`) and its extension in digits, None without one."""

    number: str
    extension: str | None = None

    @property
    def key(self) -> str:
        """The value that is unique among leads: two people behind one switchboard differ in their extensions."""
        return f"{self.number};ext={self.extension}" if self.extension else self.number

    def with_extension_of(self, before: "Phone | None") -> "Phone":
        """Return the number with the extension of `before` if that is the same number and this one has none.

        An extension belongs to its number: another number does not take it over.
        """
        if self.extension is None and before is not None and before.number == self.number:
            return before
        return self
