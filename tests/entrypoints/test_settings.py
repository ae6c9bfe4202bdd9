"""Tests of settings: defaults, refused values, warnings, and hidden secrets."""

from datetime import timedelta
from inspect import signature
from ipaddress import ip_network
from pathlib import Path

import pymysql
import pytest
from redis import Redis
from sqlalchemy import make_url

from entrypoints.settings import (
    FirstAdmin,
    SecretLocation,
    Sentry,
    Settings,
    SettingsRefused,
    Storage,
    Twilio,
    parse_keys,
    read_settings,
    secret_location,
)
from entrypoints.settings.urls import MYSQL_PARAMETERS, REDIS_PARAMETERS
from entrypoints.settings.variables import ALL
from unite_core.phone import PhoneRule
from unite_core.quotas import Quotas

SID = "AC" + "0f" * 16
SERVICE = "MG" + "0f" * 16
TWILIO = {
    "UNITE_TWILIO_ACCOUNT_SID": SID,
    "UNITE_TWILIO_AUTH_TOKEN": "hidden",
    "UNITE_TWILIO_FROM": "+12025550123",
    "UNITE_PUBLIC_URL": "https://unite.example.com",
}
KEYS = f"new:{'n' * 32},old:{'o:' * 16}"


def problems_of(**environ: str) -> list[str]:
    with pytest.raises(SettingsRefused) as refused:
        read_settings(environ)
    return list(refused.value.problems)


def test_without_variables_the_embedded_default_is_used() -> None:
    assert read_settings({"PATH": "/bin"}) == Settings(
        host="127.0.0.1",
        port=8000,
        data_dir=Path("./var"),
        database_url=None,
        redis_url=None,
        jwt_keys=None,
        first_admin=None,
        public_url="http://127.0.0.1:8000",
        requests_per_minute=1200,
        logins_per_minute=10,
        quotas=Quotas(),
        default_country=None,
        phone_rule=PhoneRule.POSSIBLE,
        warnings=(),
    )


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read_settings({setting.name: "" for setting in ALL}) == read_settings({})


def test_every_setting_can_be_set() -> None:
    settings = read_settings(
        {
            "UNITE_HOST": "0.0.0.0",
            "UNITE_PORT": "8080",
            "UNITE_DATA_DIR": "/srv/unite",
            "UNITE_DATABASE_URL": "sqlite:////srv/unite.db",
            "UNITE_REDIS_URL": "rediss://:secret@redis:6379/3",
            "UNITE_JWT_KEYS": KEYS,
            "UNITE_ADMIN_EMAIL": "Ann@Example.com",
            "UNITE_ADMIN_PASSWORD": "correct horse battery",
            "UNITE_PUBLIC_URL": "https://unite.example.com/crm/",
            "UNITE_TRUSTED_PROXIES": "10.0.0.0/24, 2001:db8::7",
            "UNITE_CORS_ORIGINS": "https://App.example.com:443,http://localhost:5173",
            "UNITE_RATE_LIMIT": "0",
            "UNITE_LOGIN_LIMIT": "3",
            "UNITE_QUOTA_IMPORTS": "7",
            "UNITE_QUOTA_UPLOAD_MIB": "1024",
            "UNITE_QUOTA_TEXTS_PER_NUMBER": "0",
            "UNITE_QUOTA_TEXTS": "500",
            "UNITE_DEFAULT_COUNTRY": "DE",
            "UNITE_PHONE_RULE": "valid",
        }
    )

    assert settings == Settings(
        host="0.0.0.0",
        port=8080,
        data_dir=Path("/srv/unite"),
        database_url="sqlite:////srv/unite.db",
        redis_url="rediss://:secret@redis:6379/3",
        jwt_keys={"new": b"n" * 32, "old": b"o:" * 16},
        first_admin=FirstAdmin(email="ann@example.com", password="correct horse battery"),
        public_url="https://unite.example.com/crm",
        trusted_proxies=(ip_network("10.0.0.0/24"), ip_network("2001:db8::7")),
        cors_origins=("https://app.example.com", "http://localhost:5173"),
        requests_per_minute=0,
        logins_per_minute=3,
        quotas=Quotas(open_imports=7, open_bytes=1024**3, texts_per_number=0, texts=500),
        default_country="DE",
        phone_rule=PhoneRule.VALID,
    )


