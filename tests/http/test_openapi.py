"""Tests of all routes against the OpenAPI document: authentication, documentation, idempotency keys and bounds."""

import ast
import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from entrypoints.http.framework.operations import operation_of
from entrypoints.http.framework.problems import PROBLEMS
from tests.conftest import CHECKOUT
from tests.http.documented_client import Description
from tests.http.service import Service, problem
from unite_core.errors import UniteError

WITHOUT_AUTHENTICATION = {
    ("POST", "/v1/auth/login"),
    ("POST", "/v1/auth/refresh"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/docs/docs.js"),
    ("GET", "/docs/docs.css"),
    ("GET", "/docs/swagger-ui/<name>"),
    ("GET", "/problems/<code>"),
    # Whoever holds a signed link may follow it.
    ("GET", "/files/<path:key>"),
    ("PUT", "/files/<path:key>"),
    # Whoever calls proves by a signature that they are Twilio.
    ("POST", "/webhooks/twilio/status"),
    ("POST", "/webhooks/twilio/inbound"),
}

WITHOUT_KEY = {
    "/webhooks/twilio/status",
    "/webhooks/twilio/inbound",
    "/v1/auth/login",
    "/v1/auth/refresh",
    "/v1/auth/logout",
    "/v1/auth/logout-all",
    "/v1/users/{user_id}/password-reset",
}
"""POSTs of webhooks, which have one effect however often they come, and POSTs whose every attempt counts."""


@pytest.fixture(scope="module")
def served() -> Service:
    return Service()


@pytest.fixture(scope="module")
def document(served: Service) -> dict[str, Any]:
    return Description(served.app).document


def is_page(service: Service, endpoint: str) -> bool:
    """Whether it is a page of the dashboard: pages are no part of the API, and tests/http/dashboard guards them."""
    with service.app.app_context():
        operation = operation_of(endpoint)
    return operation is not None and operation.cookie


def routes(service: Service) -> list[tuple[str, str]]:
    return [
        (method, rule.rule)
        for rule in service.app.url_map.iter_rules()
        if not is_page(service, rule.endpoint)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield method.upper(), path, operation


def test_each_route_needs_a_token_unless_it_is_listed_as_public(served: Service) -> None:
    for method, rule in routes(served):
        path = re.sub(r"<uuid:\w+>", "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f", rule)
        path = re.sub(r"<(?:\w+:)?\w+>", "x", path)
        answer = served.stranger.send(method, path)
        if (method, rule) in WITHOUT_AUTHENTICATION:
            assert answer.mimetype != "application/problem+json" or problem(answer) != (401, "unauthenticated")
        else:
            assert problem(answer) == (401, "unauthenticated"), (method, rule)


def test_every_public_route_exists(served: Service) -> None:
    assert set(routes(served)) >= WITHOUT_AUTHENTICATION


def test_the_document_names_the_same_public_operations(document: dict[str, Any]) -> None:
    listed = {(method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)) for method, rule in WITHOUT_AUTHENTICATION}

    assert {
        (method, path) for method, path, operation in operations(document) if operation.get("security") == []
    } == listed
    assert document["security"] == [{"accessToken": []}]


def test_each_route_is_in_the_document(served: Service, document: dict[str, Any]) -> None:
    documented = {(method, path) for method, path, _ in operations(document)}

    assert documented == {(method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)) for method, rule in routes(served)}


def test_each_route_is_declared_as_an_operation(served: Service) -> None:
    with served.app.app_context():
        assert [rule.endpoint for rule in served.app.url_map.iter_rules() if operation_of(rule.endpoint) is None] == []


def test_each_post_operation_accepts_an_idempotency_key(document: dict[str, Any]) -> None:
    posts = {path: operation for method, path, operation in operations(document) if method == "POST"}

    assert set(posts) > WITHOUT_KEY
    for path, operation in posts.items():
        idempotent = path not in WITHOUT_KEY
        key = {"$ref": "#/components/parameters/Idempotency-Key"}
        assert (key in operation["parameters"]) is idempotent, path
        assert ("request_in_progress" in codes(operation, "409")) is idempotent, path
        assert ("idempotency_key_reused" in codes(operation, "422")) is idempotent, path


