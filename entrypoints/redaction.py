"""Remove secrets and personal data from what is logged: the one place that all log lines go through.

Code does not log them in the first place. This is for what code does not know: an error of a library that quotes a URL
with a password, a request with a token in its path, a number in the text of an exception.
"""

import re
from functools import lru_cache
from typing import Any

REDACTED = "[redacted]"

SECRET_NAMES = re.compile(
    r"password|passwd|secret|token|authorization|cookie|credential|api_?key|private_?key|signature|phone|mobile",
    re.IGNORECASE,
)
"""Attributes of a record whose value is never logged, by a part of their name."""

_SECRET_PATTERN = re.compile(
    r"""
      (?P<url>://[^\s/:@"']{0,256}:)[^\s/@"']{1,256}@               # the password of a URL
    | (?P<parameter>(?:[?&]sig|signature|credential|token|secret|password)=)[^\s&"';]++
    | (?P<scheme>\b(?:Bearer|Basic)[ ])[A-Za-z0-9._~+/=-]{8,}+       # RFC 7235
    | (?P<cookie>\b(?:__Host-)?unite_session=)[^\s;"']++
    | \beyJ[A-Za-z0-9_-]{4,}+\.[A-Za-z0-9_-]*+(?:\.[A-Za-z0-9_-]*+)?  # a JSON Web Token, RFC 7519
    | \$argon2[a-z]{1,2}\$[^\s"']++                                 # the hash of a password
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b                                 # the id of an access key of AWS
    """,
    re.VERBOSE | re.IGNORECASE,
)

_PHONE = re.compile(r"\+\d(?:[ ().-]{0,2}\d){7,}+")
"""A number with its plus, as it is stored and shown; in the international form of E.164 it has 8 to 15 digits."""

_EMAIL = re.compile(r"(?<![\w.+-])(?P<first>[\w+])[\w.+-]{0,63}+@(?P<domain>[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})")

_MAY_HOLD_ANY = re.compile(r"[@+=$]|(?i:bearer|basic|eyj|akia|asia)")
"""Part of whatever the patterns find: most values of a line have none, and are not searched further."""

_SHOWN_DIGITS = 2


def redacted(text: str) -> str:
    """Return the text without passwords, tokens, keys and signatures, and with numbers and addresses shortened.

    Of a phone number the last two digits are left, of an e-mail address the first letter and the domain.
    """
    if not _MAY_HOLD_ANY.search(text):
        return text
    text = _SECRET_PATTERN.sub(_without_secret, text)
    text = _PHONE.sub(lambda found: f"+…{found[0][-_SHOWN_DIGITS:]}", text)
    return _EMAIL.sub(r"\g<first>…@\g<domain>", text)


def redacted_value(name: str, value: Any) -> Any:
    """Return the value of an attribute of a record as it may be logged; also inside of lists and mappings."""
    if value is not None and not isinstance(value, bool) and _is_secret(name):
        return REDACTED
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {key: redacted_value(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [redacted_value("", each) for each in value]
    return value


@lru_cache(maxsize=1_000)
def _is_secret(name: str) -> bool:
    return SECRET_NAMES.search(name) is not None


def _without_secret(found: re.Match[str]) -> str:
    before = next((found[name] for name in ("url", "parameter", "scheme", "cookie") if found[name]), "")
    return f"{before}{REDACTED}{'@' if found['url'] else ''}"
