"""Tests of upload notices: an upload to S3 starts its import once; other messages go to the dead-letter queue."""

import json
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Event

import pytest

from adapters.aws.clients import AwsClients
from adapters.aws.provisioning import MAX_RECEIVES, create_queue, enable_upload_notices
from adapters.aws.s3 import Buckets, S3Files
from adapters.aws.sqs import SqsUploadNotice, SqsUploadNotices
from entrypoints.worker.uploads import UploadListener
from tests.adapters.aws.moto import access_to
from tests.contracts.outages import aws_unreachable
from tests.core.imports.accidents import FailingWork
from tests.servers.moto import a_bucket_name
from tests.service_process import direct_session, eventually, free_port
from unite_core import ImportUpload, NewImport, Unavailable, UploadOutcome
from unite_core.files import upload_key
from unite_core.imports.ports import UploadNotices
from unite_core.imports.use_cases import StartUploadedImport
from unite_core.imports.use_cases.start import file_key
from unite_core.testing.builders import an_id
from unite_core.testing.contracts import UploadNoticesContract
from unite_core.testing.contracts.files import write
from unite_core.testing.in_memory import in_memory_ports
from unite_core.testing.scenario import Scenario

WAIT = timedelta(seconds=2)
"""How long a test waits for a notice."""

CSV = b"Name,Phone\nGrace,+12125550101\n"


@dataclass
class Queue:
    """The upload queue and its dead-letter queue, read through the API of AWS."""

    url: str
    access: AwsClients

    def send(self, body: str) -> None:
        self.access.sqs().send_message(QueueUrl=self.url, MessageBody=body)

    def waiting(self, url: str | None = None) -> int:
        """How many messages there are, taken or not."""
        attributes = self.access.sqs().get_queue_attributes(QueueUrl=url or self.url, AttributeNames=["All"])[
            "Attributes"
        ]
        return int(attributes["ApproximateNumberOfMessages"]) + int(attributes["ApproximateNumberOfMessagesNotVisible"])

    def dead(self) -> int:
        return self.waiting(f"{self.url}-dead")


@pytest.fixture
def queue(access: AwsClients, buckets: Buckets) -> Queue:
    queue = Queue(create_queue(a_bucket_name(), access), access)
    enable_upload_notices(buckets.imports, queue.url, access)
    return queue


@pytest.fixture
def notices(queue: Queue, buckets: Buckets, access: AwsClients) -> SqsUploadNotices:
    return SqsUploadNotices(queue.url, bucket=buckets.imports, access=access, hidden=1)


@pytest.fixture
def scenario(files: S3Files) -> Scenario:
    return Scenario(in_memory_ports(files=files), chunk_rows=2)


def announce(scenario: Scenario) -> ImportUpload:
    return scenario.unite.imports.announce(scenario.admin, NewImport(filename="leads.csv", size=len(CSV)))


def upload(scenario: Scenario) -> ImportUpload:
    """Announce a file and send it as a client does."""
    coming = announce(scenario)
    with direct_session() as session:
        sent = session.post(coming.upload.url, data=coming.upload.fields, files={"file": CSV}, timeout=30)
    assert sent.ok
    return coming


def tell(buckets: Buckets, key: str, **changes: object) -> str:
    """Return the message that EventBridge sends for an uploaded file, as AWS documents it."""
    return json.dumps(
        {
            "version": "0",
            "id": "17793124-05d4-b198-2fde-7ededc63b103",
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": "111122223333",
            "time": "2021-11-12T00:00:00Z",
            "region": "ca-central-1",
            "resources": [f"arn:aws:s3:::{buckets.imports}"],
            "detail": {
                "version": "0",
                "bucket": {"name": buckets.imports},
                "object": {"key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": "617f08"},
                "request-id": "N4N7GDK58NMKJ12R",
                "requester": "123456789012",
                "source-ip-address": "1.2.3.4",
                "reason": "PutObject",
            },
            **changes,
        }
    )


