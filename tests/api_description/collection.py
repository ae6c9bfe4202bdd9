"""Generation of the Postman collection from the steps and the OpenAPI document."""

import json
import re
import uuid
from typing import Any
from urllib.parse import quote

from tests.api_description.steps import PICTURE, STEPS, Step

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
NAMESPACE = uuid.UUID("01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f")
"""Namespace of ids. They are derived from names, so that the same document gives the same files."""

SECONDS_BETWEEN_READS = 0.5
MAX_READS = 120
"""How often a running import is polled before the collection fails."""

_COLLECTION_SCRIPT = """\
const day = 24 * 60 * 60 * 1000;
const date = (moment) => new Date(moment).toISOString().slice(0, 10);
pm.collectionVariables.set("today", date(Date.now()));
pm.collectionVariables.set("tomorrow", date(Date.now() + day));
if (!pm.collectionVariables.get("run")) {
    pm.collectionVariables.set("run", pm.variables.replaceIn("{{$randomUUID}}"));
}"""


class NotInCollection(Exception):
    """An operation has no step, or a step names an unknown operation."""


def collection(document: dict[str, Any], picture_size: int) -> dict[str, Any]:
    """Return the collection for an OpenAPI document; raise `NotInCollection`."""
    operations = _operations(document)
    named = {step.operation for steps in STEPS.values() for step in steps}
    if named != operations.keys():
        different = ", ".join(sorted(named ^ operations.keys()))
        raise NotInCollection(f"tests/api_description/steps.py and the API differ in: {different}")
    return {
        "info": {
            "_postman_id": _id("collection"),
            "name": document["info"]["title"],
            "description": f"{document['info']['description']}\n\nRun it from top to bottom; the files that it sends "
            "are beside it. The environment names the service and an admin.",
            "schema": SCHEMA,
        },
        "item": [
            {
                "name": folder,
                "item": [_item(step, operations[step.operation], document, picture_size) for step in steps],
            }
            for folder, steps in STEPS.items()
        ],
        "auth": _bearer("access_token"),
        "event": [_event("prerequest", _COLLECTION_SCRIPT)],
        "variable": [{"key": "run", "value": ""}],
    }


def environment() -> dict[str, Any]:
    """Return the Postman environment: the address of the service, and the first user."""
    return {
        "id": _id("environment"),
        "name": "Unite on this machine",
        "values": [
            {"key": "base_url", "value": "http://127.0.0.1:8000", "type": "default", "enabled": True},
            {"key": "admin_email", "value": "admin@example.com", "type": "default", "enabled": True},
            {"key": "admin_password", "value": "", "type": "secret", "enabled": True},
        ],
        "_postman_variable_scope": "environment",
    }


