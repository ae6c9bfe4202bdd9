"""The settings of an installation, read from environment variables; no other module reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from entrypoints import urls
from entrypoints.environment import Reader
from entrypoints.logs import LogSettings, read_log_settings
from entrypoints.networks import Network, parse_proxies
from entrypoints.plain_http import WILDCARD_HOSTS, plain_http_warning
from entrypoints.production import Scope, require_servers
from entrypoints.twilio import NO_CALLBACKS, Twilio, read_twilio
from entrypoints.variables import (
    ACTIVITY_RETENTION_DAYS,
    ADMIN_EMAIL,
    ADMIN_PASSWORD,
    ALL,
    AWS_ENDPOINT_URL,
    CORS_ORIGINS,
    DATA_DIR,
    DATABASE_SERVICE_ACCOUNT,
    DATABASE_URL,
    DEFAULT_COUNTRY,
    DESTINATIONS,
    DRAIN_SECONDS,
    GRACE_SECONDS,
    HOST,
    IMPORT_RETENTION_DAYS,
    JWT_KEYS,
    LOGIN_LIMIT,
    MIN_SECRET_LENGTH,
    MISSED_AFTER_MINUTES,
    MONGODB_SERVICE_URL,
    MONGODB_URL,
    PHONE_RULE,
    PORT,
    PREFIX,
    PUBLIC_URL,
    QUOTA_IMPORTS,
    QUOTA_TEXTS,
    QUOTA_TEXTS_PER_NUMBER,
    QUOTA_UPLOAD_MIB,
    RATE_LIMIT,
    REDIS_URL,
    S3_BUCKET_IMAGES,
    S3_BUCKET_IMPORTS,
    S3_PUBLIC_URL,
    SECRETS_ARN,
    SNS_TOPIC_ARN,
    SQS_IMPORTS_QUEUE_URL,
    TRUSTED_PROXIES,
    TWILIO_ACCOUNT_SID,
    Setting,
)
from unite_core.calls.model import MISSED_AFTER
from unite_core.errors import FieldError
from unite_core.identity.contact import parse_user_email, password_error
from unite_core.imports.use_cases import RETENTION
from unite_core.phone import PhoneRule, is_country
from unite_core.quotas import Quotas


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAdmin:
    """The first user of a new installation."""

    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The file storage in S3: two buckets, and the queue with upload notifications, if there is one."""

    imports: str
    images: str
    public_url: str | None = None
    queue_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one installation.

    `database_url` and `jwt_keys` are None if the embedded defaults in `data_dir` are used; the URLs of servers and the
    `storage` are None if they are not used. If `service_account` is None, no rights are changed. If `sns_topic_arn` or
    `twilio` is None, messages go to the log. `destinations` are the values of the variables of further destinations,
    by name. An `activity_retention` or `import_retention` of None means for ever. `public_url` has no slash at its end.
    `warnings` are sentences about settings that are probably mistakes.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    data_dir: Path = Path("var")
    database_url: str | None = field(default=None, repr=False)
    service_account: str | None = None
    mongodb_url: str | None = field(default=None, repr=False)
    mongodb_service_url: str | None = field(default=None, repr=False)
    activity_retention: timedelta | None = None
    import_retention: timedelta | None = RETENTION
    redis_url: str | None = field(default=None, repr=False)
    aws_endpoint_url: str | None = None
    storage: Storage | None = None
    sns_topic_arn: str | None = None
    twilio: Twilio | None = None
    destinations: Mapping[str, str] = field(default_factory=dict, repr=False)
    missed_after: timedelta = MISSED_AFTER
    jwt_keys: Mapping[str, bytes] | None = field(default=None, repr=False)
    first_admin: FirstAdmin | None = None
    public_url: str = "http://127.0.0.1:8000"
    trusted_proxies: tuple[Network, ...] = ()
    cors_origins: tuple[str, ...] = ()
    requests_per_minute: int = 1200
    logins_per_minute: int = 10
    quotas: Quotas = field(default_factory=Quotas)
    default_country: str | None = None
    phone_rule: PhoneRule = PhoneRule.POSSIBLE
    grace_seconds: int = 3
    drain_seconds: int = 0
    log: LogSettings = field(default_factory=LogSettings)
    warnings: tuple[str, ...] = ()


MIB = 1024 * 1024

MAX_TEXTS_COUNTED = 10_000
"""The number of text messages within an hour that are counted; a higher limit would have no effect."""

_EVERYWHERE = (
    f"{HOST.name} lets other machines in by plain HTTP, and links to uploads and downloads lead to this one alone: put "
    f"a proxy with TLS in front, and set {PUBLIC_URL.name} to the https:// address that they reach it by."
)