def test_each_server_can_be_configured_separately() -> None:
    settings = read_settings(
        {
            "UNITE_DATABASE_URL": "mysql://ann:secret@db.example/unite?ssl_ca=/etc/ca.pem",
            "UNITE_DATABASE_SERVICE_ACCOUNT": "service@%",
            "UNITE_MONGODB_URL": "mongodb://mongo.example/unite",
            "UNITE_MONGODB_SERVICE_URL": "mongodb://ann:secret@mongo.example/unite",
            "UNITE_ACTIVITY_RETENTION_DAYS": "30",
            "UNITE_REDIS_URL": "rediss://:secret@redis.example:6380/1",
            "UNITE_JWT_KEYS": KEYS,
            "UNITE_AWS_ENDPOINT_URL": "http://moto:5000/",
            "UNITE_S3_BUCKET_IMPORTS": "imports",
            "UNITE_S3_BUCKET_IMAGES": "images",
            "UNITE_S3_PUBLIC_URL": "http://localhost:5000",
            "UNITE_SQS_IMPORTS_QUEUE_URL": "http://moto:5000/1/imports",
        }
    )

    assert settings.database_url == "mysql://ann:secret@db.example/unite?ssl_ca=/etc/ca.pem"
    assert settings.service_account == "service@%"
    assert settings.mongodb_url == "mongodb://mongo.example/unite"
    assert settings.mongodb_service_url == "mongodb://ann:secret@mongo.example/unite"
    assert settings.activity_retention == timedelta(days=30)
    assert settings.redis_url == "rediss://:secret@redis.example:6380/1"
    assert settings.aws_endpoint_url == "http://moto:5000"
    assert settings.storage == Storage(
        imports="imports",
        images="images",
        public_url="http://localhost:5000",
        queue_url="http://moto:5000/1/imports",
    )
    assert settings.warnings == ()
    assert "secret" not in repr(settings)


def test_text_messages_are_sent_from_a_number_of_a_twilio_account() -> None:
    settings = read_settings({**TWILIO, "UNITE_TWILIO_BASE_URL": "http://twilio:8010/"})

    assert settings.twilio == Twilio(
        account_sid=SID, auth_token="hidden", from_number="+12025550123", base_url="http://twilio:8010"
    )
    assert settings.warnings == ()
    assert "hidden" not in repr(settings)


def test_text_messages_may_be_sent_by_a_messaging_service() -> None:
    variables = {**TWILIO, "UNITE_TWILIO_FROM": "", "UNITE_TWILIO_MESSAGING_SERVICE_SID": SERVICE}

    assert read_settings(variables).twilio == Twilio(
        account_sid=SID, auth_token="hidden", messaging_service_sid=SERVICE
    )


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (
            {"UNITE_TWILIO_ACCOUNT_SID": SID},
            ["UNITE_TWILIO_AUTH_TOKEN: is missing", "UNITE_TWILIO_FROM: is missing, and so is"],
        ),
        (
            {"UNITE_TWILIO_FROM": "+12025550123"},
            ["UNITE_TWILIO_ACCOUNT_SID: is missing", "UNITE_TWILIO_AUTH_TOKEN: is missing"],
        ),
        (
            {**TWILIO, "UNITE_TWILIO_MESSAGING_SERVICE_SID": SERVICE},
            ["UNITE_TWILIO_MESSAGING_SERVICE_SID: is set as well"],
        ),
        ({"UNITE_TWILIO_BASE_URL": "http://twilio:8010"}, ["UNITE_TWILIO_BASE_URL: is of no use without"]),
    ],
)
def test_all_missing_settings_of_twilio_are_reported_together(given: dict[str, str], missing: list[str]) -> None:
    problems = problems_of(**given)

    assert len(problems) == len(missing)
    assert all(problem.startswith(start) for problem, start in zip(problems, missing, strict=True))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UNITE_TWILIO_ACCOUNT_SID", "AC123"),
        ("UNITE_TWILIO_ACCOUNT_SID", "SK" + "0" * 32),
        ("UNITE_TWILIO_FROM", "2025550199"),
        ("UNITE_TWILIO_FROM", "+1 202 555 0123"),
        ("UNITE_TWILIO_FROM", "Unite"),
        ("UNITE_TWILIO_BASE_URL", "twilio:8010"),
    ],
)
def test_invalid_settings_of_twilio_are_refused_and_not_quoted(name: str, value: str) -> None:
    (problem,) = problems_of(**{**TWILIO, name: value})

    assert problem.startswith(f"{name}: is ")
    assert value not in problem


