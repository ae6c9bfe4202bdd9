"""Tests of the SNS topic beyond the contract of `Topic`: filters, batches, sizes, partial failures and outages."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from werkzeug import Request, Response

from adapters.aws.clients import AwsClients
from adapters.aws.provisioning import create_topic
from adapters.aws.sns import MAX_BATCH_BYTES, SnsTopic
from tests.adapters.aws.moto import access_to
from tests.adapters.aws.policy_proxy import served
from tests.adapters.aws.topics import ListenedTo, listened_to
from tests.service_process import free_port
from unite_core.errors import Unavailable
from unite_core.notifications.ports import TopicMessage
from unite_core.testing.builders import an_id
from unite_core.testing.contracts.messages import a_topic_message

NOWHERE = "arn:aws:sns:us-east-1:123456789012:nowhere"


@pytest.fixture
def listening(access: AwsClients) -> ListenedTo:
    return listened_to(access)


@pytest.fixture
def topic(listening: ListenedTo, access: AwsClients) -> SnsTopic:
    return SnsTopic(listening.arn, access=access)


def a_message_of(size: int) -> TopicMessage:
    """Return a message with a body of that many bytes, in characters of two bytes."""
    message = a_topic_message()
    shell = json.dumps({"id": str(message.event_id), "data": ""}, ensure_ascii=False)
    filling = "é" * ((size - len(shell.encode())) // 2)
    return a_topic_message(body=shell.replace('""', f'"{filling}"'))


def test_a_subscription_with_a_filter_gets_only_matching_messages(access: AwsClients) -> None:
    listening = listened_to(access, {"role": ["manager"], "type": ["call_task.missed"]})
    topic = SnsTopic(listening.arn, access=access)
    matching = TopicMessage(
        event_id=an_id(), type="call_task.missed", role="manager", correlation_id=None, body=f'{{"id": "{an_id()}"}}'
    )

    topic.publish([a_topic_message("call_task.missed"), matching, a_topic_message()])

    assert [message.body for message in listening.heard()] == [matching.body]


def test_the_message_of_a_traced_event_names_its_span(topic: SnsTopic, listening: ListenedTo) -> None:
    traceparent = f"00-{'4b' * 16}-{'f0' * 8}-01"
    sent = [replace(a_topic_message(), traceparent=traceparent), a_topic_message()]

    topic.publish(sent)

    assert sorted(listening.heard(), key=lambda it: it.event_id) == sorted(sent, key=lambda it: it.event_id)


def test_more_messages_than_sns_accepts_at_once_are_published_in_batches(
    topic: SnsTopic, listening: ListenedTo
) -> None:
    sent = [a_message_of(60_000) for _ in range(10)]

    receipts = topic.publish(sent)

    assert [receipt.accepted for receipt in receipts] == [True] * 10
    assert len({receipt.response["message_id"] for receipt in receipts}) == 10
    assert sorted(message.body for message in listening.heard()) == sorted(message.body for message in sent)


def test_a_message_over_the_size_limit_is_refused_and_the_others_are_published(
    topic: SnsTopic, listening: ListenedTo
) -> None:
    first, last = a_topic_message(), a_topic_message()

    receipts = topic.publish([first, a_message_of(MAX_BATCH_BYTES), last])

    assert [(receipt.accepted, receipt.refused) for receipt in receipts] == [
        (True, False),
        (False, True),
        (True, False),
    ]
    assert receipts[1].response["error_code"] == "MessageTooLong"
    assert sorted(message.body for message in listening.heard()) == sorted([first.body, last.body])


def test_a_message_of_the_maximum_size_is_published(topic: SnsTopic) -> None:
    attributes = len("typeStringcall_task.assigned" + "roleStringagent" + "correlation_idStringfrom-the-test")

    (receipt,) = topic.publish([a_message_of(MAX_BATCH_BYTES - attributes)])

    assert receipt.accepted


def test_a_ping_of_an_existing_topic_succeeds(topic: SnsTopic) -> None:
    topic.ping()

    assert topic.breaker_state == "closed"


def test_a_missing_topic_is_unavailable_and_logged(access: AwsClients, caplog: pytest.LogCaptureFixture) -> None:
    topic = SnsTopic(NOWHERE, access=access)

    with pytest.raises(Unavailable):
        topic.ping()
    with caplog.at_level(logging.ERROR), pytest.raises(Unavailable, match="no such topic"):
        topic.publish([a_topic_message()])

    assert NOWHERE in caplog.text


def test_a_stopped_topic_is_unavailable_and_not_called_again_at_once() -> None:
    topic = SnsTopic(
        NOWHERE,
        access=access_to(
            f"http://127.0.0.1:{free_port()}", failure_threshold=2, recovery_timeout=timedelta(seconds=60)
        ),
    )

    for _ in range(2):
        with pytest.raises(Unavailable):
            topic.publish([a_topic_message()])
    with pytest.raises(Unavailable, match="several times"):
        topic.ping()

    assert topic.breaker_state == "open"


def test_creating_an_existing_topic_again_is_safe(listening: ListenedTo, access: AwsClients, topic: SnsTopic) -> None:
    create_topic(listening.arn, access)

    topic.publish([a_topic_message()])
    assert len(listening.heard()) == 1


_ANSWER = """<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult>
<Successful><member><Id>1</Id><MessageId>m-1</MessageId></member></Successful>
<Failed>
<member><Id>0</Id><Code>InvalidParameter</Code><Message>No.</Message><SenderFault>true</SenderFault></member>
<member><Id>2</Id><Code>InternalError</Code><SenderFault>false</SenderFault></member>
</Failed></PublishBatchResult></PublishBatchResponse>"""


def test_in_a_partial_failure_each_message_gets_its_own_receipt() -> None:
    with served(lambda _: Response(_ANSWER, content_type="text/xml")) as url:
        receipts = SnsTopic(NOWHERE, access=access_to(url)).publish([a_topic_message() for _ in range(3)])

    assert [(receipt.accepted, receipt.refused) for receipt in receipts] == [
        (False, True),
        (True, False),
        (False, False),
    ]
    assert [receipt.response.get("error_code") for receipt in receipts] == ["InvalidParameter", None, "InternalError"]


@pytest.fixture
def failing_from_the_second_batch_on() -> Iterator[str]:
    answers = iter([Response(_ANSWER.partition("<Failed>")[0] + "</PublishBatchResult></PublishBatchResponse>")])

    def answer(_: Request) -> Response:
        return next(answers, Response("", status=500))

    with served(answer) as url:
        yield url


def test_batches_before_a_failed_one_keep_their_receipts(failing_from_the_second_batch_on: str) -> None:
    topic = SnsTopic(NOWHERE, access=access_to(failing_from_the_second_batch_on))
    too_long, first, second = a_message_of(MAX_BATCH_BYTES), a_message_of(200_000), a_message_of(200_000)

    receipts = topic.publish([too_long, first, second])

    assert [(receipt.accepted, receipt.refused) for receipt in receipts] == [
        (False, True),
        (True, False),
        (False, False),
    ]
