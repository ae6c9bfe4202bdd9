"""Tests of the OpenAPI document against the linting rules of OpenAPI and of OWASP's API Security Top 10."""

import json
from pathlib import Path

import pytest

from tests.api_description.files import OPENAPI
from tests.api_description.tools import TOOLS, run_tool, spectral_rules


def test_spectral_finds_no_error() -> None:
    ended = run_tool("spectral", "lint", "--ruleset", spectral_rules(), OPENAPI)

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_redocly_finds_no_error() -> None:
    ended = run_tool("redocly", "lint", "--config", TOOLS / "redocly.yaml", OPENAPI)

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture
def careless(tmp_path: Path) -> Path:
    """A small description with one mistake for each of our own rules, and an operation that is open to everybody."""
    unbounded = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "note": {"type": ["string", "null"]},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 10}},
            "size": {"type": "integer", "format": "int32", "minimum": 1},
        },
    }
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Careless", "version": "1"},
        "paths": {
            "/things": {
                "post": {
                    "operationId": "add_thing",
                    "security": [],
                    "requestBody": {"content": {"application/json": {"schema": unbounded}}},
                    "responses": {"204": {"description": "Added."}},
                }
            }
        },
    }
    path = tmp_path / "careless.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def test_the_rules_refuse_a_bad_document(careless: Path) -> None:
    spectral = run_tool("spectral", "lint", "--ruleset", spectral_rules(), "--format", "json", careless)
    codes = [each["code"] for each in json.loads(spectral.stdout)]

    assert spectral.returncode != 0
    assert codes.count("unite-request-string-limit") == 2
    assert codes.count("unite-request-array-limit") == 1
    assert codes.count("unite-request-integer-limit") == 1
    assert "owasp:api2:2023-write-restricted" in codes
    assert run_tool("redocly", "lint", "--config", TOOLS / "redocly.yaml", careless).returncode != 0