def test_twilio_without_a_public_url_causes_a_warning() -> None:
    (warning,) = read_settings({**TWILIO, "UNITE_PUBLIC_URL": ""}).warnings

    assert "UNITE_PUBLIC_URL" in warning


@pytest.mark.parametrize(
    "arn",
    [
        "unite",
        "arn:aws:sqs:eu-central-1:123456789012:unite",
        "arn:aws:sns:eu-central-1:123456789012:unite.fifo",
        "arn:aws:sns:eu-central-1:12345:unite",
    ],
)
def test_an_invalid_topic_is_refused(arn: str) -> None:
    (problem,) = problems_of(UNITE_SNS_TOPIC_ARN=arn)

    assert problem.startswith("UNITE_SNS_TOPIC_ARN: is not like ")


def test_a_topic_is_configured_by_its_arn() -> None:
    arn = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:unite_events"

    assert read_settings({"UNITE_SNS_TOPIC_ARN": arn}).sns_topic_arn == arn


def test_the_grace_period_of_missed_calls_is_set_in_minutes() -> None:
    assert read_settings({}).missed_after == timedelta(minutes=30)
    assert read_settings({"UNITE_MISSED_AFTER_MINUTES": "0"}).missed_after == timedelta()
    assert read_settings({"UNITE_MISSED_AFTER_MINUTES": "10080"}).missed_after == timedelta(days=7)
    assert problems_of(UNITE_MISSED_AFTER_MINUTES="10081")


def test_the_url_of_mongodb_may_have_several_hosts_with_ports() -> None:
    url = "mongodb://unite:secret@a.example:27017,b.example:27018,c.example:27017/unite?replicaSet=rs0"

    assert read_settings({"UNITE_MONGODB_URL": url}).mongodb_url == url


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UNITE_DATABASE_URL", "postgresql://db/unite"),
        ("UNITE_DATABASE_URL", "mysql://db.example"),
        ("UNITE_DATABASE_URL", "mysql:///unite"),
        ("UNITE_DATABASE_URL", "sqlite://unite.db"),
        ("UNITE_MONGODB_URL", "mongodb://mongo.example"),
        ("UNITE_MONGODB_URL", "mongodb://[mongo.example/unite"),
        ("UNITE_MONGODB_URL", "http://mongo.example/unite"),
        ("UNITE_REDIS_URL", "redis.example"),
        ("UNITE_REDIS_URL", "http://redis.example"),
        ("UNITE_AWS_ENDPOINT_URL", "moto:5000"),
        ("UNITE_ACTIVITY_RETENTION_DAYS", "-1"),
        ("UNITE_IMPORT_RETENTION_DAYS", "-1"),
    ],
)
def test_a_url_of_another_kind_of_server_is_refused(name: str, value: str) -> None:
    (problem,) = problems_of(**{name: value})

    assert problem.startswith(f"{name}: is ")
    assert value not in problem


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://mongo.example/unite",
        "mongodb://ann@mongo.example/unite",
        "mongodb://:secret@mongo.example/unite",
        "mongodb://ann:@mongo.example/unite",
        "mongodb://ann:secret@mongo.example",
    ],
)
def test_the_service_account_on_mongodb_is_set_with_its_password(url: str) -> None:
    variables = {"UNITE_MONGODB_URL": "mongodb://root:secret@mongo.example/unite", "UNITE_MONGODB_SERVICE_URL": url}

    assert problems_of(**variables) == ["UNITE_MONGODB_SERVICE_URL: is not like mongodb://user:password@host/database"]


def test_a_service_account_on_mongodb_without_mongodb_is_refused() -> None:
    assert problems_of(UNITE_MONGODB_SERVICE_URL="mongodb://ann:secret@mongo.example/unite") == [
        "UNITE_MONGODB_SERVICE_URL: is of no use without UNITE_MONGODB_URL"
    ]


@pytest.mark.parametrize("account", ["service", "@%", "service@", "ser vice@%", f"{'x' * 33}@%", "a@b@c"])
def test_an_invalid_account_is_refused(account: str) -> None:
    variables = {"UNITE_DATABASE_URL": "mysql://db.example/unite", "UNITE_DATABASE_SERVICE_ACCOUNT": account}

    assert problems_of(**variables) == ["UNITE_DATABASE_SERVICE_ACCOUNT: is not like service@%"]


