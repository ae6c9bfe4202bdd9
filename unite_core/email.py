"""Validation and normalisation of e-mail addresses."""

import re

from unite_core.errors import FieldError

MAX_EMAIL_LENGTH = 254
"""A forward path has at most 256 octets, two of them angle brackets (RFC 5321, 4.5.3.1.3)."""

MAX_LOCAL_PART_LENGTH = 64
"""The part before the @ has at most 64 octets (RFC 5321, 4.5.3.1.1)."""

# Addresses that need no library: each part is ASCII letters, digits and inner dots or hyphens, so that
# every rule of RFC 5322 and RFC 1035 holds by construction. A test compares the result with the library's.
_PLAIN = re.compile(
    r"[a-z0-9_+]+(?:[.-][a-z0-9_+]+)*@(?:[a-z0-9](?:[a-z0-9]|-(?!-))*(?<!-)\.)+(?:com|net|org|info|edu|gov|io|co|us|uk|de|fr|eu|biz)"
)

PRIVATE_DOMAINS = ("local", "internal", "test")
"""Top-level domains of networks and tests of one's own (RFC 6762, 3; RFC 6761, 6.2; ICANN for `internal`).

Nobody outside is reached at them.
"""

_SLIPS = {
    "gmial.com": "gmail.com",
    "gmai.com": "gmail.com",
    "gamil.com": "gmail.com",
    "gmail.co": "gmail.com",
    "gmail.con": "gmail.com",
    "hotmial.com": "hotmail.com",
    "hotmail.con": "hotmail.com",
    "yaho.com": "yahoo.com",
    "yahoo.con": "yahoo.com",
    "outlok.com": "outlook.com",
}


def parse_email(text: str, *, private: bool = False) -> str | FieldError:
    """Return the address as it is stored, in lower case, or the error that makes it invalid.

    The whole address is lower-cased: RFC 5321 lets a host distinguish `Ann@` from `ann@`, but none in use does.
    `private` allows addresses in `PRIVATE_DOMAINS`.
    """
    if len(text) > MAX_EMAIL_LENGTH:
        return FieldError(
            field="email", code="too_long", detail=f"An address has at most {MAX_EMAIL_LENGTH} characters."
        )
    lowered = text.lower()
    if len(lowered) <= MAX_LOCAL_PART_LENGTH and _PLAIN.fullmatch(lowered):
        return lowered
    if len(text.encode("utf-8", "surrogatepass")) > MAX_EMAIL_LENGTH:
        return FieldError(
            field="email", code="too_long", detail=f"An address has at most {MAX_EMAIL_LENGTH} bytes in UTF-8."
        )
    return _read(text, private=private)


def _read(text: str, *, private: bool = False) -> str | FieldError:
    from email_validator import EmailNotValidError  # noqa: PLC0415 - it loads slowly, and most addresses need it not

    try:
        return _checked_private(text) if private and _private_domain(text) else _checked(text)
    except EmailNotValidError as error:
        return FieldError(field="email", code="invalid_email", detail=str(error), suggestion=_suggestion(text))


def _checked(text: str) -> str:
    """Return the address as it is stored; raise `EmailNotValidError` if it is invalid."""
    from email_validator import EmailSyntaxError, validate_email  # noqa: PLC0415 - see above

    domain = _private_domain(text)
    if domain:
        raise EmailSyntaxError(f"Addresses under .{domain} are those of a private network; write a public one.")
    address = validate_email(text, check_deliverability=False, strict=True).normalized.lower()
    _check_local_part(address)
    return address


def _checked_private(text: str) -> str:
    """Return an address in a private domain; raise `EmailNotValidError` if it is invalid.

    The library knows `test` alone of the private domains, and only if it is asked to.
    """
    from email_validator import validate_email  # noqa: PLC0415 - see above

    domain = _private_domain(text)
    public_part = text[: -len(domain)]
    checked = validate_email(f"{public_part}test", check_deliverability=False, strict=True, test_environment=True)
    address = f"{checked.normalized.lower().removesuffix('test')}{domain}"
    _check_local_part(address)
    return address


def _check_local_part(address: str) -> None:
    from email_validator import EmailSyntaxError  # noqa: PLC0415 - see above

    # The library counts characters, and the address that it was given rather than the one that is stored.
    if len(address.rpartition("@")[0].encode()) > MAX_LOCAL_PART_LENGTH:
        raise EmailSyntaxError(f"The part before the @-sign has more than {MAX_LOCAL_PART_LENGTH} bytes.")


def _private_domain(text: str) -> str:
    """Return the private domain in which the address is; "" if it is in none."""
    last = text.lower().rpartition(".")[2]
    return last if last in PRIVATE_DOMAINS else ""


def _suggestion(text: str) -> str | None:
    from email_validator import EmailNotValidError  # noqa: PLC0415 - see above

    mended = re.sub(r"\s+", "", text.lower()).strip(".,;:<>\"'")
    mended = mended.replace("(at)", "@").replace("[at]", "@").replace("(dot)", ".").replace("[dot]", ".")
    mended = re.sub(r"@{2,}", "@", mended)
    mended = re.sub(r"[.,]{1,}", ".", mended).replace("@.", "@")
    local, at, domain = mended.rpartition("@")
    mended = local + at + _SLIPS.get(domain, domain)
    if mended == text.lower():
        return None
    try:
        return _checked(mended)
    except EmailNotValidError:
        return None
