"""The files that describe the API, as they have to be for the service as it is."""

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
"""The description of the last release, which later ones are compared with."""

POSTMAN = CHECKOUT / "docs" / "postman"
COLLECTION = POSTMAN / "unite.postman_collection.json"
ENVIRONMENT = POSTMAN / "unite.postman_environment.json"


def description() -> dict[str, Any]:
    """The description that the service gives of itself."""
    document: dict[str, Any] = orjson.loads(Service().app.extensions["openapi"]())
    return document


def contents() -> dict[Path, str]:
    """What has to be in each file."""
    document = description()
    files = {
        OPENAPI: document,
        COLLECTION: collection(document, (POSTMAN / PICTURE).stat().st_size),
        ENVIRONMENT: environment(),
    }
    return {path: f"{json.dumps(content, indent=2, ensure_ascii=False)}\n" for path, content in files.items()}
