"""Tests of settings for production: every server is required unless it is declared as embedded."""

from collections.abc import Mapping

import pytest

from entrypoints.settings import Scope, Settings, SettingsRefused, read_settings

SERVERS = {
    "UNITE_DATABASE_URL": "mysql://unite:secret@db/unite",
    "UNITE_MONGODB_URL": "mongodb://mongo/unite",
    "UNITE_S3_BUCKET_IMPORTS": "imports",
    "UNITE_S3_BUCKET_IMAGES": "images",
    "UNITE_REDIS_URL": "redis://redis",
    "UNITE_JWT_KEYS": f"a:{'s' * 32}",
    "UNITE_SNS_TOPIC_ARN": "arn:aws:sns:eu-central-1:123456789012:unite",
    "UNITE_TWILIO_ACCOUNT_SID": "AC" + "0f" * 16,
    "UNITE_TWILIO_AUTH_TOKEN": "hidden",
    "UNITE_TWILIO_FROM": "+12025550123",
}
SERVICE_NEEDS = [
    "UNITE_DATABASE_URL",
    "UNITE_MONGODB_URL",
    "UNITE_S3_BUCKET_IMPORTS",
    "UNITE_REDIS_URL",
    "UNITE_JWT_KEYS",
    "UNITE_SNS_TOPIC_ARN",
    "UNITE_TWILIO_ACCOUNT_SID",
]
PARTS = "database,mongodb,s3,redis,keys,sns,twilio"


def in_production(environ: Mapping[str, str], scope: Scope = Scope.SERVICE) -> Settings:
    return read_settings({"UNITE_ENVIRONMENT": "production", **environ}, scope)


def missing(environ: Mapping[str, str], scope: Scope = Scope.SERVICE) -> list[str]:
    with pytest.raises(SettingsRefused) as refused:
        in_production(environ, scope)
    return [problem.partition(":")[0] for problem in refused.value.problems]


def test_a_service_in_production_needs_every_server() -> None:
    assert missing({}) == SERVICE_NEEDS
    assert in_production(SERVERS).redis_url == "redis://redis"


@pytest.mark.parametrize("name", SERVICE_NEEDS)
def test_each_missing_server_is_reported(name: str) -> None:
    assert name in missing({**SERVERS, name: ""})


def test_a_command_needs_only_servers_with_permanent_data() -> None:
    assert missing({}, Scope.DATA) == SERVICE_NEEDS[:3]


def test_the_error_for_a_missing_server_names_both_solutions() -> None:
    with pytest.raises(SettingsRefused) as refused:
        in_production({**SERVERS, "UNITE_REDIS_URL": ""})

    (problem,) = refused.value.problems
    assert problem == (
        "UNITE_REDIS_URL: is missing, and UNITE_ENVIRONMENT is production. Set it, or name redis in UNITE_EMBEDDED. "
        "Without it: no cache; limits are counted, and workers woken, on this machine"
    )


def test_parts_can_be_declared_as_embedded() -> None:
    assert in_production({"UNITE_EMBEDDED": PARTS.replace(",", ", ")}).database_url is None
    assert missing({"UNITE_EMBEDDED": "redis,keys,sns,twilio,s3,mongodb"}) == ["UNITE_DATABASE_URL"]


def test_an_sqlite_file_can_be_the_database_in_production() -> None:
    url = "sqlite:////srv/unite.sqlite3"

    assert in_production({**SERVERS, "UNITE_DATABASE_URL": url}).database_url == url


def test_a_configured_server_cannot_be_declared_as_embedded() -> None:
    assert missing({**SERVERS, "UNITE_EMBEDDED": "redis"}) == ["UNITE_REDIS_URL"]


def test_an_empty_file_variable_of_a_server_is_reported_only_once() -> None:
    assert missing({**SERVERS, "UNITE_DATABASE_URL": "", "UNITE_DATABASE_URL_FILE": ""}) == ["UNITE_DATABASE_URL_FILE"]


@pytest.mark.parametrize(
    ("name", "value"), [("UNITE_ENVIRONMENT", "prod"), ("UNITE_EMBEDDED", "redis,mysql"), ("UNITE_EMBEDDED", ",")]
)
def test_an_unknown_environment_or_part_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        read_settings({name: value})

    assert refused.value.problems[0].startswith(f"{name}: ")


def test_an_installation_is_for_development_by_default() -> None:
    assert read_settings({}) == read_settings({"UNITE_ENVIRONMENT": "development"})
