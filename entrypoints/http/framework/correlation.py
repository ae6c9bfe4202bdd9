"""Set the correlation id of each request: the client's X-Correlation-ID, or a new one."""

import re

from flask import Flask, Response, g, request

from entrypoints.correlation import correlation_id, set_correlation_id, set_user_id
from entrypoints.http.framework.context import unite

CORRELATION_ID_HEADER = "X-Correlation-ID"

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,128}")


def install(app: Flask) -> None:
    """Use the id that the client sends if it is acceptable, otherwise create one, and send it in the response."""

    @app.before_request
    def take_or_make() -> None:
        sent = request.headers.get(CORRELATION_ID_HEADER, "")
        g.correlation_id = sent if _ACCEPTABLE.fullmatch(sent) else str(unite().ids.new())
        set_correlation_id(g.correlation_id)
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