def test_each_post_operation_refuses_an_invalid_key(served: Service, document: dict[str, Any]) -> None:
    admin = served.admin()
    for method, path, operation in operations(document):
        if method != "POST" or path in ("/v1/lead-imports/file", "/v1/auth/login", *WITHOUT_KEY):
            continue
        content = operation.get("requestBody", {}).get("content", {})
        body = {"json": content["application/json"]["example"]} if content else {}
        target = re.sub(r"\{\w+\}", "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f", path)
        answer = admin.post(target, headers={"Idempotency-Key": "é"}, **body)
        assert problem(answer) == (400, "invalid_header"), path


def codes(operation: dict[str, Any], status: str) -> set[str]:
    return set(
        operation["responses"]
        .get(status, {})
        .get("content", {})
        .get("application/problem+json", {})
        .get("examples", {})
    )


def test_each_operation_documents_its_common_errors(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        assert codes(operation, "500") == {"internal_error"}
        assert "unavailable" in codes(operation, "503")
        if operation.get("security") != []:
            assert {"unauthenticated", "invalid_token", "token_expired", "token_revoked"} <= codes(operation, "401")
        if path.startswith("/v1"):
            assert "too_many_requests" in codes(operation, "429")
        if "{" in path and not path.startswith("/files"):
            assert codes(operation, "404")


def test_each_operation_has_texts_and_an_example_for_each_json_response(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for _, path, operation in operations(document):
        assert operation["summary"], path
        assert operation["description"], path
        for content in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for kind, shown in content.get("content", {}).items():
                if kind in ("application/json", "application/problem+json") and path != "/openapi.json":
                    assert "example" in shown or "examples" in shown, (path, kind)


def test_each_example_is_valid_by_its_schema(document: dict[str, Any]) -> None:
    checked = 0
    for _, path, operation in operations(document):
        for content in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for shown in content.get("content", {}).values():
                if "example" in shown:
                    whole = {**shown["schema"], "components": document["components"]}
                    validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
                    assert [each.message for each in validator.iter_errors(shown["example"])] == [], path
                    checked += 1
    assert checked > 20


def test_every_reference_has_a_target(document: dict[str, Any]) -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for inner in node.values():
                yield from references(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from references(inner)

    for reference in set(references(document)):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in node, reference
            node = node[part]


def raised_codes(path: Path) -> Iterator[str]:
    """The codes that a file of the core gives to errors: as `code=` of what is raised, or as a class's own."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
            yield from (
                word.value.value
                for word in node.keywords
                if word.arg == "code" and isinstance(word.value, ast.Constant) and isinstance(word.value.value, str)
            )


ERRORS = {error.__name__ for error in UniteError.__subclasses__()}


def test_every_raised_problem_code_is_documented() -> None:
    files = [
        path
        for package in ("unite_core", "adapters", "entrypoints/http")
        for path in (CHECKOUT / package).rglob("*.py")
    ]
    raised = {code for path in files for code in raised_codes(path)}

    assert {"last_admin", "too_many_logins"} <= raised
    assert raised - set(PROBLEMS) == set()


def test_the_document_is_openapi_3_1_and_names_its_server(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert [server["url"] for server in document["servers"]] == ["https://unite.example"]
    assert set(document["components"]["examples"]) == set(PROBLEMS)


def test_each_text_and_number_of_a_request_is_bounded(document: dict[str, Any]) -> None:
    lead = document["components"]["schemas"]["NewLead"]["properties"]
    parameters = {each.get("name"): each["schema"] for each in document["paths"]["/v1/leads"]["get"]["parameters"][:-1]}

    assert lead["assigned_to"]["maxLength"] == 36
    assert document["components"]["schemas"]["Credentials"]["properties"]["password"]["maxLength"] == 10_000
    assert (parameters["source"]["maxItems"], parameters["source"]["items"]["maxLength"]) == (200, 64)
    assert parameters["limit"]["format"] == "int32"
    assert "maxLength" not in document["components"]["schemas"]["ImportForm"]["properties"]["file"]


def test_an_undocumented_response_is_detected(served: Service) -> None:
    admin = served.admin()
    answer = admin.get("/v1/me")
    description = Description(served.app)
    description.document = copy.deepcopy(description.document)  # other apps share it
    del description.document["paths"]["/v1/me"]["get"]["responses"]["200"]

    with pytest.raises(AssertionError, match="does not document"):
        description.check("GET", "/v1/me", answer)