_OWN_KEYS = (
    f"{REDIS_URL.name} is for several machines, and each creates its own keys: the others refuse what one has signed. "
    f"Set {JWT_KEYS.name} to the same value on all."
)


def environment() -> Mapping[str, str]:
    """Return the environment of this process; only the two places where a process starts call this."""
    return os.environ


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretLocation:
    """The secret in AWS Secrets Manager that contains further variables."""

    arn: str
    aws_endpoint_url: str | None


def secret_location(environ: Mapping[str, str]) -> SecretLocation | None:
    """Return the secret with further variables that the environment names, or None; raise `SettingsRefused`."""
    read = Reader(environ)
    arn = read.text(SECRETS_ARN.name)
    endpoint = read.judged(AWS_ENDPOINT_URL.name, urls.http_url)
    read.finish()
    return SecretLocation(arn=arn, aws_endpoint_url=endpoint) if arn else None


def read_settings(environ: Mapping[str, str], scope: Scope = Scope.SERVICE) -> Settings:
    """Read and check the settings for a process of this scope.

    Each value can be in a file instead, named by the same variable with the suffix `_FILE`. An empty variable counts as
    not set; an empty `…_FILE` and an empty file are refused. Raises `SettingsRefused` with all errors.
    """
    read = Reader(environ)
    require_servers(read, scope)
    host = read.text(HOST.name) or "127.0.0.1"
    port = read.number(PORT.name, default=8000, minimum=1, maximum=65535)
    settings = Settings(
        host=host,
        port=port,
        data_dir=Path(read.text(DATA_DIR.name) or "./var"),
        database_url=read.judged(DATABASE_URL.name, urls.database_url),
        service_account=_service_account(read),
        mongodb_url=read.judged(MONGODB_URL.name, urls.mongodb_url),
        mongodb_service_url=_mongodb_service_url(read),
        activity_retention=_retention(read, ACTIVITY_RETENTION_DAYS),
        import_retention=_retention(read, IMPORT_RETENTION_DAYS, RETENTION),
        redis_url=read.judged(REDIS_URL.name, urls.redis_url),
        aws_endpoint_url=read.judged(AWS_ENDPOINT_URL.name, urls.http_url),
        storage=_storage(read),
        sns_topic_arn=read.judged(SNS_TOPIC_ARN.name, urls.topic_arn),
        twilio=read_twilio(read),
        destinations={it.name: value for it in DESTINATIONS if (value := read.text(it.name)) is not None},
        missed_after=_missed_after(read),
        jwt_keys=read.judged(JWT_KEYS.name, parse_keys),
        first_admin=_first_admin(read),
        public_url=read.judged(PUBLIC_URL.name, urls.public_url) or _own_address(host, port),
        trusted_proxies=read.judged(TRUSTED_PROXIES.name, parse_proxies) or (),
        cors_origins=read.judged(CORS_ORIGINS.name, urls.origins) or (),
        requests_per_minute=read.number(RATE_LIMIT.name, default=1200, minimum=0, maximum=1_000_000),
        logins_per_minute=read.number(LOGIN_LIMIT.name, default=10, minimum=0, maximum=1_000_000),
        quotas=_quotas(read),
        default_country=read.judged(DEFAULT_COUNTRY.name, _country),
        phone_rule=read.judged(PHONE_RULE.name, _phone_rule) or PhoneRule.POSSIBLE,
        grace_seconds=read.number(GRACE_SECONDS.name, default=3, minimum=1, maximum=3600),
        drain_seconds=read.number(DRAIN_SECONDS.name, default=0, minimum=0, maximum=3600),
        log=read_log_settings(read),
    )
    _warn(read, settings)
    return replace(settings, warnings=read.finish())


def _warn(read: Reader, settings: Settings) -> None:
    read.warn_of_unknown(PREFIX, [setting.name for setting in ALL])
    if settings.host in WILDCARD_HOSTS and not read.given(PUBLIC_URL.name):
        read.warn(_EVERYWHERE)
    if read.given(TWILIO_ACCOUNT_SID.name) and not read.given(PUBLIC_URL.name):
        read.warn(NO_CALLBACKS)
    if read.given(REDIS_URL.name) and not read.given(JWT_KEYS.name):
        read.warn(_OWN_KEYS)
    plain = plain_http_warning(settings.host, settings.public_url, behind_proxy=bool(settings.trusted_proxies))
    if plain is not None:
        read.warn(plain)


