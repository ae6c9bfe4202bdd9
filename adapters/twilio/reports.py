"""What Twilio's message resource and its status callbacks say, in the terms of the core."""

from collections.abc import Mapping
from typing import Any

from adapters.twilio.answers import OPTED_OUT_CODE
from unite_core.notifications.delivery_reports import OPTED_OUT, DeliveryReport, Progress

PROGRESS: Mapping[str, Progress] = {
    "queued": Progress.QUEUED,
    "accepted": Progress.QUEUED,
    "scheduled": Progress.QUEUED,
    "sending": Progress.SENDING,
    "sent": Progress.SENT,
    "delivered": Progress.DELIVERED,
    "undelivered": Progress.FAILED,
    "failed": Progress.FAILED,
    "canceled": Progress.FAILED,
}
"""The statuses of Twilio's message resource."""

LOST = frozenset(status for status, progress in PROGRESS.items() if progress is Progress.FAILED)
"""The statuses of a message that does not arrive."""


def report_of(response: Mapping[str, Any]) -> DeliveryReport | None:
    """What an answer, a callback or a stored response says; None where it names no message by its `sid`."""
    return read_report(response) if "sid" in response else None


def read_report(response: Mapping[str, Any]) -> DeliveryReport:
    """What a response says that has the `sid` of its message.

    With the price of a message Twilio knows all there is to know about it.
    """
    reason = {"reason": OPTED_OUT} if response.get("error_code") == OPTED_OUT_CODE else {}
    return DeliveryReport(
        message_id=response["sid"],
        progress=PROGRESS.get(str(response.get("status")), Progress.UNKNOWN),
        complete=response.get("price") is not None,
        response={**response, **reason},
    )
