"""Raise the error of a request that the ASGI layer refused before reading its body, so that Flask answers it."""

import logging

from flask import Flask, request

from entrypoints.http.server.body import UnreadBody

_log = logging.getLogger("unite.http")


def install(app: Flask) -> None:
    """Raise the server's error for a refused request before anything else reads the request."""

    @app.before_request
    def refuse() -> None:
        body = request.input_stream
        if isinstance(body, UnreadBody) and body.error is not None:
            _log.info("refused request", extra={"code": body.error.code, "detail": body.error.detail})
            raise body.error
