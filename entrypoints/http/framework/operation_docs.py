"""The dataclasses that declare an operation, and the parts of the OpenAPI 3.1 document that are made from them."""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from marshmallow import Schema
from marshmallow.fields import Field

from entrypoints.http.framework.errors import PROBLEM_TYPE, STATUSES
from entrypoints.http.framework.fields import MAX_ERRORS, CommaSeparated
from entrypoints.http.framework.json_responses import JSON_TYPE
from entrypoints.http.framework.openapi_bounds import add_bounds
from entrypoints.http.framework.problems import PROBLEMS
from entrypoints.http.framework.request_body import MAX_BODY_BYTES, MERGE_PATCH_TYPE, METHODS_WITH_BODY
from unite_core.identity.model import Permission

SECURITY_SCHEME = "accessToken"

INFO = {
    "description": "Leads, call tasks, imports and reports of a sales team. `POST /v1/auth/login` gives an access "
    "token; errors are problem documents (RFC 9457); lists come in pages.",
    "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
}
"""The document's Info Object."""

JsonObject = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ResponseDoc:
    """A successful response of an operation: its schema and an example, or a content type other than JSON.

    `headers` are names of `HEADERS`; the headers of every response are added automatically.
    """

    status: int
    schema: type[Schema] | JsonObject | None = None
    example: Any = None
    headers: tuple[str, ...] = ()
    description: str | None = None
    content_type: str = JSON_TYPE


@dataclass(frozen=True, kw_only=True)
class Operation:
    """The declaration of an operation: everything but the code that runs it.

    A `public` operation needs no access token. A `cookie` operation authenticates by the session cookie instead: it is
    a page, and not a part of the API and its document. An operation that is not `limited` does not count for the rate
    limit. With `before_password_change` it is also for users with a one-time password. A POST that is not
    `takes_idempotency_key` ignores the Idempotency-Key. With a `permission`, a role without it is refused before the
    request is read. A body of more than `max_body` bytes is refused. `problems` are the operation's own codes; those
    that follow from its other attributes are added automatically.
    """

    method: str
    path: str
    summary: str
    description: str
    responses: tuple[ResponseDoc, ...]
    problems: tuple[str, ...] = ()
    body: type[Schema] | None = None
    body_example: Any = None
    query: type[Schema] | None = None
    permission: Permission | None = None
    public: bool = False
    cookie: bool = False
    limited: bool = True
    before_password_change: bool = False
    takes_idempotency_key: bool = True
    if_match: bool = False
    if_none_match: bool = False
    paged: bool = False
    any_query: bool = False
    parameters: tuple[JsonObject, ...] = field(default=())
    request_body: JsonObject | None = None
    max_body: int = MAX_BODY_BYTES

    @property
    def idempotent(self) -> bool:
        """Return whether the operation takes an Idempotency-Key."""
        return self.method == "POST" and self.takes_idempotency_key

    def problem_codes(self) -> set[str]:
        """Return every problem code that the operation may respond with."""
        conditional: list[tuple[bool, set[str]]] = [
            (self.permission is not None, {"forbidden"}),
            (not self.any_query, {"invalid_parameter"}),
            (not self.public, {"unauthenticated", "invalid_token", "token_expired", "token_revoked"}),
            (not self.public and not self.before_password_change, {"password_change_required"}),
            (self.limited, {"too_many_requests"}),
            (
                self.method in METHODS_WITH_BODY,
                {"request_timeout", "too_large", "too_many_transfers", "unsupported_media_type"},
            ),
            (self.body is not None, {"malformed_json", "invalid"}),
            (self.idempotent, {"request_in_progress", "idempotency_key_reused"}),
            (self.if_match, {"precondition_failed"}),
            (self.paged, {"invalid_cursor"}),
            ("<" in self.path, {"not_found"}),
        ]
        always = {*self.problems, "malformed", "invalid_header", "internal_error", "unavailable"}
        return always.union(*(codes for applies, codes in conditional if applies))


