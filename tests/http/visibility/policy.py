"""An independent implementation of the rules of visibility, to compare results with (an oracle).

| what | who |
|---|---|
| a lead: its values, pictures and history | admins and managers; the agent who owns it; nobody once it is deleted |
| the values of a lead, beside that | the agent who is to make a pending call to it |
| the id of a lead | beside those, the agent who holds or held to the end a call task of it |
| a task: its id, notes, reasons, outcome, entries of the call log | admins and managers; the agent who holds it |
| the id of a task | beside those, the agent who held it and owns its lead: its history tells what was theirs then |
| the id of a user | admins and managers; the user; whoever sees a task that names the user |
| name and e-mail address of a user | admins and managers; the user |
| imports and deliveries | admins and managers |
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.http.visibility.world import LeadFacts, TaskFacts, World
from unite_core.identity.model import Role


@dataclass(frozen=True)
class Marker:
    """A marker text for a property, and whether the viewer may see it now."""

    text: str
    visible: bool


def leads_others(world: World, viewer: str) -> bool:
    """Return whether the viewer is an admin or a manager now."""
    return viewer in world.active and world.roles[viewer] is not Role.AGENT


def sees_lead(world: World, viewer: str, lead: LeadFacts) -> bool:
    """Return whether the viewer may read the lead."""
    mine = viewer in world.active and lead.owner == viewer
    return not lead.deleted and (leads_others(world, viewer) or mine)


def sees_task(world: World, viewer: str, task: TaskFacts) -> bool:
    """Return whether the viewer may read the task."""
    return leads_others(world, viewer) or (viewer in world.active and task.holder == viewer)


def markers(world: World, viewer: str) -> Iterator[Marker]:
    """Yield all markers, with whether the viewer may see them."""
    manager = leads_others(world, viewer)
    for name, lead in world.leads.items():
        tasks = [task for task in world.tasks.values() if task.lead == name and sees_task(world, viewer, task)]
        seen = sees_lead(world, viewer, lead)
        to_call = any(task.pending for task in tasks) and not lead.deleted
        for value in lead.values:
            yield Marker(value, seen or to_call)
        for image, filename in lead.images.items():
            yield Marker(image, seen)
            yield Marker(filename, seen)
        yield Marker(lead.id, seen or bool(tasks) or manager)
    for task in world.tasks.values():
        was_theirs = viewer in task.former and sees_lead(world, viewer, world.leads[task.lead])
        yield Marker(task.id, sees_task(world, viewer, task) or was_theirs)
        for text in (*task.texts, *task.entries, *(f'_seconds":{number}' for number in task.numbers)):
            yield Marker(text, sees_task(world, viewer, task))
    for name in world.users:
        named = any(name in task.participants and sees_task(world, viewer, task) for task in world.tasks.values())
        yield Marker(world.id_of(name), manager or viewer == name or named)
        for text in (f"Person-{name}", f"{name}@people.example"):
            yield Marker(text, manager or viewer == name)
    for text in (*world.imports.values(), *world.deliveries, *world.others, "Import-", "Row-Rejected", "Person-new"):
        yield Marker(text, manager)
