"""All environment variables of the settings: names, meanings and defaults."""

from dataclasses import dataclass

PREFIX = "UNITE_"

MIN_SECRET_LENGTH = 32
"""Bytes. A key for HMAC-SHA256 has to be at least as long as its output (RFC 7518, 3.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One variable: its name, its meaning, and a description of its default."""

    name: str
    meaning: str
    default: str
    secret: bool = False


ENVIRONMENT = Setting(
    name="UNITE_ENVIRONMENT",
    meaning=(
        "`development`, or `production`, which refuses to start if an embedded part would be used in place of a "
        "server that is not set."
    ),
    default="development",
)
EMBEDDED = Setting(
    name="UNITE_EMBEDDED",
    meaning=(
        "The embedded parts that production uses on purpose: any of `database`, `mongodb`, `s3`, `redis`, `keys`, "
        "`sns`, `twilio`, with commas between."
    ),
    default="none",
)
HOST = Setting(name="UNITE_HOST", meaning="The network address to listen at.", default="127.0.0.1")
PORT = Setting(name="UNITE_PORT", meaning="The port to listen at, 1 to 65535.", default="8000")
DATA_DIR = Setting(
    name="UNITE_DATA_DIR",
    meaning="The folder with the database, the files and the keys; created if it is missing.",
    default="./var",
)
DATABASE_URL = Setting(
    name="UNITE_DATABASE_URL",
    meaning=(
        "The database as a URL: `mysql://user:password@host/database` for MySQL or MariaDB, or `sqlite:///` and the "
        "path of a file. What follows a question mark is for TLS: `?ssl_ca=/etc/ssl/ca.pem&ssl_check_hostname=true`."
    ),
    default="unite.sqlite3 in the data folder",
    secret=True,
)
DATABASE_SERVICE_ACCOUNT = Setting(
    name="UNITE_DATABASE_SERVICE_ACCOUNT",
    meaning=(
        "The MySQL or MariaDB account of the service, if `migrate` uses another one: `service@%`. "
        "`migrate` grants it its rights, table by table, and revokes all others."
    ),
    default="rights are not changed",
)
MONGODB_URL = Setting(
    name="UNITE_MONGODB_URL",
    meaning="The MongoDB of the activity log: `mongodb://user:password@host/database`.",
    default="in the database",
    secret=True,
)
MONGODB_SERVICE_URL = Setting(
    name="UNITE_MONGODB_SERVICE_URL",
    meaning=(
        "The service's MongoDB address, if `migrate` uses another account: `migrate` creates the account in it, with "
        "its password, and grants it the right to read the activity log and to add to it."
    ),
    default="accounts are not changed",
    secret=True,
)
ACTIVITY_RETENTION_DAYS = Setting(
    name="UNITE_ACTIVITY_RETENTION_DAYS",
    meaning="The retention of the activity log in days; 0 for ever.",
    default="0",
)
IMPORT_RETENTION_DAYS = Setting(
    name="UNITE_IMPORT_RETENTION_DAYS",
    meaning=(
        "The days after its end in which an import can be undone and its rejected rows can be read; 0 for ever. Then "
        "the data for that is deleted; the import itself stays."
    ),
    default="90",
)
REDIS_URL = Setting(
    name="UNITE_REDIS_URL",
    meaning=(
        "The Redis that several processes share: `redis://:password@host:6379/0`, or `rediss://` for TLS. It holds a "
        "cache, the rate limits and the queues of the workers (RQ); all of it may be lost."
    ),
    default="no cache; limits are counted, and workers woken, on this machine",
    secret=True,
)
AWS_ENDPOINT_URL = Setting(
    name="UNITE_AWS_ENDPOINT_URL",
    meaning="The address of a stand-in for AWS, such as moto or MinIO: `http://moto:5000`.",
    default="AWS itself; region and credentials come from the usual sources of AWS programs",
)
S3_BUCKET_IMPORTS = Setting(
    name="UNITE_S3_BUCKET_IMPORTS",
    meaning="The S3 bucket of the files to import and of the error reports. Set it with the next one.",
    default="files are stored in the data folder",
)
S3_BUCKET_IMAGES = Setting(
    name="UNITE_S3_BUCKET_IMAGES",
    meaning="The S3 bucket of the pictures of leads.",
    default="files are stored in the data folder",
)
S3_PUBLIC_URL = Setting(
    name="UNITE_S3_PUBLIC_URL",
    meaning="The storage's address for clients, if it differs from the service's.",
    default="the same address",
)
SQS_IMPORTS_QUEUE_URL = Setting(
    name="UNITE_SQS_IMPORTS_QUEUE_URL",
    meaning="The SQS queue with notices of uploaded files; each import then starts by itself.",
    default="clients start their imports",
)
SNS_TOPIC_ARN = Setting(
    name="UNITE_SNS_TOPIC_ARN",
    meaning="The SNS topic with events for other services: `arn:aws:sns:eu-central-1:123456789012:unite`.",
    default="events are written to the log",
)
TWILIO_ACCOUNT_SID = Setting(
    name="UNITE_TWILIO_ACCOUNT_SID",
    meaning="The Twilio account that sends text messages: AC and 32 hexadecimal digits. Set it with the next two.",
    default="text messages are written to the log",
)
TWILIO_AUTH_TOKEN = Setting(
    name="UNITE_TWILIO_AUTH_TOKEN",
    meaning="The token of that account. Twilio signs its requests to the service with it.",
    default="text messages are written to the log",
    secret=True,
)
TWILIO_FROM = Setting(
    name="UNITE_TWILIO_FROM",
    meaning="The number that messages come from, in E.164: `+12025550123`.",
    default="the messaging service has numbers",
)
TWILIO_MESSAGING_SERVICE_SID = Setting(
    name="UNITE_TWILIO_MESSAGING_SERVICE_SID",
    meaning="The messaging service of Twilio that messages come from, instead of a number: MG and 32 digits.",
    default="messages come from the number",
)
TWILIO_BASE_URL = Setting(
    name="UNITE_TWILIO_BASE_URL",
    meaning="The address of a stand-in for Twilio, for trials and tests: `http://twilio:8010`.",
    default="Twilio itself",
)
MISSED_AFTER_MINUTES = Setting(
    name="UNITE_MISSED_AFTER_MINUTES",
    meaning="The minutes after its due time at which a pending call becomes missed, 0 to 10080.",
    default="30",
)
SECRETS_ARN = Setting(
    name="UNITE_SECRETS_ARN",
    meaning=(
        "A secret in AWS Secrets Manager: a JSON object whose names are these variables. The "
        "environment takes precedence."
    ),
    default="everything is in the environment",
)
JWT_KEYS = Setting(
    name="UNITE_JWT_KEYS",
    meaning=(
        "The keys that access tokens, links and cursors are signed with: `name:secret`, several of them with commas "
        f"between. A secret has at least {MIN_SECRET_LENGTH} bytes. The first one signs, all of them verify: add a new "
        "one at the end, move it to the front once every process knows it, and take the old one out a day later."
    ),
    default="created once, and stored in the data folder with mode 600",
    secret=True,
)
ADMIN_EMAIL = Setting(
    name="UNITE_ADMIN_EMAIL",
    meaning="The e-mail address of the first admin, who is added at the start if there is no admin.",
    default="nobody is added",
)
ADMIN_PASSWORD = Setting(
    name="UNITE_ADMIN_PASSWORD",
    meaning="The first admin's password, 12 to 256 characters. It has no effect once the admin exists.",
    default="nobody is added",
    secret=True,
)
PUBLIC_URL = Setting(
    name="UNITE_PUBLIC_URL",
    meaning="The service's address for clients, with which its links start: `https://unite.example.com`.",
    default="http:// with host and port",
)
TRUSTED_PROXIES = Setting(
    name="UNITE_TRUSTED_PROXIES",
    meaning=(
        "The proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are trusted: addresses and networks with commas "
        "between, such as `10.0.0.0/24,2001:db8::7`."
    ),
    default="none: the client is the address that connects",
)
CORS_ORIGINS = Setting(
    name="UNITE_CORS_ORIGINS",
    meaning=(
        "The origins whose pages may use the API from a browser, with commas between: "
        "`https://app.example.com,http://localhost:5173`."
    ),
    default="none: pages of other origins may not",
)
GRACE_SECONDS = Setting(
    name="UNITE_GRACE_SECONDS",
    meaning="The seconds that requests have to end when the service stops, 1 to 3600; then they are aborted.",
    default="3",
)
DRAIN_SECONDS = Setting(
    name="UNITE_DRAIN_SECONDS",
    meaning=(
        "How many seconds the service answers 503 at `/health/ready` and goes on with all else when it is stopped, "
        "0 to 3600: what the load balancer in front takes to notice. Requests have `UNITE_GRACE_SECONDS` after that."
    ),
    default="0",
)
LOG_LEVEL = Setting(
    name="UNITE_LOG_LEVEL",
    meaning="The lowest severity that is logged: `debug`, `info`, `warning` or `error`.",
    default="info",
)
LOG_FORMAT = Setting(
    name="UNITE_LOG_FORMAT",
    meaning="The format of the log: `json`, one object a line, or `text`, for people.",
    default="text at a terminal, json elsewhere",
)
RATE_LIMIT = Setting(
    name="UNITE_RATE_LIMIT",
    meaning="The maximum number of requests a minute by one user, or by one address before login; 0 for any number.",
    default="1200",
)
LOGIN_LIMIT = Setting(
    name="UNITE_LOGIN_LIMIT",
    meaning="The maximum number of login attempts a minute for one account; 0 for any number.",
    default="10",
)
QUOTA_IMPORTS = Setting(
    name="UNITE_QUOTA_IMPORTS",
    meaning="The maximum number of imports of one user that wait or run at the same time, 1 to 10000.",
    default="50",
)
QUOTA_UPLOAD_MIB = Setting(
    name="UNITE_QUOTA_UPLOAD_MIB",
    meaning="The maximum MiB of all files of one user's waiting and running imports, 512 to 1048576.",
    default="4096",
)
QUOTA_TEXTS_PER_NUMBER = Setting(
    name="UNITE_QUOTA_TEXTS_PER_NUMBER",
    meaning="The maximum number of text messages to one number within an hour, up to 10000; 0 for any number.",
    default="20",
)
QUOTA_TEXTS = Setting(
    name="UNITE_QUOTA_TEXTS",
    meaning="The maximum number of text messages to all numbers within an hour, up to 10000; 0 for any number.",
    default="0",
)
DEFAULT_COUNTRY = Setting(
    name="UNITE_DEFAULT_COUNTRY",
    meaning="The country of phone numbers without a plus: two capital letters of ISO 3166-1, such as US.",
    default="none: such numbers are refused",
)
PHONE_RULE = Setting(
    name="UNITE_PHONE_RULE",
    meaning="The check of phone numbers: `possible` requires the right length, `valid` a range in use.",
    default="possible",
)

