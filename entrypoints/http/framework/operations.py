"""Declare API operations once for routing, parsing, authorization and documentation.

    operations = OperationGroup("leads", "Leads and their assignment.")

    @operations.operation(
        "POST", "/v1/leads", use_case=CreateLead,
        body=NewLeadSchema, body_example={...}, responses=[ResponseDoc(status=201, schema=LeadSchema, example=...)],
        problems=["forbidden", "duplicate_lead"],
    )
    def create_lead(body: dict[str, Any]) -> Response: ...         its docstring is the summary: "Create a lead."

A route gets `body` and `query` as loaded by their schemas, and the parts of its path, all by name. A path part
`<uuid:lead_id>` that is not a UUID is answered with 404. Without a schema for the query, the query has to be empty.
"""

import functools
import inspect
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar, cast

import flask
from flask_smorest import Blueprint  # type: ignore[import-untyped]  # it ships no types
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser

from entrypoints.http.framework.context import actor
from entrypoints.http.framework.fields import field_errors_of
from entrypoints.http.framework.json_responses import JSON_TYPE
from entrypoints.http.framework.operation_docs import (
    JsonObject,
    Operation,
    ResponseDoc,
    docstring_text,
    operation_object,
)
from entrypoints.http.framework.paging import PageQuery
from entrypoints.http.framework.query_string import query_arguments, query_error
from entrypoints.http.framework.request_body import (
    MAX_BODY_BYTES,
    MERGE_PATCH_TYPE,
    METHODS_WITH_BODY,
    body_bytes,
    limit_body,
    read_json,
    refuse_encoding,
)
from unite_core.deadlocks import MAX_TRANSACTION_ATTEMPTS
from unite_core.errors import Deadlock, FieldError, Invalid
from unite_core.identity.model import Permission

View = TypeVar("View", bound=Callable[..., Any])

MAX_RETRY_PAUSE = 0.02
"""The maximum pause in seconds before the second attempt; it grows by the same amount with each further attempt."""

_OPERATION_ATTRIBUTE = "unite_operation"


class StrictParser(FlaskParser):
    """A webargs parser with strict JSON and queries, which raises the errors of the core."""

    def load_json(self, req: flask.Request, schema: Schema) -> Any:
        if req.method == "POST" and _is_optional(schema) and not body_bytes():
            return {}
        return read_json((JSON_TYPE, MERGE_PATCH_TYPE) if req.method == "PATCH" else (JSON_TYPE,))

    def load_querystring(self, req: flask.Request, *_: Any) -> Any:
        return query_arguments(req)

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        [(location, messages)] = cast("dict[str, Any]", error.messages).items()
        problems = field_errors_of(messages)
        if location == "query":
            raise query_error(problems)
        raise Invalid("The body breaks a rule.", problems=problems)


def _is_optional(schema: Schema) -> bool:
    """Return whether the body may be left out: none of its fields is required."""
    return not any(field.required for field in schema.fields.values())


StrictParser.DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": None, "json": None}


