"""In-memory scenario for imports over HTTP, with a user of each role."""

import json
from collections.abc import Mapping
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from werkzeug.test import TestResponse

from entrypoints.http.app import create_app
from entrypoints.http.config import HttpConfig
from entrypoints.http.imports.events import EventStreams
from tests.http.documented_client import documented_client
from unite_core.application import build
from unite_core.identity.model import Role
from unite_core.identity.use_cases import Credentials, NewUser
from unite_core.imports.model import ImportStatus
from unite_core.testing.in_memory import FixedClock, InMemoryFiles, in_memory_ports

PUBLIC_URL = "https://unite.example"
PASSWORD = "a password of some length"
IMPORTS = "/v1/lead-imports"
TWO_LEADS = b"Name,Phone,Email\nAda Lovelace,+12125550100,ada@example.com\nGrace Hopper,+12125550101,\n"


class HttpImportScenario:
    """The service and its ports; an override replaces the port of its name."""

    def __init__(self, **overrides: Any) -> None:
        self.clock: FixedClock = overrides.pop("clock", None) or FixedClock()
        self.files = overrides.pop("files", None) or InMemoryFiles(self.clock, url=f"{PUBLIC_URL}/files")
        self.ports = in_memory_ports(clock=self.clock, files=self.files, **overrides)
        self.unite = build(self.ports)
        http_config = HttpConfig(
            public_url=PUBLIC_URL, cursor_secrets=(b"x" * 32,), signed_files=self.files, max_event_streams=2
        )
        self.app = create_app(self.unite, http_config)
        self.client = documented_client(self.app)
        self.users = {role: self._user(role) for role in Role}
        self.acting = Role.MANAGER
        self._edges = count(1)
        self._tokens: dict[Role, str] = {}

    @property
    def streams(self) -> EventStreams:
        streams: EventStreams = self.app.extensions["event_streams"]
        return streams

    def headers(self, role: Role | None = None) -> dict[str, str]:
        role = role or self.acting
        if role not in self._tokens:
            credentials = Credentials(email=f"{role}@unite.example", password=PASSWORD, address="192.0.2.1")
            self._tokens[role] = self.unite.identity.log_in(credentials).access_token
        return {"Authorization": f"Bearer {self._tokens[role]}"}

    def get(self, path: str, headers: Mapping[str, str] | None = None, **options: Any) -> TestResponse:
        return self.client.get(path, headers={**self.headers(), **(headers or {})}, **options)

    def post(self, path: str, headers: Mapping[str, str] | None = None, **options: Any) -> TestResponse:
        return self.client.post(path, headers={**self.headers(), **(headers or {})}, **options)

    def announce(self, content: bytes, **body: Any) -> TestResponse:
        return self.post(IMPORTS, json={"filename": "leads.csv", "size": len(content), **body})

    def send(self, upload: dict[str, Any], content: bytes) -> TestResponse:
        """Send a file to the signed link of an announced import."""
        return self.client.open(
            path_of(upload["url"]), method=upload["method"], headers=upload["headers"], data=content
        )

    def upload(
        self,
        content: bytes,
        *,
        options: Any = None,
        filename: str = "leads.csv",
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Upload a file as a form in one request."""
        # Like real clients, use another boundary for each body.
        edge = f"edge-{next(self._edges)}"
        body = form_part(edge, "file", content, filename)
        if options is not None:
            body += form_part(edge, "options", json.dumps(options).encode())
        body += f"--{edge}--\r\n".encode()
        return self.post(f"{IMPORTS}/file", headers, data=body, content_type=f"multipart/form-data; boundary={edge}")

    def run_jobs(self) -> None:
        self.ports.jobs.run_all(self.unite)

    def run_one_chunk(self, import_id: str) -> ImportStatus | None:
        """Run one chunk of the import, as a worker."""
        return self.unite.imports.continue_import(UUID(import_id), holder="worker", should_stop=lambda: True)

    def imported(self, content: bytes, **options: Any) -> dict[str, Any]:
        """Import the file, and return the ended import."""
        uploaded = self.upload(content, options=options)
        assert uploaded.status_code == 202, uploaded.text
        self.run_jobs()
        return json_of(self.get(f"{IMPORTS}/{json_of(uploaded)['id']}"))

    def rejections(self, import_id: str, query: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json_of(self.get(f"{IMPORTS}/{import_id}/rejections{query}"))["items"]
        return found

    def leads(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json_of(self.get("/v1/leads?limit=200"))["items"]
        return found

    def _user(self, role: Role) -> UUID:
        new = NewUser(email=f"{role}@unite.example", name=f"The {role}", role=role, password=PASSWORD)
        return self.unite.identity.create_user.unchecked(new).id


def form_part(edge: str, name: str, content: bytes, filename: str | None = None) -> bytes:
    """Return a part of a form (RFC 7578)."""
    told = f'; filename="{filename}"' if filename is not None else ""
    return f'--{edge}\r\nContent-Disposition: form-data; name="{name}"{told}\r\n\r\n'.encode() + content + b"\r\n"


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
