"""Hostile text takes no longer than plain text, wherever a request may hold it."""

import io
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

import orjson
import pytest

from entrypoints.http.framework.operation_docs import Operation
from entrypoints.http.framework.paging import PageQuery
from entrypoints.http.framework.request_body import MAX_BODY_BYTES
from entrypoints.http.imports.form import FORM_TYPE as MULTIPART
from entrypoints.http.webhooks.routes import FORM_TYPE as URL_ENCODED
from entrypoints.http.webhooks.routes import MAX_FORM_BYTES
from tests.guards.growth import is_slow, out_of_order, slow_texts
from tests.guards.http_inputs import Path, field_paths, header_names, operations, with_name, with_value
from tests.http.service import PASSWORD, Service
from unite_core.identity.use_cases import Credentials

LARGE = 48 * 1024
"""In bytes: what is quadratic takes more than a second for as much."""

MAX_QUERY_BYTES = 24 * 1024
"""In bytes before they are percent-encoded, which makes three of one."""

MAX_HEADERS_BYTES = 64 * 1024
"""In bytes."""

HEADERS_OF_THE_FRAMEWORK = (
    "Accept",
    "Connection",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "Host",
    "Origin",
    "Range",
    "Transfer-Encoding",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
)
CLIENT_ADDRESS = "127.0.0.1"
"""Where the requests of werkzeug's test client come from."""

OPERATIONS = operations(Service().app)


def name_of(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


@cache
def quoted(text: str) -> str:
    """The text percent-encoded; that takes longer than answering it, and the texts are always the same."""
    return quote(text, safe="")


class World:
    """A service with one thing of each kind in it, and somebody who may do everything."""

    def __init__(self) -> None:
        # A header that names the client is read where it comes from a trusted proxy, and nowhere else.
        self.service = Service(verify_text_signature=lambda *_: True, trusted_proxies=CLIENT_ADDRESS)
        self.admin = self.service.admin()
        self.client = self.service.app.test_client(use_cookies=False)
        self.authorization = f"Bearer {self.service.unite.identity.log_in(self._credentials()).access_token}"
        cookie = self.service.unite.identity.log_in_with_cookie(self._credentials())
        self.cookie = f"__Host-unite_session={cookie.value}"
        lead = self._made("/v1/leads", name="Grace Hopper", phone="+12125550123")
        task = self._made("/v1/call-tasks", lead_id=lead, due_at="2026-03-02T15:00:00Z")
        image = self._made(f"/v1/leads/{lead}/images", content_type="image/png", size=9)
        announced = self._made("/v1/lead-imports", filename="a.csv", size=9)
        done = self._made("/v1/call-tasks", lead_id=lead, due_at="2026-03-02T15:00:00Z")
        self.admin.post(f"/v1/call-tasks/{done}/complete", json={"outcome": "connected", "duration_seconds": 9})
        entry = self.admin.get("/v1/call-logs").get_json()["items"][0]["id"]
        self.parts = {
            "lead_id": lead,
            "task_id": task,
            "image_id": image,
            "import_id": announced,
            "user_id": str(self.admin.user.id),
            "entry_id": entry,
            "delivery_id": str(uuid4()),
            "key": "a/b",
            "code": "invalid",
            "name": "docs.css",
        }

    def _made(self, path: str, **body: Any) -> str:
        answer = self.admin.post(path, json=body)
        assert answer.status_code == 201, answer.get_json()
        return str(answer.get_json()["id"])

    def path_of(self, operation: Operation) -> str:
        """The path with ids of things that are there; a part of a new kind needs a thing in this world."""
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda part: self.parts[part[1]], operation.path)

    def _credentials(self) -> Credentials:
        return Credentials(email=self.admin.user.email, password=PASSWORD, address="192.0.2.1")


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture
def fresh() -> World:
    """A world for a test that deletes something of it."""
    return World()


def send(world: World, operation: Operation, **options: Any) -> None:
    query = options.pop("query", "")
    path = options.pop("path", None) or world.path_of(operation)
    if operation.cookie:
        headers = {"Cookie": world.cookie}
    else:
        headers = {} if operation.public else {"Authorization": world.authorization}
    # Handed over as the gateway hands it over: the client's own reading of a long URL takes longer than the service's.
    environ = {"QUERY_STRING": query, **options.pop("environ_overrides", {})}
    answer = world.client.open(path, method=operation.method, headers=headers, environ_overrides=environ, **options)
    assert answer.status_code < 500
    # What a limit refuses, or a login that has ended, is not read.
    assert answer.status_code != 429
    assert operation.public or answer.status_code != 401 or "HTTP_AUTHORIZATION" in environ
    # A stream is closed rather than read.
    answer.close()


