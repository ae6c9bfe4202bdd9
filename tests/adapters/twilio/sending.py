"""Text message adapter for a fake Twilio, with short timeouts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from adapters.outbound import CallTimeouts
from adapters.twilio.connection import POLICY, Account, Twilio
from adapters.twilio.messages import Sender, TwilioTextMessages
from tests.servers.twilio import ACCOUNT_SID, NUMBER, TwilioStandIn

ADDRESS = "https://unite.example.com"
A_MOMENT = timedelta(milliseconds=20)


def timeouts(seconds: float) -> CallTimeouts:
    """Return timeouts of that many seconds for connecting and for reading."""
    return CallTimeouts(connect=timedelta(seconds=seconds), read=timedelta(seconds=seconds))


HASTY = replace(POLICY, timeouts=timeouts(5), retry_interval=A_MOMENT)


def twilio_at(stand_in: TwilioStandIn, *, token: str | None = None, **policy: Any) -> Twilio:
    """Return the account at the fake Twilio; `policy` are changes of the policy."""
    account = Account(sid=ACCOUNT_SID, auth_token=token or stand_in.auth_token, base_url=stand_in.url)
    return Twilio(account, replace(HASTY, **policy))


def texts_by(twilio: Twilio) -> TwilioTextMessages:
    """Return the adapter for text messages from its number."""
    return TwilioTextMessages(twilio, sender=Sender(number=NUMBER), public_url=ADDRESS)


Texts = Callable[..., TwilioTextMessages]
