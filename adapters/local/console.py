"""A topic and a provider of text messages that write to the log, each used if no real one is configured."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from unite_core.errors import NotFound
from unite_core.notifications.delivery_reports import DeliveryReport, MessageProgress
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import TextMessage, TextMessages, Topic, TopicMessage
from unite_core.notifications.texts import segments

log = logging.getLogger("unite.console")

_PREFIX = "console-"
_SHOWN = 4
"""Digits at the end of a number that are logged: the sender of the message recognizes the recipient by them."""


class ConsoleTopic(Topic):
    """A topic that logs which messages would be published, and to whom."""

    def publish(self, messages: Sequence[TopicMessage]) -> Sequence[Receipt]:
        return [self._publish(message) for message in messages]

    def _publish(self, message: TopicMessage) -> Receipt:
        message_id = f"console-{message.event_id}"
        log.info(
            "The topic would be told of this event.",
            extra={
                "message_id": message_id,
                "type": message.type,
                "role": message.role,
                "body": message.body,
                "correlation_id": message.correlation_id,
            },
        )
        return Receipt(accepted=True, response={"message_id": message_id})


class ConsoleTextMessages(TextMessages):
    """Text messages that are logged instead of sent; each counts as delivered.

    The id of a message contains the id of the delivery, so that a repeated message can be recognized.
    """

    def send(self, message: TextMessage, *, may_have_been_sent: bool = False) -> Receipt:  # noqa: ARG002 - repeats do no harm
        sid = f"{_PREFIX}{message.delivery_id}"
        log.info(
            "A text message would be sent.",
            extra={
                "sid": sid,
                "to": f"…{message.to[-_SHOWN:]}",
                "text": message.text,
                "correlation_id": message.correlation_id,
            },
        )
        return Receipt(accepted=True, response={**_response(sid), "segments": segments(message.text).count})

    def report_of(self, response: Mapping[str, Any]) -> DeliveryReport | None:
        sid = str(response.get("sid", ""))
        return _report(sid) if sid.startswith(_PREFIX) else None

    def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:  # noqa: ARG002 - answers at once
        if not message_id.startswith(_PREFIX):
            raise NotFound("There is no such message.")
        return _report(message_id)


def _report(sid: str) -> DeliveryReport:
    return DeliveryReport(message_id=sid, progress=MessageProgress.DELIVERED, complete=True, response=_response(sid))


def _response(sid: str) -> dict[str, Any]:
    # The form of Twilio's answers: clients of the API see the same fields, and a price ends the status checks.
    return {"sid": sid, "status": "delivered", "price": "0", "price_unit": None}
