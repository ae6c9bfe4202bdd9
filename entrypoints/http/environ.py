"""The head of a request: what of it is refused at once, and how WSGI has it (PEP 3333)."""

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
"""Headers that have one value: two of them cannot be joined without changing what they say (RFC 9110, 5.3)."""

MAX_HOST_LENGTH = 255

_IP_LITERAL = r"\[[0-9A-Fa-f:.]{2,45}\]"
_REGISTERED_NAME = r"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+"
_HOST = re.compile(rf"(?:{_IP_LITERAL}|{_REGISTERED_NAME})(?::[0-9]{{0,5}})?")


def refuse_head(scope: Mapping[str, Any]) -> None:
    """Raise `Malformed` (`invalid_header`) where the head of the request cannot be relied on.

    Refused are a header twice that has one value, a transfer coding other than `chunked` and a length beside one
    (RFC 9112, 6.1 and 6.3), and HTTP/1.1 without one valid Host (RFC 9112, 3.2).
    """
    counts = Counter([name for name, _ in scope["headers"]])
    repeated = [name for name, count in counts.items() if count > 1 and name in SINGLE_HEADERS]
    if repeated:
        raise _invalid(f"The header {repeated[0].decode()} is there more than once; send it once.")
    codings = [value.strip().lower() for name, value in scope["headers"] if name == b"transfer-encoding"]
    if codings not in ([], [b"chunked"]):
        raise _invalid("The only Transfer-Encoding that is taken is chunked, once.")
    if codings and b"content-length" in counts:
        raise _invalid("The request has both Content-Length and Transfer-Encoding; send one of them.")
    host = header(scope, b"host")
    # HTTP/1.0 needs none.
    if not host and scope["http_version"] != "1.1":
        return
    if len(host) > MAX_HOST_LENGTH or _HOST.fullmatch(host) is None:
        raise _invalid("The header Host is missing or is no host name; send one that is.")


def header(scope: Mapping[str, Any], name: bytes) -> str:
    """The value of a header that has one value; empty where it is not there. `name` is in lower case."""
    return next(header_values(scope, name), "")


def header_values(scope: Mapping[str, Any], name: bytes) -> Iterator[str]:
    """The values of a header in the order in which they came. `name` is in lower case."""
    return (value.decode("latin-1") for given, value in scope["headers"] if given == name)


def decoded_path(scope: Mapping[str, Any]) -> str:
    """The path without percent-encoding, as the router reads it."""
    return unquote_to_bytes(scope["raw_path"]).decode(errors="replace")


def environ_of(scope: Mapping[str, Any], body: BinaryIO) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333, environ Variables): text is bytes read as Latin-1.

    Headers with an underscore in their names are left out: WSGI could not tell `X_Real_IP` from `X-Real-IP`. Headers
    that are there more than once are joined (RFC 9110, 5.3).
    """
    # Both addresses are missing where the connection has none, as over a Unix socket.
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
        # Also where no length was announced, the input ends where the body does.
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
    """The name that a header has in the environment; None for one that is left out."""
    if b"_" in name:
        return None
    variable = name.decode("latin-1").upper().replace("-", "_")
    return variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}"


def _separator(variable: str) -> str:
    return "; " if variable == "HTTP_COOKIE" else ", "


def _invalid(detail: str) -> Malformed:
    return Malformed(detail, code="invalid_header")
