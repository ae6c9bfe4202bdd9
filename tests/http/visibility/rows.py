"""Test matrix of visibility: all operations with their targets and the expected statuses."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from entrypoints.http.documentation.routes import SWAGGER_UI
from tests.http.visibility.policy import leads_others, sees_lead, sees_task
from tests.http.visibility.world import DUE, PASSWORD, PNG, World, a_form
from unite_core.identity.model import Role

Status = Callable[[World, str], int]
ANY_ID = "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f"


@dataclass(frozen=True)
class Target:
    """A request of the matrix: its path, its content, and the expected status for an active viewer."""

    path: str
    status: Status
    request: dict[str, Any] = field(default_factory=dict)


Row = Callable[[World], Iterator[Target]]


def always(status: int) -> Status:
    return lambda _world, _viewer: status


def managers(status: int) -> Status:
    """Return the given status for admins and managers, and 403 for agents."""
    return lambda world, viewer: status if leads_others(world, viewer) else 403


def admins(status: int) -> Status:
    return lambda world, viewer: status if world.roles[viewer] is Role.ADMIN else 403


def a_list(path: str, *queries: str, status: Status | None = None) -> Row:
    """Return a list with queries for data of others; ids are written as {ann} and {Grace}."""

    def targets(world: World) -> Iterator[Target]:
        known = {name: world.id_of(name) for name in world.users} | {n: it.id for n, it in world.leads.items()}
        known |= {f"task_{name}": task.id for name, task in world.tasks.items()}
        for query in ("", *queries):
            yield Target(path + query.format(**known), status or always(200))

    return targets


def of_leads(path: str, allowed: int, *, managed: bool = False, **request: Any) -> Row:
    """Return a request per lead: 404 for those who may not see it; 403 for an agent who may if it is `managed`."""

    def targets(world: World) -> Iterator[Target]:
        for lead in [*world.leads.values()]:

            def status(world: World, viewer: str, lead: Any = lead) -> int:
                if not sees_lead(world, viewer, lead):
                    return 404
                return allowed if not managed or leads_others(world, viewer) else 403

            yield Target(path.format(lead=lead.id), status, request)

    return targets


def of_images(path: str, allowed: int) -> Row:
    def targets(world: World) -> Iterator[Target]:
        lead = world.leads["Grace"]
        for image in lead.images:

            def status(world: World, viewer: str) -> int:
                return allowed if sees_lead(world, viewer, lead) else 404

            yield Target(path.format(lead=lead.id, image=image), status)

    return targets


def of_tasks(path: str, allowed: int, *, closed: int | None = None, managed: bool = False, **request: Any) -> Row:
    """Return a request per task: 404 if it is not visible, 403 if agents may not do it, `closed` if it is closed."""

    def targets(world: World) -> Iterator[Target]:
        for task in [*world.tasks.values()]:

            def status(world: World, viewer: str, task: Any = task) -> int:
                if not sees_task(world, viewer, task):
                    return 404
                if managed and not leads_others(world, viewer):
                    return 403
                return allowed if task.pending or closed is None else closed

            yield Target(path.format(task=task.id), status, request)

    return targets


def new_tasks(world: World) -> Iterator[Target]:
    for lead in world.leads.values():

        def status(world: World, viewer: str, lead: Any = lead) -> int:
            return 201 if sees_lead(world, viewer, lead) else 404

        yield Target("/v1/call-tasks", status, {"json": {"lead_id": lead.id, "due_at": DUE}})


def assignments(world: World) -> Iterator[Target]:
    body = {"json": {"assigned_to": world.id_of("cyd")}}
    for target in of_tasks("/v1/call-tasks/{task}/assign", 200, closed=409, managed=True, **body)(world):
        # Assigning a task to its present assignee changes nothing, closed or not.
        own = target.path == f"/v1/call-tasks/{world.tasks['own'].id}/assign"
        yield Target(target.path, _unless(target.status, 409, 200) if own else target.status, target.request)


def _unless(status: Status, one: int, other: int) -> Status:
    return lambda world, viewer: other if status(world, viewer) == one else status(world, viewer)


def corrections(world: World) -> Iterator[Target]:
    for task in [*world.tasks.values()]:
        for entry in (each for each in task.entries if "-" in each):

            def status(world: World, viewer: str, task: Any = task) -> int:
                if not sees_task(world, viewer, task):
                    return 404
                return 200 if leads_others(world, viewer) else 403

            body = {"json": {"reason": "It was busy.", "outcome": "busy", "duration_seconds": 0}}
            yield Target(f"/v1/call-logs/{entry}/corrections", status, body)


def of_imports(path: str, **statuses: int) -> Row:
    """Return a request per import: 403 for agents, whether the import exists or not."""

    def targets(world: World) -> Iterator[Target]:
        for name, import_id in world.imports.items():
            yield Target(path.format(id=import_id), managers(statuses.get(name, statuses.get("other", 200))))
        yield Target(path.format(id=ANY_ID), managers(404))

    return targets


def of_users(**request: Any) -> Row:
    """Return a request per user: agents see only themselves, and only admins may change one."""

    def targets(world: World) -> Iterator[Target]:
        for name in world.users:

            def status(world: World, viewer: str, name: str = name) -> int:
                if not leads_others(world, viewer) and viewer != name:
                    return 404
                return 200 if not request or world.roles[viewer] is Role.ADMIN else 403

            yield Target(f"/v1/users/{world.id_of(name)}", status, request)

    return targets


def password_resets(world: World) -> Iterator[Target]:
    """Return the requests for resetting the passwords of others, for admins only."""
    for name in world.users:

        def status(world: World, viewer: str, name: str = name) -> int:
            return 200 if world.roles[viewer] is Role.ADMIN and viewer != name else 403

        yield Target(f"/v1/users/{world.id_of(name)}/password-reset", status)


def duplicates(world: World) -> Iterator[Target]:
    """Return existing leads and a new one."""
    for lead in [*world.leads.values()]:
        phone = max(value for value in lead.values if value.startswith("+"))
        yield Target("/v1/leads", always(201 if lead.deleted else 409), {"json": {"name": "Twice", "phone": phone}})
    yield Target("/v1/leads", always(201), {"json": {"name": "Once", "email": "once@example.com"}})


def of_deliveries(path: str, status: Status) -> Row:
    def targets(world: World) -> Iterator[Target]:
        for delivery in sorted(world.deliveries)[:2]:
            yield Target(path.format(id=delivery), status)

    return targets


def one(path: str, status: Status, **request: Any) -> Row:
    return lambda _: iter([Target(path, status, request)])


LEADS, LEAD, IMAGES = "/v1/leads", "/v1/leads/<uuid:lead_id>", "/v1/leads/<uuid:lead_id>/images"
TASKS, TASK, LOGS = "/v1/call-tasks", "/v1/call-tasks/<uuid:task_id>", "/v1/call-logs"
IMPORTS, IMPORT = "/v1/lead-imports", "/v1/lead-imports/<uuid:import_id>"
COMPLETION = {"outcome": "no_answer", "duration_seconds": 0}
WRONG = {"current_password": "a wrong password", "new_password": "one more password"}
LOGIN = {"email": "ann@people.example", "password": "a wrong password"}
USER = {"email": "two@people.example", "name": "Two", "role": "agent", "password": PASSWORD}

ROWS: dict[str, Row] = {
    f"GET {LEADS}": a_list(
        LEADS,
        "?assigned_to={ann}",
        "?assigned_to={ben}",
        "?assigned_to=none",
        "?q=Lead",
        "?q=Later",
        "?q=company",
        "?company=company-of-grace",
        "?limit=1",
    ),
    f"POST {LEADS}": duplicates,
    f"GET {LEAD}": of_leads("/v1/leads/{lead}", 200),
    f"PATCH {LEAD}": of_leads("/v1/leads/{lead}", 200, json={"source": "matrix"}),
    f"DELETE {LEAD}": of_leads("/v1/leads/{lead}", 204, managed=True),
    f"GET {LEAD}/activity": of_leads("/v1/leads/{lead}/activity", 200),
    f"GET {IMAGES}": of_leads("/v1/leads/{lead}/images", 200),
    f"POST {IMAGES}": of_leads(
        "/v1/leads/{lead}/images", 201, json={"content_type": "image/png", "size": len(PNG), "filename": "new.png"}
    ),
    f"POST {IMAGES}/<uuid:image_id>/complete": of_images("/v1/leads/{lead}/images/{image}/complete", 200),
    f"DELETE {IMAGES}/<uuid:image_id>": of_images("/v1/leads/{lead}/images/{image}", 204),
    f"GET {TASKS}": a_list(
        TASKS, "?assigned_to={ann}", "?assigned_to={ben}", "?lead_id={Grace}", "?status=completed", "?limit=1"
    ),
    f"POST {TASKS}": new_tasks,
    f"GET {TASK}": of_tasks("/v1/call-tasks/{task}", 200),
    f"GET {TASK}/ledger": of_tasks("/v1/call-tasks/{task}/ledger", 200),
    f"POST {TASK}/notes": of_tasks("/v1/call-tasks/{task}/notes", 200, json={"text": "One more."}),
    f"POST {TASK}/complete": of_tasks("/v1/call-tasks/{task}/complete", 200, closed=409, json=COMPLETION),
    f"POST {TASK}/cancel": of_tasks(
        "/v1/call-tasks/{task}/cancel", 200, closed=409, managed=True, json={"reason": "Another reason."}
    ),
    f"POST {TASK}/assign": assignments,
    f"GET {LOGS}": a_list(LOGS, "?agent={ann}", "?agent={ben}", "?lead_id={Grace}", "?task_id={task_called}"),
    f"POST {LOGS}/<uuid:entry_id>/corrections": corrections,
    f"GET {IMPORTS}": a_list(IMPORTS, "?status=completed", status=managers(200)),
    f"POST {IMPORTS}": one(IMPORTS, managers(201), json={"filename": "new.csv", "size": 9}),
    f"POST {IMPORTS}/file": one(f"{IMPORTS}/file", managers(202), **a_form("new.csv")),
    f"GET {IMPORT}": of_imports("/v1/lead-imports/{id}"),
    f"GET {IMPORT}/activity": of_imports("/v1/lead-imports/{id}/activity"),
    f"GET {IMPORT}/rejections": of_imports("/v1/lead-imports/{id}/rejections"),
    f"GET {IMPORT}/error-report": of_imports("/v1/lead-imports/{id}/error-report", other=302, cancelled=404),
    f"GET {IMPORT}/events": of_imports("/v1/lead-imports/{id}/events"),
    f"POST {IMPORT}/start": of_imports("/v1/lead-imports/{id}/start", other=202, cancelled=409),
    f"POST {IMPORT}/cancel": of_imports("/v1/lead-imports/{id}/cancel", other=409, cancelled=200),
    f"POST {IMPORT}/undo": of_imports("/v1/lead-imports/{id}/undo", cancelled=409),
    **{
        f"GET /v1/reports/{name}": one(f"/v1/reports/{name}", always(200))
        for name in ("metrics", "daily", "insights", "funnel", "attempts", "speed-to-lead", "heatmap", "activity")
    },
    "GET /v1/reports/leaderboard": a_list("/v1/reports/leaderboard", "?metric=contact_rate", "?metric=total_calls"),
    "GET /v1/reports/reconciliation": one("/v1/reports/reconciliation", managers(200)),
    "GET /v1/users": a_list("/v1/users", "?role=agent", "?active=false"),
    "POST /v1/users": one("/v1/users", admins(201), json=USER),
    "GET /v1/users/<uuid:user_id>": of_users(),
    "PATCH /v1/users/<uuid:user_id>": of_users(json={"phone": None}),
    "POST /v1/users/<uuid:user_id>/password-reset": password_resets,
    "GET /v1/me": one("/v1/me", always(200)),
    "PATCH /v1/me": one("/v1/me", managers(200), json={"daily_summary": None}),
    "POST /v1/me/password": one("/v1/me/password", always(422), json=WRONG),
    "GET /v1/deliveries": a_list("/v1/deliveries", "?destination=texts", "?limit=200", status=managers(200)),
    "GET /v1/deliveries/<uuid:delivery_id>/activity": of_deliveries("/v1/deliveries/{id}/activity", managers(200)),
    "POST /v1/deliveries/<uuid:delivery_id>/replay": of_deliveries("/v1/deliveries/{id}/replay", admins(409)),
    "POST /v1/auth/login": one("/v1/auth/login", always(401), json=LOGIN),
    "POST /v1/auth/refresh": one("/v1/auth/refresh", always(401), json={"refresh_token": "x" * 43}),
    "POST /v1/auth/logout": one("/v1/auth/logout", always(204)),
    "POST /v1/auth/logout-all": one("/v1/auth/logout-all", always(204)),
    "GET /docs": one("/docs", always(200)),
    "GET /docs/docs.css": one("/docs/docs.css", always(200)),
    "GET /docs/docs.js": one("/docs/docs.js", always(200)),
    "GET /docs/swagger-ui/<name>": one(SWAGGER_UI.path_of("swagger-ui.css"), always(200)),
    "GET /openapi.json": one("/openapi.json", always(200)),
    "GET /problems/<code>": one("/problems/not_found", always(200)),
    "GET /health/live": one("/health/live", always(200)),
    "GET /health/ready": one("/health/ready", always(200)),
    "GET /files/<path:key>": one("/files/images/x", always(403)),
    "PUT /files/<path:key>": one("/files/uploads/images/x", always(403), data=b"x", content_type="image/png"),
    "POST /webhooks/twilio/status": one("/webhooks/twilio/status", always(403), data={"MessageSid": "x"}),
    "POST /webhooks/twilio/inbound": one("/webhooks/twilio/inbound", always(403), data={"MessageSid": "x"}),
}
"""Operation -> its row."""
