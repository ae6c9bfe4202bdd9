"""Who is told of what. The activity log is told everything; this is who is told beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from unite_core.events import Event
from unite_core.identity.model import Role
from unite_core.notifications.model import ACTIVITY, TEXTS, TOPIC

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
    """Whose business events of one type are.

    `role` is what subscribers of the topic filter by. `text_to` names the field of the event's data that holds the id
    of the user who gets a text message, None where nobody does.
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
"""Event type -> who is told. The topic is told of all of these, and of nothing else."""


def recipient(event: Event) -> UUID | None:
    """The user who gets a text message about the event, if they have a number; None where nobody does.

    Nobody is told what they did themselves.
    """
    audience = AUDIENCES.get(event.type)
    if audience is None or audience.text_to is None:
        return None
    meant = event.data.get(audience.text_to)
    return UUID(meant) if meant and meant != str(event.actor_id) else None


def told(event: Event, destinations: Sequence[str]) -> list[str]:
    """Those of the destinations that are told of the event.

    What a delivery went through is for the activity log alone: else telling of it would be told of for ever.
    """
    wants = {
        ACTIVITY: True,
        TOPIC: event.type in AUDIENCES,
        TEXTS: recipient(event) is not None,
    }
    if event.delivery_id is not None:
        return [each for each in destinations if each == ACTIVITY]
    return [each for each in destinations if wants.get(each, True)]
