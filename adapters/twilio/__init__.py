"""Text messages through Twilio, their delivery reports, and the signatures of its webhooks."""

from typing import TYPE_CHECKING

from adapters.extras import require
from unite_core.lazy_names import lazy_names

require("twilio", "requests", "twilio")

if TYPE_CHECKING:
    from adapters.twilio.connection import Account, Twilio
    from adapters.twilio.messages import Sender, TwilioTextMessages
    from adapters.twilio.opt_outs import opts_out
    from adapters.twilio.signatures import TwilioSignatures
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "adapters.twilio.connection": ("Account", "Twilio"),
            "adapters.twilio.messages": ("Sender", "TwilioTextMessages"),
            "adapters.twilio.opt_outs": ("opts_out",),
            "adapters.twilio.signatures": ("TwilioSignatures",),
        },
    )

__all__ = [
    "Account",
    "Sender",
    "Twilio",
    "TwilioSignatures",
    "TwilioTextMessages",
    "opts_out",
]
