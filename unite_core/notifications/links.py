"""The link to the subject of an event."""

from unite_core.events import Event
from unite_core.notifications.ports import Links


def link_of(event: Event, links: Links) -> str | None:
    """Return the link to the call task or the import that the event is about; None if it is about neither."""
    task_id = event.data.get("task_id")
    if task_id is not None:
        return links.of_call_task(task_id)
    if event.import_id is not None:
        return links.of_import(str(event.import_id))
    return None
