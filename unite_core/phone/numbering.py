"""What the numbering library knows: which number digits are, and whether a number can exist.

Only functions that need it import this module: the library takes longer to load than all other modules of an import of
`unite_core`, and most numbers need none.
"""

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import cache, cached_property

import phonenumbers
from phonenumbers import (
    CountryCodeSource,
    NumberParseException,
    PhoneMetadata,
    PhoneNumberDesc,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

from unite_core.phone.model import MAX_PHONE_LENGTH

NORTH_AMERICA = 1
"""The calling code of the North American Numbering Plan, whose numbers all have ten digits."""

MAX_LENGTHS_IN_CLOSED_PLAN = 3
"""A numbering plan with more lengths of fixed-line numbers is open: nearly any digits are valid in it."""

MAX_LENGTHS_OF_EXACT_KIND = 4
"""Numbers of a kind with more lengths, such as Austria's mobiles, are nearly any digits behind their codes."""

MIN_LENGTH = 6
"""Fewer digits are a number in small countries alone. Where numbers have a prefix, as many without it are none."""

_UNKNOWN_REGION = "ZZ"
_ALL_TYPES = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost"),
    *("personal_number", "voip", "pager", "uan", "voicemail"),
)
_ATOM = re.compile(r"\{[^{}]*\}|\[([^\[\]]*)\]|\\d|[0-9]")
_ANY_DIGIT = "*"

_EXACT_KINDS = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.PREMIUM_RATE: "premium_rate",
}
"""Kinds of numbers that begin with codes of their own."""

_LENGTHS = {
    ValidationResult.TOO_LONG: "has too many digits",
    ValidationResult.TOO_SHORT: "has too few digits",
    ValidationResult.INVALID_LENGTH: "has a number of digits that is not in use",
    ValidationResult.INVALID_COUNTRY_CODE: "starts with a country calling code that does not exist",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "lacks its area code",
}
"""A result of the library -> what it means."""


class WrittenAs(Enum):
    """How digits say the country of their number."""

    WITH_PLUS = "with its calling code behind a plus"
    NATIONAL = "as a number of the given country"
    WITH_DIALLING_PREFIX = "with the prefix for calls abroad of the given country"
    WITH_CALLING_CODE = "with the calling code of the given country"


_SOURCES = {
    CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN: WrittenAs.WITH_PLUS,
    CountryCodeSource.FROM_NUMBER_WITH_IDD: WrittenAs.WITH_DIALLING_PREFIX,
    CountryCodeSource.FROM_NUMBER_WITHOUT_PLUS_SIGN: WrittenAs.WITH_CALLING_CODE,
}


