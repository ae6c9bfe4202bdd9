"""Set the correlation id of each request: the client's X-Correlation-ID, that of a callback's URL, or a new one."""

import re

from flask import Flask, Response, g, request

from entrypoints.correlation import correlation_id, set_correlation_id, set_user_id
from entrypoints.http.framework.context import unite

CORRELATION_ID_HEADER = "X-Correlation-ID"

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,128}")


def continue_with(sent: str) -> None:
    """Use this correlation id for the rest of the request, if it is acceptable."""
    if _ACCEPTABLE.fullmatch(sent):
        _set(sent)


def _set(current: str) -> None:
    g.correlation_id = current
    set_correlation_id(current)


def install(app: Flask) -> None:
    """Use the id that the client sends if it is acceptable, otherwise create one, and send it in the response."""

    @app.before_request
    def take_or_make() -> None:
        sent = request.headers.get(CORRELATION_ID_HEADER, "")
        _set(sent if _ACCEPTABLE.fullmatch(sent) else str(unite().ids.new()))
        set_user_id(None)

    @app.after_request
    def send_back(response: Response) -> Response:
        current = correlation_id()
        if current is not None:
            response.headers[CORRELATION_ID_HEADER] = current
        return response

    @app.teardown_request
    def forget(_: BaseException | None) -> None:
        set_correlation_id(None)
        set_user_id(None)
