"""All settings: each environment variable with its meaning, its field and its default."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from entrypoints.networks import parse_proxies
from entrypoints.settings import parsers, urls
from entrypoints.settings.choices import Environment, LogFormat, LogLevel, TraceExporter, embedded_parts
from entrypoints.settings.setting import (
    Parsed,
    Setting,
    duration,
    one_of,
    optional,
    pattern,
    retention,
    setting,
    text,
    whole_number,
)
from unite_core.calls.model import MISSED_AFTER
from unite_core.imports.use_cases import RETENTION
from unite_core.phone import PhoneRule
from unite_core.quotas import Quotas

PREFIX = "UNITE_"

MIB = 1024 * 1024

MAX_TEXTS_COUNTED = 10_000
"""The number of text messages within an hour that are counted; a higher limit would have no effect."""

_QUOTAS = Quotas()

ENVIRONMENT = setting(
    "UNITE_ENVIRONMENT",
    "`development`, or `production`, which refuses to start if an embedded part would be used in place of a "
    "server that is not set.",
    one_of(Environment),
    value=Environment.DEVELOPMENT,
)
EMBEDDED = setting(
    "UNITE_EMBEDDED",
    "The embedded parts that production uses on purpose: any of `database`, `mongodb`, `s3`, `redis`, `keys`, "
    "`sns`, `twilio`, with commas between.",
    Parsed(embedded_parts),
    value=frozenset(),
    default="none",
)
HOST = setting("UNITE_HOST", "The network address to listen at.", text(), value="127.0.0.1")
PORT = setting("UNITE_PORT", "The port to listen at, 1 to 65535.", whole_number(1, 65_535), value=8000)
DATA_DIR = setting(
    "UNITE_DATA_DIR",
    "The folder with the database, the files and the keys; created if it is missing.",
    Parsed(Path),
    value=Path("./var"),
    default="./var",
)
DATABASE_URL = optional(
    "UNITE_DATABASE_URL",
    "The database as a URL: `mysql://user:password@host/database` for MySQL or MariaDB, or `sqlite:///` and the "
    "path of a file. What follows a question mark is for TLS: `?ssl_ca=/etc/ssl/ca.pem&ssl_check_hostname=true`.",
    Parsed(urls.database_url),
    default="unite.sqlite3 in the data folder",
    secret=True,
)
DATABASE_SERVICE_ACCOUNT = optional(
    "UNITE_DATABASE_SERVICE_ACCOUNT",
    "The MySQL or MariaDB account of the service, if `migrate` uses another one: `service@%`. "
    "`migrate` grants it its rights, table by table, and revokes all others.",
    pattern(r"[^\s@]{1,32}@[^\s@]{1,255}", "is not like service@%"),
    default="rights are not changed",
)
MONGODB_URL = optional(
    "UNITE_MONGODB_URL",
    "The MongoDB of the activity log: `mongodb://user:password@host/database`.",
    Parsed(urls.mongodb_url),
    default="in the database",
    secret=True,
)
MONGODB_SERVICE_URL = optional(
    "UNITE_MONGODB_SERVICE_URL",
    "The service's MongoDB address, if `migrate` uses another account: `migrate` creates the account in it, with "
    "its password, and grants it the right to read the activity log and to add to it.",
    Parsed(urls.mongodb_account),
    default="accounts are not changed",
    secret=True,
)
ACTIVITY_RETENTION_DAYS = setting(
    "UNITE_ACTIVITY_RETENTION_DAYS",
    "The retention of the activity log in days; 0 for ever.",
    retention(36_500),
    value=None,
    default="0",
)
IMPORT_RETENTION_DAYS = setting(
    "UNITE_IMPORT_RETENTION_DAYS",
    "The days after its end in which an import can be undone and its rejected rows can be read; 0 for ever. Then "
    "the data for that is deleted; the import itself stays.",
    retention(36_500),
    value=RETENTION,
    default=str(RETENTION.days),
)
REDIS_URL = optional(
    "UNITE_REDIS_URL",
    "The Redis that several processes share: `redis://:password@host:6379/0`, or `rediss://` for TLS. It holds a "
    "cache, the rate limits and the queues of the workers (RQ); all of it may be lost.",
    Parsed(urls.redis_url),
    default="no cache; limits are counted, and workers woken, on this machine",
    secret=True,
)
AWS_ENDPOINT_URL = optional(
    "UNITE_AWS_ENDPOINT_URL",
    "The address of a stand-in for AWS, such as moto or MinIO: `http://moto:5000`.",
    Parsed(urls.http_url),
    default="AWS itself; region and credentials come from the usual sources of AWS programs",
)
S3_BUCKET_IMPORTS = optional(
    "UNITE_S3_BUCKET_IMPORTS",
    "The S3 bucket of the files to import and of the error reports. Set it with the next one.",
    text(),
    default="files are stored in the data folder",
)
S3_BUCKET_IMAGES = optional(
    "UNITE_S3_BUCKET_IMAGES",
    "The S3 bucket of the pictures of leads.",
    text(),
    default="files are stored in the data folder",
)
S3_PUBLIC_URL = optional(
    "UNITE_S3_PUBLIC_URL",
    "The storage's address for clients, if it differs from the service's.",
    Parsed(urls.http_url),
    default="the same address",
)
SQS_IMPORTS_QUEUE_URL = optional(
    "UNITE_SQS_IMPORTS_QUEUE_URL",
    "The SQS queue with notices of uploaded files; each import then starts by itself.",
    Parsed(urls.http_url),
    default="clients start their imports",
)
SNS_TOPIC_ARN = optional(
    "UNITE_SNS_TOPIC_ARN",
    "The SNS topic with events for other services: `arn:aws:sns:eu-central-1:123456789012:unite`.",
    # FIFO topics are refused because they need message groups.
    pattern(
        "arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}",
        "is not like arn:aws:sns:eu-central-1:123456789012:unite, or is a FIFO topic",
    ),
    default="events are written to messages.jsonl in the data folder",
)
TWILIO_ACCOUNT_SID = optional(
    "UNITE_TWILIO_ACCOUNT_SID",
    "The Twilio account that sends text messages: AC and 32 hexadecimal digits. Set it with the next two.",
    pattern("AC[0-9a-fA-F]{32}", "is no SID of this kind: AC and 32 hexadecimal digits"),
    default="text messages are written to messages.jsonl in the data folder",
)
TWILIO_AUTH_TOKEN = optional(
    "UNITE_TWILIO_AUTH_TOKEN",
    "The token of that account. Twilio signs its requests to the service with it.",
    text(),
    default="text messages are written to messages.jsonl in the data folder",
    secret=True,
)
TWILIO_FROM = optional(
    "UNITE_TWILIO_FROM",
    "The number that messages come from, in E.164: `+12025550123`.",
    Parsed(parsers.phone_number),
    default="the messaging service has numbers",
)
TWILIO_MESSAGING_SERVICE_SID = optional(
    "UNITE_TWILIO_MESSAGING_SERVICE_SID",
    "The messaging service of Twilio that messages come from, instead of a number: MG and 32 digits.",
    pattern("MG[0-9a-fA-F]{32}", "is no SID of this kind: MG and 32 hexadecimal digits"),
    default="messages come from the number",
)
TWILIO_BASE_URL = optional(
    "UNITE_TWILIO_BASE_URL",
    "The address of a stand-in for Twilio, for trials and tests: `http://twilio:8010`.",
    Parsed(urls.http_url),
    default="Twilio itself",
)
MISSED_AFTER_MINUTES = setting(
    "UNITE_MISSED_AFTER_MINUTES",
    "The minutes after its due time at which a pending call becomes missed, 0 to 10080.",
    duration(0, 7 * 24 * 60, timedelta(minutes=1)),
    value=MISSED_AFTER,
    default=str(MISSED_AFTER // timedelta(minutes=1)),
)
SECRETS_ARN = optional(
    "UNITE_SECRETS_ARN",
    "A secret in AWS Secrets Manager: a JSON object whose names are these variables. The environment takes precedence.",
    text(),
    default="everything is in the environment",
)
JWT_KEYS = optional(
    "UNITE_JWT_KEYS",
    "The keys that access tokens, links and cursors are signed with: `name:secret`, several of them with commas "
    f"between. A secret has at least {parsers.MIN_SECRET_LENGTH} bytes. The first one signs, all of them verify: add a "
    "new one at the end, move it to the front once every process knows it, and take the old one out a day later.",
    Parsed(parsers.parse_keys),
    default="created once, and stored in the data folder with mode 600",
    secret=True,
)
ADMIN_EMAIL = optional(
    "UNITE_ADMIN_EMAIL",
    "The e-mail address of the first admin, who is added at the start if there is no admin.",
    Parsed(parsers.email),
    default="nobody is added",
)
ADMIN_PASSWORD = optional(
    "UNITE_ADMIN_PASSWORD",
    "The first admin's password, 12 to 256 characters. It has no effect once the admin exists.",
    Parsed(parsers.password),
    default="nobody is added",
    secret=True,
)
PUBLIC_URL = optional(
    "UNITE_PUBLIC_URL",
    "The service's address for clients, with which its links start: `https://unite.example.com`.",
    Parsed(urls.public_url),
    default="http:// with host and port",
)
TRUSTED_PROXIES = setting(
    "UNITE_TRUSTED_PROXIES",
    "The proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are trusted: addresses and networks with commas "
    "between, such as `10.0.0.0/24,2001:db8::7`.",
    Parsed(parse_proxies),
    value=(),
    default="none: the client is the address that connects",
)
CORS_ORIGINS = setting(
    "UNITE_CORS_ORIGINS",
    "The origins whose pages may use the API from a browser, with commas between: "
    "`https://app.example.com,http://localhost:5173`.",
    Parsed(urls.origins),
    value=(),
    default="none: pages of other origins may not",
)
GRACE_SECONDS = setting(
    "UNITE_GRACE_SECONDS",
    "The seconds that requests have to end when the service stops, 1 to 3600; then they are aborted.",
    whole_number(1, 3600),
    value=3,
)
DRAIN_SECONDS = setting(
    "UNITE_DRAIN_SECONDS",
    "How many seconds the service answers 503 at `/health/ready` and goes on with all else when it is stopped, "
    "0 to 3600: what the load balancer in front takes to notice. Requests have `UNITE_GRACE_SECONDS` after that.",
    whole_number(0, 3600),
    value=0,
)
LOG_LEVEL = setting(
    "UNITE_LOG_LEVEL",
    "The lowest severity that is logged: `debug`, `info`, `warning` or `error`.",
    one_of(LogLevel),
    value=LogLevel.INFO,
)
LOG_FORMAT = optional(
    "UNITE_LOG_FORMAT",
    "The format of the log: `json`, one object a line, or `text`, for people.",
    one_of(LogFormat),
    default="text at a terminal, json elsewhere",
)
SENTRY_DSN = optional(
    "UNITE_SENTRY_DSN",
    "The Sentry project that gets errors, as a DSN: `https://key@o0.ingest.sentry.io/1`.",
    Parsed(urls.sentry_dsn),
    default="errors are in the log alone",
    secret=True,
)
SENTRY_ENVIRONMENT = optional(
    "UNITE_SENTRY_ENVIRONMENT",
    "The name of this installation in Sentry, such as `staging`: up to 64 characters, no spaces and no slashes.",
    pattern(r"[^\s/]{1,64}", "is not like staging: up to 64 characters, no spaces and no slashes"),
    default="the value of `UNITE_ENVIRONMENT`",
)
SENTRY_SAMPLE_RATE = setting(
    "UNITE_SENTRY_SAMPLE_RATE",
    "The share of errors that is sent to Sentry, 0 to 1: `0.25` is one in four, chosen at random.",
    Parsed(parsers.share),
    value=1.0,
    default="1",
)
TRACES = setting(
    "UNITE_TRACES",
    "Where traces go: `otlp` sends them to a collector of OpenTelemetry by OTLP over HTTP, `off` makes none. `otlp` "
    "needs the packages of `requirements/otel.txt`. Without it the variables from here to `OTEL_TRACES_SAMPLER_ARG` "
    "have no effect.",
    one_of(TraceExporter),
    value=TraceExporter.OFF,
)
OTLP_ENDPOINT = optional(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "The base address of the collector; traces go to `/v1/traces` there: `http://collector:4318`.",
    text(),
    default="http://localhost:4318",
)
OTLP_TRACES_ENDPOINT = optional(
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "The whole address that traces go to, if it differs: `https://traces.example.com/v1/traces`.",
    text(),
    default="`/v1/traces` at the address above",
)
OTLP_PROTOCOL = optional(
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "The protocol of the collector; the only one is `http/protobuf`.",
    text(),
    default="http/protobuf",
)
OTLP_HEADERS = optional(
    "OTEL_EXPORTER_OTLP_HEADERS",
    "The headers of requests to the collector, such as a key: `name=value`, several with commas between, "
    "percent-encoded.",
    text(),
    default="none",
    secret=True,
)
TRACES_SAMPLER = optional(
    "OTEL_TRACES_SAMPLER",
    "Which traces are recorded: `always_on`, `always_off`, or the share of the next variable, `traceidratio`. Each may "
    "begin with `parentbased_`, which means the same here.",
    text(),
    default="parentbased_always_on",
)
TRACES_SAMPLER_ARG = optional(
    "OTEL_TRACES_SAMPLER_ARG",
    "The share of traces that `traceidratio` records, from 0 to 1: `0.05`.",
    text(),
    default="1",
)
RATE_LIMIT = setting(
    "UNITE_RATE_LIMIT",
    "The maximum number of requests a minute by one user, or by one address before login; 0 for any number.",
    whole_number(0, 1_000_000),
    value=1200,
)
LOGIN_LIMIT = setting(
    "UNITE_LOGIN_LIMIT",
    "The maximum number of login attempts a minute for one account; 0 for any number.",
    whole_number(0, 1_000_000),
    value=10,
)
QUOTA_IMPORTS = setting(
    "UNITE_QUOTA_IMPORTS",
    "The maximum number of imports of one user that wait or run at the same time, 1 to 10000.",
    whole_number(1, 10_000),
    value=_QUOTAS.open_imports,
)
QUOTA_UPLOAD_MIB = setting(
    "UNITE_QUOTA_UPLOAD_MIB",
    "The maximum MiB of all files of one user's waiting and running imports, 512 to 1048576.",
    whole_number(512, MIB),
    value=_QUOTAS.open_bytes // MIB,
)
QUOTA_TEXTS_PER_NUMBER = setting(
    "UNITE_QUOTA_TEXTS_PER_NUMBER",
    "The maximum number of text messages to one number within an hour, up to 10000; 0 for any number.",
    whole_number(0, MAX_TEXTS_COUNTED),
    value=_QUOTAS.texts_per_number,
)
QUOTA_TEXTS = setting(
    "UNITE_QUOTA_TEXTS",
    "The maximum number of text messages to all numbers within an hour, up to 10000; 0 for any number.",
    whole_number(0, MAX_TEXTS_COUNTED),
    value=_QUOTAS.texts,
)
DEFAULT_COUNTRY = optional(
    "UNITE_DEFAULT_COUNTRY",
    "The country of phone numbers without a plus: two capital letters of ISO 3166-1, such as US.",
    Parsed(parsers.country),
    default="none: such numbers are refused",
)
PHONE_RULE = setting(
    "UNITE_PHONE_RULE",
    "The check of phone numbers: `possible` requires the length and first digits of a number, `valid` a range in use.",
    one_of(PhoneRule),
    value=PhoneRule.POSSIBLE,
)

DESTINATIONS: tuple[Setting[str | None], ...] = ()
"""The variables of further destinations of events (docs/how-to/add-a-destination.md)."""

ALL: tuple[Setting[Any], ...] = (*(it for it in list(vars().values()) if isinstance(it, Setting)), *DESTINATIONS)
"""All settings in the order of this file."""
