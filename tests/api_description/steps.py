"""Steps of the Postman collection: its requests, in an order in which each succeeds.

Every operation of the API has at least one step. A step takes what it needs from variables, which are the `{{names}}`
that an earlier step saved, and says which status it expects.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from entrypoints.http.documentation.routes import SWAGGER_UI

PICTURE = "portrait.png"
CSV_FILE = "leads.csv"

UUID_LENGTH = 36
CSV_TEXT = "Full Name,E-mail\r\nGrace Hopper,grace-{{run}}@navy.example\r\nNobody,no address\r\n"
"""A valid and a rejected row; `run` is a UUID, so that a second run of the collection creates no duplicates."""
CSV_SIZE = len(CSV_TEXT.replace("{{run}}", "0" * UUID_LENGTH))

PASSWORD = "correct horse battery"
NEXT_PASSWORD = "staple battery horse"
ZONE = "UTC"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request: an operation, what it is sent, the status that it expects, and what it saves.

    `path` and `query` give values to parameters, `url` replaces both: a signed link. `body` replaces the example of the
    description; `text`, `file` and `form` are bodies that are not JSON. `saved` names variables, each with the place of
    its value in the answer. With `until` the request is sent again until the answer's `status` is one of these.
    Where it depends on the moment which status is answered, `status` has each that may be.
    """

    operation: str
    status: int | tuple[int, ...]
    name: str = ""
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    body: Any = None
    text: str = ""
    file: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    saved: Mapping[str, str] = field(default_factory=dict)
    token: str = "access_token"
    until: tuple[str, ...] = ()


_LEAD = {"lead_id": "{{lead_id}}"}
_IMAGE = {**_LEAD, "image_id": "{{image_id}}"}
_TASK = {"task_id": "{{task_id}}"}
_IMPORT = {"import_id": "{{import_id}}"}
_USER = {"user_id": "{{agent_id}}"}
_PERIOD = {"from": "{{today}}", "to": "{{today}}", "tz": ZONE}
_DAY = {"date": "{{today}}", "tz": ZONE}
_AGENT = "agent_token"
_ENDED = ("completed", "failed", "cancelled")
_NEW_LEAD = {"name": "Grace Hopper", "email": "grace-{{$randomUUID}}@navy.example", "assigned_to": "{{agent_id}}"}
_NEW_IMPORT = {"filename": CSV_FILE, "size": CSV_SIZE, "options": {"default_country": "US"}}


def _log_in_as_agent(name: str, password: str) -> Step:
    body = {"email": "{{agent_email}}", "password": password}
    return Step(operation="log_in", status=200, name=name, body=body, saved={_AGENT: "access_token"})


def _send_by_signed_link(name: str, content_type: str, *, text: str = "", file: str = "") -> Step:
    headers = {"Content-Type": content_type}
    return Step(
        operation="receive_file", status=204, name=name, url="{{upload_url}}", headers=headers, text=text, file=file
    )


def _create_call_task(hour: int, *, name: str = "", **more: str) -> Step:
    body = {"lead_id": "{{lead_id}}", "due_at": f"{{{{tomorrow}}}}T{hour}:00:00Z", **more}
    return Step(operation="create_call_task", status=201, name=name, body=body, saved={"task_id": "id"})


def _refuse_unsigned(operation: str, name: str, **query: str) -> Step:
    return Step(operation=operation, status=403, name=name, query=query, headers={"X-Twilio-Signature": "c2lnbmF0dXJl"})


