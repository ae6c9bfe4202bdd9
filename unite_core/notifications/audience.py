"""Which role the topic addresses for each event type, and which user gets a text message about an event."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from unite_core.events import Event
from unite_core.identity.model import Role

TASK_CREATED = "call_task.created"
TASK_ASSIGNED = "call_task.assigned"
TASK_COMPLETED = "call_task.completed"
TASK_CANCELLED = "call_task.cancelled"
TASK_MISSED = "call_task.missed"
CALL_CORRECTED = "call_log.corrected"
IMPORT_FINISHED = "import.finished"
DAILY_SUMMARY = "report.daily_summary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """The recipients of events of one type.

    Subscribers of the topic filter by `role`. `text_to` names the field of the event's data that holds the id
    of the user who gets a text message, None if nobody does.
    """

    role: Role
    text_to: str | None = None


AUDIENCES: Mapping[str, Audience] = {
    TASK_CREATED: Audience(role=Role.MANAGER),
    TASK_ASSIGNED: Audience(role=Role.AGENT, text_to="assigned_to"),
    TASK_COMPLETED: Audience(role=Role.MANAGER, text_to="created_by"),
    TASK_CANCELLED: Audience(role=Role.AGENT),
    TASK_MISSED: Audience(role=Role.MANAGER),
    CALL_CORRECTED: Audience(role=Role.MANAGER),
    IMPORT_FINISHED: Audience(role=Role.MANAGER),
    DAILY_SUMMARY: Audience(role=Role.MANAGER, text_to="user_id"),
}
"""Event type -> its recipients. The topic gets all of these events, and no others."""


def recipient(event: Event) -> UUID | None:
    """Return the user who gets a text message about the event, if they have a number; None if nobody does.

    A user gets no message about their own action.
    """
    audience = AUDIENCES.get(event.type)
    if audience is None or audience.text_to is None:
        return None
    meant = event.data.get(audience.text_to)
    return UUID(meant) if meant and meant != str(event.actor_id) else None
