"""Send text messages through Twilio."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from adapters.twilio.connection import Twilio
from adapters.twilio.delivery_reports import LOST, read_report, report_of
from adapters.twilio.errors import (
    ConfigurationError,
    RequestRefused,
    TemporaryFailure,
    masked_digits,
    translated_errors,
)
from unite_core.errors import NotFound
from unite_core.notifications.delivery_reports import DeliveryReport
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import TextMessage, TextMessages

log = logging.getLogger(__name__)

MAX_CLOCK_SKEW = timedelta(minutes=5)
"""How far Twilio's clock may be behind ours before a message sent now counts as an earlier one."""

MAX_MESSAGES_SEARCHED = 1000
"""Messages to one number that are searched for a message: as many as a page of Twilio has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The sender of messages: a number (E.164) of ours, or a messaging service."""

    number: str | None = None
    messaging_service_sid: str | None = None


class TwilioTextMessages(TextMessages):
    """Text messages through Twilio, each sent once as far as Twilio can say whether it was sent.

    If an answer is lost, or reports an error of Twilio's own, Twilio may have accepted the message. So the message is
    searched for before it is sent again. A message with the same text to the same number, which was not created before
    `since` and did not fail, is the same message. Twilio has no idempotency keys. So the authors of texts make sure
    that no two events have the same text, unless a reader would take both for the same event.

    Twilio reports the status of a message at `{public_url}/webhooks/twilio/status`, with the ids of its delivery and of
    the request that caused it.
    """

    def __init__(self, twilio: Twilio, *, sender: Sender, public_url: str) -> None:
        self._twilio = twilio
        self._sender = sender
        self._public_url = public_url

    def send(self, message: TextMessage, *, may_have_been_sent: bool = False) -> Receipt:
        perhaps_sent = may_have_been_sent

        def attempt(account: Any) -> dict[str, Any]:
            nonlocal perhaps_sent
            earlier = self._sent_before(account, message) if perhaps_sent else None
            if earlier is not None:
                return _response(earlier)
            try:
                with translated_errors():
                    return _response(self._create(account, message))
            except TemporaryFailure as later:
                perhaps_sent = perhaps_sent or later.perhaps_done
                raise

        try:
            response = self._twilio.call(attempt)
        except RequestRefused as refused:
            reason = {"reason": refused.reason} if refused.reason else {}
            return Receipt(
                accepted=False,
                refused=True,
                response={"error_code": refused.code, "error": refused.error, **reason},
            )
        log.info(
            "A text message was handed to Twilio.",
            extra={
                "sid": response["sid"],
                "delivery_id": str(message.delivery_id),
                "correlation_id": message.correlation_id,
            },
        )
        return Receipt(accepted=True, response=response)

    def report_of(self, response: Mapping[str, Any]) -> DeliveryReport | None:
        return report_of(response)

    def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:
        def ask(account: Any) -> DeliveryReport:
            try:
                with translated_errors():
                    return read_report(_response(account.messages(message_id).fetch()))
            except ConfigurationError as wrong:
                if wrong.status == 404:
                    raise NotFound("Twilio has no such message.") from None
                raise
            except RequestRefused:
                raise NotFound("Twilio has no such message.") from None

        return self._twilio.call(ask, short_timeouts=short_timeouts)

    def _create(self, account: Any, message: TextMessage) -> Any:
        sender = self._sender
        origin = {"from_": sender.number} if sender.number else {"messaging_service_sid": sender.messaging_service_sid}
        return account.messages.create(
            to=message.to,
            body=message.text,
            status_callback=self._callback_of(message),
            **origin,
        )

    def _callback_of(self, message: TextMessage) -> str:
        query = {"delivery": str(message.delivery_id)}
        if message.correlation_id:
            query["correlation_id"] = message.correlation_id
        return f"{self._public_url}/webhooks/twilio/status?{urlencode(query)}"

    def _sent_before(self, account: Any, message: TextMessage) -> Any | None:
        """Return the message if Twilio has it. Twilio's own filter is by send date, which queued messages lack."""
        since = message.since - MAX_CLOCK_SKEW
        for sent in account.messages.list(to=message.to, limit=MAX_MESSAGES_SEARCHED):
            # A trial account puts a sentence of Twilio's before each text.
            same = str(sent.body).endswith(message.text)
            if same and sent.status not in LOST and sent.date_created >= since:
                return sent
        return None


def _response(message: Any) -> dict[str, Any]:
    """Return the message resource in the form in which it is stored and shown."""
    if not message.sid:
        raise TemporaryFailure("Twilio's answer cannot be understood.", perhaps_done=True)
    return {
        "sid": message.sid,
        "status": message.status,
        "segments": int(message.num_segments or 0),
        "price": message.price,
        "price_unit": message.price_unit,
        "error_code": message.error_code,
        "error": masked_digits(message.error_message) if message.error_message else None,
    }
