"""The settings of an installation, as the values that the rest of the service uses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from entrypoints.networks import Network
from entrypoints.settings import variables
from entrypoints.settings.choices import LogFormat, LogLevel
from entrypoints.settings.setting import read_from
from unite_core.phone import PhoneRule
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
    public_url: str | None = read_from(variables.S3_PUBLIC_URL)
    queue_url: str | None = read_from(variables.SQS_IMPORTS_QUEUE_URL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Twilio:
    """A Twilio account with either a number or a messaging service; `base_url` is the URL of a stand-in."""

    account_sid: str
    auth_token: str = field(repr=False)
    from_number: str | None = read_from(variables.TWILIO_FROM)
    messaging_service_sid: str | None = read_from(variables.TWILIO_MESSAGING_SERVICE_SID)
    base_url: str | None = read_from(variables.TWILIO_BASE_URL)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Level and format of the log; a `format` of None depends on whether standard error is a terminal."""

    level: LogLevel = read_from(variables.LOG_LEVEL)
    format: LogFormat | None = read_from(variables.LOG_FORMAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentry:
    """The Sentry project that gets errors; `sample_rate` is the share that is sent, 0 to 1."""

    dsn: str = field(repr=False)
    environment: str
    sample_rate: float = read_from(variables.SENTRY_SAMPLE_RATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Where traces are sent, with which headers, and the share of them that is recorded, from 0 to 1."""

    endpoint: str
    headers: Mapping[str, str] = field(repr=False)
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one installation.

    `database_url` and `jwt_keys` are None if the embedded defaults in `data_dir` are used; the URLs of servers and the
    `storage` are None if they are not used. If `service_account` is None, no rights are changed. If `sns_topic_arn` or
    `twilio` is None, messages go to a file. `destinations` are the values of the variables of further destinations,
    by name. If `sentry` is None, errors are only logged. `traces` is None if nothing is traced. An `activity_retention`
    or `import_retention` of None means for ever. `public_url` has no slash at its end. `warnings` are sentences about
    settings that are probably mistakes.
    """

    host: str = read_from(variables.HOST)
    port: int = read_from(variables.PORT)
    data_dir: Path = read_from(variables.DATA_DIR)
    database_url: str | None = read_from(variables.DATABASE_URL)
    service_account: str | None = read_from(variables.DATABASE_SERVICE_ACCOUNT)
    mongodb_url: str | None = read_from(variables.MONGODB_URL)
    mongodb_service_url: str | None = read_from(variables.MONGODB_SERVICE_URL)
    activity_retention: timedelta | None = read_from(variables.ACTIVITY_RETENTION_DAYS)
    import_retention: timedelta | None = read_from(variables.IMPORT_RETENTION_DAYS)
    redis_url: str | None = read_from(variables.REDIS_URL)
    aws_endpoint_url: str | None = read_from(variables.AWS_ENDPOINT_URL)
    storage: Storage | None = None
    sns_topic_arn: str | None = read_from(variables.SNS_TOPIC_ARN)
    twilio: Twilio | None = None
    destinations: Mapping[str, str] = field(default_factory=dict, repr=False)
    missed_after: timedelta = read_from(variables.MISSED_AFTER_MINUTES)
    jwt_keys: Mapping[str, bytes] | None = read_from(variables.JWT_KEYS)
    first_admin: FirstAdmin | None = None
    public_url: str = "http://127.0.0.1:8000"
    trusted_proxies: tuple[Network, ...] = read_from(variables.TRUSTED_PROXIES)
    cors_origins: tuple[str, ...] = read_from(variables.CORS_ORIGINS)
    requests_per_minute: int = read_from(variables.RATE_LIMIT)
    logins_per_minute: int = read_from(variables.LOGIN_LIMIT)
    quotas: Quotas = field(default_factory=Quotas)
    default_country: str | None = read_from(variables.DEFAULT_COUNTRY)
    phone_rule: PhoneRule = read_from(variables.PHONE_RULE)
    grace_seconds: int = read_from(variables.GRACE_SECONDS)
    drain_seconds: int = read_from(variables.DRAIN_SECONDS)
    log: LogSettings = field(default_factory=LogSettings)
    sentry: Sentry | None = None
    traces: Traces | None = None
    warnings: tuple[str, ...] = ()
