"""What looks like a phone number and is none: dates, times, amounts, addresses, identifiers.

Each look-alike is a form of writing. Some forms are also those of numbers: 20261129 may be a number in Denmark. So each
says whether a text of its form is never a number (`always`), or only where no number in use fits it exactly.
"""

import re
from dataclasses import dataclass

_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:19|20)[0-9]{2}"
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_SIGN = r"[\-./ ]"
_CURRENCY = r"(?:eur|usd|gbp|chf|inr|jpy|pln|sek|nok|dkk|kr|rs|zł)"


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A form of writing that is not a number's: what a text of that form probably is."""

    what: str
    form: re.Pattern[str]
    always: bool = True

    @property
    def detail(self) -> str:
        """The sentence for the user who sent it as a number."""
        return f"This is not a telephone number: it looks like {self.what}."


def _form(what: str, pattern: str, *, always: bool = True) -> LookAlike:
    return LookAlike(what, re.compile(pattern, re.IGNORECASE), always)


_OF_DIGITS = (
    _form("a date", rf"{_YEAR}({_SIGN}){_MONTH}\1{_DAY}"),
    _form("a date", rf"{_DAY}({_SIGN}){_MONTH}\1{_YEAR}"),
    _form("a date", rf"{_MONTH}({_SIGN}){_DAY}\1{_YEAR}"),
    _form("a date", rf"{_DAY}([\-./]){_MONTH}\1[0-9]{{2}}"),
    _form("a date", rf"{_MONTH}([\-./]){_DAY}\1[0-9]{{2}}"),
    _form("a date", r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])", always=False),
    _form("a span of years", rf"{_YEAR} ?[-/] ?{_YEAR}|{_YEAR}/[0-9]{{2}}"),
    _form("a span of time", r"[0-9]{1,2}\.[0-9]{2} ?- ?[0-9]{1,2}\.[0-9]{2}"),
    _form("an IP address", r"(?:[1-9][0-9]\.){3}[1-9][0-9]", always=False),
    _form("an IP address", rf"(?:{_BYTE}\.){{3}}{_BYTE}(?:/[0-9]+)?"),
    _form("a decimal number", r"[0-9]+\.[0-9]{1,2}"),
    _form("a number with separated thousands", r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+", always=False),
    _form("a negative number", r"-\s*[0-9].*"),
    _form("a postcode", r"[0-9]{5}-[0-9]{4}|[0-9]{5}-[0-9]{3}|[0-9]{2}-[0-9]{3}"),
    _form("a number of an order or a document", rf"{_YEAR}[-/][0-9]{{3,}}"),
    _form("a number of an identity card", r"[0-9]{3}-[0-9]{2}-[0-9]{4}"),
    _form("a placeholder", r"[0 .-]+"),
    _form("a placeholder", r"([0-9])\1+", always=False),
)
"""Forms of digits and the separators of telephone numbers."""

_OF_OTHER_SIGNS = (
    _form("an e-mail address", r"\S+@\S+"),
    _form("the address of a page", r"(?:https?://|www\.).*"),
    _form("an IBAN", r"[a-z]{2}[0-9]{2}(?: ?[0-9a-z]{4}){2,8}(?: ?[0-9a-z]{1,4})?"),
    _form("an amount of money", r".*[$€£¥₹₽₩₺₴¢%].*"),
    _form("an amount of money", rf"[0-9][0-9.,' ]*{_CURRENCY}|{_CURRENCY}\.? ?[0-9][0-9.,' ]*-*"),
    _form("a number in scientific notation", r"[+-]?[0-9]+(?:[.,][0-9]+)?e[+-]?[0-9]+"),
    _form("a date and a time", rf"{_YEAR}-{_MONTH}-{_DAY}[t ]\s*[0-9]{{1,2}}[:.h][0-9]{{2}}.*"),
    _form("a date and a time", r"[0-9]{1,4}[\-./][0-9]{1,2}[\-./][0-9]{1,4},? +[0-9]{1,2}:[0-9]{2}.*"),
    _form("a time", r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?: ?[ap]\.?m\.?)?"),
    _form("a span of time", r"[0-9]{1,2}:[0-9]{2} ?- ?[0-9]{1,2}:[0-9]{2}"),
    _form("an IP address", rf"(?:{_BYTE}\.){{3}}{_BYTE}:[0-9]+"),
    _form("a decimal number", r"-?[0-9.' ]*[0-9],[0-9]+|-?[0-9,' ]*[,'][0-9]{3}(?:\.[0-9]+)?"),
    _form("a number of an order or a document", r"(?:#|no\.? ?|nr\.? ?)[0-9]+"),
)
"""Forms with letters and signs that no telephone number has."""

_TELEPHONE_SIGNS = re.compile(r"[0-9 ().\-/]+")


def look_alike(text: str) -> LookAlike | None:
    """Return what a text, which `spelling.plain` has returned, looks like; None if it may be a number."""
    forms = _OF_DIGITS if _TELEPHONE_SIGNS.fullmatch(text) else _OF_OTHER_SIGNS
    return next((each for each in forms if each.form.fullmatch(text)), None)
