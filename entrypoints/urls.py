"""What addresses in settings have to look like; each raises `ValueError` saying what would be right."""

import re
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def database_url(text: str) -> str:
    """A database that Unite can use."""
    scheme, _, rest = text.partition("://")
    if scheme == "sqlite":
        path = rest.removeprefix("/")
        if rest.startswith("/") and path and not path.startswith(":memory:"):
            return text
    elif scheme in ("mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"):
        parts = _split(text)
        if parts.hostname and len(parts.path) > 1:
            return text
    raise ValueError("is none that Unite can use; write mysql://user:password@host/database, or sqlite:/// and a path")


def account(text: str) -> str:
    """An account of MySQL or MariaDB: its name, and the machines that it is used from."""
    if not re.fullmatch(r"[^\s@]{1,32}@[^\s@]{1,255}", text):
        raise ValueError("is not like service@%")
    return text


def mongodb_url(text: str) -> str:
    """A database of MongoDB."""
    # Of several hosts each may have a port, so that nobody is asked for the one port here.
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError("is no URL") from None
    if parts.scheme not in ("mongodb", "mongodb+srv") or not parts.netloc or len(parts.path) < 2:
        raise ValueError("is not like mongodb://user:password@host/database")
    return text


def mongodb_account(text: str) -> str:
    """A database of MongoDB, with the account that it is reached by."""
    account, at, _ = urlsplit(mongodb_url(text)).netloc.rpartition("@")
    name, colon, password = account.partition(":")
    if not at or not name or not colon or not password:
        raise ValueError("is not like mongodb://user:password@host/database")
    return text


def redis_url(text: str) -> str:
    """A database of Redis."""
    parts = _split(text)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname or not re.fullmatch(r"/?[0-9]*", parts.path):
        raise ValueError("is not like redis://:password@host:6379/0")
    return text


def http_url(text: str) -> str:
    """A server of HTTP; without the slash at its end."""
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not like http://host:5000")
    return text.rstrip("/")


def public_url(text: str) -> str:
    """What links start with; without the slash at its end."""
    scheme, separator, rest = text.partition("://")
    if scheme not in ("http", "https") or not separator or not rest or any(sign in rest for sign in "?#@ "):
        raise ValueError("is not like https://unite.example.com: a scheme, a host, perhaps a port and a path")
    return text.rstrip("/")


def origins(text: str) -> tuple[str, ...]:
    """Origins (RFC 6454, 6.2) with commas between, each as browsers send it: in small letters, no default port."""
    return tuple(dict.fromkeys(_origin(entry.strip(), at) for at, entry in enumerate(text.split(","), start=1)))


def _origin(entry: str, position: int) -> str:
    if "*" in entry:
        raise ValueError(f"entry {position} has an asterisk; name each origin")
    found = re.fullmatch(r"(https?)://([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?", entry.lower())
    if found is None or int(found[3] or 1) not in range(1, 65_536):
        raise ValueError(
            f"entry {position} is not like https://app.example.com: a scheme, a host in ASCII, perhaps a port, and no "
            "path or slash behind it"
        )
    scheme, host, port = found.groups()
    return f"{scheme}://{host}" if int(port or 0) in (0, _DEFAULT_PORTS[scheme]) else f"{scheme}://{host}:{int(port)}"


def topic_arn(text: str) -> str:
    """A topic of SNS that is no FIFO topic: those want to be told what is to stay in order."""
    if not re.fullmatch(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}", text):
        raise ValueError("is not like arn:aws:sns:eu-central-1:123456789012:unite, or is a FIFO topic")
    return text


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("is no URL") from None
    return parts
