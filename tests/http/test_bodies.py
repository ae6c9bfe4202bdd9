"""Tests of request bodies: JSON syntax, media types, encodings, sizes and unknown fields."""

import io
import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import orjson
import pytest

from entrypoints.http.framework.request_body import MAX_BODY_BYTES, MAX_JSON_DEPTH
from tests.http.contended import ContendedWork
from tests.http.service import Person, Service, faults, problem
from unite_core.testing.in_memory import InMemoryUnitOfWorkFactory, Store

JSON = "application/json"


@pytest.fixture
def manager(service: Service) -> Person:
    return service.manager()


def post(person: Person, body: bytes, content_type: str | None = "application/json", **rest: Any) -> Any:
    headers = {"Content-Type": content_type} if content_type else {}
    return person.post("/v1/leads", data=body, headers=headers, **rest)


GOOD = b'{"name": "Grace", "phone": "+12125550123"}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b"{'name': 'Grace'}",
        b'{"name": "Grace",}',
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": -Infinity}',
        b'{"name": 1e999}',
        b'{"name": "\\ud800"}',
        b'{"name": "\\uDBFF\\uDBFF"}',
        b'{"name": "\\udc00\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"name": "\xff"}',
        b'{"name": -1e999}',
        b'{"name": [[[1e400]]]}',
        b'{"name": {"a": {"b": 1, "b": 2}}}',
        b'{"name": 01}',
        b'{"name": "\t"}',
        b'{"name": 1} 2',
        b"\0",
        b'{"name": "a", "name": "b"}',
        b'{"name": {"a": 1, "a": 2}}',
        b"\xef\xbb\xbf" + GOOD,
        GOOD.decode().encode("utf-16"),
        b'{"name": ' + b"1" * 5000 + b"}",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 30_000 + b"1" + b"}" * 30_000,
        b"[" * (MAX_JSON_DEPTH + 1) + b"]" * (MAX_JSON_DEPTH + 1),
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_invalid_or_too_deeply_nested_json_is_400(manager: Person, body: bytes) -> None:
    assert problem(post(manager, body)) == (400, "malformed_json")


@pytest.mark.parametrize("name", ["\\ud83d\\ude00", "\\\\ud83d", "\\ud83d\\uDE00 \\\\ud83d"])
def test_surrogate_pairs_and_similar_escapes_are_accepted(manager: Person, name: str) -> None:
    answer = post(manager, f'{{"name": "{name}", "phone": "+12125550123"}}'.encode())

    assert answer.status_code == 201
    assert answer.get_json()["name"] == json.loads(f'"{name}"')


def test_json_may_be_nested_twenty_levels(manager: Person) -> None:
    body = b"[" * MAX_JSON_DEPTH + b"]" * MAX_JSON_DEPTH

    assert problem(post(manager, body)) == (422, "invalid")


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"null", b"true"])
def test_a_body_that_is_not_an_object_is_invalid(manager: Person, body: bytes) -> None:
    assert problem(post(manager, body)) == (422, "invalid")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", None])
def test_another_media_type_is_415_with_the_accepted_types(manager: Person, content_type: str | None) -> None:
    answer = post(manager, GOOD, content_type)

    assert problem(answer) == (415, "unsupported_media_type")
    assert answer.headers["Accept"] == "application/json"


def test_merge_patch_is_accepted_only_by_patch(manager: Person) -> None:
    assert problem(post(manager, GOOD, "application/merge-patch+json")) == (415, "unsupported_media_type")
    lead = post(manager, GOOD).headers["Location"]
    refused = manager.patch(lead, data=b"{}", headers={"Content-Type": "text/plain"})
    assert refused.headers["Accept"] == "application/json, application/merge-patch+json"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_the_media_type_may_have_parameters_and_capitals(manager: Person, content_type: str) -> None:
    assert post(manager, GOOD, content_type).status_code == 201


def test_a_body_over_one_mebibyte_is_413(manager: Person) -> None:
    body = b'{"name": "' + b"x" * MAX_BODY_BYTES + b'"}'

    assert problem(post(manager, body)) == (413, "too_large")


