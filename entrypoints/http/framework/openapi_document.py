"""Generate the OpenAPI document from the operations with flask-smorest, once per process."""

from typing import Any

from flask import Flask
from flask_smorest import Api  # type: ignore[import-untyped]  # it ships no types

from entrypoints.http.framework import openapi_bounds
from entrypoints.http.framework import operation_docs as openapi
from entrypoints.http.framework.json_responses import to_json
from entrypoints.http.framework.operations import OperationGroup

API_TITLE = "Unite"
API_VERSION = "1"
OPENAPI_VERSION = "3.1.0"


class _Specification(Api):  # type: ignore[misc]  # flask-smorest ships no types
    """flask-smorest's Api without its error format, because every operation documents its own problems."""

    DEFAULT_ERROR_RESPONSE_NAME = None


_documents: dict[tuple[OperationGroup, ...], dict[str, Any]] = {}
"""Generated documents without `servers`, cached because generating one is the slowest part of `create_app`."""

_texts: dict[tuple[tuple[OperationGroup, ...], str], bytes] = {}
"""The documents as JSON, by their operation groups and the URL of the installation."""


def openapi_json(app: Flask, groups: tuple[OperationGroup, ...], public_url: str) -> bytes:
    """Return the OpenAPI document of `app` as JSON, for an installation at this URL."""
    if (groups, public_url) not in _texts:
        if groups not in _documents:
            _documents[groups] = _document(app, groups)
        _texts[groups, public_url] = to_json({**_documents[groups], "servers": openapi.servers(public_url)})
    return _texts[groups, public_url]


def _document(app: Flask, groups: tuple[OperationGroup, ...]) -> dict[str, Any]:
    described = Flask("description", static_folder=None)
    described.config.update(
        API_TITLE=API_TITLE,
        API_VERSION=API_VERSION,
        OPENAPI_VERSION=OPENAPI_VERSION,
        API_SPEC_OPTIONS={"info": openapi.INFO},
    )
    api = _Specification(described)
    api.ma_plugin.converter.add_parameter_attribute_function(openapi.comma_separated_style)
    api.ma_plugin.converter.add_attribute_function(openapi_bounds.max_items)
    for operations in groups:
        operations.register_views_in_doc(api, app, api.spec, name=operations.name, parameters=None)
        api.spec.tag({"name": operations.name, "description": operations.description})
    return openapi.complete_document(api.spec.to_dict())
