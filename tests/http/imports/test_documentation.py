"""Tests of the documentation of imports in the OpenAPI document against real responses."""

import json
from typing import Any

import pytest

from tests.http.imports.scenario import IMPORTS, announce_import, import_file, json_of
from tests.http.service import HttpScenario


@pytest.fixture
def document(scenario: HttpScenario) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(scenario.service.app.extensions["openapi"]())
    return loaded


def differences(document: dict[str, Any], schema: dict[str, Any], value: Any, at: str = "") -> list[str]:
    """Where the names in a value are not those of its schema."""
    while "$ref" in schema or "anyOf" in schema or "allOf" in schema:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        else:
            schema = next(each for each in schema.get("anyOf", schema.get("allOf", [])) if each.get("type") != "null")
    if isinstance(value, list):
        return [
            undocumented for each in value for undocumented in differences(document, schema["items"], each, f"{at}[]")
        ]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    undocumented = [f"{at}.{name}" for name in set(value) ^ set(schema["properties"])]
    undocumented += [f"{at}.{name} is not required" for name in set(value) - set(schema["required"])]
    for name in set(value) & set(schema["properties"]):
        undocumented += differences(document, schema["properties"][name], value[name], f"{at}.{name}")
    return undocumented


def shown(document: dict[str, Any], method: str, path: str, status: int) -> dict[str, Any]:
    content: dict[str, Any] = document["paths"][path][method]["responses"][str(status)]["content"]["application/json"]
    return content


def test_responses_have_the_documented_fields(scenario: HttpScenario, document: dict[str, Any]) -> None:
    announced = json_of(announce_import(scenario.manager, b"Name"))
    done = import_file(scenario.manager, b"Name,Phone\nAda,+12125550100\nAda,+12125550100\n,1\n")
    scenario.manager.post(f"{IMPORTS}/{done['id']}/undo")
    undone = json_of(scenario.manager.get(f"{IMPORTS}/{done['id']}"))
    failed = import_file(scenario.manager, b"Colour\n")
    rejections = json_of(scenario.manager.get(f"{IMPORTS}/{done['id']}/rejections"))

    one = shown(document, "get", f"{IMPORTS}/{{import_id}}", 200)["schema"]
    rows = shown(document, "get", f"{IMPORTS}/{{import_id}}/rejections", 200)["schema"]
    assert differences(document, shown(document, "post", IMPORTS, 201)["schema"], announced) == []
    assert differences(document, one, undone) == []
    assert differences(document, one, failed) == []
    assert len(rejections["items"]) == 2
    assert differences(document, rows, rejections) == []


def test_examples_have_the_documented_fields(document: dict[str, Any]) -> None:
    undocumented = []
    for path, operations in document["paths"].items():
        if not path.startswith(IMPORTS):
            continue
        for method in {"get", "post"} & set(operations):
            for status, answer in operations[method]["responses"].items():
                content = answer.get("content", {}).get("application/json")
                if content is not None:
                    assert "example" in content, (path, method, status)
                    undocumented += differences(document, content["schema"], content["example"], f"{method} {path}")
    assert undocumented == []


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("post", IMPORTS, {201, 400, 401, 403, 409, 413, 415, 422, 429, 503}),
        ("get", IMPORTS, {200, 400, 401, 403, 429, 503}),
        ("post", f"{IMPORTS}/file", {202, 400, 401, 403, 409, 413, 415, 422, 429, 503}),
        ("get", f"{IMPORTS}/{{import_id}}", {200, 304, 400, 401, 403, 404, 429, 503}),
        ("post", f"{IMPORTS}/{{import_id}}/start", {202, 400, 401, 403, 404, 409, 412, 422, 429, 503}),
        ("post", f"{IMPORTS}/{{import_id}}/cancel", {200, 400, 401, 403, 404, 409, 412, 422, 429, 503}),
        ("post", f"{IMPORTS}/{{import_id}}/undo", {200, 202, 400, 401, 403, 404, 409, 412, 422, 429, 503}),
        ("get", f"{IMPORTS}/{{import_id}}/events", {200, 204, 400, 401, 403, 404, 429, 503}),
        ("get", f"{IMPORTS}/{{import_id}}/rejections", {200, 400, 401, 403, 404, 429, 503}),
        ("get", f"{IMPORTS}/{{import_id}}/error-report", {302, 400, 401, 403, 404, 429, 503}),
        ("put", "/files/{key}", {204, 400, 403, 404, 413, 422, 503}),
        ("get", "/files/{key}", {200, 403, 404, 503}),
    ],
)
def test_every_status_is_documented(document: dict[str, Any], method: str, path: str, statuses: set[int]) -> None:
    documented = {int(status) for status in document["paths"][path][method]["responses"]}

    assert statuses <= documented


def test_every_reference_has_a_target(document: dict[str, Any]) -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [undocumented for each in value.values() for undocumented in references(each)]
        return [undocumented for each in value for undocumented in references(each)] if isinstance(value, list) else []

    for reference in set(references(document)):
        target: Any = document
        for name in reference.removeprefix("#/").split("/"):
            target = target[name]
