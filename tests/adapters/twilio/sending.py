"""Text message adapter for a fake Twilio, with short timeouts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from adapters.twilio.connection import Account, Timeouts, Twilio
from adapters.twilio.messages import Sender, TwilioTextMessages
from tests.servers.twilio import ACCOUNT_SID, NUMBER, TwilioStandIn

ADDRESS = "https://unite.example.com"
A_MOMENT = timedelta(milliseconds=20)

HASTY: dict[str, Any] = {"answer": timedelta(seconds=5), "pause": A_MOMENT}


def twilio_at(stand_in: TwilioStandIn, *, token: str | None = None, **timeouts: Any) -> Twilio:
    """Return the account at the fake Twilio."""
    account = Account(sid=ACCOUNT_SID, auth_token=token or stand_in.auth_token, base_url=stand_in.url)
    return Twilio(account, Timeouts(**{**HASTY, **timeouts}))


def texts_by(twilio: Twilio) -> TwilioTextMessages:
    """Return the adapter for text messages from its number."""
    return TwilioTextMessages(twilio, sender=Sender(number=NUMBER), public_url=ADDRESS)


Texts = Callable[..., TwilioTextMessages]
