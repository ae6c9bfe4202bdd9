"""What the owner of an installation can decide. Nothing else of Unite reads the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from entrypoints.reading import Reader
from unite_core.errors import Problem
from unite_core.identity.contact import password_problem, user_email
from unite_core.phone import PhoneRule, is_country

PREFIX = "UNITE_"

SHORTEST_SECRET = 32
"""Bytes. A key for HMAC-SHA256 is as long as its output (RFC 7518, 3.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One variable: what it decides, and in words what it is when it is not set."""

    name: str
    meaning: str
    default: str
    secret: bool = False


HOST = Setting(name="UNITE_HOST", meaning="The network address to listen at.", default="127.0.0.1")
PORT = Setting(name="UNITE_PORT", meaning="The port to listen at, 1 to 65535.", default="8000")
DATA_DIR = Setting(
    name="UNITE_DATA_DIR",
    meaning="The folder that holds the database, the files and the keys; made where it is missing.",
    default="./var",
)
DATABASE_URL = Setting(
    name="UNITE_DATABASE_URL",
    meaning="The database as a URL: `sqlite:///` and the path of a file, or `mysql://user:password@host/database`.",
    default="unite.sqlite3 in the data folder",
    secret=True,
)
REDIS_URL = Setting(
    name="UNITE_REDIS_URL",
    meaning=(
        "The Redis that wakes workers, also those on other machines, as a URL: `redis://host:6379/0`, or `rediss://` "
        "for TLS. Nothing is lost where it is away."
    ),
    default="workers look into the database",
    secret=True,
)
JWT_KEYS = Setting(
    name="UNITE_JWT_KEYS",
    meaning=(
        "The keys that access tokens, links and cursors are signed with: `name:secret`, several of them with commas "
        f"between. A secret has at least {SHORTEST_SECRET} bytes. The first one signs, all of them verify: put a new "
        "one in front, and take the old one out a day later."
    ),
    default="made once, and kept in the data folder with mode 600",
    secret=True,
)
ADMIN_EMAIL = Setting(
    name="UNITE_ADMIN_EMAIL",
    meaning="The e-mail address of the first admin, who is added at the start where there is no admin.",
    default="nobody is added",
)
ADMIN_PASSWORD = Setting(
    name="UNITE_ADMIN_PASSWORD",
    meaning="The first admin's password, 12 to 256 characters. It changes nothing once the admin is there.",
    default="nobody is added",
    secret=True,
)
PUBLIC_URL = Setting(
    name="UNITE_PUBLIC_URL",
    meaning="What links to the service start with, as clients reach it: `https://unite.example.com`.",
    default="http:// with host and port",
)
RATE_LIMIT = Setting(
    name="UNITE_RATE_LIMIT",
    meaning="How many requests a minute one user, or one address before login, may make; 0 for any number.",
    default="1200",
)
LOGIN_LIMIT = Setting(
    name="UNITE_LOGIN_LIMIT",
    meaning="How many logins a minute one account may try; 0 for any number.",
    default="10",
)
DEFAULT_COUNTRY = Setting(
    name="UNITE_DEFAULT_COUNTRY",
    meaning="The country of phone numbers without a plus: two capital letters of ISO 3166-1, such as US.",
    default="none: such numbers are refused",
)
PHONE_RULE = Setting(
    name="UNITE_PHONE_RULE",
    meaning="How strictly phone numbers are judged: `possible` asks for the right length, `valid` for a range in use.",
    default="possible",
)

ALL = (
    HOST,
    PORT,
    DATA_DIR,
    DATABASE_URL,
    REDIS_URL,
    JWT_KEYS,
    ADMIN_EMAIL,
    ADMIN_PASSWORD,
    PUBLIC_URL,
    RATE_LIMIT,
    LOGIN_LIMIT,
    DEFAULT_COUNTRY,
    PHONE_RULE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAdmin:
    """Who can log in to a service that knows nobody yet."""

    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One installation.

    `database_url` and `jwt_keys` are None where the embedded default makes its own in `data_dir`, `redis_url` where it
    does without. `public_url` has
    no slash at its end. `warnings` are sentences about what is probably not meant.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    data_dir: Path = Path("var")
    database_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    jwt_keys: Mapping[str, bytes] | None = field(default=None, repr=False)
    first_admin: FirstAdmin | None = None
    public_url: str = "http://127.0.0.1:8000"
    requests_per_minute: int = 1200
    logins_per_minute: int = 10
    default_country: str | None = None
    phone_rule: PhoneRule = PhoneRule.POSSIBLE
    warnings: tuple[str, ...] = ()


_REACHABLE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here, the address is told
_EVERYWHERE = (
    f"{HOST.name} lets other machines in, and links to uploads and downloads lead to this one alone: set "
    f"{PUBLIC_URL.name} to what they reach it by."
)


def environment() -> Mapping[str, str]:
    """The environment of this process, for the two places where a process begins."""
    return os.environ


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings that the variables spell out.

    Each can be given in a file instead, named by the same variable with `_FILE` behind it; an empty variable counts as
    one that is not set. Raises `SettingsRefused` with everything that is wrong, not the first thing alone.
    """
    read = Reader(environ)
    host = read.text(HOST.name) or "127.0.0.1"
    port = read.number(PORT.name, default=8000, least=1, most=65535)
    settings = Settings(
        host=host,
        port=port,
        data_dir=Path(read.text(DATA_DIR.name) or "./var"),
        database_url=read.judged(DATABASE_URL.name, _database_url),
        redis_url=read.judged(REDIS_URL.name, _redis_url),
        jwt_keys=read.judged(JWT_KEYS.name, parse_keys),
        first_admin=_first_admin(read),
        public_url=read.judged(PUBLIC_URL.name, _public_url) or _own_address(host, port),
        requests_per_minute=read.number(RATE_LIMIT.name, default=1200, least=0, most=1_000_000),
        logins_per_minute=read.number(LOGIN_LIMIT.name, default=10, least=0, most=1_000_000),
        default_country=read.judged(DEFAULT_COUNTRY.name, _country),
        phone_rule=read.judged(PHONE_RULE.name, _phone_rule) or PhoneRule.POSSIBLE,
        warnings=(
            *read.unknown(PREFIX, [setting.name for setting in ALL]),
            *([_EVERYWHERE] if host in _REACHABLE and not read.given(PUBLIC_URL.name) else []),
        ),
    )
    read.finish()
    return settings


def parse_keys(text: str) -> dict[str, bytes]:
    """The keys that `name:secret,name:secret` spells out, in order; raises `ValueError` saying what would be right."""
    keys: dict[str, bytes] = {}
    for position, entry in enumerate(text.split(","), start=1):
        kid, colon, secret = entry.strip().partition(":")
        if not colon or not kid or not kid.isascii() or not kid.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"entry {position} is not `name:secret` (a name has letters, digits, - and _)")
        if len(secret.encode()) < SHORTEST_SECRET:
            raise ValueError(f"the secret of {kid} has less than {SHORTEST_SECRET} bytes")
        if kid in keys:
            raise ValueError(f"the name {kid} is there twice")
        keys[kid] = secret.encode()
    return keys