def body_type(operation: Operation) -> str:
    return "application/merge-patch+json" if operation.method == "PATCH" else "application/json"


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.body is not None], ids=name_of)
def test_no_text_in_a_body_takes_long(world: World, operation: Operation) -> None:
    assert operation.body is not None
    paths = list(field_paths(operation.body()))
    places: list[tuple[Callable[..., Any], Path]] = [(with_value, path) for path in paths]
    places += [(with_name, (*parent, "")) for parent in {path[:-1] for path in paths}]
    slow = {}
    for place, path in places:

        def post(text: str, path: Any = path, place: Any = place) -> None:
            body = orjson.dumps(place(operation.body_example, path, text))
            send(world, operation, data=body, content_type=body_type(operation))

        slow_fields = slow_texts(post, LARGE)
        # What is quadratic is slow at this size already, and would take minutes at the next.
        if not slow_fields and is_slow(post, out_of_order(MAX_BODY_BYTES - 4096)):
            slow_fields = ["the largest body"]
        slow[place.__name__, path] = slow_fields

    assert not {where: texts for where, texts in slow.items() if texts}


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.body is not None], ids=name_of)
def test_half_a_surrogate_pair_takes_no_longer(world: World, operation: Operation) -> None:
    body = json.dumps(with_value(operation.body_example, ("name",), "\ud800" * (MAX_BODY_BYTES // 7)))

    send(world, operation, data=body, content_type=body_type(operation))


def _parameters() -> list[tuple[Operation, str]]:
    """Every parameter of every query; those that lists share, and a name of nobody's, with one operation of each."""
    parameters: dict[tuple[str, ...], tuple[Operation, str]] = {("unknown",): (OPERATIONS[0], "unknown")}
    for each in OPERATIONS:
        named = [parameter["name"] for parameter in each.parameters if parameter["in"] == "query"]
        named += [field.data_key or name for name, field in (each.query().fields if each.query else {}).items()]
        for name in named:
            shared = each.paged and name in PageQuery().fields
            parameters.setdefault((name,) if shared else (name, name_of(each)), (each, name))
    return list(parameters.values())


@pytest.mark.parametrize(("operation", "name"), _parameters())
def test_no_text_in_a_query_takes_long(world: World, operation: Operation, name: str) -> None:
    def ask(text: str) -> None:
        send(world, operation, query=f"{name}={quoted(text)}")

    assert not slow_texts(ask, MAX_QUERY_BYTES)


def test_no_name_in_a_query_takes_long(world: World) -> None:
    assert not slow_texts(lambda text: send(world, OPERATIONS[0], query=quoted(text)), MAX_QUERY_BYTES)


@pytest.mark.parametrize("name", sorted({*header_names(), *HEADERS_OF_THE_FRAMEWORK}))
def test_no_text_in_a_header_takes_long(fresh: World, name: str) -> None:
    slow = {}
    for operation in _kinds_of_operations():

        def ask(text: str, operation: Operation = operation) -> None:
            # A header holds bytes, which the gateway hands on as Latin-1 (PEP 3333).
            value = text.replace("\n", " ").encode().decode("latin-1")
            given = f"Bearer {value}" if name == "Authorization" else value
            variable = name.upper().replace("-", "_")
            own = variable if name in ("Content-Type", "Content-Length") else f"HTTP_{variable}"
            # Some headers are read where the body is good, and not before.
            body = {"data": orjson.dumps(operation.body_example), "content_type": body_type(operation)}
            send(fresh, operation, environ_overrides={own: given}, **(body if operation.body is not None else {}))

        slow[name_of(operation)] = slow_texts(ask, MAX_HEADERS_BYTES)

    assert not {where: texts for where, texts in slow.items() if texts}


def _kinds_of_operations() -> list[Operation]:
    """One of every kind that reads other headers than the others do: none that ends the login; what deletes is last."""
    kinds: dict[Any, Operation] = {}
    for each in sorted(OPERATIONS, key=lambda it: it.method == "DELETE"):
        if each.path.startswith("/v1/auth/logout"):
            continue
        own_body = tuple(each.request_body["content"]) if each.request_body else each.body is not None
        kinds.setdefault((own_body, each.cookie, each.idempotent, each.if_match, each.if_none_match), each)
    return list(kinds.values())


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if "<" in each.path], ids=name_of)
def test_no_text_in_a_path_takes_long(world: World, operation: Operation) -> None:
    slow = {}
    for part in re.findall(r"<(?:\w+:)?(\w+)>", operation.path):

        def ask(text: str, part: str = part) -> None:
            path = re.sub(
                r"<(?:\w+:)?(\w+)>",
                lambda match: quoted(text) if match[1] == part else world.parts[match[1]],
                operation.path,
            )
            send(world, operation, path="/", environ_overrides={"PATH_INFO": unquote(path, "latin-1")})

        slow[part] = slow_texts(ask, MAX_QUERY_BYTES)

    assert not {where: texts for where, texts in slow.items() if texts}


def _forms() -> list[tuple[Operation, str]]:
    results = []
    for each in OPERATIONS:
        content = each.request_body["content"] if each.request_body else {}
        if URL_ENCODED in content:
            schema = content[URL_ENCODED]["schema"]()
            results += [(each, field.data_key or name) for name, field in schema.fields.items()]
            results += [(each, "Unknown")]
    return results


@pytest.mark.parametrize(("operation", "name"), _forms())
def test_no_text_in_a_form_takes_long(world: World, operation: Operation, name: str) -> None:
    assert operation.request_body is not None
    example = operation.request_body["content"][URL_ENCODED]["example"]

    def post(text: str) -> None:
        form = "&".join(f"{key}={quoted(value)}" for key, value in {**example, name: text}.items())
        query = f"delivery={uuid4()}"
        send(
            world,
            operation,
            query=query,
            data=form[: min(MAX_FORM_BYTES, operation.max_body) - 100],
            content_type=URL_ENCODED,
        )

    assert not slow_texts(post, MAX_FORM_BYTES)


def test_no_text_in_a_multipart_body_takes_long(world: World) -> None:
    [operation] = [each for each in OPERATIONS if each.request_body and MULTIPART in each.request_body["content"]]
    good = b"Name,Phone\nAda,+12125550100\n"

    def post(
        disposition: bytes, content: bytes, *, boundary: bytes = b"x", before: bytes = b"", type_: bytes = b"text/csv"
    ) -> None:
        body = before + b"--%b\r\nContent-Disposition: form-data; %b\r\nContent-Type: %b\r\n\r\n%b\r\n--%b--\r\n" % (
            boundary,
            disposition,
            type_,
            content,
            boundary,
        )
        send(
            world,
            operation,
            input_stream=io.BytesIO(body),
            content_length=len(body),
            content_type=f"{MULTIPART}; boundary=x",
        )

    def line(text: str) -> bytes:
        return text.encode().replace(b"\n", b" ").replace(b"\r", b" ")

    places = {
        "filename": lambda text: post(b'name="file"; filename="%b"' % line(text), good),
        "bare filename": lambda text: post(b"name=file; filename=%b" % line(text), good),
        "encoded filename": lambda text: post(b"name=file; filename*=UTF-8''%b" % quote(text).encode(), good),
        "name": lambda text: post(b'name="%b"' % line(text), good),
        "disposition": lambda text: post(line(text), good),
        "type of a part": lambda text: post(b'name="file"; filename="a"', good, type_=line(text)),
        "preamble": lambda text: post(b'name="file"; filename="a"', good, before=line(text) + b"\r\n"),
        "options": lambda text: post(b'name="options"', text.encode()),
        "an option": lambda text: post(b'name="options"', orjson.dumps({"columns": {text: "name"}})),
        "file": lambda text: post(b'name="file"; filename="a"', text.encode()),
        "line ends": lambda text: post(b'name="file"; filename="a"', b"\r\n--" * (len(text) // 4)),
        "half line ends": lambda text: post(b'name="file"; filename="a"', b"\r" * len(text)),
    }
    slow = {where: slow_texts(place, 60 * 1024) for where, place in places.items()}

    assert not {where: texts for where, texts in slow.items() if texts}