def test_a_body_of_one_mebibyte_is_read(manager: Person) -> None:
    body = b'{"name": "' + b"x" * (MAX_BODY_BYTES - 12) + b'"}'
    assert len(body) == MAX_BODY_BYTES

    assert problem(post(manager, body)) == (422, "invalid")


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "nonsense"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/leads"),
        ("POST", "/v1/auth/logout"),
        ("POST", "/v1/lead-imports/file"),
        ("PATCH", "/v1/leads/01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f"),
        ("PUT", "/files/imports/01990f3e"),
    ],
)
def test_an_encoded_body_is_415(manager: Person, method: str, path: str, encoding: str) -> None:
    answer = manager.send(method, path, data=GOOD, headers={"Content-Type": JSON, "Content-Encoding": encoding})

    assert problem(answer) == (415, "unsupported_media_type")
    assert answer.headers["Accept-Encoding"] == "identity"
    assert "Accept" not in answer.headers


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_an_explicit_identity_encoding_is_accepted(manager: Person, encoding: str) -> None:
    assert post(manager, GOOD).status_code == 201
    answer = manager.post("/v1/leads", data=GOOD, headers={"Content-Type": JSON, "Content-Encoding": encoding})
    assert problem(answer) == (409, "duplicate_lead")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('{"a.b": 1}', "/a.b"),
        ('{"a~/b.": 1}', "/a~0~1b."),
        ('{".": 1}', "/."),
        ('{"": 1}', "/"),
    ],
)
def test_an_unknown_field_is_reported_by_a_json_pointer_whatever_its_name(
    manager: Person, body: str, pointer: str
) -> None:
    answer = manager.post("/v1/auth/refresh", data=body, headers={"Content-Type": JSON})

    assert faults(answer) == [("/refresh_token", "required"), (pointer, "unknown_field")]


def test_the_error_for_null_says_whether_the_field_is_required(manager: Person) -> None:
    answer = manager.post("/v1/leads", json={"name": None, "source": None})

    details = {fault["pointer"]: fault["detail"] for fault in answer.get_json()["errors"]}
    assert details == {
        "/name": "This is required, and may not be null.",
        "/source": "This may be left out, and may not be null.",
    }


class Endless(io.RawIOBase):
    """A chunked body without an end, which counts the bytes that were read."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        target[:] = b"x" * len(target)
        self.given += len(target)
        return len(target)


def test_a_body_without_a_length_is_read_up_to_the_limit(manager: Person) -> None:
    endless = Endless()

    answer = manager.post(
        "/v1/leads",
        headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input": endless, "wsgi.input_terminated": True},
    )

    assert problem(answer) == (413, "too_large")
    assert endless.given <= MAX_BODY_BYTES + 64 * 1024


LIMITS = {
    "/v1/auth/login": 16 * 1024,
    "/v1/auth/refresh": 16 * 1024,
    "/v1/auth/logout": 16 * 1024,
    "/v1/auth/logout-all": 16 * 1024,
    "/v1/leads": 1024 * 1024,
    "/v1/call-tasks": 1024 * 1024,
}


@pytest.mark.parametrize("path", LIMITS)
def test_each_operation_has_its_own_size_limit(manager: Person, path: str) -> None:
    limit = LIMITS[path]
    keyed = {"Content-Type": JSON, "Idempotency-Key": "k"}

    taken = manager.post(path, data=b'{"a": "' + b"x" * (limit - 9) + b'"}', headers=keyed)
    refused = manager.post(path, data=b"x" * (limit + 1), headers=keyed)

    assert taken.status_code != 413
    if taken.status_code != 204:
        assert problem(refused) == (413, "too_large")
        assert f"{limit:,} bytes" in refused.get_json()["detail"]


def parsings_of(text: str, work: Callable[[], Any]) -> int:
    """How often the door parses this text as JSON, by whichever of the two parsers that there are."""
    results = []

    def watch(frame: FrameType, event: str, function: Any) -> None:
        is_json = event == "call" and frame.f_code is json.JSONDecoder.raw_decode.__code__
        if is_json and frame.f_locals["s"] == text:
            results.append("json")
        elif event == "c_call" and function is orjson.loads and frame.f_globals["__name__"].endswith(".bodies"):
            results.append("orjson")

    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(None)
    return len(results)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}], ids=["without a key", "with a key"])
@pytest.mark.parametrize("more", [{}, {"unknown": 1}, {"phone": "none"}], ids=["good", "unknown field", "no phone"])
@pytest.mark.parametrize("times", [0, 2], ids=["at once", "begun anew"])
def test_a_body_is_parsed_once(headers: dict[str, str], more: dict[str, Any], times: int) -> None:
    store = Store()
    work = ContendedWork(store)
    manager = Service(work=work, reads=InMemoryUnitOfWorkFactory(store, writes=False)).manager()
    work.times = times
    text = json.dumps({"name": "Grace", "phone": "+12125550123", **more})

    parsings = parsings_of(
        text, lambda: manager.post("/v1/leads", data=text, headers={"Content-Type": JSON, **headers})
    )

    assert parsings == 1


@pytest.mark.parametrize("name", ["_schema", "__proto__", "_schema.name"])
def test_a_field_name_with_a_meaning_for_a_library_is_an_unknown_field(manager: Person, name: str) -> None:
    inner = {"filename": "a.csv", "size": 1, "options": {name: 1}}

    assert faults(manager.post("/v1/leads", json={"name": "Ada", "email": "ada@example.com", name: 1})) == [
        (f"/{name}", "unknown_field")
    ]
    assert faults(manager.post("/v1/lead-imports", json=inner)) == [(f"/options/{name}", "unknown_field")]
    assert faults(manager.get(f"/v1/leads?{name}=1")) == [(name, "unknown_parameter")]
