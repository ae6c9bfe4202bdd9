"""WSGI middleware that reads client address, scheme and host from the headers of trusted proxies.

A proxy is trusted only if the connection comes from an address in `UNITE_TRUSTED_PROXIES`. Of its headers,
`X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` are read; `Forwarded` (RFC 7239) and `X-Real-IP` are not.
The application behind this middleware finds the client in `request.remote_addr`, `request.scheme` and `request.host`,
and sees none of these headers.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from entrypoints.networks import Address, Network, contains, is_private, read_address
from entrypoints.settings.variables import TRUSTED_PROXIES

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

FORWARDED_SCHEME = "unite.forwarded_scheme"
"""The key in the WSGI environment for the scheme that a trusted proxy named, if one did."""

_FOR, _PROTO, _HOST = "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"
HEADERS = (_FOR, _PROTO, _HOST, "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_PREFIX", "HTTP_FORWARDED", "HTTP_X_REAL_IP")
"""The headers of proxies, as WSGI variables: the first three are read, and none is passed on."""

_MAX_PORT = 65_535
_MAX_HOP_LENGTH = 80
_WITH_PORT = re.compile(r"\[([^\[\]]+)\](?::([0-9]{1,5}))?|([0-9.]+):([0-9]{1,5})")
_HOST_AND_PORT = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")

_log = logging.getLogger("unite.http")


class ProxyHeaders:
    """WSGI middleware that sets the client of each request from the headers of `trusted` proxies."""

    def __init__(self, application: WsgiApplication, trusted: Sequence[Network]) -> None:
        self._application = application
        self._trusted = tuple(trusted)
        self._warned = False

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        peer = read_address(environ.get("REMOTE_ADDR") or "")
        if peer is not None:
            environ["REMOTE_ADDR"] = str(peer)
            if contains(self._trusted, peer):
                self._apply_forwarded(environ, peer)
            elif _FOR in environ:
                self._warn_once(peer)
        for name in HEADERS:
            environ.pop(name, None)
        return self._application(environ, start_response)

    def _apply_forwarded(self, environ: dict[str, Any], peer: Address) -> None:
        environ["REMOTE_ADDR"] = str(client_address(peer, environ.get(_FOR, ""), self._trusted))
        # The proxy that connects adds its value last; clients may have sent the values before it.
        scheme = environ.get(_PROTO, "").rpartition(",")[2].strip().lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = environ[FORWARDED_SCHEME] = scheme
        host = environ.get(_HOST, "").rpartition(",")[2].strip()
        if _HOST_AND_PORT.fullmatch(host):
            environ["HTTP_HOST"] = host

    def _warn_once(self, peer: Address) -> None:
        if not self._warned and is_private(peer):
            self._warned = True
            _log.warning(
                "A request with X-Forwarded-For came from an address that is not trusted. If that is your proxy, add "
                "it to %s; otherwise all clients behind it are counted as one.",
                TRUSTED_PROXIES.name,
                extra={"proxy": str(peer)},
            )


def client_address(peer: Address, forwarded_for: str, trusted: Sequence[Network]) -> Address:
    """Return the address of the client: the rightmost address of `X-Forwarded-For` that is not trusted.

    Each proxy adds the address of its own client at the right, so everything to the left of the first untrusted
    address may be made up. If an entry cannot be read, the trusted hop to its right counts; if all are trusted, the
    leftmost. `peer` is the address of the connection. The time is linear in the length of the header.
    """
    address = peer
    for entry in _from_right(forwarded_for):
        if not contains(trusted, address):
            break
        hop = _read_hop(entry)
        if hop is None:
            break
        address = hop
    return address


def _from_right(header: str) -> Iterator[str]:
    end = len(header)
    while end >= 0:
        comma = header.rfind(",", 0, end)
        yield header[comma + 1 : end]
        end = comma


def _read_hop(entry: str) -> Address | None:
    """Return the address in an entry like `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:443`."""
    entry = entry.strip(" \t")
    if len(entry) > _MAX_HOP_LENGTH:
        return None
    match = _WITH_PORT.fullmatch(entry)
    if match is None:
        return read_address(entry)
    in_brackets, port, before_colon, other_port = match.groups()
    if int(port or other_port or 0) > _MAX_PORT:
        return None
    address = read_address(in_brackets or before_colon)
    # Brackets are for IPv6 alone (RFC 3986, 3.2.2).
    return None if in_brackets and ":" not in in_brackets else address
