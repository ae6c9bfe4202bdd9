"""Settings of Twilio: the account, and the number or messaging service that sends."""

import re
from dataclasses import dataclass, field

from entrypoints.environment import Reader
from entrypoints.urls import http_url
from entrypoints.variables import (
    PUBLIC_URL,
    TWILIO_ACCOUNT_SID,
    TWILIO_AUTH_TOKEN,
    TWILIO_BASE_URL,
    TWILIO_FROM,
    TWILIO_MESSAGING_SERVICE_SID,
)
from unite_core.phone import Phone, parse_phone

_SID = re.compile("[0-9a-fA-F]{32}")

NO_CALLBACKS = (
    f"{TWILIO_ACCOUNT_SID.name} is set, and {PUBLIC_URL.name} is not: Twilio reports deliveries and opt-outs to an "
    f"address that it can reach, and may refuse to send without one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Twilio:
    """A Twilio account with either a number or a messaging service; `base_url` is the URL of a stand-in."""

    account_sid: str
    auth_token: str = field(repr=False)
    from_number: str | None = None
    messaging_service_sid: str | None = None
    base_url: str | None = None


def read_twilio(read: Reader) -> Twilio | None:
    """Return the settings of Twilio; None if there are none, or if some are wrong."""
    sid = read.judged(TWILIO_ACCOUNT_SID.name, lambda text: _sid(text, "AC"))
    token = read.text(TWILIO_AUTH_TOKEN.name)
    number = read.judged(TWILIO_FROM.name, _number)
    service = read.judged(TWILIO_MESSAGING_SERVICE_SID.name, lambda text: _sid(text, "MG"))
    base_url = read.judged(TWILIO_BASE_URL.name, http_url)
    account = (TWILIO_ACCOUNT_SID.name, TWILIO_AUTH_TOKEN.name)
    senders = (TWILIO_FROM.name, TWILIO_MESSAGING_SERVICE_SID.name)
    given = [name for name in (*account, *senders) if read.given(name)]
    if not given:
        if read.given(TWILIO_BASE_URL.name):
            read.refuse(TWILIO_BASE_URL.name, f"is of no use without {account[0]} and {account[1]}")
        return None
    for name in account:
        if not read.given(name):
            read.refuse(name, f"is missing; {given[0]} needs it")
    if all(read.given(name) for name in senders):
        read.refuse(senders[1], f"is set as well as {senders[0]}; leave one of the two out")
    elif not any(read.given(name) for name in senders):
        read.refuse(senders[0], f"is missing, and so is {senders[1]}; {given[0]} needs one of the two")
    if not sid or not token:
        return None
    return Twilio(
        account_sid=sid,
        auth_token=token,
        from_number=number,
        messaging_service_sid=service,
        base_url=base_url,
    )


def _sid(text: str, kind: str) -> str:
    if not (text.startswith(kind) and _SID.fullmatch(text, len(kind))):
        raise ValueError(f"is no SID of this kind: {kind} and 32 hexadecimal digits")
    return text


def _number(text: str) -> str:
    phone = parse_phone(text, country=None)
    if not isinstance(phone, Phone) or phone.key != text:
        raise ValueError("is no number in E.164, such as +12025550123")
    return text
