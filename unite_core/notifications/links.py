"""Where whoever is told of an event finds what it is about."""

from unite_core.events import Event


def link_of(event: Event, public_url: str) -> str | None:
    """The address of the call task or of the import that the event is about; None where it is about neither."""
    task_id = event.data.get("task_id")
    if task_id is not None:
        return f"{public_url}/v1/call-tasks/{task_id}"
    if event.import_id is not None:
        return f"{public_url}/v1/lead-imports/{event.import_id}"
    return None
