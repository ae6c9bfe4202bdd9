"""Tests of the application on real servers, each alone and all together."""

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import boto3
import pytest
import requests

from entrypoints.bootstrap import (
    Started,
    StartRefused,
    create_first_admin,
    database_is_current,
    load_settings,
    provide_storage,
    start,
)
from entrypoints.settings import Settings, SettingsRefused
from tests.servers.moto import a_bucket_name
from tests.servers.own import OwnServer
from tests.service_process import direct_session, eventually
from unite_core import Actor, FileToImport, LeadFilter, NewImport, NewLead, PageRequest, Role, StoredFile
from unite_core.errors import Unavailable

CSV = b"Name,Phone\nGrace,+12125550101\nGrace,12\n"
ADMIN = {"UNITE_ADMIN_EMAIL": "ann@example.com", "UNITE_ADMIN_PASSWORD": "correct horse battery"}


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What every program of AWS looks for in its environment."""
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("DEFAULT_REGION", "eu-central-1")):
        monkeypatch.setenv(f"AWS_{name}", value)


def settings_of(tmp_path: Path, **variables: str) -> Settings:
    return load_settings({"UNITE_DATA_DIR": str(tmp_path / "var"), **ADMIN, **variables})


def the_admin(started: Started) -> Actor:
    ann = create_first_admin(started)
    assert ann is not None
    return Actor(user_id=ann.id, role=Role.ADMIN)


def work_through(started: Started, ann: Actor) -> None:
    """Import a file and deliver all events, as a worker does."""
    stored: StoredFile = started.unite.imports.store_file(ann, io.BytesIO(CSV))
    coming = started.unite.imports.import_stored_file(ann, FileToImport(stored=stored, filename="leads.csv"))
    started.unite.imports.continue_import(coming.id, holder="test")
    done = started.unite.imports.get(ann, coming.id)
    assert (done.counts.created, done.counts.rejected) == (1, 1)
    for destination in started.unite.notifications.destinations:
        started.unite.notifications.relay(destination)
    (lead,) = started.unite.leads.list(ann, LeadFilter(), PageRequest()).items
    event_types = [event.type for event in started.unite.leads.activity(ann, lead.id, PageRequest()).items]
    assert event_types == ["lead.imported"]
    assert [event.type for event in started.unite.imports.activity(ann, done.id, PageRequest()).items] == [
        "import.finished",
        "import.started",
    ]


@pytest.fixture
def storage(aws_url: str) -> dict[str, str]:
    imports = a_bucket_name()
    return {
        "UNITE_AWS_ENDPOINT_URL": aws_url,
        "UNITE_S3_BUCKET_IMPORTS": imports,
        "UNITE_S3_BUCKET_IMAGES": a_bucket_name(),
        "UNITE_SQS_IMPORTS_QUEUE_URL": f"{aws_url}/123456789012/{imports}-queue",
    }


def test_the_main_job_runs_on_mysql_alone(tmp_path: Path, mysql_database: str) -> None:
    settings = settings_of(tmp_path, UNITE_DATABASE_URL=mysql_database)
    assert not database_is_current(settings)

    with start(settings) as started:
        work_through(started, the_admin(started))

    assert database_is_current(settings)
    assert not list((tmp_path / "var").glob("*.sqlite3"))


def test_the_main_job_runs_with_mongodb_alone(tmp_path: Path, mongodb_url: str) -> None:
    with start(settings_of(tmp_path, UNITE_MONGODB_URL=mongodb_url)) as started:
        work_through(started, the_admin(started))
        assert list(started.dependencies) == ["database", "disk", "mongodb"]


def test_the_main_job_runs_with_redis_alone(tmp_path: Path, redis_url: str) -> None:
    with start(settings_of(tmp_path, UNITE_REDIS_URL=redis_url)) as started:
        work_through(started, the_admin(started))
        assert list(started.dependencies) == ["database", "disk", "redis"]


def test_the_main_job_runs_with_s3_alone(tmp_path: Path, storage: dict[str, str]) -> None:
    settings = settings_of(tmp_path, **storage)
    assert provide_storage(settings)
    assert provide_storage(settings)  # it may be repeated

    with start(settings) as started:
        work_through(started, the_admin(started))
        assert started.signed_files is None
        assert list(started.dependencies) == ["database", "disk", "s3", "sqs"]


def test_pages_of_the_configured_origins_may_upload_to_buckets(tmp_path: Path, storage: dict[str, str]) -> None:
    own, app = "https://unite.example.com", "https://app.example.com"

    provide_storage(settings_of(tmp_path, **storage, UNITE_PUBLIC_URL=f"{own}/crm", UNITE_CORS_ORIGINS=app))

    client = boto3.client("s3", endpoint_url=storage["UNITE_AWS_ENDPOINT_URL"])
    for name in ("UNITE_S3_BUCKET_IMPORTS", "UNITE_S3_BUCKET_IMAGES"):
        [rule] = client.get_bucket_cors(Bucket=storage[name])["CORSRules"]
        assert rule["AllowedOrigins"] == [own, app]


def test_an_uploaded_file_is_imported_through_the_queue(tmp_path: Path, storage: dict[str, str]) -> None:
    settings = settings_of(tmp_path, **storage)
    provide_storage(settings)
    with start(settings) as started:
        ann = the_admin(started)
        coming = started.unite.imports.announce(ann, NewImport(filename="leads.csv", size=len(CSV)))
        with direct_session() as session:
            sent = session.post(
                coming.upload.url, data=coming.upload.fields, files={"file": ("leads.csv", CSV, "text/csv")}, timeout=30
            )
        assert sent.status_code == requests.codes.no_content
        assert started.notices is not None
        notice = eventually(started.notices.receive, "the queue tells of the upload")

        started.unite.imports.start_uploaded(notice.key, None)
        notice.done()

        assert started.unite.imports.get(ann, coming.lead_import.id).status == "queued"


def test_all_servers_together_work_and_are_dependencies(
    tmp_path: Path, mysql_database: str, mongodb_url: str, redis_url: str, storage: dict[str, str]
) -> None:
    servers = {
        "UNITE_DATABASE_URL": mysql_database,
        "UNITE_MONGODB_URL": mongodb_url,
        "UNITE_REDIS_URL": redis_url,
        **storage,
    }
    provide_storage(settings_of(tmp_path, **servers))

    with start(settings_of(tmp_path, **servers)) as started:
        work_through(started, the_admin(started))
        for dependency in started.dependencies.values():
            dependency.check()
        breakers = {name: it.breaker() for name, it in started.dependencies.items() if it.breaker is not None}
    assert breakers == dict.fromkeys(("redis", "mongodb", "s3", "sqs"), "closed")
    assert [name for name, it in started.dependencies.items() if it.required] == ["database"]


def test_without_a_stand_in_for_aws_nothing_is_created(tmp_path: Path) -> None:
    assert not provide_storage(settings_of(tmp_path))


@pytest.fixture
def secret(aws_url: str) -> Iterator[str]:
    client = boto3.client("secretsmanager", endpoint_url=aws_url)
    name = a_bucket_name()
    values = {"UNITE_DEFAULT_COUNTRY": "DE", "UNITE_PORT": "81"}
    yield client.create_secret(Name=name, SecretString=json.dumps(values))["ARN"]
    client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def test_the_environment_takes_precedence_over_settings_in_a_secret(aws_url: str, secret: str) -> None:
    place = {"UNITE_SECRETS_ARN": secret, "UNITE_AWS_ENDPOINT_URL": aws_url}

    settings = load_settings({**place, "UNITE_PORT": "82", "UNITE_DEFAULT_COUNTRY": ""})

    assert (settings.default_country, settings.port) == ("DE", 82)


def test_a_file_variable_takes_precedence_over_a_secret(aws_url: str, secret: str, tmp_path: Path) -> None:
    place = {"UNITE_SECRETS_ARN": secret, "UNITE_AWS_ENDPOINT_URL": aws_url}
    (tmp_path / "port").write_text("83")

    settings = load_settings({**place, "UNITE_PORT_FILE": str(tmp_path / "port")})

    assert (settings.default_country, settings.port) == ("DE", 83)


def test_an_empty_file_variable_is_refused_although_a_secret_has_the_value(aws_url: str, secret: str) -> None:
    with pytest.raises(SettingsRefused, match="UNITE_PORT_FILE: is empty"):
        load_settings({"UNITE_SECRETS_ARN": secret, "UNITE_AWS_ENDPOINT_URL": aws_url, "UNITE_PORT_FILE": ""})


def test_an_empty_value_in_a_secret_is_refused(aws_url: str, secret: str) -> None:
    lost = json.dumps({"UNITE_DATABASE_URL": "", "UNITE_PORT": "81"})
    boto3.client("secretsmanager", endpoint_url=aws_url).put_secret_value(SecretId=secret, SecretString=lost)

    with pytest.raises(SettingsRefused, match="UNITE_DATABASE_URL: is empty in the secret"):
        load_settings({"UNITE_SECRETS_ARN": secret, "UNITE_AWS_ENDPOINT_URL": aws_url})


@pytest.mark.parametrize("content", ["hidden value", "[]", '{"UNITE_PORT": 81}'])
def test_an_invalid_secret_is_refused_and_not_quoted(aws_url: str, secret: str, content: str) -> None:
    boto3.client("secretsmanager", endpoint_url=aws_url).put_secret_value(SecretId=secret, SecretString=content)

    with pytest.raises(
        StartRefused, match="UNITE_SECRETS_ARN names cannot be read: The secret is not a JSON"
    ) as refused:
        load_settings({"UNITE_SECRETS_ARN": secret, "UNITE_AWS_ENDPOINT_URL": aws_url})

    assert content not in str(refused.value)


def test_a_missing_secret_is_refused(aws_url: str) -> None:
    with pytest.raises(StartRefused, match="There is no such secret"):
        load_settings({"UNITE_SECRETS_ARN": "nothing-like-this", "UNITE_AWS_ENDPOINT_URL": aws_url})


def test_the_error_for_an_unavailable_database_does_not_contain_its_password(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, UNITE_DATABASE_URL="mysql://ann:hidden@127.0.0.1:1/unite")

    with pytest.raises(StartRefused, match=r"mysql://ann:\*\*\*@127.0.0.1:1/unite cannot be used") as refused:
        start(settings)

    assert "hidden" not in str(refused.value)
    with pytest.raises(StartRefused):
        database_is_current(settings)


def test_mongodb_may_start_later_than_the_service(tmp_path: Path, private_mongodb: OwnServer) -> None:
    private_mongodb.stop()
    with start(settings_of(tmp_path, UNITE_MONGODB_URL=f"{private_mongodb.url.rstrip('/')}/unite")) as started:
        ann = the_admin(started)
        lead = started.unite.leads.add(ann, NewLead(name="Grace", phone="+12125550101"))
        with pytest.raises(Unavailable):
            started.dependencies["mongodb"].check()
        assert started.unite.notifications.relay("activity").delivered == 0
        private_mongodb.start()

        def has_arrived() -> bool:
            with suppress(Unavailable):
                started.unite.notifications.relay("activity")
                return bool(started.unite.leads.activity(ann, lead.id, PageRequest()).items)
            return False

        eventually(has_arrived, "the activity log has heard of the lead")


def test_redis_may_be_unavailable_at_the_start(tmp_path: Path, private_redis: OwnServer) -> None:
    private_redis.stop()

    with start(settings_of(tmp_path, UNITE_REDIS_URL=private_redis.url)) as started:
        work_through(started, the_admin(started))
        with pytest.raises(Unavailable):
            started.dependencies["redis"].check()