HEADERS: dict[str, dict[str, Any]] = {
    "X-Correlation-ID": {
        "description": "Identifies the request and everything that it causes; quote it when you report an error.",
        "schema": {"type": "string", "minLength": 8, "maxLength": 128},
    },
    "RateLimit-Policy": {
        "description": "The allowed requests (q) in a window of seconds (w); absent without a limit.",
        "schema": {"type": "string", "examples": ['"user";q=1200;w=60']},
    },
    "RateLimit": {
        "description": "The remaining requests (r), and the seconds until the window is reset (t).",
        "schema": {"type": "string", "examples": ['"user";r=1199;t=60']},
    },
    "Retry-After": {
        "description": "The seconds to wait before the next request.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "RFC 6750, 3.", "schema": {"type": "string"}},
    "ETag": {
        "description": "The version, in double quotes; for If-Match and If-None-Match.",
        "schema": {"type": "string", "examples": ['"7"']},
    },
    "Location": {
        "description": "The URL of the new resource.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Link": {"description": 'The next page, `rel="next"`; absent on the last one.', "schema": {"type": "string"}},
    "Content-Disposition": {
        "description": "The name for saving the file (RFC 6266).",
        "schema": {"type": "string", "examples": ['attachment; filename="leads.errors.csv"']},
    },
    "Accept": {
        "description": "The accepted media types, if the media type was refused.",
        "schema": {"type": "string"},
    },
    "Accept-Encoding": {
        "description": "The accepted encodings, if the encoding was refused (RFC 9110, 15.5.16).",
        "schema": {"type": "string", "enum": ["identity"]},
    },
    "Connection": {"description": "The connection is closed.", "schema": {"type": "string", "enum": ["close"]}},
    "Idempotency-Replayed": {
        "description": "`true` if this is the response to an earlier request with the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}

PARAMETERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "in": "header",
        "name": "Idempotency-Key",
        "description": "Makes it safe to retry the request: within 24 hours it is carried out once. A retry gets the "
        "first response again if the caller may still make the request and may still read what the response shows; "
        "otherwise it gets 403 or 404, as for the request itself. A key belongs to one user and one route. Make it "
        "random (a UUID).",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    },
    "If-Match": {
        "in": "header",
        "name": "If-Match",
        "description": "The ETag of the version to change; if the current version is another one, the response is 412.",
        "schema": {"type": "string"},
    },
    "If-None-Match": {
        "in": "header",
        "name": "If-None-Match",
        "description": "The ETag of the version that the client has; if it is still current, the response is 304.",
        "schema": {"type": "string"},
    },
    "X-Correlation-ID": {
        "in": "header",
        "name": "X-Correlation-ID",
        "description": "The client's id for the request and everything that it causes. If it is missing or invalid, "
        "the service creates one.",
        "schema": {"type": "string", "minLength": 8, "maxLength": 128},
    },
}

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "code", "correlation_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "A page that documents the problem."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong here, and what to do."},
        "instance": {"type": "string", "format": "uri-reference"},
        "code": {"type": "string", "enum": sorted(PROBLEMS)},
        "correlation_id": {"type": "string"},
        "errors": {
            "type": "array",
            "maxItems": MAX_ERRORS,
            "description": "The field errors. If there are too many, only the first; `detail` gives the total.",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "The place in the body (RFC 6901)."},
                    "parameter": {"type": "string", "description": "The parameter of the query."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "suggestion": {"type": "string", "description": "A value that was probably meant."},
                },
            },
        },
        "duplicates": {
            "type": "array",
            "description": "With `duplicate_lead`: the fields that have the same value in another lead.",
            "items": {
                "type": "object",
                "required": ["field", "id"],
                "properties": {
                    "field": {"type": "string", "enum": ["phone", "email"]},
                    "id": {"type": ["string", "null"], "format": "uuid"},
                },
            },
        },
    },
}


def docstring_text(thing: object) -> str:
    """Return a docstring as text for users of the API: without line breaks, and without the `Raises` paragraph."""
    paragraphs = inspect.cleandoc(thing.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs if not each.startswith("Raises"))


def operation_object(operation: Operation) -> dict[str, Any]:
    """Return the parts of an Operation Object that flask-smorest cannot derive from the schemas of the route."""
    described: dict[str, Any] = {
        "parameters": _parameters(operation),
        "summary": operation.summary,
        "description": operation.description,
        "responses": _responses(operation),
    }
    if operation.public:
        described["security"] = []
    if operation.request_body is not None:
        described["requestBody"] = dict(operation.request_body)
    elif operation.body is not None and operation.method == "PATCH":
        content = {"schema": operation.body, "example": operation.body_example}
        described["requestBody"] = {"content": {MERGE_PATCH_TYPE: content}}
    return described


