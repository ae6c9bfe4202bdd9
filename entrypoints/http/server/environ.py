"""Check the head of an ASGI request and convert it to a WSGI environment (PEP 3333)."""

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from unite_core.errors import Malformed

SINGLE_HEADERS = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"if-modified-since",
        b"if-range",
        b"if-unmodified-since",
        b"last-event-id",
        b"origin",
        b"range",
        b"x-correlation-id",
        b"x-twilio-signature",
    }
)
"""Headers with a single value: joining two of them would change their meaning (RFC 9110, 5.3)."""

MAX_HOST_LENGTH = 255

_IP_LITERAL = r"\[[0-9A-Fa-f:.]{2,45}\]"
_REGISTERED_NAME = r"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+"
_HOST = re.compile(rf"(?:{_IP_LITERAL}|{_REGISTERED_NAME})(?::[0-9]{{0,5}})?")


def refuse_head(scope: Mapping[str, Any]) -> None:
    """Raise `Malformed` (`invalid_header`) if the head of the request is ambiguous.

    Refused are a repeated header that has a single value, a transfer coding other than `chunked`, a length beside a
    transfer coding (RFC 9112, 6.1 and 6.3), and HTTP/1.1 without exactly one valid Host (RFC 9112, 3.2).
    """
    counts = Counter([name for name, _ in scope["headers"]])
    repeated = [name for name, count in counts.items() if count > 1 and name in SINGLE_HEADERS]
    if repeated:
        raise _invalid(f"The header {repeated[0].decode()} is repeated; send it once.")
    codings = [value.strip().lower() for name, value in scope["headers"] if name == b"transfer-encoding"]
    if codings not in ([], [b"chunked"]):
        raise _invalid("The only accepted Transfer-Encoding is chunked, once.")
    if codings and b"content-length" in counts:
        raise _invalid("The request has both Content-Length and Transfer-Encoding; send one of them.")
    host = header(scope, b"host")
    # HTTP/1.0 does not require a Host.
    if not host and scope["http_version"] != "1.1":
        return
    if len(host) > MAX_HOST_LENGTH or _HOST.fullmatch(host) is None:
        raise _invalid("The header Host is missing or is not a host name; send a valid one.")


def header(scope: Mapping[str, Any], name: bytes) -> str:
    """Return the value of a header with a single value; empty if it is missing. `name` is in lower case."""
    return next(header_values(scope, name), "")


def header_values(scope: Mapping[str, Any], name: bytes) -> Iterator[str]:
    """Return the values of a header in the order of the request. `name` is in lower case."""
    return (value.decode("latin-1") for header_name, value in scope["headers"] if header_name == name)


def decoded_path(scope: Mapping[str, Any]) -> str:
    """Return the path without percent-encoding, as the router reads it."""
    return unquote_to_bytes(scope["raw_path"]).decode(errors="replace")


def environ_of(scope: Mapping[str, Any], body: BinaryIO) -> dict[str, Any]:
    """Return the WSGI environment of a request (PEP 3333, environ Variables): text is bytes decoded as Latin-1.

    Headers with an underscore in the name are left out, because WSGI cannot distinguish `X_Real_IP` from `X-Real-IP`.
    Repeated headers are joined (RFC 9110, 5.3).
    """
    # A connection over a Unix socket has neither a server nor a client address.
    server, port = scope.get("server") or ("", "")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        # The input ends where the body ends, even without a declared length.
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name = _variable(raw_name)
        if name is not None:
            value = raw_value.decode("latin-1")
            environ[name] = f"{environ[name]}{_separator(name)}{value}" if name in environ else value
    return environ


@lru_cache(maxsize=256)
def _variable(name: bytes) -> str | None:
    """Return the name of the WSGI variable for a header; None for a header that is left out."""
    if b"_" in name:
        return None
    variable = name.decode("latin-1").upper().replace("-", "_")
    return variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}"


def _separator(variable: str) -> str:
    return "; " if variable == "HTTP_COOKIE" else ", "


def _invalid(detail: str) -> Malformed:
    return Malformed(detail, code="invalid_header")
