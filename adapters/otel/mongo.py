"""Spans of the commands of PyMongo (semantic conventions for database clients): their names, without documents."""

from opentelemetry.semconv.attributes.db_attributes import (
    DB_COLLECTION_NAME,
    DB_NAMESPACE,
    DB_OPERATION_NAME,
    DB_RESPONSE_STATUS_CODE,
    DB_SYSTEM_NAME,
)
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from opentelemetry.trace import Span
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from adapters.otel.spans import CallSpans, fail

_COLLECTION_COMMANDS = frozenset(
    {
        "aggregate",
        "collMod",
        "count",
        "create",
        "createIndexes",
        "delete",
        "distinct",
        "drop",
        "dropIndexes",
        "find",
        "findAndModify",
        "insert",
        "listIndexes",
        "update",
    }
)
"""The commands whose value is a collection; that of others may be anything."""


class MongoSpans(CommandListener):
    """Records the commands of a client that it listens to."""

    def __init__(self, spans: CallSpans) -> None:
        self._spans = spans
        self._open: dict[tuple[int, object], Span] = {}

    def started(self, event: CommandStartedEvent) -> None:
        """Start the span of a command."""
        if not self._spans.is_due():
            return
        host, port = event.connection_id
        operation = event.command_name
        collection = event.command.get(operation) if operation in _COLLECTION_COMMANDS else None
        attributes: dict[str, str | int] = {
            DB_SYSTEM_NAME: "mongodb",
            DB_NAMESPACE: event.database_name,
            DB_OPERATION_NAME: operation,
            SERVER_ADDRESS: host,
        }
        if port is not None:
            attributes[SERVER_PORT] = port
        name = operation
        if isinstance(collection, str):
            attributes[DB_COLLECTION_NAME] = collection
            name = f"{operation} {collection}"
        self._open[event.request_id, event.connection_id] = self._spans.start(name, attributes)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """End the span of a command."""
        span = self._open.pop((event.request_id, event.connection_id), None)
        if span is not None:
            span.end()

    def failed(self, event: CommandFailedEvent) -> None:
        """End the span of a command with the code of its error; the message may quote a document."""
        span = self._open.pop((event.request_id, event.connection_id), None)
        if span is None:
            return
        code = event.failure.get("code")
        fail(span, str(event.failure.get("codeName") or event.failure.get("errtype") or code or "failed"))
        if code is not None:
            span.set_attribute(DB_RESPONSE_STATUS_CODE, str(code))
        span.end()
