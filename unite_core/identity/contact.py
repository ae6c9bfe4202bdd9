"""What a user's address, name, phone and password have to be."""

from unite_core.email import MAX_EMAIL_LENGTH, parse_email
from unite_core.errors import FieldError
from unite_core.identity.model import MAX_NAME_LENGTH, MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH
from unite_core.phone import Phone, PhonePolicy, parse_phone
from unite_core.text import clean, normalize, text_error


def parse_user_email(text: str, problems: list[FieldError]) -> str:
    """The address in lower case; a problem is added to `problems` where it is none."""
    email = parse_email(clean(text))
    if isinstance(email, FieldError):
        problems.append(email)
        return text
    return email


def email_key(text: str) -> str:
    """What an address, as somebody typed it, is looked up by: as it would be stored, or in lower case if it is none."""
    email = parse_email(clean(text))
    # One character more than any address that is stored has tells a longer text from all of them.
    return clean(text)[: MAX_EMAIL_LENGTH + 1].lower() if isinstance(email, FieldError) else email


def parse_user_name(text: str, problems: list[FieldError]) -> str:
    """The name, 1 to 200 characters on one line; a problem is added to `problems` where it is none."""
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
    """The number in E.164, without extension: text messages go to it; a problem is added where it is none."""
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
    """The password as it is hashed and compared: in Unicode Normalization Form C, not trimmed (RFC 8265, 4.2).

    One keyboard writes é as one character, another as two; the user sees no difference.
    """
    return normalize("NFC", text)


def password_to_compare(text: str) -> str:
    """What is compared of a password that somebody claims to have; empty where it is longer than any password.

    Nobody has an empty password, and comparing one takes as long as comparing any other.
    """
    password = normalize_password(text)
    return password if len(password) <= MAX_PASSWORD_LENGTH else ""


def password_error(field: str, text: str) -> FieldError | None:
    """Why this is no password: its length is judged, not what it is made of (NIST SP 800-63B, 5.1.1.2).

    Control characters are refused: they get in by accident, and a login form does not take them (RFC 8265, 4.2).
    """
    password = normalize_password(text)
    if len(password) < MIN_PASSWORD_LENGTH:
        return FieldError(
            field=field, code="too_short", detail=f"A password has at least {MIN_PASSWORD_LENGTH} characters."
        )
    return text_error(field, password, max_length=MAX_PASSWORD_LENGTH)
