"""Validate URLs and other addresses in settings; each function raises `ValueError` with what would be right."""

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, parse_qsl, urlsplit

MAX_PORT = 65_535

MYSQL_PARAMETERS = (
    "charset",
    "collation",
    "program_name",
    "ssl_ca",
    "ssl_capath",
    "ssl_cert",
    "ssl_check_hostname",
    "ssl_cipher",
    "ssl_disabled",
    "ssl_key",
    "ssl_key_password",
    "ssl_verify_cert",
    "ssl_verify_identity",
    "unix_socket",
)
REDIS_PARAMETERS = (
    "client_name",
    "db",
    "protocol",
    "ssl_ca_certs",
    "ssl_ca_path",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_keyfile",
)
"""The driver parameters that may follow the question mark. Timeouts are set by the service."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


def database_url(text: str) -> str:
    """Return the URL of a supported database."""
    scheme, _, rest = text.partition("://")
    if scheme == "sqlite":
        if "?" in rest:
            raise ValueError("has parameters behind the path, and SQLite takes none here")
        path = rest.removeprefix("/")
        if rest.startswith("/") and path and not path.startswith(":memory:"):
            return text
    elif scheme in ("mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"):
        parts = _split(text)
        if parts.hostname and len(parts.path) > 1:
            _check_parameters(parts, MYSQL_PARAMETERS)
            return text
    raise ValueError("is none that Unite can use; write mysql://user:password@host/database, or sqlite:/// and a path")


def mongodb_url(text: str) -> str:
    """Return the URL of a MongoDB database."""
    # With several hosts each may have a port, so the ports are checked below and not by `urlsplit`.
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError("is no URL") from None
    if parts.scheme not in ("mongodb", "mongodb+srv") or not parts.netloc or len(parts.path) < 2:
        raise ValueError("is not like mongodb://user:password@host/database")
    for host in parts.netloc.rpartition("@")[2].split(","):
        _check_port(host.rpartition("]")[2].partition(":")[2])
    return text


def mongodb_account(text: str) -> str:
    """Return the URL of a MongoDB database, including an account with a password."""
    account, at, _ = urlsplit(mongodb_url(text)).netloc.rpartition("@")
    name, colon, password = account.partition(":")
    if not at or not name or not colon or not password:
        raise ValueError("is not like mongodb://user:password@host/database")
    return text


def redis_url(text: str) -> str:
    """Return the URL of a Redis database."""
    parts = _split(text)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname or not re.fullmatch(r"/?[0-9]*", parts.path):
        raise ValueError("is not like redis://:password@host:6379/0")
    _check_parameters(parts, REDIS_PARAMETERS)
    return text


def http_url(text: str) -> str:
    """Return the URL of an HTTP server without a slash at its end."""
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not like http://host:5000")
    return text.rstrip("/")


def public_url(text: str) -> str:
    """Return the start of links to the service without a slash at its end."""
    scheme, separator, rest = text.partition("://")
    if scheme not in ("http", "https") or not separator or not rest or any(sign in rest for sign in "?#@ "):
        raise ValueError("is not like https://unite.example.com: a scheme, a host, perhaps a port and a path")
    return text.rstrip("/")


def sentry_dsn(text: str) -> str:
    """Return a DSN of Sentry: the URL of a server with a key as its user, and the number of a project at its end."""
    parts = _split(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not parts.username
        or not re.fullmatch(r"(?:/[^/\s]+)*/[0-9]+", parts.path)
        or parts.query
        or parts.fragment
    ):
        raise ValueError("is not like https://key@o0.ingest.sentry.io/1")
    return text


def origins(text: str) -> tuple[str, ...]:
    """Parse origins (RFC 6454, 6.2) that are separated by commas; each is normalized as browsers send it.

    That is in lower case and without a default port.
    """
    return tuple(dict.fromkeys(_origin(entry.strip(), at) for at, entry in enumerate(text.split(","), start=1)))


def _origin(entry: str, position: int) -> str:
    if "*" in entry:
        raise ValueError(f"entry {position} has an asterisk; name each origin")
    match = re.fullmatch(r"(https?)://([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?", entry.lower())
    if match is None or int(match[3] or 1) not in range(1, 65_536):
        raise ValueError(
            f"entry {position} is not like https://app.example.com: a scheme, a host in ASCII, perhaps a port, and no "
            "path or slash behind it"
        )
    scheme, host, port = match.groups()
    return f"{scheme}://{host}" if int(port or 0) in (0, _DEFAULT_PORTS[scheme]) else f"{scheme}://{host}:{int(port)}"


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError("is no URL") from None
    _check_port(parts.netloc.rpartition("@")[2].rpartition("]")[2].partition(":")[2])
    return parts


def _check_port(port: str) -> None:
    if port and not (port.isascii() and port.isdigit() and 1 <= int(port[:9]) <= MAX_PORT):
        raise ValueError(f"has a port that is not a number from 1 to {MAX_PORT}")


def _check_parameters(parts: SplitResult, known: Sequence[str]) -> None:
    for position, (name, _) in enumerate(parse_qsl(parts.query, keep_blank_values=True), start=1):
        if name not in known:
            # The name is not quoted: it may be a part of a password that contains a question mark.
            raise ValueError(
                f"has an unknown parameter behind the question mark (number {position}); known are {', '.join(known)}"
            )
