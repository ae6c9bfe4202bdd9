"""Flask test client that checks every answer against the OpenAPI document."""

import functools
import re
from typing import Any

import jsonschema_rs
import orjson
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

PAGES = "/dashboard"
"""The prefix of the pages, which are not in the document."""

BODY_TYPES_READ = ("application/json", "application/problem+json")


class Document:
    """An OpenAPI document with cached validators, because their creation is slow."""

    def __init__(self, text: bytes) -> None:
        self.content: dict[str, Any] = orjson.loads(text)
        self._validators: dict[str, Any] = {}

    def validator(self, schema: dict[str, Any]) -> Any:
        """Return the validator of a schema with references into this document."""
        key = repr(schema)
        if key not in self._validators:
            whole = {**schema, "components": self.content["components"]}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return self._validators[key]


_document = functools.cache(Document)
"""Creates a document; cached, so that apps with the same document share it."""


class Description:
    """The OpenAPI document of an app, to look up the expected answers."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._document = _document(app.extensions["openapi"]())
        self.document = self._document.content

    def operation(self, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
        """Return the documented path and operation of a request; None if it has no route."""
        if path.startswith("//"):
            return None
        try:
            rule, _ = self._app.url_map.bind("localhost").match(path, method=method, return_rule=True)
        except HTTPException:
            return None
        documented = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        return documented, self.document["paths"][documented]["get" if method == "HEAD" else method.lower()]

    def check(self, method: str, path: str, answer: TestResponse) -> None:
        """Fail if the answer does not conform to the document."""
        problem = answer.mimetype == "application/problem+json"
        if problem and method != "HEAD":
            self._check_schema(answer.get_json(), "#/components/schemas/Problem")
            assert answer.get_json()["status"] == answer.status_code
        if path == PAGES or path.startswith(f"{PAGES}/"):
            assert not problem, "A page is answered with a page."
            return
        matching = None if method == "OPTIONS" else self.operation(method, path)
        if matching is None:
            assert answer.status_code in ((200, 204, 429) if method == "OPTIONS" else (404, 405, 429)), (
                answer.status_code
            )
            return
        documented, operation = matching
        where = f"{method} {documented} answers {answer.status_code}"
        assert str(answer.status_code) in operation["responses"], f"{where}, which it does not document"
        announced = operation["responses"][str(answer.status_code)]
        missing = {name for name in announced.get("headers", {}) if name in ("ETag", "Location", "Retry-After")}
        assert missing <= set(answer.headers.keys()), f"{where} without {missing}"
        if method == "HEAD" or answer.status_code in (204, 304):
            assert not answer.get_data(), f"{where} with a body"
            return
        content = announced.get("content", {})
        documented_types = {answer.mimetype, "*/*"} & set(content)
        assert documented_types, f"{where} as {answer.mimetype}, documented are {list(content)}"
        if problem:
            codes = content[answer.mimetype]["examples"]
            assert answer.get_json()["code"] in codes, f"{where}: {answer.get_json()['code']}, not one of {list(codes)}"
        elif answer.mimetype == "application/json":
            self._check_schema(answer.get_json(), content[answer.mimetype]["schema"])

    def _check_schema(self, value: Any, schema: Any) -> None:
        if isinstance(schema, str):
            schema = {"$ref": schema}
        validator = self._document.validator(schema)
        errors = [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(value)]
        assert not errors


class DocumentedClient(FlaskClient):
    """Flask's test client, with a check of every answer."""

    description: Description

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        # A stream is not checked: the test that requested it reads it.
        if answer.is_sequence or answer.mimetype in BODY_TYPES_READ:
            # The framework removes extra slashes at the beginning of a path.
            path = answer.request.environ["PATH_INFO"]
            self.description.check(
                answer.request.method, path if path.startswith("//") else answer.request.path, answer
            )
        return answer


def documented_client(app: Flask) -> DocumentedClient:
    """Return a client of the app that checks every answer."""
    client = DocumentedClient(app, app.response_class, use_cookies=False)
    if "description" not in app.extensions:
        app.extensions["description"] = Description(app)
    client.description = app.extensions["description"]
    return client
