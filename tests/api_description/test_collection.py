"""Tests of the Postman collection: all of its requests, run in order against a running service."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api_description.collection import NotInCollection, collection
from tests.api_description.files import COLLECTION, ENVIRONMENT, OPENAPI, POSTMAN
from tests.api_description.tools import run_tool
from tests.service_process import ADMIN, service


def requests_in(folder: dict[str, Any]) -> list[dict[str, Any]]:
    return [inner for item in folder["item"] for inner in (requests_in(item) if "item" in item else [item])]


def test_every_request_gets_the_expected_status(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with service(tmp_path) as one:
        one.start()
        ended = run_tool(
            "newman",
            *("run", COLLECTION, "--environment", ENVIRONMENT, "--working-dir", POSTMAN),
            *("--env-var", f"base_url={one.url}"),
            *("--env-var", f"admin_email={ADMIN['email']}", "--env-var", f"admin_password={ADMIN['password']}"),
            *("--reporters", "cli,json", "--reporter-json-export", report, "--color", "off"),
        )
    assert ended.returncode == 0, ended.stdout + ended.stderr

    run = json.loads(report.read_text("utf-8"))["run"]
    names = {request["name"] for request in requests_in(json.loads(COLLECTION.read_text("utf-8")))}
    assert {execution["item"]["name"] for execution in run["executions"]} == names
    assert run["stats"]["assertions"]["failed"] == 0
    assert run["stats"]["assertions"]["total"] >= len(names)


def test_every_request_has_a_unique_name_and_an_expected_status() -> None:
    requests = requests_in(json.loads(COLLECTION.read_text("utf-8")))

    assert len({request["name"] for request in requests}) == len({request["id"] for request in requests})
    assert len({request["id"] for request in requests}) == len(requests)
    for request in requests:
        assert "pm.response.code" in request["event"][0]["script"]["exec"][0], request["name"]


def test_an_operation_without_a_request_is_detected() -> None:
    document = json.loads(OPENAPI.read_text("utf-8"))
    document["paths"]["/v1/new"] = {"get": {"operationId": "something_new"}}

    with pytest.raises(NotInCollection, match="something_new"):
        collection(document, picture_size=1)
