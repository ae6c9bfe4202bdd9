"""Upload notices: messages in an SQS queue that say that a file was uploaded to S3."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

from adapters.aws.clients import AwsClients
from adapters.aws.guard import aws_guard
from adapters.outbound import OutboundGuard
from unite_core.errors import Unavailable
from unite_core.imports.ports import UploadNotice, UploadNotices

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

log = logging.getLogger(__name__)

MAX_WAIT = timedelta(seconds=10)
"""How long one request waits for a message at most (long polling); shorter than the timeout of a call."""

VISIBILITY_TIMEOUT_SECONDS = 60
"""Visibility timeout in seconds: how long a received message is hidden from others. `held` renews it."""


class SqsUploadNotices(UploadNotices):
    """Notices of files that were uploaded to `bucket`, received from the queue one at a time.

    They have the form of EventBridge's event "Object Created" of S3. Any other message stays in the queue and is
    received again, until the queue's redrive policy moves it to the dead-letter queue. `hidden` is in seconds.

    Every method raises `Unavailable` when the queue does not answer; after several failures it does so at once.
    """

    def __init__(
        self,
        queue_url: str,
        *,
        bucket: str,
        access: AwsClients,
        hidden: int = VISIBILITY_TIMEOUT_SECONDS,
    ) -> None:
        self._queue_url = queue_url
        self._bucket = bucket
        self._client = access.sqs()
        self._short_timeout_client = access.sqs(short_timeouts=True)
        self._hidden = hidden
        self._guard = aws_guard("The queue of uploads", access.policy)

    @property
    def breaker_state(self) -> str:
        """The state of the circuit breaker: `closed` (calls are made), `open` or `half_open`."""
        return self._guard.breaker_state

    def ping(self) -> None:
        """Check that the queue answers, with short timeouts."""
        self._guard.call(
            lambda: self._short_timeout_client.get_queue_attributes(
                QueueUrl=self._queue_url, AttributeNames=["QueueArn"]
            )
        )

    def receive(self, *, wait: timedelta = timedelta()) -> "SqsUploadNotice | None":
        """Receive the next notice; return None where none came in time, or where the message is not a notice.

        `wait` is rounded to seconds, up to `MAX_WAIT`.
        """
        response = self._guard.call(
            lambda: self._client.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=1,  # others would become visible again while the first one is processed
                WaitTimeSeconds=round(min(wait, MAX_WAIT).total_seconds()),
                VisibilityTimeout=self._hidden,
            )
        )
        for message in response.get("Messages", []):
            message_id = message["MessageId"]
            key = _uploaded_key(message["Body"], self._bucket)
            if key is not None:
                return SqsUploadNotice(
                    key=key,
                    message_id=message_id,
                    receipt=message["ReceiptHandle"],
                    queue_url=self._queue_url,
                    client=self._client,
                    guard=self._guard,
                    hidden=self._hidden,
                )
            log.warning(
                "A message in the upload queue is not an upload notice; it stays.", extra={"message_id": message_id}
            )
        return None


class SqsUploadNotice(UploadNotice):
    """A notice that a file was uploaded to `key`. `id` is the same each time that the notice is received."""

    def __init__(
        self,
        *,
        key: str,
        message_id: str,
        receipt: str,
        queue_url: str,
        client: "SQSClient",
        guard: OutboundGuard,
        hidden: int,
    ) -> None:
        self.key = key
        self.id = message_id
        self._receipt = receipt
        self._queue_url = queue_url
        self._client = client
        self._guard = guard
        self._hidden = hidden

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hide the notice from other consumers while the block runs, however long that takes."""
        done = Event()
        renewing = Thread(target=self._renew, args=(done,), name="renews a notice", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            done.set()
            renewing.join()

    def done(self) -> None:
        """Delete the notice from the queue; to be called once its effect is committed."""
        self._guard.call(lambda: self._client.delete_message(QueueUrl=self._queue_url, ReceiptHandle=self._receipt))

    def _renew(self, done: Event) -> None:
        while not done.wait(self._hidden / 3):
            try:
                with self._guard.translated():
                    self._client.change_message_visibility(
                        QueueUrl=self._queue_url, ReceiptHandle=self._receipt, VisibilityTimeout=self._hidden
                    )
            except Unavailable as error:
                # Another consumer may receive the notice now. That does no harm, as a notice can come twice anyway.
                log.warning("The visibility timeout of an upload notice could not be renewed: %s", error.detail)


def _uploaded_key(body: str, bucket: str) -> str | None:
    """Return the key of the file that was uploaded to the bucket; None where the message is anything else."""
    try:
        event = json.loads(body)
        origin = (event["source"], event["detail-type"], event["detail"]["bucket"]["name"])
        key = event["detail"]["object"]["key"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return key if origin == ("aws.s3", "Object Created", bucket) and isinstance(key, str) else None
