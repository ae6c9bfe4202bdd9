"""Convert Twilio's message resources and status callbacks to delivery reports of the core."""

from collections.abc import Mapping
from typing import Any

from adapters.twilio.errors import OPTED_OUT_CODE
from unite_core.notifications.delivery_reports import OPTED_OUT, DeliveryReport, MessageProgress

PROGRESS: Mapping[str, MessageProgress] = {
    "queued": MessageProgress.QUEUED,
    "accepted": MessageProgress.QUEUED,
    "scheduled": MessageProgress.QUEUED,
    "sending": MessageProgress.SENDING,
    "sent": MessageProgress.SENT,
    "delivered": MessageProgress.DELIVERED,
    "undelivered": MessageProgress.FAILED,
    "failed": MessageProgress.FAILED,
    "canceled": MessageProgress.FAILED,
}
"""The statuses of Twilio's message resource."""

LOST = frozenset(status for status, progress in PROGRESS.items() if progress is MessageProgress.FAILED)
"""The statuses of a message that does not arrive."""


def report_of(response: Mapping[str, Any]) -> DeliveryReport | None:
    """Return the report of an answer, a callback or a stored response; None if it has no `sid` of a message."""
    return read_report(response) if "sid" in response else None


def read_report(response: Mapping[str, Any]) -> DeliveryReport:
    """Return the report of a response that has the `sid` of its message.

    The report is complete when the message has a price: Twilio adds nothing after that.
    """
    reason = {"reason": OPTED_OUT} if response.get("error_code") == OPTED_OUT_CODE else {}
    return DeliveryReport(
        message_id=response["sid"],
        progress=PROGRESS.get(str(response.get("status")), MessageProgress.UNKNOWN),
        complete=response.get("price") is not None,
        response={**response, **reason},
    )