@pytest.mark.parametrize("variables", [{}, {"UNITE_DATABASE_URL": "sqlite:////var/lib/unite/unite.db"}])
def test_a_service_account_for_an_sqlite_file_is_refused(variables: dict[str, str]) -> None:
    assert problems_of(**variables, UNITE_DATABASE_SERVICE_ACCOUNT="service@%") == [
        "UNITE_DATABASE_SERVICE_ACCOUNT: is of no use without MySQL or MariaDB in UNITE_DATABASE_URL"
    ]


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("UNITE_S3_BUCKET_IMPORTS", "UNITE_S3_BUCKET_IMAGES"),
        ("UNITE_S3_BUCKET_IMAGES", "UNITE_S3_BUCKET_IMPORTS"),
    ],
)
def test_one_bucket_without_the_other_is_refused(given: str, missing: str) -> None:
    assert problems_of(**{given: "bucket"}) == [f"{missing}: is missing; {given} needs it"]


@pytest.mark.parametrize("name", ["UNITE_S3_PUBLIC_URL", "UNITE_SQS_IMPORTS_QUEUE_URL"])
def test_settings_of_storage_without_buckets_are_refused(name: str) -> None:
    assert problems_of(**{name: "http://moto:5000/x"}) == [
        f"{name}: is of no use without UNITE_S3_BUCKET_IMPORTS and UNITE_S3_BUCKET_IMAGES"
    ]


def test_shared_redis_without_shared_keys_causes_a_warning() -> None:
    (warning,) = read_settings({"UNITE_REDIS_URL": "redis://redis.example"}).warnings

    assert "UNITE_JWT_KEYS" in warning


def test_further_variables_can_be_stored_in_a_secret(tmp_path: Path) -> None:
    (tmp_path / "arn").write_text("arn:aws:secretsmanager:x\n")

    assert secret_location({"UNITE_PORT": "1"}) is None
    assert secret_location({"UNITE_SECRETS_ARN_FILE": str(tmp_path / "arn")}) == SecretLocation(
        arn="arn:aws:secretsmanager:x", aws_endpoint_url=None
    )
    assert secret_location({"UNITE_SECRETS_ARN": "s", "UNITE_AWS_ENDPOINT_URL": "http://moto:5000"}) == SecretLocation(
        arn="s", aws_endpoint_url="http://moto:5000"
    )


def test_the_first_named_key_is_the_first() -> None:
    assert list(parse_keys(KEYS)) == ["new", "old"]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:81"),
        ("::", "http://[::1]:81"),
        ("::1", "http://[::1]:81"),
        ("unite.example.com", "http://unite.example.com:81"),
    ],
)
def test_the_public_url_is_the_url_of_the_service(host: str, url: str) -> None:
    assert read_settings({"UNITE_HOST": host, "UNITE_PORT": "81"}).public_url == url


def test_a_value_can_be_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{KEYS}\n")
    (tmp_path / "port").write_text("8080\r\n")

    settings = read_settings({"UNITE_JWT_KEYS_FILE": str(tmp_path / "keys"), "UNITE_PORT_FILE": str(tmp_path / "port")})

    assert settings.jwt_keys == parse_keys(KEYS)
    assert settings.port == 8080
    assert settings.warnings == ()


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")

    assert problems_of(
        UNITE_PORT_FILE=str(tmp_path / "nothing"), UNITE_DEFAULT_COUNTRY_FILE=str(tmp_path / "bytes")
    ) == [
        "UNITE_PORT_FILE: the file cannot be read (No such file or directory)",
        "UNITE_DEFAULT_COUNTRY_FILE: the file cannot be read (not UTF-8)",
    ]


def test_an_empty_file_variable_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "lost").write_text(" \n\n")

    assert problems_of(UNITE_DATABASE_URL_FILE="", UNITE_REDIS_URL_FILE=str(tmp_path / "lost")) == [
        "UNITE_DATABASE_URL_FILE: is empty; name a file, or take the variable out",
        "UNITE_REDIS_URL_FILE: the file is empty; put the value into it, or take the variable out",
    ]


