"""What users do with imports over HTTP, as functions of the user who does it."""

import json
from collections.abc import Mapping
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from werkzeug.test import TestResponse

from tests.http.service import PUBLIC_URL, HttpScenario, Person, Service
from unite_core.imports.model import ImportStatus
from unite_core.testing.in_memory import FixedClock, InMemoryFiles

IMPORTS = "/v1/lead-imports"
TWO_LEADS = b"Name,Phone,Email\nAda Lovelace,+12125550100,ada@example.com\nGrace Hopper,+12125550101,\n"

_edges = count(1)


def import_scenario(**ports: Any) -> HttpScenario:
    """Return a scenario with signed links to its files, two places for event streams, and no default country."""
    clock = ports.pop("clock", None) or FixedClock()
    files = ports.pop("files", None) or InMemoryFiles(clock, url=f"{PUBLIC_URL}/files")
    service = Service(default_country=None, max_event_streams=2, clock=clock, files=files, **ports)
    return HttpScenario(service, lead=False)


def announce_import(person: Person, content: bytes, **body: Any) -> TestResponse:
    return person.post(IMPORTS, json={"filename": "leads.csv", "size": len(content), **body})


def send_file(scenario: HttpScenario, upload: dict[str, Any], content: bytes) -> TestResponse:
    """Send a file to the signed link of an announced import, without a token."""
    return scenario.service.stranger.send(
        upload["method"], path_of(upload["url"]), headers=upload["headers"], data=content
    )


def upload_file(
    person: Person,
    content: bytes,
    *,
    options: Any = None,
    filename: str = "leads.csv",
    headers: Mapping[str, str] | None = None,
) -> TestResponse:
    """Upload a file as a form in one request."""
    # Like real clients, use another boundary for each body.
    edge = f"edge-{next(_edges)}"
    body = form_part(edge, "file", content, filename)
    if options is not None:
        body += form_part(edge, "options", json.dumps(options).encode())
    body += f"--{edge}--\r\n".encode()
    return person.post(f"{IMPORTS}/file", headers, data=body, content_type=f"multipart/form-data; boundary={edge}")


def import_file(person: Person, content: bytes, **options: Any) -> dict[str, Any]:
    """Import the file, and return the ended import."""
    uploaded = upload_file(person, content, options=options)
    assert uploaded.status_code == 202, uploaded.text
    person.service.run_jobs()
    return json_of(person.get(f"{IMPORTS}/{json_of(uploaded)['id']}"))


def run_one_chunk(scenario: HttpScenario, import_id: str) -> ImportStatus | None:
    """Run one chunk of the import, as a worker."""
    continue_import = scenario.service.unite.imports.continue_import
    return continue_import(UUID(import_id), holder="worker", should_stop=lambda: True)


def list_rejections(person: Person, import_id: str, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json_of(person.get(f"{IMPORTS}/{import_id}/rejections{query}"))["items"]
    return rows


def list_leads(person: Person) -> list[dict[str, Any]]:
    leads: list[dict[str, Any]] = json_of(person.get("/v1/leads?limit=200"))["items"]
    return leads


def form_part(edge: str, name: str, content: bytes, filename: str | None = None) -> bytes:
    """Return a part of a form (RFC 7578)."""
    of_file = f'; filename="{filename}"' if filename is not None else ""
    return f'--{edge}\r\nContent-Disposition: form-data; name="{name}"{of_file}\r\n\r\n'.encode() + content + b"\r\n"


def json_of(response: TestResponse) -> dict[str, Any]:
    content = response.get_json()
    assert isinstance(content, dict)
    return content


def path_of(url: str) -> str:
    """Return the URL without scheme and host."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def field_errors(response: TestResponse) -> dict[str, str]:
    """Return pointer or parameter -> code of the field errors in an answer."""
    return {fault.get("pointer", fault.get("parameter")): fault["code"] for fault in json_of(response)["errors"]}
