"""Spans of requests: whose traces they continue, who decides which are recorded, and what they do not say."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from tests.adapters.otel.conftest import Begin, Traced
from tests.collector import ReceivedSpan

TRACE, SPAN = "4b" * 16, "f0" * 8
SAMPLED, UNSAMPLED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"

StartResponse = Callable[..., Any]


def answering(status: str, route: str | None = "/v1/leads/<uuid:lead_id>") -> Callable[..., Iterable[bytes]]:
    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        environ["route"] = route
        start_response(status, [("Content-Type", "text/plain")])
        return [b"done"]

    return application


def request(traced: Traced, application: Callable[..., Iterable[bytes]], **environ: str) -> Iterable[bytes]:
    """Send a request to the application as it is traced."""
    usual = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/v1/leads/ann@example.com",
        "QUERY_STRING": "q=%2B12025550187",
        "REMOTE_ADDR": "203.0.113.7",
        "wsgi.url_scheme": "https",
    }
    wsgi = traced.tracing.traced(application, lambda environ: environ.get("route"))
    return wsgi({**usual, **environ}, lambda *_: None)


def the_span(spans: Sequence[ReceivedSpan]) -> ReceivedSpan:
    (span,) = spans
    return span


def test_a_request_is_a_span_with_its_route_and_nothing_of_its_path(traced: Traced) -> None:
    assert list(request(traced, answering("200 OK"))) == [b"done"]

    span = the_span(traced.spans())
    assert (span.name, span.kind, span.parent, span.failed) == ("GET /v1/leads/<uuid:lead_id>", "server", "", False)
    assert span.attributes == {
        "http.request.method": "GET",
        "url.scheme": "https",
        "http.route": "/v1/leads/<uuid:lead_id>",
        "http.response.status_code": 200,
    }
    for secret in (b"ann@", b"2025550187", b"203.0.113.7"):
        assert secret not in traced.sent()


def test_a_request_continues_the_trace_of_its_client(traced: Traced) -> None:
    request(traced, answering("200 OK"), HTTP_TRACEPARENT=SAMPLED)

    span = the_span(traced.spans())
    assert (span.trace_id, span.parent) == (TRACE, SPAN)


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "nothing of the kind",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"{SAMPLED}, {SAMPLED}",
        "x" * 100_000,
    ],
)
def test_a_malformed_traceparent_is_ignored(traced: Traced, traceparent: str) -> None:
    request(traced, answering("200 OK"), HTTP_TRACEPARENT=traceparent)

    span = the_span(traced.spans())
    assert (span.trace_id != TRACE, span.parent) == (True, "")


def test_a_traceparent_of_a_later_version_is_taken(traced: Traced) -> None:
    request(traced, answering("200 OK"), HTTP_TRACEPARENT=f"01-{TRACE}-{SPAN}-01-more")

    assert the_span(traced.spans()).trace_id == TRACE


def test_a_request_that_is_said_not_to_be_sampled_is_not_recorded(traced: Traced) -> None:
    request(traced, answering("200 OK"), HTTP_TRACEPARENT=UNSAMPLED)

    assert traced.spans() == []


def test_a_client_cannot_have_more_recorded_than_the_ratio(begin: Begin) -> None:
    traced = begin(ratio=0.25)
    # The ids that a sampler by the id of the trace would always record.
    for number in range(1, 401):
        request(traced, answering("200 OK"), HTTP_TRACEPARENT=f"00-{number:032x}-{SPAN}-01")

    # That as many are recorded by chance is rarer than once in 10^18.
    assert len(traced.spans()) < 200


def test_at_a_ratio_of_zero_nothing_is_recorded_whatever_a_client_says(begin: Begin) -> None:
    traced = begin(ratio=0.0)
    for traceparent in (SAMPLED, ""):
        request(traced, answering("200 OK"), HTTP_TRACEPARENT=traceparent)

    assert traced.spans() == []


def test_what_is_not_recorded_keeps_the_id_of_its_trace(begin: Begin) -> None:
    traced = begin(ratio=0.0)
    names: list[str | None] = []

    def application(*_: Any) -> Iterable[bytes]:
        names.append(traced.tracing.traceparent())
        return []

    request(traced, application, HTTP_TRACEPARENT=SAMPLED)

    assert names[0] is not None
    assert names[0].startswith(f"00-{TRACE}-")
    assert names[0].endswith("-00")


@pytest.mark.parametrize(("status", "failed"), [("404 Not Found", False), ("503 Service Unavailable", True)])
def test_only_errors_of_the_service_are_failures(traced: Traced, status: str, *, failed: bool) -> None:
    request(traced, answering(status, route=None))

    span = the_span(traced.spans())
    assert (span.name, span.failed) == ("GET", failed)
    assert span.attributes.get("error.type") == (status[:3] if failed else None)


def test_an_application_that_raises_is_a_failure(traced: Traced) -> None:
    def application(*_: Any) -> Iterable[bytes]:
        raise ZeroDivisionError("+12025550187")

    with pytest.raises(ZeroDivisionError):
        request(traced, application)

    span = the_span(traced.spans())
    assert (span.failed, span.attributes["error.type"]) == (True, "ZeroDivisionError")
    assert b"2025550187" not in traced.sent()


def test_a_method_that_nobody_knows_is_not_in_a_name(traced: Traced) -> None:
    request(traced, answering("405 Method Not Allowed"), REQUEST_METHOD="ANN")

    span = the_span(traced.spans())
    assert span.name == "HTTP /v1/leads/<uuid:lead_id>"
    assert span.attributes["http.request.method"] == "_OTHER"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_checks_have_no_span(traced: Traced, path: str) -> None:
    assert list(request(traced, answering("200 OK"), PATH_INFO=path)) == [b"done"]

    assert traced.spans() == []


def test_after_a_request_there_is_no_current_span(traced: Traced) -> None:
    request(traced, answering("200 OK"))

    assert traced.tracing.traceparent() is None
    assert traced.tracing.log_fields() == {}
