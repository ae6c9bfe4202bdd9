"""Notices in an SQS queue that a file has come to S3."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from adapters.aws.clients import AwsClients
from adapters.aws.guard import ServiceGuard
from unite_core.errors import Unavailable

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

log = logging.getLogger(__name__)

RECEIVE_WAIT_SECONDS = 10
"""Seconds that one question waits for a notice to come; shorter than the timeout of a call."""

VISIBILITY_TIMEOUT_SECONDS = 60
"""Seconds for which nobody else gets a notice that somebody took; whoever still works on it then has them renewed."""


class SqsUploadNotices:
    """Takes notices from the queue, one at a time, of files that came to `bucket`.

    They have the form in which EventBridge tells of S3's "Object Created". What is none of them stays in the queue and
    is taken again, until the queue's own rule moves it to the dead-letter queue. `wait` and `hidden` are in seconds.

    Every method raises `Unavailable` when the queue does not answer, at once after several such failures.
    """

    def __init__(
        self,
        queue_url: str,
        *,
        bucket: str,
        access: AwsClients,
        wait: int = RECEIVE_WAIT_SECONDS,
        hidden: int = VISIBILITY_TIMEOUT_SECONDS,
        dependency: ServiceGuard | None = None,
    ) -> None:
        self._queue_url = queue_url
        self._bucket = bucket
        self._client = access.sqs()
        self._asking = access.sqs(impatient=True)
        self._wait = wait
        self._hidden = hidden
        self._outside = dependency or ServiceGuard("The queue of uploads")

    @property
    def breaker_state(self) -> str:
        """Whether the queue is called: `closed` (it is), `open` or `half_open`."""
        return self._outside.state

    def ping(self) -> None:
        """Ask for the queue, without much patience."""
        with self._outside.call():
            self._asking.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["QueueArn"])

    def receive(self) -> "SqsUploadNotice | None":
        """The next notice; None where none came while waiting, or one that cannot be understood."""
        with self._outside.call():
            answer = self._client.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=1,  # the others would come out of hiding while the first one is dealt with
                WaitTimeSeconds=self._wait,
                VisibilityTimeout=self._hidden,
            )
        for message in answer.get("Messages", []):
            message_id = message["MessageId"]
            key = _uploaded_key(message["Body"], self._bucket)
            if key is not None:
                return SqsUploadNotice(
                    key=key,
                    message_id=message_id,
                    receipt=message["ReceiptHandle"],
                    queue_url=self._queue_url,
                    client=self._client,
                    outside=self._outside,
                    hidden=self._hidden,
                )
            log.warning(
                "A message in the queue of uploads tells of no upload; it is left.", extra={"message_id": message_id}
            )
        return None


class SqsUploadNotice:
    """Tells that a file has come to `key`. `id` is the same however often the notice is taken."""

    def __init__(
        self,
        *,
        key: str,
        message_id: str,
        receipt: str,
        queue_url: str,
        client: "SQSClient",
        outside: ServiceGuard,
        hidden: int,
    ) -> None:
        self.key = key
        self.id = message_id
        self._receipt = receipt
        self._queue_url = queue_url
        self._client = client
        self._outside = outside
        self._hidden = hidden

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the notice from everybody else while the block runs, however long that is."""
        over = Event()
        renewing = Thread(target=self._renew, args=(over,), name="renews a notice", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            over.set()
            renewing.join()

    def done(self) -> None:
        """Take the notice out of the queue: what follows from it is committed."""
        with self._outside.call():
            self._client.delete_message(QueueUrl=self._queue_url, ReceiptHandle=self._receipt)

    def _renew(self, over: Event) -> None:
        while not over.wait(self._hidden / 3):
            try:
                with self._outside.translated():
                    self._client.change_message_visibility(
                        QueueUrl=self._queue_url, ReceiptHandle=self._receipt, VisibilityTimeout=self._hidden
                    )
            except Unavailable as error:
                # Somebody else may get the notice now, and does no harm: a notice can come twice anyway.
                log.warning("A notice of an upload cannot be kept from others: %s", error.detail)


def _uploaded_key(body: str, bucket: str) -> str | None:
    """The key of the file that came to the bucket; None where the message tells of something else, or of nothing."""
    try:
        event = json.loads(body)
        told = (event["source"], event["detail-type"], event["detail"]["bucket"]["name"])
        key = event["detail"]["object"]["key"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return key if told == ("aws.s3", "Object Created", bucket) and isinstance(key, str) else None