def _first_admin(read: Reader) -> FirstAdmin | None:
    email = read.judged(ADMIN_EMAIL.name, _email)
    password = read.judged(ADMIN_PASSWORD.name, _password)
    if read.given(ADMIN_EMAIL.name) != read.given(ADMIN_PASSWORD.name):
        given, missing = ADMIN_EMAIL.name, ADMIN_PASSWORD.name
        if read.given(missing):
            given, missing = missing, given
        read.refuse(missing, f"is missing; {given} needs it")
    return FirstAdmin(email=email, password=password) if email and password else None


def _database_url(text: str) -> str:
    url = urlsplit(text)
    if url.scheme in ("mysql", "mysql+pymysql"):
        if url.hostname and url.path.strip("/"):
            return text
    elif text.startswith("sqlite:///") and len(text) > len("sqlite:///") and not url.path.startswith("/:memory:"):
        return text
    raise ValueError(
        "is none that Unite can use; write sqlite:/// and the path of a file, or mysql://user:password@host/database"
    )


def _redis_url(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in ("redis", "rediss") or not url.hostname or not re.fullmatch(r"/?[0-9]*", url.path):
        raise ValueError("is not like redis://host:6379/0")
    return text


def _public_url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if scheme not in ("http", "https") or not separator or not rest or any(sign in rest for sign in "?#@ "):
        raise ValueError("is not like https://unite.example.com: a scheme, a host, perhaps a port and a path")
    return text.rstrip("/")


def _own_address(host: str, port: int) -> str:
    reachable = _REACHABLE.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _email(text: str) -> str:
    problems: list[Problem] = []
    email = user_email(text, problems)
    for problem in problems:
        raise ValueError(f"is no e-mail address: {problem.detail}")
    return email


def _password(text: str) -> str:
    problem = password_problem("password", text)
    if problem is not None:
        raise ValueError(f"is refused: {problem.detail}")
    return text


def _country(text: str) -> str:
    if not is_country(text):
        raise ValueError("is no country; write two capital letters of ISO 3166-1, such as US or DE")
    return text


def _phone_rule(text: str) -> PhoneRule:
    try:
        return PhoneRule(text)
    except ValueError:
        raise ValueError(f"is none of {', '.join(PhoneRule)}") from None
