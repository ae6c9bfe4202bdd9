"""Detect opt-outs and opt-ins in received text messages, by Twilio's keywords."""

STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})


def opts_out(body: str, opt_out_type: str | None) -> bool | None:
    """Return True for an opt-out, False for an opt-in, and None for any other message.

    Where Twilio says what it made of the message (`opt_out_type`: STOP, START or HELP), that counts instead of the
    `body`.
    """
    word = (opt_out_type or body).strip().upper()
    if word in STOP_WORDS:
        return True
    return False if word in START_WORDS else None