@dataclass
class Worker(UploadNotices):
    """A worker that stops after a number of polls for a notice."""

    notices: SqsUploadNotices
    looks: int = 1
    stop: Event = field(default_factory=Event)
    outcomes: list[UploadOutcome] = field(default_factory=list)

    def receive(self, *, wait: timedelta = timedelta()) -> SqsUploadNotice | None:  # noqa: ARG002 - a test waits less
        self.looks -= 1
        if self.looks == 0:
            self.stop.set()
        return self.notices.receive(wait=WAIT)

    def work(self, start_uploaded: StartUploadedImport) -> list[UploadOutcome]:
        def start(key: str, correlation_id: str | None) -> UploadOutcome:
            outcome = start_uploaded(key, correlation_id)
            self.outcomes.append(outcome)
            return outcome

        UploadListener(self, start, self.stop).run()
        return self.outcomes


def test_an_uploaded_file_starts_its_import(scenario: Scenario, notices: SqsUploadNotices, queue: Queue) -> None:
    coming = upload(scenario).lead_import

    outcomes = Worker(notices).work(scenario.unite.imports.start_uploaded)

    assert outcomes == [UploadOutcome.STARTED]
    assert scenario.ports.jobs.imports == [coming.id]
    assert queue.waiting() == 0  # the file was moved meanwhile, and that is no upload
    scenario.ports.jobs.run_all(scenario.unite)
    assert scenario.get_import(coming.id).counts.created == 1


def test_a_notice_that_is_delivered_twice_starts_the_import_once(
    scenario: Scenario, notices: SqsUploadNotices, queue: Queue, buckets: Buckets
) -> None:
    coming = upload(scenario).lead_import
    queue.send(tell(buckets, upload_key(coming.key)))

    outcomes = Worker(notices, looks=2).work(scenario.unite.imports.start_uploaded)

    assert outcomes == [UploadOutcome.STARTED, UploadOutcome.KNOWN]
    assert scenario.ports.jobs.imports == [coming.id]
    assert queue.waiting() == 0


def test_a_notice_stays_in_the_queue_if_its_import_could_not_be_started(
    scenario: Scenario, notices: SqsUploadNotices, queue: Queue
) -> None:
    coming = upload(scenario).lead_import
    start_uploaded = scenario.unite.imports.start_uploaded
    down = FailingWork(scenario.ports.work, Unavailable("The database does not answer."), at=0)

    outcomes = Worker(notices).work(replace(start_uploaded, start=replace(start_uploaded.start, work=down)))

    assert (outcomes, queue.waiting(), scenario.ports.jobs.imports) == ([], 1, [])
    assert Worker(notices).work(start_uploaded) == [UploadOutcome.STARTED]
    assert (queue.waiting(), scenario.ports.jobs.imports) == (0, [coming.id])


def test_a_file_without_an_import_ends_in_the_dead_letter_queue(
    scenario: Scenario, queue: Queue, files: S3Files, notices: SqsUploadNotices
) -> None:
    write(files, upload_key(file_key(an_id())), CSV)

    outcomes = Worker(notices, looks=MAX_RECEIVES + 1).work(scenario.unite.imports.start_uploaded)

    assert outcomes == [UploadOutcome.UNKNOWN] * MAX_RECEIVES
    assert (queue.waiting(), queue.dead()) == (0, 1)


@pytest.mark.parametrize(
    "message",
    [
        lambda _: "not JSON, and a secret",
        lambda _: "[" * 100_000,
        lambda _: "[]",
        lambda _: "{}",
        lambda buckets: tell(buckets, "uploads/imports/a.csv", source="aws.ec2"),
        lambda buckets: tell(buckets, "uploads/imports/a.csv", **{"detail-type": "Object Deleted"}),
        lambda _: tell(Buckets(imports="another", images="other"), "uploads/imports/a.csv"),
        lambda buckets: tell(buckets, "", detail={"bucket": {"name": buckets.imports}, "object": {"key": 5}}),
        lambda buckets: tell(buckets, "", detail=None),
    ],
    ids=["text", "depth", "list", "empty", "source", "kind", "bucket", "no text", "no detail"],
)
def test_a_message_that_is_not_an_upload_notice_ends_in_the_dead_letter_queue(
    queue: Queue,
    buckets: Buckets,
    access: AwsClients,
    caplog: pytest.LogCaptureFixture,
    message: Callable[[Buckets], str],
) -> None:
    queue.send(message(buckets))
    at_once = SqsUploadNotices(queue.url, bucket=buckets.imports, access=access, hidden=0)

    with caplog.at_level(logging.WARNING):
        received = [at_once.receive() for _ in range(MAX_RECEIVES + 1)]

    assert received == [None] * (MAX_RECEIVES + 1)
    assert (queue.waiting(), queue.dead()) == (0, 1)
    assert len(caplog.records) == MAX_RECEIVES
    assert "secret" not in caplog.text


