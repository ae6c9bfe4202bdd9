"""A topic of SNS, and somebody who listens to it through a queue of SQS."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.aws.access import Access
from adapters.aws.provisioning import make_topic
from tests.servers.moto import a_bucket_name
from unite_core.notifications.ports import TopicMessage


@dataclass(frozen=True)
class ListenedTo:
    """A topic and the queue that hears everything from it, or what `filter_policy` lets pass."""

    arn: str
    queue_url: str
    access: Access

    def heard(self) -> Sequence[TopicMessage]:
        """Everything that was heard since this was asked last."""
        found: list[TopicMessage] = []
        while True:
            answer = self.access.sqs().receive_message(
                QueueUrl=self.queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
            )
            messages = answer.get("Messages", [])
            if not messages:
                return found
            for message in messages:
                attributes = {name: it["StringValue"] for name, it in message.get("MessageAttributes", {}).items()}
                assert {it["DataType"] for it in message.get("MessageAttributes", {}).values()} <= {"String"}
                found.append(
                    TopicMessage(
                        event_id=UUID(json.loads(message["Body"])["id"]),
                        type=attributes["type"],
                        role=attributes["role"],
                        correlation_id=attributes.get("correlation_id"),
                        body=message["Body"],
                    )
                )
                self.access.sqs().delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])


def listened_to(access: Access, filter_policy: dict[str, list[str]] | None = None) -> ListenedTo:
    """A new topic that somebody listens to."""
    name = a_bucket_name()
    arn = f"arn:aws:sns:us-east-1:123456789012:{name}"
    make_topic(arn, access)
    sqs = access.sqs()
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    attributes = {"RawMessageDelivery": "true"}
    if filter_policy is not None:
        attributes["FilterPolicy"] = json.dumps(filter_policy)
    access.sns().subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes=attributes)
    return ListenedTo(arn, queue_url, access)
