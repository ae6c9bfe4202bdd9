"""Runs the worker with a circuit breaker for Twilio that opens sooner and for a shorter time."""

import os
import sys
from argparse import Namespace
from dataclasses import replace
from datetime import timedelta

from adapters.twilio.connection import POLICY, Account, Twilio
from adapters.twilio.messages import Sender, TwilioTextMessages
from entrypoints.bootstrap import Started, start
from entrypoints.settings import Settings
from entrypoints.worker import process
from unite_core.notifications.destinations import TextsOfEvents
from unite_core.notifications.model import TEXTS

BRIEF = replace(POLICY, failure_threshold=3, recovery_timeout=timedelta(seconds=2))


def begin(settings: Settings, *, tracing: None = None) -> Started:
    started = start(settings, tracing=tracing)
    account = settings.twilio
    assert account is not None
    twilio = Twilio(
        Account(sid=account.account_sid, auth_token=account.auth_token, base_url=account.base_url),
        BRIEF,
    )
    relay = started.unite.notifications.relay
    texts = relay.destinations[TEXTS]
    assert isinstance(texts, TextsOfEvents)
    messages = TwilioTextMessages(twilio, sender=Sender(number=account.from_number), public_url=settings.public_url)
    destinations = {**relay.destinations, TEXTS: replace(texts, messages=messages)}
    notifications = replace(started.unite.notifications, relay=replace(relay, destinations=destinations))
    return replace(started, unite=replace(started.unite, notifications=notifications))


if __name__ == "__main__":
    sys.exit(process.run(Namespace(until_stdin_ends=False), os.environ, begin))
