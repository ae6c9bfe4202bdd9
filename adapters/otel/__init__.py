"""Traces by OpenTelemetry of requests, jobs, deliveries and what other adapters call."""

from typing import TYPE_CHECKING

from adapters.extras import require
from unite_core.lazy_names import lazy_names

require("otel", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")

if TYPE_CHECKING:
    from adapters.otel.aws import trace_calls
    from adapters.otel.http_client import TracedAdapter
    from adapters.otel.mongo import MongoSpans
    from adapters.otel.redis import traced_redis
    from adapters.otel.spans import CallSpans
    from adapters.otel.sql import trace_statements
    from adapters.otel.tracing import OtelTracing, TraceExport
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "adapters.otel.aws": ("trace_calls",),
            "adapters.otel.http_client": ("TracedAdapter",),
            "adapters.otel.mongo": ("MongoSpans",),
            "adapters.otel.redis": ("traced_redis",),
            "adapters.otel.spans": ("CallSpans",),
            "adapters.otel.sql": ("trace_statements",),
            "adapters.otel.tracing": ("OtelTracing", "TraceExport"),
        },
    )

__all__ = [
    "CallSpans",
    "MongoSpans",
    "OtelTracing",
    "TraceExport",
    "TracedAdapter",
    "trace_calls",
    "trace_statements",
    "traced_redis",
]
