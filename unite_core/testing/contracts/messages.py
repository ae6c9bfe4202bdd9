"""Contract tests of the topic and of text messages."""

import json
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from unite_core.errors import NotFound
from unite_core.notifications.delivery_reports import MessageProgress
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import TextMessage, TextMessages, Topic, TopicMessage
from unite_core.testing.builders import an_id

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def a_topic_message(
    type_: str = "call_task.assigned", *, correlation_id: str | None = "from-the-test", body: str | None = None
) -> TopicMessage:
    """Return a message to the topic about an event with a unique id."""
    event_id = an_id()
    content = json.dumps({"id": str(event_id), "data": {"lead_name": "Zoë ☎"}}) if body is None else body
    return TopicMessage(event_id=event_id, type=type_, role="agent", correlation_id=correlation_id, body=content)


def a_text(text: str = "Unite: call Grace Hopper.", *, to: str = "+12025550123") -> TextMessage:
    """Return a text message of a delivery with a unique id."""
    return TextMessage(delivery_id=an_id(), to=to, text=text, since=LONG_AGO, correlation_id="from-the-test")


class TopicContract:
    """The contract of a topic. Define `topic`, and `heard` if a test can subscribe to it."""

    @pytest.fixture
    @abstractmethod
    def topic(self) -> Topic:
        """Return the topic under test."""

    def heard(self, _topic: Topic, sent: Sequence[TopicMessage]) -> Sequence[TopicMessage]:
        """Return the messages that a subscriber received, in any order; `sent` if no test can subscribe."""
        return sent

    def test_a_published_message_arrives_unchanged(self, topic: Topic) -> None:
        sent = [a_topic_message(), a_topic_message("call_task.completed", correlation_id=None)]

        receipts = topic.publish(sent)

        assert [receipt.accepted for receipt in receipts] == [True, True]
        assert sorted(self.heard(topic, sent), key=lambda it: it.event_id) == sorted(sent, key=lambda it: it.event_id)

    def test_ten_messages_have_receipts_with_different_ids(self, topic: Topic) -> None:
        receipts = topic.publish([a_topic_message() for _ in range(10)])

        ids = [receipt.response["message_id"] for receipt in receipts]
        assert all(receipt.accepted for receipt in receipts)
        assert len(set(ids)) == 10
        assert all(isinstance(each, str) and each for each in ids)

    def test_without_a_message_there_is_no_receipt(self, topic: Topic) -> None:
        assert list(topic.publish([])) == []


class TextMessagesContract:
    """The contract of a provider of text messages. Define `texts`, and `sent` if a test can read the sent messages."""

    knows_what_it_sent = True
    """Whether `may_have_been_sent` finds a message that was sent before."""

    @pytest.fixture
    @abstractmethod
    def texts(self) -> TextMessages:
        """Return the provider under test."""

    def sent(self, _texts: TextMessages) -> Sequence[str] | None:
        """Return the texts that were sent, in their order; None if they cannot be read."""
        return None

    def test_a_message_is_sent_and_has_an_id_a_status_and_segments(self, texts: TextMessages) -> None:
        receipt = texts.send(a_text("Unite: call Zoë."))

        assert receipt.accepted
        report = texts.report_of(receipt.response)
        assert report is not None
        assert isinstance(report.message_id, str)
        assert report.progress is not MessageProgress.UNKNOWN
        assert receipt.response["segments"] == 1
        assert self.sent(texts) in (None, ["Unite: call Zoë."])

    def test_each_message_has_an_id_of_its_own(self, texts: TextMessages) -> None:
        receipts = [texts.send(a_text(f"Unite: call {name}.")) for name in ("Ann", "Ben", "Cy")]

        assert len({_id_of(texts, receipt) for receipt in receipts}) == 3

    def test_a_message_that_was_sent_before_is_not_sent_again(self, texts: TextMessages) -> None:
        message = a_text()
        first = texts.send(message)

        again = texts.send(message, may_have_been_sent=True)

        assert again.accepted
        assert _id_of(texts, again) == _id_of(texts, first)
        if self.knows_what_it_sent:
            assert self.sent(texts) in (None, [message.text])

    def test_a_message_that_the_search_does_not_find_is_sent(self, texts: TextMessages) -> None:
        message = a_text()
        texts.send(a_text("Unite: call somebody else."))
        texts.send(replace(a_text(message.text), to="+12025550124"))

        receipt = texts.send(message, may_have_been_sent=True)

        assert receipt.accepted
        sent = self.sent(texts)
        assert sent is None or sent[-1] == message.text
        assert sent is None or len(sent) == 3

    def test_a_sent_message_can_be_looked_up(self, texts: TextMessages) -> None:
        message_id = _id_of(texts, texts.send(a_text()))

        found = texts.look_up(message_id)

        assert found.message_id == message_id
        assert found.progress is not MessageProgress.UNKNOWN
        assert texts.report_of(found.response) == found
        assert texts.look_up(message_id, short_timeouts=True).message_id == message_id

    def test_a_response_without_a_message_reports_nothing(self, texts: TextMessages) -> None:
        assert texts.report_of({}) is None
        assert texts.report_of({"reason": "not_a_number"}) is None

    def test_a_message_that_was_never_sent_is_not_found(self, texts: TextMessages) -> None:
        with pytest.raises(NotFound):
            texts.look_up("no-message")


def _id_of(texts: TextMessages, receipt: Receipt) -> str:
    report = texts.report_of(receipt.response)
    assert report is not None
    return report.message_id
