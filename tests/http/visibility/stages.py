"""Stages of the visibility tests: each changes assignments in the service and in the expected state."""

from collections.abc import Callable

from tests.http.visibility.world import World
from unite_core.identity.model import Role


def _at_first(_: World) -> None:
    """Assign Grace to Ann, with a completed and a pending call task of Ann."""


def _lead_reassigned(world: World) -> None:
    """Assign Grace to Ben, without her tasks; then change her name and number."""
    grace = world.leads["Grace"]
    path = f"/v1/leads/{grace.id}"
    world.send("mia", "PATCH", path, json={"assigned_to": world.id_of("ben")})
    world.send("mia", "PATCH", path, json={"name": "Later-Grace", "phone": "+12125550199"})
    grace.owner = "ben"
    grace.values |= {"Later-Grace", "+12125550199"}


def _task_reassigned(world: World) -> None:
    """Assign Ann's pending call task to Ben."""
    task = world.tasks["open"]
    body = {"assigned_to": world.id_of("ben")}
    operation = "/v1/call-tasks/<uuid:task_id>/assign"
    world.first("assignment open", operation, "mia", f"/v1/call-tasks/{task.id}/assign", json=body)
    task.holder, task.former = "ben", {"ann"}
    task.participants.add("ben")


def _task_closed(world: World) -> None:
    """Complete the call task as Ben."""
    world.complete("open", "ben")


def _lead_taken_away(world: World) -> None:
    """Unassign Grace; the closed task stays assigned to Ben."""
    world.send("mia", "PATCH", f"/v1/leads/{world.leads['Grace'].id}", json={"assigned_to": None})
    world.leads["Grace"].owner = None


def _demoted(world: World) -> None:
    """Make Dan an agent and Zoe a manager; both log in again."""
    for name, role in (("dan", Role.AGENT), ("zoe", Role.MANAGER)):
        world.send("ada", "PATCH", f"/v1/users/{world.id_of(name)}", json={"role": role.value})
        world.roles[name] = role
        world.persons[name] = world.service.log_in(world.users[name])


def _deactivated(world: World) -> None:
    """Deactivate Eve; her lead and her task stay assigned to her."""
    world.send("ada", "PATCH", f"/v1/users/{world.id_of('eve')}", json={"active": False})
    world.active.remove("eve")


def _lead_given_back(world: World) -> None:
    """Assign Grace to Ann again."""
    world.send("mia", "PATCH", f"/v1/leads/{world.leads['Grace'].id}", json={"assigned_to": world.id_of("ann")})
    world.leads["Grace"].owner = "ann"


def _lead_deleted(world: World) -> None:
    """Delete Grace."""
    world.send("mia", "DELETE", f"/v1/leads/{world.leads['Grace'].id}")
    world.leads["Grace"].deleted = True


STAGES: tuple[Callable[[World], None], ...] = (
    _at_first,
    _lead_reassigned,
    _task_reassigned,
    _task_closed,
    _lead_taken_away,
    _demoted,
    _deactivated,
    _lead_given_back,
    _lead_deleted,
)