DESTINATIONS: tuple[Setting, ...] = ()
"""The variables of further destinations of events (docs/how-to/add-a-destination.md)."""

ALL = (
    ENVIRONMENT,
    EMBEDDED,
    HOST,
    PORT,
    DATA_DIR,
    DATABASE_URL,
    DATABASE_SERVICE_ACCOUNT,
    MONGODB_URL,
    MONGODB_SERVICE_URL,
    ACTIVITY_RETENTION_DAYS,
    IMPORT_RETENTION_DAYS,
    REDIS_URL,
    AWS_ENDPOINT_URL,
    S3_BUCKET_IMPORTS,
    S3_BUCKET_IMAGES,
    S3_PUBLIC_URL,
    SQS_IMPORTS_QUEUE_URL,
    SNS_TOPIC_ARN,
    TWILIO_ACCOUNT_SID,
    TWILIO_AUTH_TOKEN,
    TWILIO_FROM,
    TWILIO_MESSAGING_SERVICE_SID,
    TWILIO_BASE_URL,
    *DESTINATIONS,
    MISSED_AFTER_MINUTES,
    SECRETS_ARN,
    JWT_KEYS,
    ADMIN_EMAIL,
    ADMIN_PASSWORD,
    PUBLIC_URL,
    TRUSTED_PROXIES,
    CORS_ORIGINS,
    GRACE_SECONDS,
    DRAIN_SECONDS,
    LOG_LEVEL,
    LOG_FORMAT,
    RATE_LIMIT,
    LOGIN_LIMIT,
    QUOTA_IMPORTS,
    QUOTA_UPLOAD_MIB,
    QUOTA_TEXTS_PER_NUMBER,
    QUOTA_TEXTS,
    DEFAULT_COUNTRY,
    PHONE_RULE,
)