STEPS: dict[str, list[Step]] = {
    "Log in": [
        Step(
            operation="log_in",
            status=200,
            body={"email": "{{admin_email}}", "password": "{{admin_password}}"},
            saved={"access_token": "access_token", "refresh_token": "refresh_token"},
        ),
        Step(
            operation="refresh",
            status=200,
            body={"refresh_token": "{{refresh_token}}"},
            saved={"access_token": "access_token", "refresh_token": "refresh_token"},
        ),
        Step(operation="me", status=200),
        Step(operation="change_me", status=200),
    ],
    "Users": [
        Step(
            operation="add_user",
            status=201,
            body={
                "email": "agent-{{$randomUUID}}@unite.example",
                "name": "Ada Lovelace",
                "role": "agent",
                "password": PASSWORD,
            },
            saved={"agent_id": "id", "agent_email": "email"},
        ),
        Step(operation="list_users", status=200, query={"role": "agent", "limit": "10"}),
        Step(operation="get_user", status=200, path=_USER),
        Step(operation="change_user", status=200, path=_USER, body={"name": "Ada King"}),
    ],
    "An agent": [
        _log_in_as_agent("Log in as the agent", PASSWORD),
        Step(
            operation="change_password",
            status=204,
            token=_AGENT,
            body={"current_password": PASSWORD, "new_password": NEXT_PASSWORD},
        ),
        _log_in_as_agent("Log in with the new password", NEXT_PASSWORD),
        Step(operation="log_out_everywhere", status=204, token=_AGENT),
        Step(operation="reset_password", status=200, path=_USER),
    ],
    "Leads": [
        Step(operation="add_lead", status=201, body=_NEW_LEAD, saved={"lead_id": "id"}),
        Step(operation="list_leads", status=200, query={"status": "new,contacted", "limit": "10"}),
        Step(operation="get_lead", status=200, path=_LEAD),
        Step(operation="change_lead", status=200, path=_LEAD, body={"status": "contacted"}),
        Step(operation="get_lead_activity", status=200, path=_LEAD),
    ],
    "Pictures": [
        Step(
            operation="add_image",
            status=201,
            path=_LEAD,
            body={"content_type": "image/png", "size": 0, "filename": PICTURE},
            saved={"image_id": "id", "upload_url": "upload.url"},
        ),
        _send_by_signed_link("Send the picture by the signed link", "image/png", file=PICTURE),
        Step(operation="complete_image", status=200, path=_IMAGE),
        Step(operation="list_images", status=200, path=_LEAD, saved={"download_url": "items[0].download_url"}),
        Step(operation="serve_file", status=200, url="{{download_url}}"),
        Step(operation="delete_image", status=204, path=_IMAGE),
    ],
    "Call tasks": [
        _create_call_task(15, note="She asked for a price."),
        Step(operation="list_call_tasks", status=200, query={"lead_id": "{{lead_id}}"}),
        Step(operation="get_call_task", status=200, path=_TASK),
        Step(operation="assign_call_task", status=200, path=_TASK, body={"assigned_to": "{{agent_id}}"}),
        Step(operation="note_call_task", status=200, path=_TASK),
        Step(
            operation="complete_call_task",
            status=200,
            path=_TASK,
            body={"outcome": "connected", "duration_seconds": 312, "note": "She will think about it."},
        ),
        Step(
            operation="list_call_logs", status=200, query={"task_id": "{{task_id}}"}, saved={"entry_id": "items[0].id"}
        ),
        Step(operation="correct_call_log", status=200, path={"entry_id": "{{entry_id}}"}),
        Step(operation="get_ledger", status=200, path=_TASK),
        _create_call_task(16, name="Create another call task"),
        Step(operation="cancel_call_task", status=200, path=_TASK),
    ],
    "Lead imports": [
        Step(
            operation="announce_import",
            status=201,
            body=_NEW_IMPORT,
            saved={"import_id": "id", "upload_url": "upload.url"},
        ),
        _send_by_signed_link("Send the CSV file by the signed link", "text/csv", text=CSV_TEXT),
        Step(operation="start_import", status=202, path=_IMPORT),
        Step(operation="get_import", status=200, path=_IMPORT, until=_ENDED),
        Step(operation="follow_import", status=200, path=_IMPORT),
        Step(operation="list_imports", status=200),
        Step(operation="list_rejections", status=200, path=_IMPORT, query={"kind": "rejected"}),
        Step(operation="get_error_report", status=302, path=_IMPORT),
        Step(operation="get_import_activity", status=200, path=_IMPORT),
        Step(operation="undo_import", status=(200, 202), path=_IMPORT),
        Step(
            operation="announce_import",
            status=201,
            name="Announce another file",
            body=_NEW_IMPORT,
            saved={"import_id": "id"},
        ),
        Step(operation="cancel_import", status=200, path=_IMPORT),
        Step(
            operation="import_file",
            status=202,
            form={"file": CSV_FILE, "options": '{"on_duplicate": "skip"}'},
            saved={"import_id": "id"},
        ),
        Step(
            operation="get_import",
            status=200,
            name="Read the import of the uploaded file",
            path=_IMPORT,
            until=_ENDED,
        ),
    ],
    "Reports": [
        Step(operation="get_metrics", status=200),
        Step(operation="get_daily_report", status=200, query=_DAY),
        Step(operation="get_insights", status=200, query=_PERIOD),
        Step(operation="get_funnel", status=200, query=_PERIOD),
        Step(operation="get_attempts", status=200, query=_PERIOD),
        Step(operation="get_speed_to_lead", status=200, query=_PERIOD),
        Step(operation="get_heatmap", status=200, query=_PERIOD),
        Step(operation="get_leaderboard", status=200, query={**_PERIOD, "metric": "contact_rate"}),
        Step(operation="get_activity", status=200, query=_PERIOD),
        Step(operation="get_reconciliation", status=200, query=_DAY),
    ],
    "Deliveries": [
        Step(operation="list_deliveries", status=200, saved={"delivery_id": "items[0].id"}),
        Step(operation="get_delivery_activity", status=200, path={"delivery_id": "{{delivery_id}}"}),
        Step(
            operation="replay_delivery",
            status=409,
            name="Refuse to replay a delivery that is no dead letter",
            path={"delivery_id": "{{delivery_id}}"},
        ),
    ],
    "Webhooks": [
        _refuse_unsigned("take_text_status", "Refuse a status that Twilio did not sign", delivery="{{delivery_id}}"),
        _refuse_unsigned("take_inbound_text", "Refuse a text message that Twilio did not sign"),
    ],
    "Health and documentation": [
        Step(operation="live", status=200),
        Step(operation="ready", status=200),
        Step(operation="openapi_document", status=200),
        Step(operation="docs", status=200),
        Step(operation="docs_script", status=200),
        Step(operation="docs_style", status=200),
        Step(
            operation="docs_swagger_ui",
            status=200,
            path={"name": PurePosixPath(SWAGGER_UI.path_of("swagger-ui.css")).name},
        ),
        Step(operation="problem", status=200, path={"code": "duplicate_lead"}),
    ],
    "Clean up": [
        Step(operation="delete_lead", status=204, path=_LEAD),
        Step(operation="log_out", status=204),
    ],
}
"""By folder of the collection."""
