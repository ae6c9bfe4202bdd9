"""What the other side reports about something that it took."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

OPTED_OUT = "opted_out"
"""The reason where nothing is sent to a number, or was refused, because its owner wants no messages."""


class Progress(StrEnum):
    """How far a message has come; `UNKNOWN` is a status that says nothing about that."""

    UNKNOWN = "unknown"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether nothing can follow."""
        return _RANKS[self] == _RANKS[Progress.DELIVERED]

    def is_beyond(self, other: "Progress") -> bool:
        """Whether a message with this progress has come further than one with the other."""
        return _RANKS[self] > _RANKS[other]


_RANKS: Mapping[Progress, int] = {
    Progress.UNKNOWN: 0,
    Progress.QUEUED: 1,
    Progress.SENDING: 2,
    Progress.SENT: 3,
    Progress.DELIVERED: 4,
    Progress.FAILED: 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """The progress of one message at the other side, which knows it by `message_id`.

    `complete` says that no detail of the message is missing: its cost is known. `response` is the report in the other
    side's own words, in plain values; its `reason` is `opted_out` where the message failed because the recipient wants
    none.
    """

    message_id: str
    progress: Progress
    complete: bool = False
    response: Mapping[str, Any]

    @property
    def settled(self) -> bool:
        """Whether nothing more will be reported: the message arrived, and no detail is missing."""
        return self.progress is Progress.DELIVERED and self.complete

    @property
    def opted_out(self) -> bool:
        """Whether the message failed because the recipient wants no messages."""
        return self.response.get("reason") == OPTED_OUT

    def with_details_of(self, other: "DeliveryReport") -> "DeliveryReport":
        """This report, with what another report about the same message adds to it."""
        complete = self.complete or other.complete
        return replace(self, complete=complete, response={**other.response, **self.response})