def _parameters(operation: Operation) -> list[JsonObject | str]:
    """Return the parameters of the operation: those of its query, its own, and the headers that it takes."""
    query = [] if operation.query is None else [{"in": "query", "schema": operation.query}]
    names = ["X-Correlation-ID"]
    if operation.idempotent:
        names.append("Idempotency-Key")
    if operation.if_match:
        names.append("If-Match")
    if operation.if_none_match:
        names.append("If-None-Match")
    return [*query, *operation.parameters, *names]


def comma_separated_style(_: object, field: Field[Any], **__: Any) -> dict[str, Any]:
    """Return the style of a parameter with several values (OpenAPI 3.1, Parameter Object), for a hook of apispec."""
    return {"style": "form", "explode": False} if isinstance(field, CommaSeparated) else {}


def complete_document(document: dict[str, Any]) -> dict[str, Any]:
    """Add the components and bounds that all operations share to the generated document."""
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        SECURITY_SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token from POST /v1/auth/login; valid for 15 minutes. Signed and verified as "
            "RFC8725 recommends: one algorithm, and issuer, audience and expiry are required.",
        }
    }
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["headers"] = HEADERS
    components["parameters"] = PARAMETERS
    components["examples"] = {
        code: {
            "summary": kind.title,
            "value": {
                "type": f"/problems/{code}",
                "title": kind.title,
                "status": STATUSES[kind.category],
                "detail": kind.advice,
                "instance": "/v1/leads",
                "code": code,
                "correlation_id": "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f",
            },
        }
        for code, kind in PROBLEMS.items()
    }
    # These components only document the defaults of the framework.
    components.pop("responses", None)
    for schema in ("Error", "PaginationMetadata"):
        components["schemas"].pop(schema, None)
    document["security"] = [{SECURITY_SCHEME: []}]
    for item in document["paths"].values():
        for method in item.keys() - {"parameters"}:
            # flask-smorest appends what it did not derive itself, but a reader looks for parameters first.
            item[method] = {"parameters": item[method]["parameters"], **item[method]}
    add_bounds(document)
    return document


def servers(public_url: str) -> list[dict[str, Any]]:
    """Return the document's servers: only this installation."""
    return [
        {
            "url": public_url,
            "description": "The public URL of this installation, local or in production.",
            "x-internal": False,
        }
    ]


def _responses(operation: Operation) -> dict[int, Any]:
    shared = ["X-Correlation-ID", *(["RateLimit-Policy", "RateLimit"] if operation.limited else [])]
    responses: dict[int, Any] = {}
    for shown in operation.responses:
        replay = ["Idempotency-Replayed"] if operation.idempotent else []
        response: dict[str, Any] = {
            "description": shown.description or HTTPStatus(shown.status).phrase,
            "headers": _header_references([*shown.headers, *replay, *shared]),
        }
        if shown.schema is not None:
            content: dict[str, Any] = {"schema": shown.schema}
            if shown.example is not None:
                content["example"] = shown.example
            before = responses.get(shown.status, {}).get("content", {})
            response["content"] = {**before, shown.content_type: content}
        responses[shown.status] = response
    if operation.if_none_match:
        responses[304] = {
            "description": "The client has the current version.",
            "headers": _header_references(["ETag", *shared]),
        }
    by_status: dict[int, list[str]] = {}
    for code in sorted(operation.problem_codes()):
        by_status.setdefault(STATUSES[PROBLEMS[code].category], []).append(code)
    for status, codes in by_status.items():
        answer = _problem_answer(status, codes, shared)
        if status in responses:  # readiness answers 503 with its own schema, beside the problem documents
            answer["content"].update(responses[status]["content"])
            answer["description"] = f"{responses[status]['description']}\n\n{answer['description']}"
        responses[status] = answer
    return dict(sorted(responses.items()))


def _problem_answer(status: int, codes: list[str], shared: list[str]) -> dict[str, Any]:
    own = {
        401: ["WWW-Authenticate"],
        408: ["Connection"],
        415: ["Accept", "Accept-Encoding"],
        429: ["Retry-After"],
        503: ["Retry-After"],
    }.get(status, [])
    return {
        "description": "\n".join(f"- `{code}`: {PROBLEMS[code].title}." for code in codes),
        "headers": _header_references([*own, *shared]),
        "content": {
            PROBLEM_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }


def _header_references(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
