"""Text messages in memory whose responses have the format of Twilio's, like its callbacks."""

from collections.abc import Mapping
from typing import Any

from adapters.twilio.delivery_reports import report_of
from unite_core.notifications.delivery_reports import DeliveryReport
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import TextMessage
from unite_core.testing.in_memory import InMemoryTextMessages


class TwilioInMemory(InMemoryTextMessages):
    """Knows each message by a `sid`, and its cost as a `price`."""

    def send(self, message: TextMessage, *, may_have_been_sent: bool = False) -> Receipt:
        receipt = super().send(message, may_have_been_sent=may_have_been_sent)
        return Receipt(accepted=receipt.accepted, refused=receipt.refused, response=_as_twilio(receipt.response))

    def report_of(self, response: Mapping[str, Any]) -> DeliveryReport | None:
        return report_of(response)

    def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:
        looked_up = super().look_up(f"message-{int(message_id.removeprefix('SM'), 16)}", short_timeouts=short_timeouts)
        report = report_of(_as_twilio(looked_up.response))
        assert report is not None
        return report


def _as_twilio(response: Mapping[str, Any]) -> dict[str, Any]:
    if "message_id" not in response:
        return dict(response)
    number = int(response["message_id"].removeprefix("message-"))
    cost = response["cost"]
    return {
        "sid": f"SM{number:032x}",
        "status": response["status"],
        "segments": response["segments"],
        "price": cost and f"-{cost}",
        "price_unit": cost and "USD",
    }
