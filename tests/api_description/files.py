"""Expected contents of docs/openapi.json and the Postman files."""

import json
from pathlib import Path
from typing import Any

import orjson

from tests.api_description.collection import collection, environment
from tests.api_description.steps import PICTURE
from tests.conftest import CHECKOUT
from tests.http.service import Service

OPENAPI = CHECKOUT / "docs" / "openapi.json"
RELEASED = CHECKOUT / "docs" / "openapi.released.json"
"""The OpenAPI document of the last release, with which new ones are compared."""

POSTMAN = CHECKOUT / "docs" / "postman"
COLLECTION = POSTMAN / "unite.postman_collection.json"
ENVIRONMENT = POSTMAN / "unite.postman_environment.json"


def description() -> dict[str, Any]:
    """Return the OpenAPI document of the service."""
    document: dict[str, Any] = orjson.loads(Service().app.extensions["openapi"]())
    return document


def contents() -> dict[Path, str]:
    """Return path -> expected content."""
    document = description()
    files = {
        OPENAPI: document,
        COLLECTION: collection(document, (POSTMAN / PICTURE).stat().st_size),
        ENVIRONMENT: environment(),
    }
    return {path: f"{json.dumps(content, indent=2, ensure_ascii=False)}\n" for path, content in files.items()}
