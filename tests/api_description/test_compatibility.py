"""Tests of the OpenAPI document's compatibility with the last released one."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.api_description.compatibility import breaking_changes
from tests.api_description.files import OPENAPI, RELEASED

Document = dict[str, Any]

WHOLE: Document = json.loads(RELEASED.read_text("utf-8"))


def test_the_document_is_compatible_with_the_last_released_one() -> None:
    today = json.loads(OPENAPI.read_text("utf-8"))

    assert breaking_changes(WHOLE, today) == [], (
        "give clients another way first; where nothing was released yet, run `make openapi-release`"
    )


def schema(document: Document, name: str) -> Document:
    component: Document = document["components"]["schemas"][name]
    return component


def field(document: Document, name: str, field_name: str) -> Document:
    property_schema: Document = schema(document, name)["properties"][field_name]
    return property_schema


def parameter(document: Document, path: str, name: str) -> Document:
    parameters: list[Document] = document["paths"][path]["get"]["parameters"]
    return next(each for each in parameters if each.get("name") == name)


def without_parameter(document: Document) -> None:
    parameters = document["paths"]["/v1/leads"]["get"]["parameters"]
    parameters.remove(parameter(document, "/v1/leads", "q"))


def with_required_parameter(document: Document) -> None:
    new = {"in": "query", "name": "region", "required": True, "schema": {"type": "string"}}
    document["paths"]["/v1/leads"]["get"]["parameters"].append(new)


def without_token(document: Document) -> None:
    del document["paths"]["/health/ready"]["get"]["security"]


BREAKS: dict[str, tuple[Callable[[Document], object], str]] = {
    "a path": (lambda it: it["paths"].pop("/v1/call-logs"), "GET /v1/call-logs: the path was removed"),
    "an operation": (
        lambda it: it["paths"]["/v1/leads/{lead_id}"].pop("delete"),
        "DELETE /v1/leads/{}: the operation was removed",
    ),
    "an operation's id": (
        lambda it: it["paths"]["/v1/leads"]["get"].update(operationId="find_leads"),
        "operationId list_leads became find_leads",
    ),
    "an open operation": (without_token, "GET /health/ready: an access token is required now"),
    "a parameter": (without_parameter, "GET /v1/leads, parameter q: was removed"),
    "a new parameter": (with_required_parameter, "parameter region: is new and required"),
    "a parameter that becomes required": (
        lambda it: parameter(it, "/v1/leads", "q").update(required=True),
        "parameter q: is required now",
    ),
    "a parameter's style": (
        lambda it: parameter(it, "/v1/leads", "status").update(explode=True),
        "parameter status: is written in another way",
    ),
    "a parameter's bound": (
        lambda it: parameter(it, "/v1/leads", "limit")["schema"].update(maximum=100),
        "parameter limit: maximum 200 became 100",
    ),
    "a value of a parameter": (
        lambda it: parameter(it, "/v1/leads", "status")["schema"]["items"]["enum"].remove("lost"),
        "parameter status, items: the value lost was removed",
    ),
    "a body that becomes required": (
        lambda it: it["paths"]["/v1/call-tasks/{task_id}/cancel"]["post"]["requestBody"].update(required=True),
        "POST /v1/call-tasks/{}/cancel: a body is required now",
    ),
    "a type of body": (
        lambda it: it["paths"]["/v1/me"]["patch"]["requestBody"]["content"].pop("application/merge-patch+json"),
        "body application/merge-patch+json: is not taken any more",
    ),
    "a field of a request": (
        lambda it: schema(it, "NewLead")["properties"].pop("source"),
        "the field source was removed",
    ),
    "a required field": (
        lambda it: schema(it, "NewLead")["required"].append("source"),
        "the field source is required now",
    ),
    "null in a request": (
        lambda it: field(it, "NewLead", "phone").update(type="string"),
        "field phone: null is not taken any more",
    ),
    "a type in a request": (
        lambda it: field(it, "NewImage", "size").update(type="string", format=None),
        "field size: integer is not taken any more",
    ),
    "a shorter text": (
        lambda it: field(it, "NewLead", "name").update(maxLength=20),
        "field name: maxLength 200 became 20",
    ),
    "a new pattern": (
        lambda it: field(it, "NewLead", "name").update(pattern="^[A-Z]"),
        "field name: has another pattern",
    ),
    "a value of a request": (
        lambda it: field(it, "NewUser", "role")["enum"].remove("agent"),
        "field role: the value agent was removed",
    ),
    "a field of an answer": (
        lambda it: schema(it, "Lead")["properties"].pop("version"),
        "the field version was removed",
    ),
    "a field that may be missing": (
        lambda it: schema(it, "Lead")["required"].remove("version"),
        "the field version may be missing now",
    ),
    "null in an answer": (
        lambda it: field(it, "Lead", "name").update(type=["string", "null"]),
        "field name: may be null now",
    ),
    "a type in an answer": (
        lambda it: field(it, "Lead", "version").update(type="string", format=None),
        "field version: may be string now",
    ),
    "a format in an answer": (
        lambda it: field(it, "Lead", "created_at").pop("format"),
        "field created_at: format date-time became none",
    ),
    "a problem code": (
        lambda it: field(it, "Problem", "code")["enum"].remove("duplicate_lead"),
        "field code: the value duplicate_lead was removed",
    ),
    "a status": (
        lambda it: it["paths"]["/v1/leads"]["post"]["responses"].update(
            {"200": it["paths"]["/v1/leads"]["post"]["responses"].pop("201")}
        ),
        "POST /v1/leads, answer 201: was removed",
    ),
    "a type of answer": (
        lambda it: it["paths"]["/v1/reports/daily"]["get"]["responses"]["200"]["content"].pop("text/csv"),
        "GET /v1/reports/daily, answer 200: text/csv was removed",
    ),
    "a header": (
        lambda it: it["paths"]["/v1/leads"]["post"]["responses"]["201"]["headers"].pop("Location"),
        "the header Location was removed",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_breaking_change_is_reported(name: str) -> None:
    change, expected = BREAKS[name]
    after = copy.deepcopy(WHOLE)
    change(after)

    changes = breaking_changes(WHOLE, after)

    assert [each for each in changes if expected in each], changes


def add_optional(document: Document) -> None:
    schema(document, "NewLead")["properties"]["region"] = {"type": "string"}
    schema(document, "Lead")["properties"]["region"] = {"type": "string"}
    schema(document, "Lead")["required"].append("region")
    new = {"in": "query", "name": "region", "schema": {"type": "string"}}
    document["paths"]["/v1/leads"]["get"]["parameters"].append(new)
    document["paths"]["/v1/regions"] = {"get": {"operationId": "list_regions", "responses": {}}}


HARMLESS: dict[str, Callable[[Document], object]] = {
    "nothing": lambda _: None,
    "new operations, parameters and fields": add_optional,
    "a longer text": lambda it: field(it, "NewLead", "name").update(maxLength=400),
    "another value": lambda it: field(it, "Lead", "status")["enum"].append("dormant"),
    "a new problem code": lambda it: field(it, "Problem", "code")["enum"].append("no_region"),
    "other words": lambda it: it["paths"]["/v1/leads"]["get"].update(summary="List them"),
    "other names in a path": lambda it: it["paths"].update(
        {"/v1/call-tasks/{id}/ledger": renamed(it["paths"].pop("/v1/call-tasks/{task_id}/ledger"))}
    ),
}


def renamed(item: Document) -> Document:
    item["parameters"][0]["name"] = "id"
    return item


@pytest.mark.parametrize("name", HARMLESS)
def test_a_compatible_change_is_accepted(name: str) -> None:
    after = copy.deepcopy(WHOLE)
    HARMLESS[name](after)

    assert breaking_changes(WHOLE, after) == []
