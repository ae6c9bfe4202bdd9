"""Publish messages to an SNS topic."""

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from adapters.aws.clients import AwsClients
from adapters.aws.guard import aws_guard
from unite_core.errors import NotFound, Unavailable
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import Topic, TopicMessage

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient
    from types_boto3_sns.type_defs import MessageAttributeValueTypeDef, PublishBatchRequestEntryTypeDef

log = logging.getLogger(__name__)

MAX_BATCH_MESSAGES = 10
MAX_BATCH_BYTES = 256 * 1024
"""Bytes that SNS accepts in one batch: the bodies and the attributes of all messages together."""

_TOO_LONG = "MessageTooLong"


class SnsTopic(Topic):
    """An SNS topic; messages have the attributes `type`, `role` and `correlation_id`, by which subscriptions filter.

    The message of a traced event has the attribute `traceparent` as well (W3C Trace Context).
    A message that is longer than a whole batch may be is refused. So is a message that SNS rejects as the sender's
    fault. All other messages that SNS did not accept may be published later.
    """

    def __init__(self, arn: str, *, access: AwsClients) -> None:
        self._arn = arn
        self._client: SNSClient = access.sns()
        self._short_timeout_client: SNSClient = access.sns(short_timeouts=True)
        self._guard = aws_guard("The topic", access.policy, absent="There is no such topic.")

    @property
    def breaker_state(self) -> str:
        """The state of the circuit breaker: `closed` (messages are published), `open` or `half_open`."""
        return self._guard.breaker_state

    def ping(self) -> None:
        """Request the topic with a short timeout; raise `Unavailable`."""
        try:
            self._guard.call(lambda: self._short_timeout_client.get_topic_attributes(TopicArn=self._arn))
        except NotFound as error:
            raise Unavailable(error.detail) from None

    def publish(self, messages: Sequence[TopicMessage]) -> Sequence[Receipt]:
        receipts: dict[int, Receipt] = {}
        for batch in _batches(messages, receipts):
            try:
                receipts |= self._publish(batch)
            except Unavailable as error:
                if not any(receipt.accepted for receipt in receipts.values()):
                    raise
                # Earlier messages were accepted, and must not be published again.
                response = {"error_code": error.code, "error": error.detail}
                receipts |= {int(entry["Id"]): Receipt(accepted=False, response=response) for entry in batch}
        for index, message in enumerate(messages):
            _log_published(message, receipts[index])
        return [receipts[index] for index in range(len(messages))]

    def _publish(self, batch: "Sequence[PublishBatchRequestEntryTypeDef]") -> dict[int, Receipt]:
        try:
            answer = self._guard.call(
                lambda: self._client.publish_batch(TopicArn=self._arn, PublishBatchRequestEntries=batch)
            )
        except NotFound as error:
            log.error("There is no topic %s; nothing is published until there is.", self._arn)  # noqa: TRY400 - it says it all
            raise Unavailable(error.detail) from None
        receipts = {
            int(taken["Id"]): Receipt(accepted=True, response={"message_id": taken["MessageId"]})
            for taken in answer.get("Successful", [])
        }
        for failed in answer.get("Failed", []):
            response = {"error_code": failed["Code"], "error": failed.get("Message", "")}
            receipts[int(failed["Id"])] = Receipt(accepted=False, refused=failed["SenderFault"], response=response)
        return receipts


def _log_published(message: TopicMessage, receipt: Receipt) -> None:
    if receipt.accepted:
        log.info(
            "An event was published to the topic.",
            extra={
                "message_id": receipt.response["message_id"],
                "event_id": str(message.event_id),
                "type": message.type,
                "correlation_id": message.correlation_id,
            },
        )


def _batches(
    messages: Sequence[TopicMessage], receipts: dict[int, Receipt]
) -> "Iterator[list[PublishBatchRequestEntryTypeDef]]":
    """Yield the messages in batches that SNS accepts; add a receipt for each message that is too long."""
    batch: list[PublishBatchRequestEntryTypeDef] = []
    size = 0
    for index, message in enumerate(messages):
        attributes = _attributes(message)
        length = _length(message, attributes)
        if length > MAX_BATCH_BYTES:
            response = {"error_code": _TOO_LONG, "error": f"SNS takes {MAX_BATCH_BYTES} bytes at most."}
            receipts[index] = Receipt(accepted=False, refused=True, response=response)
            continue
        if batch and (len(batch) == MAX_BATCH_MESSAGES or size + length > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append({"Id": str(index), "Message": message.body, "MessageAttributes": attributes})
        size += length
    if batch:
        yield batch


def _attributes(message: TopicMessage) -> "dict[str, MessageAttributeValueTypeDef]":
    attributes = {
        "type": message.type,
        "role": message.role,
        "correlation_id": message.correlation_id,
        "traceparent": message.traceparent,
    }
    return {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value}


def _length(message: TopicMessage, attributes: "dict[str, MessageAttributeValueTypeDef]") -> int:
    """Return the bytes of the body and of the name, type and value of each attribute."""
    texts = [message.body, *attributes]
    texts += [text for value in attributes.values() for text in (value["DataType"], value["StringValue"])]
    return sum(len(text.encode()) for text in texts)
