"""SNS topic with a subscribed SQS queue, to read what was published."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.aws.clients import AwsClients
from adapters.aws.provisioning import create_topic
from tests.servers.moto import a_bucket_name
from unite_core.notifications.ports import TopicMessage


@dataclass(frozen=True)
class ListenedTo:
    """A topic and a queue that is subscribed to it, optionally with a `filter_policy`."""

    arn: str
    queue_url: str
    access: AwsClients

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings of a service that publishes to the topic."""
        return {
            "UNITE_SNS_TOPIC_ARN": self.arn,
            "UNITE_AWS_ENDPOINT_URL": str(self.access.endpoint_url),
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }

    def waiting(self) -> int:
        """Return how many messages wait in the queue."""
        attributes = self.access.sqs().get_queue_attributes(
            QueueUrl=self.queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])

    def heard(self) -> Sequence[TopicMessage]:
        """Receive all messages since the last call."""
        results: list[TopicMessage] = []
        while True:
            answer = self.access.sqs().receive_message(
                QueueUrl=self.queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
            )
            messages = answer.get("Messages", [])
            if not messages:
                return results
            for message in messages:
                attributes = {name: it["StringValue"] for name, it in message.get("MessageAttributes", {}).items()}
                assert {it["DataType"] for it in message.get("MessageAttributes", {}).values()} <= {"String"}
                results.append(
                    TopicMessage(
                        event_id=UUID(json.loads(message["Body"])["id"]),
                        type=attributes["type"],
                        role=attributes["role"],
                        correlation_id=attributes.get("correlation_id"),
                        body=message["Body"],
                        traceparent=attributes.get("traceparent"),
                    )
                )
                self.access.sqs().delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])


def listened_to(access: AwsClients, filter_policy: dict[str, list[str]] | None = None) -> ListenedTo:
    """Create a topic with a subscribed queue."""
    arn = f"arn:aws:sns:us-east-1:123456789012:{a_bucket_name()}"
    create_topic(arn, access)
    return listening_to(arn, access, filter_policy)


def listening_to(arn: str, access: AwsClients, filter_policy: dict[str, list[str]] | None = None) -> ListenedTo:
    """Subscribe a queue to an existing topic."""
    sqs = access.sqs()
    queue_url = sqs.create_queue(QueueName=a_bucket_name())["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    attributes = {"RawMessageDelivery": "true"}
    if filter_policy is not None:
        attributes["FilterPolicy"] = json.dumps(filter_policy)
    access.sns().subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes=attributes)
    return ListenedTo(arn, queue_url, access)
