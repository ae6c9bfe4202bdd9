"""A test client that believes no answer: each has to be one that the OpenAPI document announces."""

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
"""Where the pages are, which no document describes."""

BODY_TYPES_READ = ("application/json", "application/problem+json")


class Document:
    """An OpenAPI document, and the validators of its schemas, which take long to make."""

    def __init__(self, text: bytes) -> None:
        self.content: dict[str, Any] = orjson.loads(text)
        self._validators: dict[str, Any] = {}

    def validator(self, schema: dict[str, Any]) -> Any:
        """The validator of a schema whose references lead into this document."""
        key = repr(schema)
        if key not in self._validators:
            whole = {**schema, "components": self.content["components"]}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return self._validators[key]


_document = functools.cache(Document)
"""Apps with the same document share it."""


class Description:
    """The OpenAPI document of an app, asked for what it says of an answer."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._document = _document(app.extensions["openapi"]())
        self.document = self._document.content

    def operation(self, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
        """The documented path and operation that a request belongs to; None where no route takes it."""
        if path.startswith("//"):
            return None
        try:
            rule, _ = self._app.url_map.bind("localhost").match(path, method=method, return_rule=True)
        except HTTPException:
            return None
        documented = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        return documented, self.document["paths"][documented]["get" if method == "HEAD" else method.lower()]

    def check(self, method: str, path: str, answer: TestResponse) -> None:
        """Fail where the answer is not among those that the document announces."""
        problem = answer.mimetype == "application/problem+json"
        if problem and method != "HEAD":
            self._check_schema(answer.get_json(), "#/components/schemas/Problem")
            assert answer.get_json()["status"] == answer.status_code
        if path == PAGES or path.startswith(f"{PAGES}/"):
            assert not problem, "A page is answered with a page."
            return
        found = None if method == "OPTIONS" else self.operation(method, path)
        if found is None:
            assert answer.status_code in ((200, 204, 429) if method == "OPTIONS" else (404, 405, 429)), (
                answer.status_code
            )
            return
        documented, operation = found
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
    """Sends requests as Flask's client does, and holds every answer against the document."""

    description: Description

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        # A stream is read by the test that asked for it.
        if answer.is_sequence or answer.mimetype in BODY_TYPES_READ:
            # The framework drops what slashes a path has too many in front.
            path = answer.request.environ["PATH_INFO"]
            self.description.check(
                answer.request.method, path if path.startswith("//") else answer.request.path, answer
            )
        return answer


def documented_client(app: Flask) -> DocumentedClient:
    """A client of the app whose every answer is checked."""
    client = DocumentedClient(app, app.response_class, use_cookies=False)
    if "description" not in app.extensions:
        app.extensions["description"] = Description(app)
    client.description = app.extensions["description"]
    return client
