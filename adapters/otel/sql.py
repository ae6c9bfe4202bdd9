"""Spans of statements, commits and connections of SQLAlchemy (semantic conventions for database clients).

They hold the statement without its parameters.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from opentelemetry.semconv.attributes.db_attributes import (
    DB_COLLECTION_NAME,
    DB_NAMESPACE,
    DB_OPERATION_BATCH_SIZE,
    DB_OPERATION_NAME,
    DB_QUERY_TEXT,
    DB_RESPONSE_STATUS_CODE,
    DB_SYSTEM_NAME,
)
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from opentelemetry.trace import Span
from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.engine import ExceptionContext

from adapters.otel.spans import CallSpans, fail

MAX_STATEMENT_LENGTH = 1000
"""Characters of a statement in a span. A statement for thousands of rows is thousands of placeholders long."""

_SPAN = "unite.span"

_OPERATION = re.compile(r"\s{0,100}([A-Za-z]{1,20})")
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE|TABLE)\s{1,10}[`\"]?([A-Za-z_]\w{0,63})", re.IGNORECASE)


def trace_statements(engine: Engine, spans: CallSpans) -> None:
    """Have the statements, the commits and the new connections of an engine recorded."""
    _SqlSpans(engine, spans).listen()


class _SqlSpans:
    def __init__(self, engine: Engine, spans: CallSpans) -> None:
        self._engine = engine
        self._spans = spans

    def listen(self) -> None:
        engine, dialect = self._engine, self._engine.dialect
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)
        # First, as other listeners raise another error in place of the driver's.
        event.listen(engine, "handle_error", self._failed, insert=True)
        if dialect.name != "sqlite":
            event.listen(engine, "do_connect", self._connect)
        # There is an event before a commit, and none after it.
        dialect.do_commit = self._committing(dialect.do_commit)  # type: ignore[assignment,method-assign]  # SQLAlchemy calls it like this

    def _before(
        self, connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, executemany: bool
    ) -> None:
        if not self._spans.is_due():
            return
        text = statement[:MAX_STATEMENT_LENGTH]
        operation, table = _summary(text)
        attributes = self._attributes(operation) | {DB_QUERY_TEXT: text}
        if table is not None:
            attributes[DB_COLLECTION_NAME] = table
        if executemany:
            attributes[DB_OPERATION_BATCH_SIZE] = len(parameters)
        name = operation if table is None else f"{operation} {table}"
        connection.info[_SPAN] = self._spans.start(name, attributes)

    def _after(self, connection: Connection, *_: Any) -> None:
        span: Span | None = connection.info.pop(_SPAN, None)
        if span is not None:
            span.end()

    def _failed(self, context: ExceptionContext) -> None:
        span: Span | None = None if context.connection is None else context.connection.info.pop(_SPAN, None)
        if span is not None:
            _fail(span, context.original_exception)
            span.end()

    def _connect(self, dialect: Dialect, _record: Any, arguments: Any, options: Any) -> Any:
        return self._in_span("CONNECT", lambda: dialect.connect(*arguments, **options))

    def _committing(self, commit: Callable[[Any], None]) -> Callable[[Any], None]:
        def traced(connection: Any) -> None:
            self._in_span("COMMIT", lambda: commit(connection))

        return traced

    def _in_span(self, operation: str, act: Callable[[], Any]) -> Any:
        if not self._spans.is_due():
            return act()
        span = self._spans.start(operation, self._attributes(operation))
        try:
            return act()
        except Exception as error:
            _fail(span, error)
            raise
        finally:
            span.end()

    def _attributes(self, operation: str) -> dict[str, str | int]:
        dialect, url = self._engine.dialect, self._engine.url
        attributes: dict[str, str | int] = {
            DB_SYSTEM_NAME: "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name,
            DB_OPERATION_NAME: operation,
        }
        if url.host:
            attributes |= {SERVER_ADDRESS: url.host, SERVER_PORT: url.port or 3306, DB_NAMESPACE: url.database or ""}
        return attributes


@lru_cache(maxsize=1000)
def _summary(statement: str) -> tuple[str, str | None]:
    """Return the operation of a statement, and the table that it names first."""
    operation, table = _OPERATION.match(statement), _TABLE.search(statement)
    return operation[1].upper() if operation else "", table[1] if table else None


def _fail(span: Span, error: BaseException) -> None:
    """Mark a span as failed by the class of the error and its code; its message quotes values."""
    fail(span, type(error).__name__)
    if error.args and isinstance(error.args[0], int):
        span.set_attribute(DB_RESPONSE_STATUS_CODE, str(error.args[0]))