def _operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return operation id -> method, path and resolved parameters."""
    results = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                listed = [*item.get("parameters", []), *operation.get("parameters", [])]
                parameters = [
                    document["components"]["parameters"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
                    for each in listed
                ]
                results[operation["operationId"]] = {
                    **operation,
                    "method": method.upper(),
                    "path": path,
                    "parameters": parameters,
                }
    return results


def _item(step: Step, operation: dict[str, Any], document: dict[str, Any], picture_size: int) -> dict[str, Any]:
    name = step.name or operation["summary"]
    request = {
        "method": operation["method"],
        "header": _headers(step, operation),
        "url": _url(step, operation),
        "description": operation["description"],
        **_body(step, operation, picture_size),
    }
    if operation.get("security", document["security"]) == []:
        request["auth"] = {"type": "noauth"}
    elif step.token != "access_token":
        request["auth"] = _bearer(step.token)
    return {
        "id": _id(name),
        "name": name,
        "request": request,
        "event": [_event("test", _test_script(step))],
        "protocolProfileBehavior": {"followRedirects": False},
    }


def _headers(step: Step, operation: dict[str, Any]) -> list[dict[str, Any]]:
    taken = {each["name"]: each for each in operation["parameters"] if each["in"] == "header"}
    values = {"Idempotency-Key": "{{$guid}}"} if "Idempotency-Key" in taken else {}
    values |= step.headers
    sent = [{"key": name, "value": value} for name, value in values.items()]
    optional = [
        {"key": name, "value": "", "description": each["description"], "disabled": True}
        for name, each in taken.items()
        if name not in values
    ]
    return sent + optional


def _url(step: Step, operation: dict[str, Any]) -> Any:
    if step.url:
        return step.url
    path = re.sub(r"\{(\w+)\}", r":\1", operation["path"])
    sent = "&".join(f"{name}={quote(value, safe='{},')}" for name, value in step.query.items())
    listed = [each for each in operation["parameters"] if each["in"] == "query"]
    return {
        "raw": f"{{{{base_url}}}}{path}{f'?{sent}' if sent else ''}",
        "host": ["{{base_url}}"],
        "path": path.removeprefix("/").split("/"),
        "query": [
            {
                "key": each["name"],
                "value": step.query.get(each["name"], ""),
                "description": each.get("description", ""),
                "disabled": each["name"] not in step.query,
            }
            for each in listed
        ],
        "variable": [{"key": name, "value": value} for name, value in step.path.items()],
    }


def _body(step: Step, operation: dict[str, Any], picture_size: int) -> dict[str, Any]:
    if step.file:
        return {"body": {"mode": "file", "file": {"src": step.file}}}
    if step.text:
        return {"body": {"mode": "raw", "raw": step.text}}
    if step.form:
        parts = [
            {"key": "file", "type": "file", "src": step.form["file"]},
            {"key": "options", "type": "text", "value": step.form["options"], "contentType": "application/json"},
        ]
        return {"body": {"mode": "formdata", "formdata": parts}}
    content = operation.get("requestBody", {}).get("content", {})
    for kind, shown in content.items():
        if kind == "application/x-www-form-urlencoded":
            pairs = [{"key": name, "value": value} for name, value in shown["example"].items()]
            return {"body": {"mode": "urlencoded", "urlencoded": pairs}}
        if kind == "application/json":
            value = shown["example"] if step.body is None else step.body
            if value.get("filename") == PICTURE:
                value = {**value, "size": picture_size}
            text = json.dumps(value, indent=2, ensure_ascii=False)
            return {"body": {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}}
    return {}


def _test_script(step: Step) -> str:
    statuses = [step.status] if isinstance(step.status, int) else list(step.status)
    title = f"answers {' or '.join(map(str, statuses))}"
    lines = [f'pm.test("{title}", () => pm.expect(pm.response.code).to.be.oneOf({statuses}));']
    lines += [
        f'pm.collectionVariables.set("{name}", pm.response.json().{place});' for name, place in step.saved.items()
    ]
    if step.until:
        lines += [
            f"const ended = {json.dumps(step.until)}.includes(pm.response.json().status);",
            'const reads = Number(pm.collectionVariables.get("reads") || 0) + 1;',
            'pm.collectionVariables.set("reads", ended ? 0 : reads);',
            f'pm.test("ends", () => pm.expect(ended || reads < {MAX_READS}).to.be.true);',
            f"if (!ended && reads < {MAX_READS}) {{",
            "    pm.execution.setNextRequest(pm.info.requestId);",
            f"    setTimeout(() => {{}}, {int(SECONDS_BETWEEN_READS * 1000)});",
            "}",
        ]
    return "\n".join(lines)


def _event(moment: str, script: str) -> dict[str, Any]:
    return {"listen": moment, "script": {"type": "text/javascript", "exec": script.splitlines()}}


def _bearer(variable: str) -> dict[str, Any]:
    return {"type": "bearer", "bearer": [{"key": "token", "value": f"{{{{{variable}}}}}", "type": "string"}]}


def _id(name: str) -> str:
    return str(uuid.uuid5(NAMESPACE, name))