def test_the_key_of_an_uploaded_file_is_received_unchanged(files: S3Files, notices: SqsUploadNotices) -> None:
    write(files, "uploads/imports/a_file-with.all~kinds+of%20characters.csv", CSV)

    notice = notices.receive(wait=WAIT)

    assert notice is not None
    assert notice.key == "uploads/imports/a_file-with.all~kinds+of%20characters.csv"


def test_only_uploads_of_import_files_send_a_notice(queue: Queue, files: S3Files) -> None:
    for key in ("imports/a.csv", "reports/a.csv", "uploads/images/a", "images/a"):
        write(files, key, CSV)
    write(files, "uploads/imports/a.csv", CSV)

    assert queue.waiting() == 1


def test_a_held_notice_is_not_received_by_others(queue: Queue, buckets: Buckets, notices: SqsUploadNotices) -> None:
    queue.send(tell(buckets, "uploads/imports/a.csv"))
    notice = notices.receive(wait=WAIT)
    assert notice is not None

    with notice.held():
        assert notices.receive(wait=WAIT) is None  # which waits for longer than the notice would be hidden otherwise

    again = notices.receive(wait=WAIT)
    assert again is not None
    assert again.id == notice.id


def test_a_notice_is_processed_even_if_its_visibility_cannot_be_renewed(
    queue: Queue, buckets: Buckets, notices: SqsUploadNotices, access: AwsClients, caplog: pytest.LogCaptureFixture
) -> None:
    queue.send(tell(buckets, "uploads/imports/a.csv"))
    notice = notices.receive(wait=WAIT)
    assert notice is not None
    access.sqs().delete_queue(QueueUrl=queue.url)

    with caplog.at_level(logging.WARNING), notice.held():
        eventually(lambda: "could not be renewed" in caplog.text, "the warning")


def test_a_stopped_queue_is_unavailable_and_not_called_again_at_once() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    notices = SqsUploadNotices(
        f"{nobody}/123456789012/imports",
        bucket="imports",
        access=access_to(nobody, failure_threshold=2, recovery_timeout=timedelta(seconds=60)),
    )

    for _ in range(2):
        with pytest.raises(Unavailable):
            notices.ping()
    with pytest.raises(Unavailable, match="several times"):
        notices.receive()

    assert notices.breaker_state == "open"


def test_a_ping_of_an_existing_queue_succeeds(notices: SqsUploadNotices) -> None:
    notices.ping()

    assert notices.breaker_state == "closed"


def test_creating_an_existing_queue_again_is_safe(queue: Queue, access: AwsClients) -> None:
    name = queue.url.rpartition("/")[2]

    assert create_queue(name, access) == queue.url


class TestSqsUploadNotices(UploadNoticesContract):
    @pytest.fixture
    def queue_and_buckets(self, queue: Queue, buckets: Buckets) -> tuple[Queue, Buckets]:
        self.queue, self.buckets = queue, buckets
        return queue, buckets

    @pytest.fixture
    def notices(self, queue_and_buckets: tuple[Queue, Buckets], access: AwsClients) -> SqsUploadNotices:
        queue, buckets = queue_and_buckets
        return SqsUploadNotices(queue.url, bucket=buckets.imports, access=access, hidden=1)

    @pytest.fixture
    def outage(self) -> AbstractContextManager[None]:
        return aws_unreachable()

    def announce(self, _notices: UploadNotices, key: str) -> None:
        self.queue.send(tell(self.buckets, key))

    def pass_time(self, _notices: UploadNotices) -> None:
        time.sleep(1.1)
