"""Reports of a destination about the progress of a message that it accepted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from unite_core.checks import Checked

OPTED_OUT = "opted_out"
"""The reason of a message that was skipped or refused because the owner of the number opted out."""


class MessageProgress(StrEnum):
    """The progress of a message; `UNKNOWN` is a status that does not say how far the message has come."""

    UNKNOWN = "unknown"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether no other progress can follow."""
        return _RANKS[self] == _RANKS[MessageProgress.DELIVERED]

    def is_beyond(self, other: "MessageProgress") -> bool:
        """Return whether a message with this progress has come further than one with the other."""
        return _RANKS[self] > _RANKS[other]


_RANKS: Mapping[MessageProgress, int] = {
    MessageProgress.UNKNOWN: 0,
    MessageProgress.QUEUED: 1,
    MessageProgress.SENDING: 2,
    MessageProgress.SENT: 3,
    MessageProgress.DELIVERED: 4,
    MessageProgress.FAILED: 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport(Checked):
    """The progress of one message at the destination, which identifies it by `message_id`.

    `complete` says that no detail of the message is missing: its cost is known. `response` is the destination's report
    in plain values, unchanged; its `reason` is `opted_out` if the message failed because the recipient has opted out.
    """

    message_id: str
    progress: MessageProgress
    complete: bool = False
    response: Mapping[str, Any]

    @property
    def settled(self) -> bool:
        """Whether nothing more will be reported: the message arrived, and no detail is missing."""
        return self.progress is MessageProgress.DELIVERED and self.complete

    @property
    def opted_out(self) -> bool:
        """Whether the message failed because the recipient has opted out."""
        return self.response.get("reason") == OPTED_OUT

    def with_details_of(self, other: "DeliveryReport") -> "DeliveryReport":
        """Return this report with the details that another report about the same message adds."""
        complete = self.complete or other.complete
        return replace(self, complete=complete, response={**other.response, **self.response})
