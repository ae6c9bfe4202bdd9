"""A collector of OpenTelemetry for tests, which takes spans by OTLP over HTTP."""

import re
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.service_process import eventually

KINDS = {
    trace_pb2.Span.SPAN_KIND_INTERNAL: "internal",
    trace_pb2.Span.SPAN_KIND_SERVER: "server",
    trace_pb2.Span.SPAN_KIND_CLIENT: "client",
    trace_pb2.Span.SPAN_KIND_PRODUCER: "producer",
    trace_pb2.Span.SPAN_KIND_CONSUMER: "consumer",
}


@dataclass(frozen=True, kw_only=True)
class ReceivedSpan:
    """A span that the collector got; ids are hexadecimal, and `parent` is empty for the first span of a trace."""

    trace_id: str
    id: str
    parent: str
    name: str
    kind: str
    start: int
    end: int
    failed: bool
    description: str
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    links: tuple[str, ...]

    @property
    def component(self) -> str:
        """The part of the service that it is from."""
        return str(self.resource["unite.component"])

    def is_named(self, traceparent: str | None) -> bool:
        """Whether that is its name (W3C Trace Context), with the bit that says that it is recorded."""
        return re.fullmatch(f"00-{self.trace_id}-{self.id}-0[13]", traceparent or "") is not None


@dataclass
class Collector:
    """What a collector got so far, at `url`."""

    url: str = ""
    requests: "deque[tuple[str, Mapping[str, str], bytes]]" = field(default_factory=deque)

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a service that sends its traces here."""
        return {"UNITE_TRACES": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": self.url}

    def spans(self) -> list[ReceivedSpan]:
        """All spans, in the order in which they began."""
        found = [span for _, _, body in list(self.requests) for span in _spans_of(body)]
        return sorted(found, key=lambda span: span.start)

    def wait_for(self, name: str, *, within: str | None = None) -> ReceivedSpan:
        """Wait for a span of that name; in the trace with the id `within`, if one is given. Return the first."""

        def found() -> ReceivedSpan | None:
            return next((span for span in self.spans() if span.name == name and within in (None, span.trace_id)), None)

        return eventually(found, f"the collector gets the span {name}")


def _spans_of(body: bytes) -> Iterator[ReceivedSpan]:
    for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _values(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield ReceivedSpan(
                    trace_id=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    name=span.name,
                    kind=KINDS[span.kind],
                    start=span.start_time_unix_nano,
                    end=span.end_time_unix_nano,
                    failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
                    description=span.status.message,
                    attributes=_values(span.attributes),
                    resource=resource,
                    links=tuple(link.span_id.hex() for link in span.links),
                )


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind) if kind else None


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector on this machine while the block runs."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.requests.append((self.path, dict(self.headers), body))
            response = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(response)))
            self.end_headers()
            self.wfile.write(response)

        def log_message(self, *_: Any) -> None:
            """Write no log."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
