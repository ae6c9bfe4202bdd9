"""The id that ties together everything that follows from one request."""

import logging
import re
from contextvars import ContextVar

from flask import Flask, Response, g, request

from entrypoints.http.context import unite

HEADER = "X-Correlation-ID"

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,128}")
_current: ContextVar[str | None] = ContextVar("correlation_id", default=None)


def correlation_id() -> str | None:
    """The id of the request that is being worked on here; None outside of one."""
    return _current.get()


class CorrelationFilter(logging.Filter):
    """Puts the correlation id on every log record, as `correlation_id`."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation_id = correlation_id()
        return True


def install(app: Flask) -> None:
    """Take the id that the client sends if it is a good one, else make one, and send it back."""

    @app.before_request
    def take_or_make() -> None:
        given = request.headers.get(HEADER, "")
        g.correlation_id = given if _ACCEPTABLE.fullmatch(given) else str(unite().ids.new())
        _current.set(g.correlation_id)

    @app.after_request
    def send_back(response: Response) -> Response:
        current = correlation_id()
        if current is not None:
            response.headers[HEADER] = current
        return response

    @app.teardown_request
    def forget(_: BaseException | None) -> None:
        _current.set(None)
