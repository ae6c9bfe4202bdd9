"""Spans of requests to an HTTP API by requests (semantic conventions for HTTP clients).

They say neither URL nor query, which may hold telephone numbers, but the template of the path.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.semconv.attributes.http_attributes import HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from adapters.otel.spans import CallSpans, fail

_ID = re.compile(r"(?<=/)[A-Z]{2}[0-9a-fA-F]{32}(?![0-9a-zA-Z])")
"""An id of Twilio in a path: two letters for its kind, and 32 hexadecimal digits."""

_PORTS = {"http": 80, "https": 443}


class TracedAdapter(HTTPAdapter):
    """Sends requests as usual, and records each; mount it on a session."""

    def __init__(self, spans: CallSpans) -> None:
        super().__init__()
        self._spans = spans

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        """Send a request in a span."""
        if not self._spans.is_due():
            return super().send(request, *arguments, **options)
        method, url = request.method or "", urlsplit(request.url or "")
        template = _ID.sub("{sid}", url.path)
        span = self._spans.start(
            f"{method} {template}",
            {
                HTTP_REQUEST_METHOD: method,
                "url.template": template,
                SERVER_ADDRESS: url.hostname or "",
                SERVER_PORT: url.port or _PORTS.get(url.scheme, 0),
            },
        )
        try:
            response = super().send(request, *arguments, **options)
            span.set_attribute(HTTP_RESPONSE_STATUS_CODE, response.status_code)
            if response.status_code >= 400:
                fail(span, str(response.status_code))
        except Exception as error:
            fail(span, type(error).__name__)
            raise
        else:
            return response
        finally:
            span.end()