class OperationGroup(Blueprint):  # type: ignore[misc]  # flask-smorest ships no types
    """The operations of one part of the API, and their documentation."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, description: str) -> None:
        super().__init__(name, __name__, description=description)

    def operation(
        self,
        method: str,
        path: str,
        *,
        responses: Sequence[ResponseDoc],
        operation_id: str | None = None,
        use_case: type | None = None,
        description: str | None = None,
        problems: Sequence[str] = (),
        body: type[Schema] | None = None,
        body_example: Any = None,
        query: type[Schema] | None = None,
        permission: Permission | None = None,
        public: bool = False,
        cookie: bool = False,
        limited: bool = True,
        before_password_change: bool = False,
        takes_idempotency_key: bool = True,
        if_match: bool = False,
        if_none_match: bool = False,
        any_query: bool = False,
        parameters: Sequence[JsonObject] = (),
        request_body: JsonObject | None = None,
        max_body: int = MAX_BODY_BYTES,
    ) -> Callable[[View], View]:
        """Register a function as the operation `method path`.

        `operation_id` is the operationId in the OpenAPI document, by default the function's name: clients are generated
        from it, so that a function of another name keeps it. The summary is the first line of the function's docstring;
        the description is the docstring of the `use_case`, or `description`. `permission` is for operations where the
        role alone decides: a role without it is refused before query and body are read. A `public` operation needs no
        access token. A `cookie` operation is a page, which authenticates by the session cookie. An operation that is
        not `limited` is not counted. With `before_password_change` it is also for users with a one-time password. A
        POST that is not `takes_idempotency_key` ignores the Idempotency-Key. `any_query` passes the query on unparsed
        (signed links). The route itself reads a body that is not JSON; `request_body` (an OpenAPI Request Body Object)
        documents it. A body of more than `max_body` bytes is refused.
        """

        def decorate(view: View) -> View:
            operation = Operation(
                method=method,
                path=path,
                summary=_first_sentence(view),
                description=description or docstring_text(use_case),
                responses=tuple(responses),
                problems=tuple(problems),
                body=body,
                body_example=body_example,
                query=query,
                permission=permission,
                public=public,
                cookie=cookie,
                limited=limited,
                before_password_change=before_password_change,
                takes_idempotency_key=takes_idempotency_key,
                if_match=if_match,
                if_none_match=if_none_match,
                paged=query is not None and issubclass(query, PageQuery),
                any_query=any_query,
                parameters=tuple(parameters),
                request_body=request_body,
                max_body=max_body,
            )
            route = self._with_parsing(operation, view)
            route = self.doc(**operation_object(operation), operationId=operation_id or view.__name__)(route)
            setattr(route, _OPERATION_ATTRIBUTE, operation)
            self.add_url_rule(path, view.__name__, route, methods=[method])
            return view

        return decorate

    def _with_parsing(self, operation: Operation, view: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the view so that its query and then its body are parsed before it is called.

        A schema is created once and not per request, which would take as long as the rest of a small request.
        """
        # A body that the view reads from the connection can be read only once, so such a view is not retried.
        route: Callable[..., Any] = view if operation.request_body is not None else _retried(view)
        if operation.body is not None:
            schema = operation.body()
            described = {"required": not _is_optional(schema), "example": operation.body_example}
            route = self.arguments(schema, arg_name="body", **described)(route)
        if operation.query is not None:
            route = self.arguments(operation.query(), location="query", arg_name="query", error_status_code=400)(route)
        elif not operation.any_query:
            route = _without_query(route)
        if operation.method in METHODS_WITH_BODY:
            route = _limited(_unencoded(route), operation.max_body)
        return route if operation.permission is None else _permitted(operation.permission, route)


def operation_of(endpoint: str | None) -> Operation | None:
    """Return the operation of a Flask endpoint, or None."""
    return operation_at(flask.current_app, endpoint)


def operation_at(app: flask.Flask, endpoint: str | None) -> Operation | None:
    """Return the operation of an endpoint of `app`, or None."""
    return getattr(app.view_functions.get(endpoint or ""), _OPERATION_ATTRIBUTE, None)


def _first_sentence(view: Callable[..., Any]) -> str:
    return (inspect.getdoc(view) or "").partition("\n")[0].removesuffix(".")


def _retried(view: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the view so that it is called again after its transaction was rolled back in favour of another one."""

    @functools.wraps(view)
    def route(**parts: Any) -> Any:
        for attempt in range(1, MAX_TRANSACTION_ATTEMPTS):
            try:
                return view(**parts)
            except Deadlock:
                # The pause is random, so that the same two transactions do not collide again.
                time.sleep(MAX_RETRY_PAUSE * attempt * random.random())  # noqa: S311 - no secret depends on it
        return view(**parts)

    return route


def _permitted(permission: Permission, view: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the view so that a role without the permission is refused before query and body are read."""

    @functools.wraps(view)
    def route(**parts: Any) -> Any:
        actor().must(permission)
        return view(**parts)

    return route


def _unencoded(view: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(view)
    def route(**parts: Any) -> Any:
        refuse_encoding()
        return view(**parts)

    return route


def _limited(view: Callable[..., Any], max_body: int) -> Callable[..., Any]:
    @functools.wraps(view)
    def route(**parts: Any) -> Any:
        limit_body(max_body)
        return view(**parts)

    return route


def _without_query(view: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(view)
    def route(**parts: Any) -> Any:
        if flask.request.query_string and (arguments := query_arguments(flask.request)):
            raise query_error(
                [
                    FieldError(field=name, code="unknown_parameter", detail="There is no such parameter.")
                    for name in arguments
                ]
            )
        return view(**parts)

    return route