def test_warnings_are_reported_together_with_errors() -> None:
    with pytest.raises(SettingsRefused) as refused:
        read_settings({"UNITE_PROT": "1", "UNITE_PORT": "eighty"})

    assert refused.value.warnings == ("UNITE_PROT is set, and nothing reads it; did you mean UNITE_PORT?",)


def test_a_variable_that_is_also_set_by_a_file_is_refused(tmp_path: Path) -> None:
    assert problems_of(UNITE_PORT="1", UNITE_PORT_FILE=str(tmp_path)) == [
        "UNITE_PORT: is set twice; leave out UNITE_PORT or UNITE_PORT_FILE"
    ]


def test_all_errors_are_reported_together() -> None:
    problems = problems_of(
        UNITE_PORT="65536",
        UNITE_DATABASE_URL="sqlite:///:memory:",
        UNITE_JWT_KEYS="short:secret",
        UNITE_ADMIN_EMAIL="nobody",
        UNITE_ADMIN_PASSWORD="short",
        UNITE_PUBLIC_URL="unite.example.com",
        UNITE_RATE_LIMIT="-1",
        UNITE_LOGIN_LIMIT="ten",
        UNITE_QUOTA_IMPORTS="0",
        UNITE_QUOTA_UPLOAD_MIB="511",
        UNITE_QUOTA_TEXTS_PER_NUMBER="-1",
        UNITE_QUOTA_TEXTS="10001",
        UNITE_DEFAULT_COUNTRY="us",
        UNITE_PHONE_RULE="any",
    )

    assert [problem.partition(":")[0] for problem in problems] == [
        "UNITE_PORT",
        "UNITE_DATABASE_URL",
        "UNITE_JWT_KEYS",
        "UNITE_ADMIN_EMAIL",
        "UNITE_ADMIN_PASSWORD",
        "UNITE_PUBLIC_URL",
        "UNITE_RATE_LIMIT",
        "UNITE_LOGIN_LIMIT",
        "UNITE_QUOTA_IMPORTS",
        "UNITE_QUOTA_UPLOAD_MIB",
        "UNITE_QUOTA_TEXTS_PER_NUMBER",
        "UNITE_QUOTA_TEXTS",
        "UNITE_DEFAULT_COUNTRY",
        "UNITE_PHONE_RULE",
    ]
    assert problems[0] == "UNITE_PORT: is not a whole number from 1 to 65535"


@pytest.mark.parametrize("given", ["UNITE_ADMIN_EMAIL", "UNITE_ADMIN_PASSWORD"])
def test_the_first_admin_needs_an_address_and_a_password(given: str) -> None:
    (missing,) = {"UNITE_ADMIN_EMAIL", "UNITE_ADMIN_PASSWORD"} - {given}
    value = "ann@example.com" if given.endswith("EMAIL") else "correct horse battery"

    assert problems_of(**{given: value}) == [f"{missing}: is missing; {given} needs it"]


@pytest.mark.parametrize("port", ["0", "8000.0", " 80", "٣٢", "1e3", "99999999999999999999"])
def test_an_invalid_port_is_refused(port: str) -> None:
    assert problems_of(UNITE_PORT=port)


@pytest.mark.parametrize(
    "keys",
    ["secret", ":" + "s" * 32, "a b:" + "s" * 32, f"a:{'s' * 32},", f"a:{'s' * 32},a:{'t' * 32}", "a:" + "s" * 31],
)
def test_invalid_keys_are_refused(keys: str) -> None:
    (problem,) = problems_of(UNITE_JWT_KEYS=keys)

    assert problem.startswith("UNITE_JWT_KEYS: ")
    assert "ssss" not in problem


@pytest.mark.parametrize(
    "url",
    ["mysql://unite:secret@db/unite", "mysql+pymysql://unite@db:3306/unite?ssl_ca=/ca.pem", "sqlite:////unite.db"],
)
def test_the_database_may_be_a_file_or_on_a_server(url: str) -> None:
    assert read_settings({"UNITE_DATABASE_URL": url}).database_url == url


@pytest.mark.parametrize(
    "url", ["mysql://unite@db", "mysql:///unite", "postgresql://db/unite", "sqlite:///", "unite.db"]
)
def test_an_unsupported_database_is_refused(url: str) -> None:
    assert problems_of(UNITE_DATABASE_URL=url)


