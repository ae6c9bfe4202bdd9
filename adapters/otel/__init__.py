from adapters.extras import require

require("otel", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