def parse_keys(text: str) -> dict[str, bytes]:
    """Parse `name:secret,name:secret`, in order; raise `ValueError` with a message on what would be right."""
    keys: dict[str, bytes] = {}
    for position, entry in enumerate(text.split(","), start=1):
        kid, colon, secret = entry.strip().partition(":")
        if not colon or not kid or not kid.isascii() or not kid.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"entry {position} is not `name:secret` (a name has letters, digits, - and _)")
        if len(secret.encode()) < MIN_SECRET_LENGTH:
            raise ValueError(f"the secret of {kid} has less than {MIN_SECRET_LENGTH} bytes")
        if kid in keys:
            raise ValueError(f"the name {kid} is there twice")
        keys[kid] = secret.encode()
    return keys


def _service_account(read: Reader) -> str | None:
    account = read.judged(DATABASE_SERVICE_ACCOUNT.name, urls.account)
    if account and (read.text(DATABASE_URL.name) or "sqlite").startswith("sqlite"):
        read.refuse(DATABASE_SERVICE_ACCOUNT.name, f"is of no use without MySQL or MariaDB in {DATABASE_URL.name}")
    return account


def _mongodb_service_url(read: Reader) -> str | None:
    url = read.judged(MONGODB_SERVICE_URL.name, urls.mongodb_account)
    if url and not read.given(MONGODB_URL.name):
        read.refuse(MONGODB_SERVICE_URL.name, f"is of no use without {MONGODB_URL.name}")
    return url


def _first_admin(read: Reader) -> FirstAdmin | None:
    email = read.judged(ADMIN_EMAIL.name, _email)
    password = read.judged(ADMIN_PASSWORD.name, _password)
    if read.given(ADMIN_EMAIL.name) != read.given(ADMIN_PASSWORD.name):
        given, missing = ADMIN_EMAIL.name, ADMIN_PASSWORD.name
        if read.given(missing):
            given, missing = missing, given
        read.refuse(missing, f"is missing; {given} needs it")
    return FirstAdmin(email=email, password=password) if email and password else None


def _retention(read: Reader, setting: Setting, default: timedelta | None = None) -> timedelta | None:
    in_days = default.days if default else 0
    days = read.number(setting.name, default=in_days, minimum=0, maximum=36_500)
    return timedelta(days=days) if days else None


def _missed_after(read: Reader) -> timedelta:
    minutes = read.number(
        MISSED_AFTER_MINUTES.name, default=MISSED_AFTER // timedelta(minutes=1), minimum=0, maximum=7 * 24 * 60
    )
    return timedelta(minutes=minutes)


def _quotas(read: Reader) -> Quotas:
    known = Quotas()
    return Quotas(
        open_imports=read.number(QUOTA_IMPORTS.name, default=known.open_imports, minimum=1, maximum=10_000),
        open_bytes=MIB * read.number(QUOTA_UPLOAD_MIB.name, default=known.open_bytes // MIB, minimum=512, maximum=MIB),
        texts_per_number=read.number(
            QUOTA_TEXTS_PER_NUMBER.name, default=known.texts_per_number, minimum=0, maximum=MAX_TEXTS_COUNTED
        ),
        texts=read.number(QUOTA_TEXTS.name, default=known.texts, minimum=0, maximum=MAX_TEXTS_COUNTED),
    )


def _storage(read: Reader) -> Storage | None:
    imports, images = read.text(S3_BUCKET_IMPORTS.name), read.text(S3_BUCKET_IMAGES.name)
    public_url = read.judged(S3_PUBLIC_URL.name, urls.http_url)
    queue_url = read.judged(SQS_IMPORTS_QUEUE_URL.name, urls.http_url)
    if imports and images:
        return Storage(imports=imports, images=images, public_url=public_url, queue_url=queue_url)
    for given, missing in ((S3_BUCKET_IMPORTS, S3_BUCKET_IMAGES), (S3_BUCKET_IMAGES, S3_BUCKET_IMPORTS)):
        if read.given(given.name):
            read.refuse(missing.name, f"is missing; {given.name} needs it")
    if not imports and not images:
        for needy in (S3_PUBLIC_URL, SQS_IMPORTS_QUEUE_URL):
            if read.given(needy.name):
                read.refuse(needy.name, f"is of no use without {S3_BUCKET_IMPORTS.name} and {S3_BUCKET_IMAGES.name}")
    return None


def _own_address(host: str, port: int) -> str:
    reachable = WILDCARD_HOSTS.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _email(text: str) -> str:
    problems: list[FieldError] = []
    email = parse_user_email(text, problems)
    for problem in problems:
        raise ValueError(f"is no e-mail address: {problem.detail}")
    return email


def _password(text: str) -> str:
    problem = password_error("password", text)
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
