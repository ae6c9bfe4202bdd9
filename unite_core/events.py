"""Event: a record of something that happened, published to destinations after the commit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from unite_core.checks import Checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Checked):
    """Something that has happened; recorded in the transaction that made it happen, and published afterwards.

    `type` is stable: `lead.created`. `lead_ids` are the leads that it is about, up to a few thousand; `import_id` is
    the import that caused it, `delivery_id` the delivery to whose history it belongs. `actor_id` is the user who did
    it, None if it was the service itself. `data` holds plain values that JSON has. It is delivered at least once, so
    recipients use `id` to recognise duplicates.

    `traceparent` (W3C Trace Context, version 00) names the span in which it was recorded, None if that was not traced.
    It is for its deliveries, is not part of what happened, and need not be kept by a destination.
    """

    id: UUID
    type: str
    at: datetime
    actor_id: UUID | None = None
    correlation_id: str | None = None
    traceparent: str | None = field(default=None, compare=False)
    lead_ids: tuple[UUID, ...] = ()
    import_id: UUID | None = None
    delivery_id: UUID | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