@pytest.mark.parametrize(
    "dsn",
    [
        "https://key@o0.ingest.sentry.io/1",
        "http://key:secret@127.0.0.1:9000/42",
        "https://key@sentry.example.com/errors/7",
    ],
)
def test_sentry_is_configured_by_its_dsn(dsn: str) -> None:
    sentry = read_settings({"UNITE_SENTRY_DSN": dsn}).sentry

    assert sentry == Sentry(dsn=dsn, environment="development", sample_rate=1.0)
    assert "key" not in repr(sentry)


@pytest.mark.parametrize(
    "dsn",
    [
        "key@sentry.io/1",
        "https://sentry.io/1",
        "https://hidden@/1",
        "https://hidden@sentry.io",
        "https://hidden@sentry.io/",
        "https://hidden@sentry.io/project",
        "https://hidden@sentry.io/1?x=1",
        "https://hidden@sentry.io:0/1",
        "ftp://hidden@sentry.io/1",
    ],
)
def test_an_invalid_dsn_is_refused(dsn: str) -> None:
    (problem,) = problems_of(UNITE_SENTRY_DSN=dsn)

    assert problem.startswith("UNITE_SENTRY_DSN: ")
    assert "hidden" not in problem


def test_the_environment_for_sentry_is_configurable_and_validated() -> None:
    dsn = {"UNITE_SENTRY_DSN": "https://key@sentry.io/1"}
    named = read_settings(dsn | {"UNITE_SENTRY_ENVIRONMENT": "staging-2"}).sentry

    assert named is not None
    assert named.environment == "staging-2"
    for wrong in ("a b", "a/b", "x" * 65):
        assert len(problems_of(**dsn, UNITE_SENTRY_ENVIRONMENT=wrong)) == 1


@pytest.mark.parametrize(
    ("text", "rate"), [("0", 0.0), ("1", 1.0), ("1.0", 1.0), ("0.25", 0.25), (".5", 0.5), ("0.001", 0.001)]
)
def test_a_sample_rate_of_errors_can_be_set(text: str, rate: float) -> None:
    sentry = read_settings({"UNITE_SENTRY_DSN": "https://key@sentry.io/1", "UNITE_SENTRY_SAMPLE_RATE": text}).sentry

    assert sentry is not None
    assert sentry.sample_rate == rate


@pytest.mark.parametrize("text", ["-1", "1.1", "2", "25%", "0,5", "1e-1", "nan", " 1", "."])
def test_an_invalid_sample_rate_is_refused(text: str) -> None:
    assert problems_of(UNITE_SENTRY_SAMPLE_RATE=text) == [
        "UNITE_SENTRY_SAMPLE_RATE: is not a number from 0 to 1, such as 0.25"
    ]


@pytest.mark.parametrize("url", ["redis:///0", "redis://host/first", "http://host:6379", "host:6379"])
def test_an_invalid_redis_url_is_refused(url: str) -> None:
    assert problems_of(UNITE_REDIS_URL=url)


@pytest.mark.parametrize("url", ["redis://host", "redis://host:6379/", "rediss://user:secret@host:6380/15"])
def test_redis_is_configured_by_its_url(url: str) -> None:
    assert read_settings({"UNITE_REDIS_URL": url}).redis_url == url


@pytest.mark.parametrize(
    ("name", "url", "problem"),
    [
        ("UNITE_DATABASE_URL", "mysql://db:99999/unite", "has a port that is not a number from 1 to 65535"),
        ("UNITE_DATABASE_URL", "mysql://db:port/unite", "has a port that is not a number from 1 to 65535"),
        ("UNITE_MONGODB_URL", "mongodb://a:b@one:27017,two:65536/unite", "has a port that is not a number from 1"),
        ("UNITE_MONGODB_URL", "mongodb://[::1]:0/unite", "has a port that is not a number from 1 to 65535"),
        ("UNITE_REDIS_URL", "redis://:hidden@redis:70000/0", "has a port that is not a number from 1 to 65535"),
        ("UNITE_DATABASE_URL", "mysql://db/unite?hidden=1", "has an unknown parameter behind the question mark"),
        ("UNITE_DATABASE_URL", "mysql://db/unite?ssl_ca=/ca&hidden", "has an unknown parameter behind the question"),
        ("UNITE_REDIS_URL", "redis://redis/0?hidden=1", "has an unknown parameter behind the question mark"),
        ("UNITE_DATABASE_URL", "sqlite:////srv/unite.db?hidden=1", "has parameters behind the path"),
    ],
)
def test_ports_and_parameters_of_urls_are_validated(name: str, url: str, problem: str) -> None:
    (problems,) = problems_of(**{name: url})

    assert problems.startswith(f"{name}: {problem}")
    assert "hidden" not in problems


