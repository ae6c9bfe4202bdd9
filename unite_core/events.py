"""What has happened, told to whoever wants to know once it is committed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has happened; recorded in the transaction that made it happen, and told afterwards.

    `type` is stable: `lead.created`. `lead_ids` are the leads that it is about, up to a few thousand; `import_id` is
    the import that it came about by, `delivery_id` the delivery whose own history it belongs to. `actor_id` is whoever
    did it, None where it was the service itself. `data` holds plain values, fit for JSON. It is told at least once, so
    that whoever hears of it goes by its `id`.
    """

    id: UUID
    type: str
    at: datetime
    actor_id: UUID | None = None
    correlation_id: str | None = None
    lead_ids: tuple[UUID, ...] = ()
    import_id: UUID | None = None
    delivery_id: UUID | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
