"""Decorators that declare pages and forms: operations outside the API that authenticate by the session cookie.

@page("/dashboard/leads", query=LeadQuery)
def leads_page(query: dict[str, Any]) -> Response: ...

@form("/dashboard/logout", PageForm)
def sign_out(form: dict[str, Any]) -> Response: ...          called after the form's token is checked
"""

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from flask import Response, request
from marshmallow import Schema, ValidationError

from entrypoints.http.dashboard import csrf
from entrypoints.http.dashboard.session import signed_in_user
from entrypoints.http.dashboard.templating import html
from entrypoints.http.framework.fields import Body, Text, field_errors_of
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.framework.problems import UnsupportedMediaType
from entrypoints.http.framework.request_body import body_bytes
from entrypoints.http.webhooks.routes import FORM_TYPE
from unite_core.errors import Invalid, Malformed
from unite_core.identity.model import Permission

MAX_FORM_BYTES = 16 * 1024
MAX_FORM_FIELDS = 20

operations = OperationGroup("dashboard", "Pages for people. They are no part of the API.")

View = Callable[..., Response]

_PAGE = (ResponseDoc(status=200, content_type="text/html"),)


def page(
    path: str,
    *,
    query: type[Schema] | None = None,
    permission: Permission | None = None,
    public: bool = False,
    before_password_change: bool = False,
) -> Callable[[View], View]:
    """Register a function as the page at `path`; without a session it redirects to the sign-in, unless `public`.

    Users with a one-time password are redirected to the password page, unless `before_password_change` is set.
    """
    return operations.operation(
        "GET",
        path,
        description="A page.",
        query=query,
        permission=permission,
        public=public,
        cookie=True,
        before_password_change=before_password_change,
        responses=_PAGE,
    )


class PageForm(Body):
    """The fields of a form, including the token of every form."""

    csrf_token = Text(load_default="")


def form(
    path: str, fields: type[PageForm], *, public: bool = False, before_password_change: bool = False
) -> Callable[[View], View]:
    """Register a function for the form that is sent to `path`; it is called after the token is checked.

    The sign-in is the `public` form: its token is bound to the browser. All other tokens are bound to the session.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def checked() -> Response:
            sent = _sent_fields()
            require = csrf.require_sign_in_token if public else csrf.require_session_token
            require(sent.get(csrf.FIELD, ""))
            return view(form=_loaded(fields, sent))

        declare = operations.operation(
            "POST",
            path,
            description="A form of a page.",
            public=public,
            cookie=True,
            before_password_change=before_password_change,
            takes_idempotency_key=False,
            request_body={"content": {FORM_TYPE: {"schema": fields, "example": {csrf.FIELD: ""}}}},
            max_body=MAX_FORM_BYTES,
            responses=_PAGE,
        )
        declare(checked)
        return view

    return decorate


def signed_in_page(template: str, *, status: int = 200, **shown: Any) -> Response:
    """Return a page with the header of the signed-in user."""
    csrf_token = csrf.token_for(csrf.session_binding())
    return html(template, status=status, user=signed_in_user(), csrf_token=csrf_token, **shown)


def see_other(path: str) -> Response:
    """Redirect the browser to a page of the dashboard (RFC 9110, 15.4.4)."""
    return Response(status=303, headers={"Location": path})


def _sent_fields() -> dict[str, str]:
    """Return the fields of the form; raise `UnsupportedMediaType`, `TooLarge` or `Malformed` (`malformed_form`)."""
    if request.mimetype != FORM_TYPE:
        raise UnsupportedMediaType(f"Send the form as {FORM_TYPE}.", accepted=(FORM_TYPE,))
    try:
        pairs = parse_qsl(
            body_bytes().decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS
        )
    except ValueError:
        raise Malformed("The form is not UTF-8, or has too many fields.", code="malformed_form") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Malformed("The form has a field twice.", code="malformed_form")
    return fields


def _loaded(fields: type[PageForm], sent: dict[str, str]) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = fields().load(sent)
    except ValidationError as error:
        raise Invalid("The form breaks a rule.", problems=field_errors_of(error.messages)) from error
    return loaded
