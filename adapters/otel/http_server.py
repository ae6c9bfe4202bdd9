"""Spans of HTTP requests (semantic conventions for HTTP servers), around a WSGI application.

They say neither path nor query, which may hold tokens and what people search for, nor the address of the client.
"""

import random
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from opentelemetry.context import Context
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
)
from opentelemetry.semconv.attributes.url_attributes import URL_SCHEME
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags, Tracer, set_span_in_context

from adapters.otel.context import attached, context_of, span_context
from adapters.otel.spans import counting_calls, end, fail

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

RouteOf = Callable[[dict[str, Any]], str | None]
"""A function that returns the template of the route that a request took, given its environment after it."""

UNTRACED_PATHS = frozenset({"/health/live", "/health/ready"})
"""Load balancers request them every few seconds."""

_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
"""The methods whose names are in spans; all others are `_OTHER`, and `HTTP` in the name of a span."""


class TracedWsgi:
    """Runs a WSGI application in a span for each request, up to the response's head; health checks have none.

    A request continues the trace of its `traceparent`. Whether it is recorded is not for the client to say: of the
    requests that are said to be sampled, the share `ratio` is recorded, by chance and not by the id of the trace, which
    the client chooses. A request that is said not to be sampled is not recorded.
    """

    def __init__(self, application: WsgiApplication, tracer: Tracer, *, ratio: float, route_of: RouteOf) -> None:
        self._application = application
        self._tracer = tracer
        self._ratio = ratio
        self._route_of = route_of

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] in UNTRACED_PATHS:
            return self._application(environ, start_response)
        method = environ["REQUEST_METHOD"]
        known = method in _METHODS
        parent = self._parent(environ.get("HTTP_TRACEPARENT"))
        attributes = {
            HTTP_REQUEST_METHOD: method if known else "_OTHER",
            URL_SCHEME: environ["wsgi.url_scheme"],
        }
        name = method if known else "HTTP"
        span = self._tracer.start_span(name, parent, SpanKind.SERVER, attributes)
        context = counting_calls(span, parent)

        def start(status: str, *head: Any) -> Any:
            _describe_response(span, int(status[:3]))
            return start_response(status, *head)

        try:
            with attached(context):
                return self._application(environ, start)
        except BaseException as error:
            fail(span, type(error).__name__)
            raise
        finally:
            route = self._route_of(environ)
            if route is not None:
                span.update_name(f"{name} {route}")
                span.set_attribute(HTTP_ROUTE, route)
            end(span, context)

    def _parent(self, traceparent: str | None) -> Context:
        context = context_of(traceparent)
        sent = span_context(context)
        if not sent.trace_flags.sampled or self._ratio >= 1 or random.random() < self._ratio:  # noqa: S311 - no secret
            return context
        unsampled = SpanContext(sent.trace_id, sent.span_id, is_remote=True, trace_flags=TraceFlags(0))
        return set_span_in_context(NonRecordingSpan(unsampled), context)


def _describe_response(span: Span, status: int) -> None:
    span.set_attribute(HTTP_RESPONSE_STATUS_CODE, status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        fail(span, str(status))
