"""Tests of all stacks deployed on moto: properties, secrets, events, accounts and schedules."""

import json

import pytest

from adapters.aws.clients import AwsClients
from adapters.aws.s3 import Buckets, S3Files
from adapters.aws.secrets_manager import read_secret
from adapters.aws.sns import SnsTopic
from adapters.aws.sqs import SqsUploadNotices
from adapters.system_clock import SystemClock
from entrypoints.settings import read_settings
from tests.infra.aws.additions import client
from tests.infra.aws.deploying import Deployment
from tests.infra.aws.dropped import DROPPED, NOT_READ
from tests.infra.aws.reading import READERS, declared, leaves
from tests.infra.aws.templates import REGION
from unite_core.files import upload_key
from unite_core.notifications.ports import TopicMessage
from unite_core.testing.builders import an_id

ACCESS = AwsClients(region=REGION)


@pytest.fixture
def files(deployment: Deployment, open_buckets: None) -> S3Files:
    """Files in the deployed buckets."""
    assert open_buckets is None
    buckets = Buckets(imports=deployment.export("ImportsBucket"), images=deployment.export("ImagesBucket"))
    return S3Files(buckets, access=ACCESS, clock=SystemClock())


def _notices(deployment: Deployment) -> SqsUploadNotices:
    return SqsUploadNotices(
        deployment.export("UploadsQueueUrl"), bucket=deployment.export("ImportsBucket"), access=ACCESS
    )


def test_every_declared_property_is_deployed_or_known_to_be_dropped_by_moto(deployment: Deployment) -> None:
    lost: dict[str, set[str]] = {}
    for stack, template in deployment.templates.items():
        for name, resource in template["Resources"].items():
            kind = resource["Type"]
            if kind in NOT_READ:
                continue
            properties = declared(deployment, stack, name)
            read = set(leaves(READERS[kind](deployment.ids[stack][name], properties)))
            values = {value for _, value in read}
            # Services call some things by another name than CloudFormation; the value is there all the same.
            missing = {key for key, value in leaves(properties) if (key, value) not in read and value not in values}
            lost.setdefault(kind, set()).update(missing)
    lost = {kind: keys for kind, keys in lost.items() if keys}

    assert lost == {kind: set(reasons) for kind, reasons in DROPPED.items()}


def test_an_uploaded_import_file_sends_a_notice_and_other_files_do_not(deployment: Deployment, files: S3Files) -> None:
    notices = _notices(deployment)
    key = f"imports/{an_id()}.csv"
    with files.write(f"reports/{an_id()}.csv", content_type="text/csv") as stream:
        stream.write(b"row\n")
    with files.write(upload_key(key), content_type="text/csv") as stream:
        stream.write(b"name\nAda\n")

    notice = notices.receive()
    assert notice is not None
    assert notice.key == upload_key(key)
    notice.done()
    files.move(upload_key(key), key)
    with files.read(key) as stream:
        assert stream.read() == b"name\nAda\n"
    assert notices.receive() is None


def test_pictures_are_stored_encrypted_in_their_own_bucket(deployment: Deployment, files: S3Files) -> None:
    key = f"images/{an_id()}/{an_id()}"
    with files.write(key, content_type="image/png") as stream:
        stream.write(b"png")

    stored = client("s3").head_object(Bucket=deployment.export("ImagesBucket"), Key=key)

    assert stored["ServerSideEncryption"] == "AES256"
    files.delete(key)
    assert files.size(key) is None


def test_a_message_to_the_topic_reaches_a_subscriber(deployment: Deployment) -> None:
    queue = client("sqs").create_queue(QueueName="subscriber")["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = deployment.export("EventsTopicArn")
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    message = TopicMessage(event_id=an_id(), body='{"id": 1}', type="lead.created", role="agent", correlation_id="c")

    receipts = SnsTopic(topic, access=ACCESS).publish([message])

    assert [receipt.accepted for receipt in receipts] == [True]
    (received,) = client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(received["Body"])["Message"] == '{"id": 1}'


def test_the_service_starts_with_the_deployed_secret(deployment: Deployment) -> None:
    secret = read_secret(deployment.export("ServiceSettingsArn"), ACCESS)
    password = json.loads(read_secret_text(deployment.export("DatabaseServicePasswordArn")))["password"]

    settings = read_settings({**secret, "UNITE_PUBLIC_URL": "https://unite.example.com"})

    assert settings.database_url is not None
    assert f"service:{password}@{deployment.export('DatabaseAddress')}" in settings.database_url
    assert settings.twilio is not None
    assert settings.sentry is not None
    assert settings.first_admin is None
    assert settings.warnings == ()


def test_migrations_use_their_own_accounts(deployment: Deployment) -> None:
    service = read_secret(deployment.export("ServiceSettingsArn"), ACCESS)
    migrate = read_secret(deployment.export("MigrateSettingsArn"), ACCESS)

    assert "//migrator:" in migrate["UNITE_DATABASE_URL"]
    assert migrate["UNITE_MONGODB_SERVICE_URL"] == service["UNITE_MONGODB_URL"]
    assert not {"UNITE_JWT_KEYS", "UNITE_REDIS_URL", "UNITE_TWILIO_AUTH_TOKEN"} & migrate.keys()


def read_secret_text(arn: str) -> str:
    return str(client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])


def test_the_ledger_is_verified_every_night(deployment: Deployment) -> None:
    schedule = client("scheduler").get_schedule(Name="unite-production-verify-ledger")
    sent = json.loads(schedule["Target"]["Input"])
    document = json.loads(client("ssm").get_document(Name=sent["DocumentName"], DocumentFormat="JSON")["Content"])

    assert schedule["State"] == "ENABLED"
    assert "-m entrypoints verify-ledger" in document["mainSteps"][0]["inputs"]["runCommand"][0]
    assert deployment.ids["app"]["VerifyLedgerSchedule"]
