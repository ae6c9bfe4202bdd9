"""Parse keys, accounts and phone settings; each function raises `ValueError` with what would be right."""

import re

from unite_core.errors import FieldError
from unite_core.identity.validation import parse_user_email, password_error
from unite_core.phone import Phone, is_country, parse_phone

MIN_SECRET_LENGTH = 32
"""Bytes. A key for HMAC-SHA256 has to be at least as long as its output (RFC 7518, 3.2)."""


def parse_keys(text: str) -> dict[str, bytes]:
    """Parse `name:secret,name:secret`, in order; raise `ValueError` with a message on what would be right."""
    keys: dict[str, bytes] = {}
    for position, entry in enumerate(text.split(","), start=1):
        kid, colon, secret = entry.strip().partition(":")
        if not colon or not kid or not kid.isascii() or not kid.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"entry {position} is not `name:secret` (a name has letters, digits, - and _)")
        if len(secret.encode()) < MIN_SECRET_LENGTH:
            raise ValueError(f"the secret of {kid} has less than {MIN_SECRET_LENGTH} bytes")
        if kid in keys:
            raise ValueError(f"the name {kid} is there twice")
        keys[kid] = secret.encode()
    return keys


def email(text: str) -> str:
    """Return the normalized e-mail address of a user."""
    problems: list[FieldError] = []
    address = parse_user_email(text, problems)
    for problem in problems:
        raise ValueError(f"is no e-mail address: {problem.detail}")
    return address


def password(text: str) -> str:
    """Return a password that the rules for passwords accept."""
    problem = password_error("password", text)
    if problem is not None:
        raise ValueError(f"is refused: {problem.detail}")
    return text


def share(text: str) -> float:
    """Return a share between 0 and 1."""
    if not re.fullmatch(r"0|1|(?:0?\.[0-9]{1,9})|1\.0{1,9}", text):
        raise ValueError("is not a number from 0 to 1, such as 0.25")
    return float(text)


def country(text: str) -> str:
    """Return the code of a country with phone numbers."""
    if not is_country(text):
        raise ValueError("is no country; write two capital letters of ISO 3166-1, such as US or DE")
    return text


def phone_number(text: str) -> str:
    """Return a phone number in E.164."""
    phone = parse_phone(text, country=None)
    if not isinstance(phone, Phone) or phone.key != text:
        raise ValueError("is no number in E.164, such as +12025550123")
    return text
