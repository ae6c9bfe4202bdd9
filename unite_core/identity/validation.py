"""Validation of a user's e-mail address, name, phone and password."""

from unite_core.email import MAX_EMAIL_LENGTH, parse_email
from unite_core.errors import FieldError
from unite_core.identity.model import MAX_NAME_LENGTH, MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH
from unite_core.phone import Phone, PhonePolicy, parse_phone
from unite_core.text import clean, normalize, text_error


def parse_user_email(text: str, problems: list[FieldError]) -> str:
    """Return the address in lower case; add an error to `problems` if it is invalid.

    It may be one of the company's own network (`email.PRIVATE_DOMAINS`): users log in with it, and get no mail.
    """
    email = parse_email(clean(text), private=True)
    if isinstance(email, FieldError):
        problems.append(email)
        return text
    return email


def email_key(text: str) -> str:
    """Return the key to look up a typed address by: as it would be stored, or in lower case if it is invalid."""
    email = parse_email(clean(text), private=True)
    # One character more than the longest stored address distinguishes a longer text from all of them.
    return clean(text)[: MAX_EMAIL_LENGTH + 1].lower() if isinstance(email, FieldError) else email


def parse_user_name(text: str, problems: list[FieldError]) -> str:
    """Return the name, 1 to 200 characters on one line; add an error to `problems` if it is invalid."""
    name = clean(text)
    problem = (
        text_error("name", name, max_length=MAX_NAME_LENGTH)
        if name
        else FieldError(field="name", code="required", detail="A user needs a name.")
    )
    if problem is not None:
        problems.append(problem)
    return name


def parse_user_phone(text: str | None, policy: PhonePolicy, problems: list[FieldError]) -> str | None:
    """Return the number in E.164, without extension: text messages go to it; add an error if it is invalid."""
    if text is None:
        return None
    phone = parse_phone(clean(text), country=policy.default_country, rule=policy.rule)
    if isinstance(phone, Phone) and phone.extension is not None:
        phone = FieldError(
            field="phone",
            code="invalid_phone",
            detail="A user's phone takes text messages, so it has no extension; leave that out.",
            suggestion=phone.number,
        )
    if isinstance(phone, FieldError):
        problems.append(phone)
        return text
    return phone.number


def normalize_password(text: str) -> str:
    """Normalise a password before it is hashed or compared: Normalization Form C, not trimmed (RFC 8265, 4.2).

    One keyboard writes é as one character, another as two; the user sees no difference.
    """
    return normalize("NFC", text)


def password_to_compare(text: str) -> str:
    """Prepare a claimed password for comparison; return "" if it is longer than any password.

    Nobody has an empty password, and comparing one takes as long as comparing any other.
    """
    password = normalize_password(text)
    return password if len(password) <= MAX_PASSWORD_LENGTH else ""


def password_error(field: str, text: str) -> FieldError | None:
    """Validate a new password by its length, not by the characters in it (NIST SP 800-63B, 5.1.1.2).

    Control characters are refused: they get in by accident, and login forms do not accept them (RFC 8265, 4.2).
    """
    password = normalize_password(text)
    if len(password) < MIN_PASSWORD_LENGTH:
        return FieldError(
            field=field, code="too_short", detail=f"A password has at least {MIN_PASSWORD_LENGTH} characters."
        )
    return text_error(field, password, max_length=MAX_PASSWORD_LENGTH)
