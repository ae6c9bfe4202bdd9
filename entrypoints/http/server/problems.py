"""Problem documents for requests that fail in the server, before they reach the application."""

import uuid
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from entrypoints.http.framework.errors import (
    MAX_INSTANCE_LENGTH,
    PROBLEM_TYPE,
    SAFE_PATH_CHARACTERS,
    STATUSES,
    problem_kind_of,
)
from entrypoints.http.framework.json_responses import to_json
from unite_core.errors import UniteError


class ServerProblemResponse:
    """The response to a request that failed with `error`; `path` is the percent-encoded path of the request."""

    def __init__(self, error: UniteError, path: bytes) -> None:
        self.code, kind = problem_kind_of(error)
        self.status = STATUSES[kind.category]
        self.correlation_id = str(uuid.uuid4())
        document: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": kind.title,
            "status": self.status,
            "detail": error.detail,
            "instance": quote_from_bytes(unquote_to_bytes(path[: MAX_INSTANCE_LENGTH // 3]), safe=SAFE_PATH_CHARACTERS),
            "code": self.code,
            "correlation_id": self.correlation_id,
        }
        self.content = to_json(document)
        self.reason = HTTPStatus(self.status).phrase
        self.headers = (
            ("Content-Type", PROBLEM_TYPE),
            ("Content-Length", str(len(self.content))),
            ("X-Correlation-ID", self.correlation_id),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        )
