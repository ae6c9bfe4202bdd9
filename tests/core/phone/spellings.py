"""Ways to write a number, for the example numbers of all regions in the numbering data.

`python -m tests.core.phone.spellings` reads every example in every way, which takes minutes of CPU; the tests read a
sample of them.
"""

import re
import sys
from collections.abc import Iterator

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from unite_core.phone import Phone, parse_phone

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
TYPES = (
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
)
_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_FULL_WIDTH = str.maketrans("0123456789+()-", "０１２３４５６７８９＋（）－")  # noqa: RUF001 - full width is meant
_SEPARATORS = re.compile(r"[ \-/.()]+")


def example(region: str, kind: int) -> PhoneNumber | None:
    """Return the region's example number of that kind; None if it has none."""
    return phonenumbers.example_number_for_type(region, kind)


def e164(number: PhoneNumber) -> str:
    """Return the number in E.164."""
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def with_country(number: PhoneNumber) -> Iterator[str]:
    """Return ways to write a number that say its country: with a plus, and behind a prefix for calls abroad."""
    whole = e164(number)
    international = str(phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL))
    code, _, rest = international.removeprefix("+").partition(" ")
    yield whole
    for separator in " -./":
        yield "+" + _SEPARATORS.sub(separator, international.removeprefix("+"))
    yield f"(+{code}) {rest}"
    yield f"+{code} ({rest[:3].strip(' -')}) {rest[3:]}" if rest[3:].strip(" -") else whole
    yield f"+{code} (0){rest}"
    yield f"+{code} (0) {rest}"
    yield str(phonenumbers.format_number(number, PhoneNumberFormat.RFC3966))
    yield international.translate(_FULL_WIDTH)
    yield whole.translate(_ARABIC)
    yield f"{international} ext. 12"
    yield f"\u202a{international}\u202c"
    yield from (f"00{whole[1:]}", f"00 {code} {rest}", f"(00{code}) {rest}", f"011{whole[1:]}", f"011 {code} {rest}")


def without_country(number: PhoneNumber) -> Iterator[str]:
    """Return ways to write a number without its country, and with its calling code but without a plus."""
    whole = e164(number)
    international = str(phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL))
    national = str(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    yield national
    for separator in ("", " ", "-", ".", "/"):
        yield _SEPARATORS.sub(separator, national).strip(separator or None)
    yield national.translate(_FULL_WIDTH)
    yield national.translate(_ARABIC)
    yield f"{national} x12"
    yield phonenumbers.national_significant_number(number)
    yield international.partition(" ")[2]
    yield whole.removeprefix("+")
    yield international.removeprefix("+")


def misread(region: str, number: PhoneNumber, spelling: str) -> str | None:
    """Return the number as which the spelling is read in that region, if that is another one."""
    read = parse_phone(spelling, country=region)
    return read.number if isinstance(read, Phone) and read.number != e164(number) else None


def _all_misread() -> Iterator[str]:
    for region in REGIONS:
        numbers = [number for kind in TYPES if (number := example(region, kind)) is not None]
        for number in numbers:
            for spelling in (*with_country(number), *without_country(number)):
                wrong = misread(region, number, spelling)
                if wrong is not None:
                    yield f"{region}: {spelling} is {e164(number)}, and was read as {wrong}"


if __name__ == "__main__":
    found = list(_all_misread())
    print(*found, f"{len(found)} misread", sep="\n")
    sys.exit(bool(found))
