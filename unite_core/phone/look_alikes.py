"""What looks like a phone number and is none: dates, times, amounts, addresses, identifiers.

Each look-alike is a form of writing. Some forms are also those of numbers: 20261129 may be a number in Denmark. So each
says whether a text of its form is never a number (`always`), or only where no number in use fits it exactly.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:19|20)[0-9]{2}"
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_CURRENCY = r"(?:eur|usd|gbp|chf|inr|jpy|pln|sek|nok|dkk|kr|rs|zł)"
_SIGNS_OF_MONEY = "$€£¥₹₽₩₺₴¢%"


@dataclass(frozen=True, slots=True)
class LookAlike:
    """What a text probably is that is written in a form which is hardly a number's."""

    what: str
    always: bool = True

    @property
    def detail(self) -> str:
        """The sentence for the user who sent it as a number."""
        return f"This is not a telephone number: it looks like {self.what}."


_LOOK_ALIKES: Mapping[str, LookAlike] = {
    "date": LookAlike("a date"),
    "compact_date": LookAlike("a date", always=False),
    "date_and_time": LookAlike("a date and a time"),
    "time": LookAlike("a time"),
    "span_of_time": LookAlike("a span of time"),
    "span_of_years": LookAlike("a span of years"),
    "ip_address": LookAlike("an IP address"),
    "ip_address_of_pairs": LookAlike("an IP address", always=False),
    "decimal": LookAlike("a decimal number"),
    "thousands": LookAlike("a number with separated thousands", always=False),
    "negative": LookAlike("a negative number"),
    "scientific": LookAlike("a number in scientific notation"),
    "money": LookAlike("an amount of money"),
    "postcode": LookAlike("a postcode"),
    "document": LookAlike("a number of an order or a document"),
    "identity": LookAlike("a number of an identity card"),
    "zeros": LookAlike("a placeholder"),
    "one_digit": LookAlike("a placeholder", always=False),
    "email": LookAlike("an e-mail address"),
    "url": LookAlike("the address of a page"),
    "iban": LookAlike("an IBAN"),
}
"""Name of a group in the patterns below -> what a text is that matches it."""

_TELEPHONE_SIGNS = re.compile(r"[0-9 ().\-/]+")

_OF_DIGITS = re.compile(
    rf"(?P<date>{_YEAR}(?P<a>[-./ ]){_MONTH}(?P=a){_DAY}|{_DAY}(?P<b>[-./ ]){_MONTH}(?P=b){_YEAR}"
    rf"|{_MONTH}(?P<c>[-./ ]){_DAY}(?P=c){_YEAR}|{_DAY}(?P<d>[-./]){_MONTH}(?P=d)[0-9]{{2}}"
    rf"|{_MONTH}(?P<e>[-./]){_DAY}(?P=e)[0-9]{{2}})"
    r"|(?P<compact_date>(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))"
    rf"|(?P<span_of_years>{_YEAR} ?[-/] ?{_YEAR}|{_YEAR}/[0-9]{{2}})"
    r"|(?P<span_of_time>[0-9]{1,2}\.[0-9]{2} ?- ?[0-9]{1,2}\.[0-9]{2})"
    r"|(?P<ip_address_of_pairs>(?:[1-9][0-9]\.){3}[1-9][0-9])"
    rf"|(?P<ip_address>(?:{_BYTE}\.){{3}}{_BYTE}(?:/[0-9]+)?)"
    r"|(?P<decimal>[0-9]+\.[0-9]{1,2})"
    r"|(?P<thousands>[1-9][0-9]{0,2}(?:\.[0-9]{3})+)"
    r"|(?P<negative>-[0-9 ().\-/]*)"
    r"|(?P<postcode>[0-9]{5}-[0-9]{4}|[0-9]{5}-[0-9]{3}|[0-9]{2}-[0-9]{3})"
    rf"|(?P<document>{_YEAR}[-/][0-9]{{3,}})"
    r"|(?P<identity>[0-9]{3}-[0-9]{2}-[0-9]{4})"
    r"|(?P<zeros>0[0 .-]*)"
    r"|(?P<one_digit>(?P<f>[0-9])(?P=f)+)"
)
"""Forms of digits and the separators of telephone numbers."""

_OF_OTHER_SIGNS = re.compile(
    r"(?P<email>[^\s@]+@\S+)"
    r"|(?P<url>(?:https?://|www\.).*)"
    r"|(?P<iban>[a-z]{2}[0-9]{2}(?: ?[0-9a-z]{4}){2,8}(?: ?[0-9a-z]{1,4})?)"
    rf"|(?P<money>[^{_SIGNS_OF_MONEY}]*[{_SIGNS_OF_MONEY}].*"
    rf"|[0-9][0-9.,' ]*{_CURRENCY}|{_CURRENCY}\.? ?[0-9][0-9.,' ]*-?)"
    r"|(?P<scientific>[+-]?[0-9]+(?:[.,][0-9]+)?e[+-]?[0-9]+)"
    rf"|(?P<date_and_time>{_YEAR}-{_MONTH}-{_DAY}[t ] ?[0-9]{{1,2}}[:.h][0-9]{{2}}.*"
    r"|[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4},? [0-9]{1,2}:[0-9]{2}.*)"
    r"|(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?: ?[ap]\.?m\.?)?)"
    r"|(?P<span_of_time>[0-9]{1,2}:[0-9]{2} ?- ?[0-9]{1,2}:[0-9]{2})"
    rf"|(?P<ip_address>(?:{_BYTE}\.){{3}}{_BYTE}:[0-9]+)"
    r"|(?P<decimal>-?[0-9.' ]*[0-9],[0-9]+|-?[0-9,' ]*[,'][0-9]{3}(?:\.[0-9]+)?)"
    r"|(?P<document>(?:#|no\.? ?|nr\.? ?)[0-9]+)",
    re.IGNORECASE | re.DOTALL,
)
"""Forms with letters and signs that no telephone number has."""


def look_alike(text: str) -> LookAlike | None:
    """Return what a text, which `spelling.plain` has returned, looks like; None if it may be a number."""
    found = _OF_DIGITS.fullmatch(text) if _TELEPHONE_SIGNS.fullmatch(text) else _OF_OTHER_SIGNS.fullmatch(text)
    return None if found is None else _LOOK_ALIKES[found.lastgroup or ""]
