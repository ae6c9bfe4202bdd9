"""Parsing and validation of phone numbers: any common notation in, E.164 out."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated

from unite_core.checks import Checked
from unite_core.errors import FieldError

if TYPE_CHECKING:
    from phonenumbers import NumberParseException, PhoneNumber

# Functions that need it import the numbering library: it takes longer to load than all other modules of an import of
# `unite_core`, and most numbers need none.

MAX_PHONE_LENGTH = 16
"""An E.164 number has at most 15 digits (ITU-T E.164, 6.2.1), and a plus."""

MAX_EXTENSION_LENGTH = 20
"""The longest extension that the numbering library accepts (RFC 3966, 5.3)."""

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


class PhoneRule(StrEnum):
    """How strictly a number is validated.

    POSSIBLE requires that its length is right for its country; VALID also that it lies in a range that
    is in use there, as far as the numbering data knows.
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


# Numbers that need no library, in the only numbering plan whose numbers all have one length: ten digits, of which the
# first is no 0 and no 1, written as people in North America do. A test compares the result with the library's.
_PLAIN = re.compile(r"(\+1[-. ]?)?\(?([2-9][0-9]{2})\)?[-. ]?([0-9]{3})[-. ]?([0-9]{4})")
_NORTH_AMERICA = 1


def is_country(code: str) -> bool:
    """Return whether `code` is a two-letter region (ISO 3166-1, capitals) that the numbering data knows."""
    import phonenumbers  # noqa: PLC0415 - see above

    return code in phonenumbers.SUPPORTED_REGIONS


def parse_phone(
    text: str, *, country: str | None, rule: PhoneRule = PhoneRule.POSSIBLE, extension: str | None = None
) -> Phone | FieldError:
    """Parse a phone number; return it, or the error that makes it invalid.

    A number without a plus is parsed as a national one of `country` (ISO 3166-1, capitals). `extension` is one
    that was given separately from the text, None if none was; if the text contains one too, they must be the same.
    """
    if len(text) > MAX_PHONE_INPUT_LENGTH:
        return _problem("too_long", f"A phone number has at most {MAX_PHONE_INPUT_LENGTH} characters.")
    if extension is None and rule is PhoneRule.POSSIBLE:
        plain = _PLAIN.fullmatch(text)
        if plain is not None and (plain[1] or _in_north_america(country)):
            return Phone(f"+1{plain[2]}{plain[3]}{plain[4]}")
    return _read(text, country, rule, extension)


def _read(text: str, country: str | None, rule: PhoneRule, extension: str | None) -> Phone | FieldError:
    import phonenumbers  # noqa: PLC0415 - see above

    try:
        parsed = phonenumbers.parse(text, country)
        number = _e164(parsed)
        reparsed = _e164(phonenumbers.parse(number))
    except phonenumbers.NumberParseException as error:
        return _unreadable(error, text, country)
    reason = _reason(parsed, rule)
    if reason is not None:
        return _problem("invalid_phone", reason, _suggestion(text, country, rule))
    in_text = parsed.extension or None
    used = in_text if extension is None else extension
    extension_reason = _extension_reason(in_text, used)
    if extension_reason is not None:
        return FieldError(field="phone_extension", code="invalid_extension", detail=extension_reason)
    not_storable = _not_storable_reason(number, reparsed)
    return Phone(number, used) if not_storable is None else _problem("invalid_phone", not_storable)


def _e164(parsed: "PhoneNumber") -> str:
    import phonenumbers  # noqa: PLC0415 - see above

    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _not_storable_reason(number: str, reparsed: str) -> str | None:
    """Return why a number cannot be stored in E.164; None if it can. `reparsed` is the result of parsing it again.

    The digits after the country calling code may look like a prefix (`+91 00 50…`): such a number would change
    each time that it is parsed.
    """
    if len(number) > MAX_PHONE_LENGTH:  # the numbering data accepts up to 19 digits as possible, in Japan for example
        return f"The number has more than the {MAX_PHONE_LENGTH - 1} digits of E.164."
    if reparsed != number:
        return (
            "The number begins with zeros or a prefix that its country does not use; write it with + and the country "
            "calling code, as it is dialled from abroad."
        )
    return None


@cache
def _in_north_america(country: str | None) -> bool:
    import phonenumbers  # noqa: PLC0415 - see above

    return country is not None and phonenumbers.country_code_for_region(country) == _NORTH_AMERICA


_LENGTHS = {
    "TOO_LONG": "has too many digits",
    "TOO_SHORT": "has too few digits",
    "INVALID_LENGTH": "has a number of digits that is not in use",
    "INVALID_COUNTRY_CODE": "starts with a country calling code that does not exist",
    "IS_POSSIBLE_LOCAL_ONLY": "lacks its area code",
}
"""Name of a result of the library -> what it means."""


def _reason(parsed: "PhoneNumber", rule: PhoneRule) -> str | None:
    import phonenumbers  # noqa: PLC0415 - see above

    length = phonenumbers.is_possible_number_with_reason(parsed)
    if length != phonenumbers.ValidationResult.IS_POSSIBLE:
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
        where = f" for {region}" if region not in ("ZZ", "001") else ""
        meaning = next(
            meaning for name, meaning in _LENGTHS.items() if getattr(phonenumbers.ValidationResult, name) == length
        )
        return f"The number {meaning}{where}."
    if rule is PhoneRule.VALID and not phonenumbers.is_valid_number(parsed):
        return "The number is in no range that is in use in its country."
    return None


def _extension_reason(in_text: str | None, used: str | None) -> str | None:
    if used is None:
        return None
    if not (len(used) <= MAX_EXTENSION_LENGTH and used.isascii() and used.isdigit()):
        return f"An extension is 1 to {MAX_EXTENSION_LENGTH} digits."
    if in_text not in (None, used):
        return f"The number itself carries the extension {in_text}; leave one of the two out."
    return None


def _unreadable(error: "NumberParseException", text: str, country: str | None) -> FieldError:
    import phonenumbers  # noqa: PLC0415 - see above

    if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
        if country is None and not text.lstrip().startswith("+"):
            return _problem(
                "invalid_phone", "The number has no country calling code; start it with + or set a default country."
            )
        return _problem("invalid_phone", "The number starts with a country calling code that does not exist.")
    return _problem("invalid_phone", "This is not a telephone number.")


def _suggestion(text: str, country: str | None, rule: PhoneRule) -> str | None:
    """Suggest the number that was probably meant: 00 is how most of the world writes the plus (ITU-T E.123)."""
    digits = text.lstrip(" (")
    if not digits.startswith("00"):
        return None
    meant = parse_phone("+" + digits[2:].lstrip(" -./"), country=country, rule=rule)
    return meant.key.replace(";ext=", " ext. ") if isinstance(meant, Phone) else None


def _problem(code: str, detail: str, suggestion: str | None = None) -> FieldError:
    return FieldError(field="phone", code=code, detail=detail, suggestion=suggestion)