@pytest.mark.parametrize("parameter", MYSQL_PARAMETERS)
def test_the_known_parameters_of_mysql_are_accepted_by_its_driver(parameter: str) -> None:
    url = f"mysql+pymysql://ann@127.0.0.1:1/unite?{parameter}=true"
    assert read_settings({"UNITE_DATABASE_URL": url}).database_url == url

    _, given = make_url(url).get_dialect()().create_connect_args(make_url(url))

    assert given.keys() <= signature(pymysql.Connection).parameters.keys()


@pytest.mark.parametrize("parameter", [it for it in REDIS_PARAMETERS if it != "db"])
def test_the_known_parameters_of_redis_are_accepted_by_its_driver(parameter: str) -> None:
    url = f"rediss://127.0.0.1:1/0?{parameter}={'none' if parameter == 'ssl_cert_reqs' else 2}"
    assert read_settings({"UNITE_REDIS_URL": url}).redis_url == url

    Redis.from_url(url).connection_pool.make_connection()


@pytest.mark.parametrize(
    "url", ["https://", "ftp://example.com", "https://example.com?a=b", "https://me@example.com", "https://a b"]
)
def test_an_invalid_public_url_is_refused(url: str) -> None:
    assert problems_of(UNITE_PUBLIC_URL=url)


def test_neither_settings_nor_errors_show_a_secret() -> None:
    secrets = {
        "UNITE_JWT_KEYS": "a:" + "hidden" * 8,
        "UNITE_ADMIN_PASSWORD": "hidden hidden hidden",
        "UNITE_DATABASE_URL": "sqlite:////srv/hidden",
        "UNITE_REDIS_URL": "redis://:hidden@redis",
    }
    settings = read_settings(secrets | {"UNITE_ADMIN_EMAIL": "ann@example.com"})
    problems = problems_of(
        UNITE_JWT_KEYS="hidden", UNITE_ADMIN_PASSWORD="hidden", UNITE_DATABASE_URL="mysql://hidden", UNITE_PORT="hidden"
    )

    assert "hidden" not in repr(settings)
    assert "hidden" not in str(settings)
    assert "hidden" not in "".join(problems)


def test_an_unknown_variable_causes_a_warning_with_a_suggestion() -> None:
    settings = read_settings({"UNITE_PROT": "1", "UNITE_JWT_KEY_FILE": "x", "UNITE_SOMETHING_ELSE": "y", "OTHER": "z"})

    assert settings.warnings == (
        "UNITE_JWT_KEY_FILE is set, and nothing reads it; did you mean UNITE_JWT_KEYS_FILE?",
        "UNITE_PROT is set, and nothing reads it; did you mean UNITE_PORT?",
        "UNITE_SOMETHING_ELSE is set, and nothing reads it.",
    )


def test_the_table_in_the_docs_lists_every_setting(checkout: Path) -> None:
    table = [f"| `{it.name}` | {it.meaning} | {it.default} |" for it in ALL]

    text = (checkout / "docs" / "reference" / "settings.md").read_text("utf-8")
    page = text.partition("\n## Variables around the service\n")[0]
    shown = [line for line in page.splitlines() if line.startswith(("| `UNITE_", "| `OTEL_"))]

    assert shown == table


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_listening_on_other_addresses_without_a_public_url_causes_a_warning(host: str) -> None:
    (warning,) = read_settings({"UNITE_HOST": host}).warnings

    assert "UNITE_PUBLIC_URL" in warning
    assert "plain HTTP" in warning
    assert read_settings({"UNITE_HOST": host, "UNITE_PUBLIC_URL": "https://unite.example.com"}).warnings == ()


@pytest.mark.parametrize("value", ["10.0.0.0/33", "proxy", "0.0.0.0/0", "0.0.0.0/1,128.0.0.0/1", "::/0"])
def test_invalid_trusted_proxies_are_refused(value: str) -> None:
    (problem,) = problems_of(UNITE_TRUSTED_PROXIES=value)

    assert problem.startswith("UNITE_TRUSTED_PROXIES: ")


