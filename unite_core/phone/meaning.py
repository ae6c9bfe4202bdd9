"""Decide which number the digits of a spelling are: one without doubt, or none."""

from dataclasses import dataclass
from typing import ClassVar

from unite_core.phone import numbering
from unite_core.phone.model import MAX_PHONE_LENGTH, PhoneRule
from unite_core.phone.numbering import NORTH_AMERICA, Reading
from unite_core.phone.spelling import Spelling

_USUAL_PREFIX = "00"
_PREFIXES_FOR_CALLS_ABROAD = (_USUAL_PREFIX, "011")
_BEGINNING_OF_BARE_DIGITS = 2
_MIN_LENGTH_IN_OPEN_PLAN = 7
_MIN_LENGTH_WITH_CALLING_CODE = 7
_GROUPS_IN_NORTH_AMERICA = frozenset({3, 6})

_FEW_DIGITS = "The number has too few digits."
_TWO_MEANINGS = "The number may be one of another country; write it with + and the country calling code."
_UNCLEAR_PREFIX = "The number begins with a prefix for calls abroad that is not used everywhere; write + in its place."
_UNUSUAL_LENGTH = "The number is longer than those of its country are; write it with + and the country calling code."
_NO_PREFIX = "The number lacks the prefix that it has within its country, or is none; write it with + or that prefix."
_GROUPS = "The digits are not grouped as those of a telephone number in this country; write it with + if it is one."
_ZERO = "The number is another one with its (0) than without; write it with + as it is dialled from abroad."
_ZEROS = (
    "The number begins with zeros or a prefix that its country does not use; write it with + and the country "
    "calling code, as it is dialled from abroad."
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why digits are no number without doubt, and the number that they probably are, in E.164."""

    detail: str
    suggestion: str | None = None

    is_valid: ClassVar[bool] = False
    is_certain: ClassVar[bool] = False
    number: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads numbers without a plus as those of a country (ISO 3166-1, capitals); None refuses them."""

    country: str | None
    rule: PhoneRule

    def meaning_of(self, spelling: Spelling) -> Reading | Refusal:
        """Return the number that the digits are, or why they are refused."""
        with_zero = self._meaning_of_all(spelling)
        if spelling.optional_zero is None:
            return with_zero
        # In some countries, such as Italy, the zero belongs to the number.
        without_zero = self._meaning_of_all(spelling.without_zero())
        if not without_zero.is_valid or without_zero.number == with_zero.number:
            return with_zero
        return Refusal(_ZERO, without_zero.number) if with_zero.is_valid else without_zero

    def _meaning_of_all(self, spelling: Spelling) -> Reading | Refusal:
        if spelling.plus:
            return self._international(spelling.digits)
        if self.country is None:
            return Refusal(
                "The number has no country calling code; start it with + or set a default country.",
                _in_use_abroad(spelling.digits.removeprefix(_USUAL_PREFIX)),
            )
        return self._national(spelling, self.country)

    def digits_of_letters(self, text: str) -> str:
        """Return the text with the digits of a telephone's keys in place of letters."""
        return numbering.digits_of_letters(text)

    def _international(self, digits: str) -> Reading | Refusal:
        found = numbering.international(digits)
        if found is None:
            if numbering.has_calling_code(digits):
                return Refusal(_FEW_DIGITS)
            suggestion = _in_use_abroad(digits.lstrip("0")) or self._in_use_here(digits)
            return Refusal("The number starts with a country calling code that does not exist.", suggestion)
        reason = self._error_of(found)
        if reason is None:
            return found
        without_zeros = f"{found.calling_code}{found.national_digits.lstrip('0')}"
        return Refusal(reason, _in_use_abroad(without_zeros) or self._in_use_here(digits))

    def _national(self, spelling: Spelling, country: str) -> Reading | Refusal:
        digits = spelling.digits
        found = numbering.national(digits, country)
        other = self._behind_prefix(spelling, found)
        if other is not None:
            return Refusal(_UNCLEAR_PREFIX, other)
        if found is None:
            return Refusal("This is not a telephone number.", _in_use_abroad(digits))
        if found.is_valid:
            return self._in_use(found, spelling)
        return self._not_in_use(found, spelling)

    def _behind_prefix(self, spelling: Spelling, found: Reading | None) -> str | None:
        """Return the number behind a prefix for calls abroad, if the digits may be that and not `found`."""
        digits = spelling.digits
        prefix = next((prefix for prefix in _PREFIXES_FOR_CALLS_ABROAD if digits.startswith(prefix)), None)
        abroad = None if prefix is None else numbering.international(digits.removeprefix(prefix))
        if abroad is None or (found is not None and found.number == abroad.number):
            return None
        if prefix == _USUAL_PREFIX:
            return abroad.number if self._error_of(abroad) is None else None
        # Some national numbers begin with 011, such as those of Delhi; in no country they begin with 00 and a number.
        if not abroad.is_valid or found is None or not found.is_national_in_use:
            return abroad.number if abroad.is_valid else None
        is_own = found.calling_code == abroad.calling_code
        return abroad.number if is_own or _is_grouped_as_abroad(spelling.behind(prefix or ""), abroad) else None

    def _in_use(self, found: Reading, spelling: Spelling) -> Reading | Refusal:
        """Decide about digits that are a number in use in the country."""
        if not found.is_bare:
            return found
        abroad = self._other_meaning(found, spelling)
        if abroad is not None:
            if abroad.calling_code == found.calling_code and _is_likelier(abroad, found):
                return abroad
            return Refusal(_TWO_MEANINGS, abroad.number)
        return self._accepted(found, spelling)

    def _other_meaning(self, found: Reading, spelling: Spelling) -> Reading | None:
        """Return the number in use that digits may be behind a plus, if that is no less likely than `found`."""
        first = spelling.groups[0]
        is_own = spelling.digits.startswith(str(found.calling_code))
        is_grouped = len(spelling.groups) > 1 and numbering.is_calling_code(first)
        if not is_own and not is_grouped and found.is_exact:
            return None
        abroad = numbering.international(spelling.digits)
        if abroad is None or not abroad.is_valid:
            return None
        return abroad if is_own or not found.is_exact or _is_grouped_as_abroad(spelling, abroad) else None

    def _not_in_use(self, found: Reading, spelling: Spelling) -> Reading | Refusal:
        """Decide about digits that are no number in use in the country, as far as is known."""
        digits = spelling.digits
        reason = self._error_of(found)
        if found.calling_code == NORTH_AMERICA and reason is None:
            return self._accepted(found, spelling)
        if len(digits) < _MIN_LENGTH_WITH_CALLING_CODE:
            return Refusal(reason or _FEW_DIGITS)
        abroad = None if digits.startswith("0") else numbering.international(digits)
        if abroad is not None and abroad.is_valid:
            return abroad if abroad.calling_code == found.calling_code else Refusal(_TWO_MEANINGS, abroad.number)
        return self._accepted(found, spelling) if reason is None else Refusal(reason, self._in_use_here(f"0{digits}"))

    def _accepted(self, found: Reading, spelling: Spelling) -> Reading | Refusal:
        """Return a number that is written as those of its country are, else why it may be none."""
        if not found.is_bare:
            return found
        if found.calling_code == NORTH_AMERICA:
            return found if _is_grouped_as_in_north_america(spelling) else Refusal(_GROUPS, found.number)
        if found.is_short_without_prefix:
            return Refusal(_NO_PREFIX, found.number)
        if found.is_open and not found.is_exact:
            if found.is_longer_than_usual:
                return Refusal(_UNUSUAL_LENGTH, found.number)
            if not found.is_valid or (found.takes_national_prefix and len(spelling.groups) > 1):
                return Refusal(_NO_PREFIX, found.number)
        return found

    def _in_use_here(self, digits: str) -> str | None:
        """Return the national number that the digits are, if it is in use."""
        if self.country is None:
            return None
        found = numbering.national(digits, self.country)
        return found.number if found is not None and found.is_valid else None

    def _error_of(self, found: Reading) -> str | None:
        """Return why there can be no such number; None if there can."""
        if found.length_error is not None:
            return found.length_error
        if len(found.number) > MAX_PHONE_LENGTH:  # the numbering data accepts up to 19 digits, in Japan for example
            return f"The number has more than the {MAX_PHONE_LENGTH - 1} digits of E.164."
        if found.is_valid:
            return None
        if self.rule is PhoneRule.VALID:
            return "The number is in no range that is in use in its country."
        return _doubt_about(found)


def _doubt_about(found: Reading) -> str | None:
    """Return why a number of a possible length, but in no range in use, is none; None if it may be a new one."""
    if not found.is_stable:
        return _ZEROS
    if found.is_open and len(found.national_digits) < _MIN_LENGTH_IN_OPEN_PLAN:
        return _FEW_DIGITS
    # Digits alone need more to be a number than those behind a plus or a prefix.
    if found.begins_as_in_use(_BEGINNING_OF_BARE_DIGITS if found.is_bare else 1):
        return None
    return "No number of its country begins with these digits."


def _in_use_abroad(digits: str) -> str | None:
    """Return the number that the digits are behind a plus, if it is in use."""
    found = numbering.international(digits)
    return found.number if found is not None and found.is_valid else None


def _is_grouped_as_abroad(spelling: Spelling, abroad: Reading) -> bool:
    """Return whether the digits are grouped as a number abroad: its calling code is a group of its own."""
    groups = spelling.groups
    if len(groups) == 1 or groups[0] != str(abroad.calling_code):
        return False
    return abroad.is_exact or groups == abroad.groups


def _is_likelier(abroad: Reading, found: Reading) -> bool:
    """Return whether digits are likelier a number with its calling code than a national one that begins like it."""
    if abroad.is_exact:
        return not found.is_exact
    return found.is_longer_than_usual and not abroad.is_longer_than_usual


def _is_grouped_as_in_north_america(spelling: Spelling) -> bool:
    """Return whether the digits are separated behind the third or the sixth alone, as in 212-555-0123."""
    digits, ends = 0, set()
    groups = spelling.groups[1:] if spelling.groups[0] == str(NORTH_AMERICA) else spelling.groups
    for group in groups[:-1]:
        digits += len(group)
        ends.add(digits)
    return ends <= _GROUPS_IN_NORTH_AMERICA