class Reading:
    """A number that digits may be."""

    def __init__(self, parsed: phonenumbers.PhoneNumber, digits: str, country: str | None) -> None:
        self._parsed = parsed
        self._digits = digits
        self._country = country

    @cached_property
    def number(self) -> str:
        """The number in E.164, if it is not longer than that allows."""
        return str(phonenumbers.format_number(self._parsed, PhoneNumberFormat.E164))

    @cached_property
    def national_digits(self) -> str:
        """The digits behind the calling code: the national significant number (ITU-T E.164, 6.2.1)."""
        return str(phonenumbers.national_significant_number(self._parsed))

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups of digits in which the number is usually written for calls from abroad (ITU-T E.123)."""
        written = phonenumbers.format_number(self._parsed, PhoneNumberFormat.INTERNATIONAL)
        return tuple(re.findall(r"[0-9]+", written))

    @property
    def calling_code(self) -> int:
        """The country calling code."""
        return self._parsed.country_code or 0

    @property
    def written_as(self) -> WrittenAs:
        """How the digits say the country."""
        return _SOURCES.get(self._parsed.country_code_source, WrittenAs.NATIONAL)

    @cached_property
    def is_valid(self) -> bool:
        """Whether it lies in a range that is in use in its country, and does not change if it is parsed again."""
        if self.length_error is not None or len(self.number) > MAX_PHONE_LENGTH:
            return False
        return self._kind != PhoneNumberType.UNKNOWN and self.is_stable

    @cached_property
    def _kind(self) -> int:
        """The kind of the number, a `PhoneNumberType`; UNKNOWN if it is in no range that is in use."""
        return int(phonenumbers.number_type(self._parsed))

    @cached_property
    def is_stable(self) -> bool:
        """Whether parsing the number again returns it.

        The digits behind the calling code may look like a prefix (`+91 00 50…`), and then change each time.
        """
        if not any(prefix.match(self.national_digits) for prefix in _prefixes(self.calling_code)):
            return True
        again = international(self.number.removeprefix("+"))
        return again is not None and again.number == self.number

    @cached_property
    def length_error(self) -> str | None:
        """Why a number of this length cannot exist; None if it can."""
        result = phonenumbers.is_possible_number_with_reason(self._parsed)
        if result == ValidationResult.IS_POSSIBLE:
            return None
        region = phonenumbers.region_code_for_country_code(self.calling_code)
        where = f" for {region}" if region not in (_UNKNOWN_REGION, "001") else ""
        return f"The number {_LENGTHS[result]}{where}."

    def begins_as_in_use(self, digits: int) -> bool:
        """Return whether some number of its country has this length and the same first `digits` digits.

        In North America, where few codes of areas are in use, every first digit but 0 and 1 is enough.
        """
        if self.calling_code == NORTH_AMERICA:
            return self.national_digits[0] not in "01"
        return _begins_as_in_use(self.calling_code, self.national_digits[:digits], len(self.national_digits))

    @property
    def is_bare(self) -> bool:
        """Whether neither the national prefix nor a calling code says that the digits are a telephone number."""
        if self.written_as is not WrittenAs.NATIONAL:
            return False
        prefix = phonenumbers.ndd_prefix_for_region(self._country or "", False)
        return self.national_digits == self._digits or not (prefix and self._digits.startswith(prefix))

    @property
    def is_national_in_use(self) -> bool:
        """Whether the digits are a number in use within the country, by its own prefix or without one."""
        return self.written_as is WrittenAs.NATIONAL and self.is_valid

    @cached_property
    def takes_national_prefix(self) -> bool:
        """Whether people in the country would write a prefix before the digits of the number."""
        national = phonenumbers.format_number(self._parsed, PhoneNumberFormat.NATIONAL)
        return bool(phonenumbers.normalize_digits_only(national) != self.national_digits)

    @cached_property
    def is_exact(self) -> bool:
        """Whether it is in use, and other digits would hardly be: its plan, or its kind, has few lengths of numbers."""
        if not self.is_valid:
            return False
        if not self.is_open:
            return True
        kind = _EXACT_KINDS.get(self._kind)
        return kind is not None and len(_lengths(self.calling_code, kind)) <= MAX_LENGTHS_OF_EXACT_KIND

    @property
    def is_certain(self) -> bool:
        """Whether the digits are exactly a number of the country, written as its numbers are."""
        return self.is_exact and self.is_bare and not self.takes_national_prefix

    @property
    def is_open(self) -> bool:
        """Whether nearly any digits are valid in its numbering plan."""
        return len(_lengths(self.calling_code, "fixed_line")) > MAX_LENGTHS_IN_CLOSED_PLAN

    @property
    def is_longer_than_usual(self) -> bool:
        """Whether it is longer than the mobile numbers of its country: fixed-line numbers mostly are not."""
        return len(self.national_digits) > max(_lengths(self.calling_code, "mobile"), default=0)

    @property
    def is_short_without_prefix(self) -> bool:
        """Whether the digits are so few that they may be a postcode, or the number of a neighbour without its area."""
        length = len(self._digits)
        if length > MIN_LENGTH:
            return False
        fixed = _lengths(self.calling_code, "fixed_line")
        if fixed and max(fixed) <= MIN_LENGTH:
            return length < min(fixed)
        return length < MIN_LENGTH or self.takes_national_prefix


def is_region(code: str) -> bool:
    """Return whether the numbering data knows this region (ISO 3166-1, capitals)."""
    return code in phonenumbers.SUPPORTED_REGIONS


def is_north_american(country: str | None) -> bool:
    """Return whether the numbers of the region are of the North American Numbering Plan."""
    return country is not None and phonenumbers.country_code_for_region(country) == NORTH_AMERICA


def international(digits: str) -> Reading | None:
    """Return the number that the digits are behind a plus; None if they are too few or have no calling code."""
    return _parsed(f"+{digits}", None, digits)


def national(digits: str, country: str) -> Reading | None:
    """Return the number that the digits are in that region; None if they are none."""
    return _parsed(digits, country, digits)


def is_calling_code(digits: str) -> bool:
    """Return whether the digits are a calling code."""
    return int(digits) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE


def has_calling_code(digits: str) -> bool:
    """Return whether the digits begin with a calling code that exists."""
    return any(is_calling_code(digits[:length]) for length in (1, 2, 3))


def digits_of_letters(text: str) -> str:
    """Return the text with the digits of a telephone's keys in place of letters (ITU-T E.161)."""
    return str(phonenumbers.convert_alpha_characters_in_number(text))


def _parsed(text: str, country: str | None, digits: str) -> Reading | None:
    try:
        return Reading(phonenumbers.parse(text, country, keep_raw_input=True), digits, country)
    except NumberParseException:
        return None


def _plans(code: int) -> Iterator[PhoneMetadata]:
    regions = phonenumbers.region_codes_for_country_code(code)
    plans = (PhoneMetadata.metadata_for_region_or_calling_code(code, region) for region in regions)
    return (plan for plan in plans if plan is not None)


def _types(code: int, names: Iterable[str]) -> Iterator[PhoneNumberDesc]:
    types = (getattr(plan, name) for plan in _plans(code) for name in names)
    return (each for each in types if each is not None)


@cache
def _prefixes(code: int) -> tuple[re.Pattern[str], ...]:
    """Return the patterns of the prefixes that parsing takes off the number behind its calling code."""
    prefixes = {plan.national_prefix_for_parsing for plan in _plans(code)}
    return tuple(re.compile(prefix) for prefix in prefixes if prefix)


@cache
def _begins_as_in_use(code: int, beginning: str, length: int) -> bool:
    any_rest = beginning + _ANY_DIGIT * (length - len(beginning))
    return any(re.fullmatch(pattern, any_rest) for pattern in _patterns(code))


@cache
def _patterns(code: int) -> tuple[str, ...]:
    """Return the patterns of the numbers of a calling code, in which `*` stands for any digit."""
    patterns = {each.national_number_pattern for each in _types(code, _ALL_TYPES)}
    return tuple(_ATOM.sub(_or_any, pattern) for pattern in patterns if pattern)


def _or_any(atom: re.Match[str]) -> str:
    text = atom[0]
    if text.startswith("{"):
        return text
    inner = atom[1] if text.startswith("[") else text
    return f"[{inner}{_ANY_DIGIT}]"


@cache
def _lengths(code: int, kind: str) -> frozenset[int]:
    return frozenset(length for each in _types(code, (kind,)) for length in each.possible_length)
