"""A room of the API: its operations, each said once for routing, reading, policing and documentation.

    room = Room("leads", "Leads, and who works them.")

    @room.operation(
        "POST", "/v1/leads", use_case=CreateLead,
        body=NewLeadSchema, body_example={...}, answers=[Shown(status=201, schema=LeadSchema, example=...)],
        problems=["forbidden", "duplicate_lead"],
    )
    def create_lead(body: dict[str, Any]) -> Response: ...         its docstring is the summary: "Create a lead."

A route gets `body` and `query` as its schemas have read them, and the parts of its path, all by name. A path
part `<uuid:lead_id>` that is no UUID is 404. A query that no schema was given for has to be empty.
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

from entrypoints.http.bodies import (
    MAX_BODY_BYTES,
    MERGE_PATCH_TYPE,
    METHODS_WITH_BODY,
    body_bytes,
    limit_body,
    read_json,
    refuse_encoding,
)
from entrypoints.http.context import actor
from entrypoints.http.fields import field_errors_of
from entrypoints.http.openapi import (
    JsonObject,
    Operation,
    ResponseDoc,
    docstring_text,
    operation_object,
    operation_parameters,
)
from entrypoints.http.paging import PageQuery
from entrypoints.http.query_string import query_arguments, query_error
from entrypoints.http.rendering import JSON_TYPE
from unite_core.deadlocks import MAX_TRANSACTION_ATTEMPTS
from unite_core.errors import Deadlock, FieldError, Invalid
from unite_core.identity.model import Permission

View = TypeVar("View", bound=Callable[..., Any])

MAX_RETRY_PAUSE = 0.02
"""Seconds before a view is called for the second time, at the most; before the third twice as long, and so on."""

_MARK = "unite_operation"


class StrictParser(FlaskParser):
    """Reads bodies and queries by our rules, and complains in our words."""

    def load_json(self, req: flask.Request, schema: Schema) -> Any:
        if req.method == "POST" and _says_all_by_nothing(schema) and not body_bytes():
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


def _says_all_by_nothing(schema: Schema) -> bool:
    """Whether a body may be left out: nothing in it is required."""
    return not any(field.required for field in schema.fields.values())


StrictParser.DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": None, "json": None}


class OperationGroup(Blueprint):  # type: ignore[misc]  # flask-smorest ships no types
    """The operations of one room of the core, and their documentation."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, description: str) -> None:
        super().__init__(name, __name__, description=description)

    def operation(
        self,
        method: str,
        path: str,
        *,
        answers: Sequence[ResponseDoc],
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
        """Make a function the operation `method path`.

        Its summary is the first line of the function's docstring; its description is the docstring of its
        `use_case`, or `description`. `permission` is named where the role alone decides: a role without it is refused
        before query and body are read. `public` needs no access token; a `cookie` one is a page, whose caller is known
        by the session cookie; not `limited` is not counted; one that is open `before_password_change` is for users with
        a one-time password too; a POST that is not `takes_idempotency_key` takes no Idempotency-Key. `any_query` passes
        the query on unread (signed links). A body that is no JSON is read by the route itself and documented by
        `request_body` (an OpenAPI Request Body Object). A body of more than `max_body` bytes is refused.
        """

        def decorate(view: View) -> View:
            operation = Operation(
                method=method,
                path=path,
                summary=_first_sentence(view),
                description=description or docstring_text(use_case),
                answers=tuple(answers),
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
            route = self._reading(operation, view)
            documented = route.__dict__.setdefault("_apidoc", {})
            documented.setdefault("arguments", {}).setdefault("parameters", []).extend(operation_parameters(operation))
            documented["manual_doc"] = {**operation_object(operation), "operationId": view.__name__}
            route.__dict__[_MARK] = operation
            self.add_url_rule(path, view.__name__, route, methods=[method])
            return view

        return decorate

    def _reading(self, operation: Operation, view: Callable[..., Any]) -> Callable[..., Any]:
        """The view with what reads its body and its query in front of it, the query first.

        A schema is made once, not per request: making one costs as much as the rest of a small request.
        """
        # What is read from the connection itself can be read once.
        route: Callable[..., Any] = view if operation.request_body is not None else _begun_anew(view)
        if operation.body is not None:
            schema = operation.body()
            described = {"required": not _says_all_by_nothing(schema), "example": operation.body_example}
            route = self.arguments(schema, arg_name="body", **described)(route)
        if operation.query is not None:
            route = self.arguments(operation.query(), location="query", arg_name="query", error_status_code=400)(route)
        elif not operation.any_query:
            route = _without_query(route)
        if operation.method in METHODS_WITH_BODY:
            route = _limited(_unencoded(route), operation.max_body)
        return route if operation.permission is None else _permitted(operation.permission, route)


def operation_of(endpoint: str | None) -> Operation | None:
    """The operation that answers at a Flask endpoint; None where there is none."""
    return operation_at(flask.current_app, endpoint)


def operation_at(app: flask.Flask, endpoint: str | None) -> Operation | None:
    """The operation that answers at an endpoint of `app`; None where there is none."""
    return getattr(app.view_functions.get(endpoint or ""), _MARK, None)


def _first_sentence(view: Callable[..., Any]) -> str:
    return (inspect.getdoc(view) or "").partition("\n")[0].removesuffix(".")


def _begun_anew(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view, called again where its transaction gave way to another: nothing of it has happened then."""

    @functools.wraps(view)
    def route(**parts: Any) -> Any:
        for attempt in range(1, MAX_TRANSACTION_ATTEMPTS):
            try:
                return view(**parts)
            except Deadlock:
                # By chance, or the same two would meet again.
                time.sleep(MAX_RETRY_PAUSE * attempt * random.random())  # noqa: S311 - no secret depends on it
        return view(**parts)

    return route


def _permitted(permission: Permission, view: Callable[..., Any]) -> Callable[..., Any]:
    """The view, for actors whose role has the permission; others are refused before anything is read."""

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
        if flask.request.query_string and (given := query_arguments(flask.request)):
            raise query_error(
                [
                    FieldError(field=name, code="unknown_parameter", detail="There is no such parameter.")
                    for name in given
                ]
            )
        return view(**parts)

    return route