@pytest.mark.parametrize(
    "value",
    [
        "*",
        "https://*.example.com",
        "app.example.com",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://app.example.com?a",
        "https://me@app.example.com",
        "https://app.example.com:port",
        "https://app.example.com:0",
        "https://app.example.com:65536",
        "https://m\u00fcller.example",
        "https://",
        "ftp://app.example.com",
        "null",
        "https://app.example.com,",
        "https://app.example.com https://b.example.com",
    ],
)
def test_an_invalid_origin_is_refused(value: str) -> None:
    (problem,) = problems_of(UNITE_CORS_ORIGINS=value)

    assert problem.startswith("UNITE_CORS_ORIGINS: entry ")


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("https://app.example.com", ("https://app.example.com",)),
        ("http://localhost:80, https://localhost:80", ("http://localhost", "https://localhost:80")),
        ("HTTPS://APP.example.com:08443,https://app.example.com:8443", ("https://app.example.com:8443",)),
        ("http://[::1]:3000", ("http://[::1]:3000",)),
        ("https://xn--mller-kva.example", ("https://xn--mller-kva.example",)),
    ],
)
def test_origins_are_normalized_as_browsers_send_them(value: str, origins: tuple[str, ...]) -> None:
    assert read_settings({"UNITE_CORS_ORIGINS": value}).cors_origins == origins


@pytest.mark.parametrize(
    "url",
    [
        "http://unite.example.com",
        "http://unite.example.com:8000/crm",
        "http://203.0.113.7",
        "http://8.8.8.8:8000",
        "http://[2606:4700::1]:8000",
        "http://172.32.0.1",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
    ],
)
def test_plain_http_on_a_public_address_causes_a_warning(url: str) -> None:
    for proxies in ("", "10.0.0.1"):
        variables = {"UNITE_PUBLIC_URL": url, "UNITE_TRUSTED_PROXIES": proxies}
        for host in ("127.0.0.1", "0.0.0.0", "203.0.113.7"):
            (warning,) = read_settings({**variables, "UNITE_HOST": host}).warnings
            assert "UNITE_PUBLIC_URL is http://" in warning
            assert "https://" in warning


@pytest.mark.parametrize(
    "url",
    [
        "https://unite.example.com",
        "https://203.0.113.7",
        "http://localhost:8000",
        "http://unite.localhost",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "http://10.1.2.3",
        "http://192.168.1.7:8000",
        "http://[fd00::7]",
        "http://unite:8000",
        "http://unite.local.",
        "http://unite.internal",
    ],
)
def test_tls_and_private_addresses_cause_no_warning(url: str) -> None:
    for host in ("127.0.0.1", "0.0.0.0", "10.0.0.7"):
        assert read_settings({"UNITE_PUBLIC_URL": url, "UNITE_HOST": host}).warnings == ()


@pytest.mark.parametrize("host", ["203.0.113.7", "2606:4700::1", "unite.example.com"])
def test_listening_on_a_public_address_without_a_proxy_causes_a_warning(host: str) -> None:
    (alone,) = read_settings({"UNITE_HOST": host}).warnings
    (private,) = read_settings({"UNITE_HOST": host, "UNITE_PUBLIC_URL": "http://10.0.0.7"}).warnings
    behind = {"UNITE_HOST": host, "UNITE_PUBLIC_URL": "http://10.0.0.7", "UNITE_TRUSTED_PROXIES": "10.0.0.1"}

    assert "UNITE_PUBLIC_URL is http://" in alone
    assert "UNITE_HOST" in private
    assert read_settings(behind).warnings == ()
    assert read_settings({"UNITE_HOST": host, "UNITE_PUBLIC_URL": "https://unite.example.com"}).warnings == ()


def test_a_url_with_an_unreadable_host_causes_no_warning() -> None:
    assert read_settings({"UNITE_PUBLIC_URL": "http://[::1"}).warnings == ()


@pytest.mark.parametrize(("value", "retention"), [("", timedelta(days=90)), ("7", timedelta(days=7)), ("0", None)])
def test_the_retention_of_imports_is_90_days_by_default(value: str, retention: timedelta | None) -> None:
    assert read_settings({"UNITE_IMPORT_RETENTION_DAYS": value}).import_retention == retention
