"""Check the raw bytes of a request head before it is parsed (RFC 9112).

The parser (llhttp) refuses everything else that is ambiguous: bare CR and LF, folded lines, invalid characters in names
and values, a length that is not a number, two lengths, or a length beside a transfer coding.
"""

import re
from collections.abc import Iterable

from entrypoints.capacity import MAX_HEAD_BYTES, MAX_HEADERS
from entrypoints.http.framework.problems import HeadTooLarge, UriTooLong
from unite_core.errors import Malformed

END = b"\r\n\r\n"
EMPTY_LINE = b"\r\n"

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_PATH = rb'/[!-"$->@-~]*'
_QUERY = rb'\?([!-"$-~]*)'
_AUTHORITY = rb'[A-Za-z][A-Za-z0-9+.-]*://[!-"$-.0->@-~]+'

REQUEST_LINE = re.compile(
    rb"(%s{1,32}) (?:(\*)|(?:%s)?(%s)(?:%s)?|%s(?:%s)?) HTTP/1\.[01]\r\n"
    % (_TOKEN, _AUTHORITY, _PATH, _QUERY, _AUTHORITY, _QUERY)
)
"""A request line with single spaces (RFC 9112, 3). Its groups: method, `*`, path, query, query without a path."""

_METHOD = re.compile(rb"%s{1,32}(?: |\Z)" % _TOKEN)
_NEVER_IN_A_HEAD = re.compile(rb"(?<!\r)\n|\r[^\n]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UPGRADE = re.compile(rb"\r\nupgrade:[^\r]*", re.IGNORECASE)

_NO_REQUEST_LINE = "The request line is not a method, a target and HTTP/1.1 with single spaces between them."


def check_beginning(head: bytes | bytearray, checked: int) -> None:
    """Raise the error if an incomplete head is refused. Its first `checked` bytes were checked before."""
    line_end = head.find(b"\r\n")
    if len(head) > MAX_HEAD_BYTES:
        raise too_large(head)
    if line_end >= 0:
        # The request line is checked as soon as it is complete; the rest of the head may come much later.
        if line_end + 2 > checked and REQUEST_LINE.match(head) is None:
            raise Malformed(_NO_REQUEST_LINE)
    elif checked <= 32 and _METHOD.match(head) is None:
        raise Malformed(_NO_REQUEST_LINE)
    if _NEVER_IN_A_HEAD.search(head, max(0, checked - 1)) is not None:
        raise Malformed("The head of the request has a control character, or a line that does not end with CR LF.")


def request_line(head: bytes) -> "re.Match[bytes]":
    """Return the request line of a complete head; raise the error if the head is refused."""
    if len(head) > MAX_HEAD_BYTES:
        raise too_large(head)
    line = REQUEST_LINE.match(head)
    if line is None or (line[2] and line[1] != b"OPTIONS"):
        raise Malformed(_NO_REQUEST_LINE)
    if head.count(b"\r\n") - 2 > MAX_HEADERS:
        raise HeadTooLarge(f"The request has more than the {MAX_HEADERS} headers that are accepted.")
    return line


def path_and_query(line: "re.Match[bytes]") -> tuple[bytes, bytes]:
    """Return path and query of the target of a request line; a URL without a path has the path `/`."""
    _, asterisk, path, query, bare_query = line.groups()
    return asterisk or path or b"/", query or bare_query or b""


def readable_path(head: bytes | bytearray) -> bytes:
    """Return the path in a head that is refused; `/` if none can be read."""
    line = REQUEST_LINE.match(head)
    return b"/" if line is None else path_and_query(line)[0]


def without_upgrade(head: bytes) -> bytes:
    """Return the head without Upgrade, which a server may ignore (RFC 9110, 7.8)."""
    return _UPGRADE.sub(b"", head)


def asks_for_websocket(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether the client asks for a WebSocket (RFC 6455, 4.1)."""
    return any(name == b"upgrade" and b"websocket" in value.lower() for name, value in headers)


def too_large(head: bytes | bytearray) -> HeadTooLarge | UriTooLong:
    """Return the error for a head of more than `MAX_HEAD_BYTES`: the target is too long, or the headers too large."""
    if head.find(b"\r\n", 0, MAX_HEAD_BYTES) < 0:
        return UriTooLong(f"The request line has more than {MAX_HEAD_BYTES:,} bytes.")
    return HeadTooLarge(f"The head of the request has more than the {MAX_HEAD_BYTES:,} bytes that are accepted.")
