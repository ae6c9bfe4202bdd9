"""Contract tests of the SNS topic, read through a subscribed SQS queue."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

import pytest

from adapters.aws.sns import SnsTopic
from tests.adapters.aws.moto import access_to
from tests.adapters.aws.topics import ListenedTo, listened_to
from tests.contracts.outages import aws_unreachable
from unite_core.notifications.ports import Topic, TopicMessage
from unite_core.testing.contracts import TopicContract, TopicOfEventsContract


class TestTopic(TopicContract, TopicOfEventsContract):
    @pytest.fixture(autouse=True)
    def _listening(self, aws_url: str) -> None:
        self.received_so_far: list[TopicMessage] = []
        self.listened_to: ListenedTo = listened_to(access_to(aws_url))

    @pytest.fixture
    def topic(self, _listening: None) -> SnsTopic:
        return SnsTopic(self.listened_to.arn, access=self.listened_to.access)

    @pytest.fixture
    def outage(self) -> AbstractContextManager[None]:
        return aws_unreachable()

    def heard(self, _topic: Topic, _sent: Sequence[TopicMessage]) -> Sequence[TopicMessage]:
        self.received_so_far += self.listened_to.heard()
        return self.received_so_far
