"""Contract tests of the topic and of text messages."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from unite_core.errors import NotFound, Unavailable
from unite_core.notifications.delivery_reports import MessageProgress
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import TextMessage, TextMessages, Topic, TopicMessage
from unite_core.testing.builders import an_id
from unite_core.testing.contracts.missing import missing_fixture, missing_method

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

MAX_PUBLISHED = 10
"""Messages that a topic takes at once."""

LONG_TEXTS = (
    "Unite: call Grace. ".ljust(160, "x"),
    "Unite: call Zoë 王小明 ☎ 👩🏽‍💻 Zoe\u0308 “now”",
    "Unite: two calls\nGrace Hopper, 9:00\nAda Lovelace, 9:30 ",
    "Unite: call Grace Hopper. " * 20,
    "Unite: call 王小明 ☎. " * 20,
)
"""Texts that are longer than a segment, or are not plain ASCII."""


def a_topic_message(
    type_: str = "call_task.assigned",
    *,
    role: str = "agent",
    correlation_id: str | None = "from-the-test",
    body: str | None = None,
) -> TopicMessage:
    """Return a message to the topic about an event with a unique id."""
    event_id = an_id()
    content = json.dumps({"id": str(event_id), "data": {"lead_name": "Zoë ☎"}}) if body is None else body
    return TopicMessage(event_id=event_id, type=type_, role=role, correlation_id=correlation_id, body=content)


def a_text(text: str = "Unite: call Grace Hopper.", *, to: str = "+12025550123") -> TextMessage:
    """Return a text message of a delivery with a unique id."""
    return TextMessage(delivery_id=an_id(), to=to, text=text, since=LONG_AGO, correlation_id="from-the-test")


class TopicContract:
    """The contract of a topic. Derive a test class with fixtures `topic` and `outage`, and a method `heard`."""

    @pytest.fixture
    def topic(self) -> Topic:
        """Return the topic under test."""
        raise missing_fixture(self, "topic", "the `Topic` under test")

    @pytest.fixture
    def outage(self) -> AbstractContextManager[object] | None:
        """Return a context manager inside which the server of `topic` does not respond; None if it has no server."""
        what = "a context manager inside which the server of `topic` fails at every call, or None if it has no server"
        raise missing_fixture(self, "outage", what)

    def heard(self, _topic: Topic, _sent: Sequence[TopicMessage], /) -> Sequence[TopicMessage] | None:
        """Return the messages that a subscriber received, in any order; None if no test can subscribe."""
        what = "the messages that a subscriber received, a `Sequence[TopicMessage]`, or None if no test can subscribe"
        raise missing_method(self, "heard", what)

    def test_a_published_message_arrives_unchanged(self, topic: Topic) -> None:
        sent = [
            a_topic_message(),
            a_topic_message("call_task.completed", correlation_id=None, role="manager"),
            a_topic_message("import.finished", role="admin"),
        ]

        receipts = topic.publish(sent)

        assert [receipt.accepted for receipt in receipts] == [True, True, True]
        self._check_heard(topic, sent)

    def test_a_long_message_arrives_whole(self, topic: Topic) -> None:
        event_id = an_id()
        body = json.dumps({"id": str(event_id), "data": {"text": "Zoë ☎ 👩🏽‍💻 Zoe\u0308 " * 5000}}, ensure_ascii=False)
        sent = [replace(a_topic_message(body=body), event_id=event_id)]

        (receipt,) = topic.publish(sent)

        assert receipt.accepted
        self._check_heard(topic, sent)

    @pytest.mark.parametrize("count", range(1, MAX_PUBLISHED + 1))
    def test_up_to_ten_messages_arrive_with_receipts_with_different_ids(self, topic: Topic, count: int) -> None:
        sent = [a_topic_message() for _ in range(count)]

        receipts = topic.publish(sent)

        ids = [receipt.response["message_id"] for receipt in receipts]
        assert all(receipt.accepted for receipt in receipts)
        assert len(receipts) == len(set(ids)) == count
        assert all(isinstance(each, str) and each for each in ids)
        self._check_heard(topic, sent)

    def test_messages_of_several_calls_all_arrive(self, topic: Topic) -> None:
        sent = [[a_topic_message() for _ in range(count)] for count in (2, 1, 3)]

        receipts = [receipt for some in sent for receipt in topic.publish(some)]

        assert len({receipt.response["message_id"] for receipt in receipts}) == 6
        self._check_heard(topic, [message for some in sent for message in some])

    def test_without_a_message_there_is_no_receipt(self, topic: Topic) -> None:
        assert [*topic.publish([])] == []
        self._check_heard(topic, [])

    def test_a_topic_whose_server_does_not_respond_is_unavailable(
        self, topic: Topic, outage: AbstractContextManager[object] | None
    ) -> None:
        if outage is None:
            return

        with outage, pytest.raises(Unavailable):
            topic.publish([a_topic_message()])

    def _check_heard(self, topic: Topic, sent: Sequence[TopicMessage]) -> None:
        """Check that a subscriber received each of these messages unchanged, at least once, and no others."""
        heard = self.heard(topic, sent)
        if heard is not None:
            assert {message.event_id: message for message in heard} == {message.event_id: message for message in sent}
            assert {*heard} == {*sent}


@dataclass(frozen=True, slots=True)
class SentText:
    """A text message as its recipient gets it."""

    to: str
    text: str


class TextMessagesContract:
    """The contract of a provider of text messages. Derive a class with fixtures `texts` and `outage`, and `sent`."""

    knows_what_it_sent = True
    """Whether `may_have_been_sent` finds a message that was sent before."""

    @pytest.fixture
    def texts(self) -> TextMessages:
        """Return the provider under test."""
        raise missing_fixture(self, "texts", "the `TextMessages` under test")

    @pytest.fixture
    def outage(self) -> AbstractContextManager[object] | None:
        """Return a context manager inside which the provider of `texts` does not respond; None if it has none."""
        what = "a context manager inside which the provider fails at every call, or None if there is no provider"
        raise missing_fixture(self, "outage", what)

    def sent(self, _texts: TextMessages, /) -> Sequence[SentText] | None:
        """Return the messages that were sent, in their order; None if no test can read them."""
        what = "the messages that were sent, a `Sequence[SentText]`, or None if no test can read them"
        raise missing_method(self, "sent", what)

    def test_a_message_is_sent_and_has_an_id_a_status_and_segments(self, texts: TextMessages) -> None:
        message = a_text("Unite: call Zoë.", to="+12025550199")

        receipt = texts.send(message)

        assert receipt.accepted
        report = texts.report_of(receipt.response)
        assert report is not None
        assert isinstance(report.message_id, str)
        assert report.progress is not MessageProgress.UNKNOWN
        assert receipt.response["segments"] == 1
        self._check_sent(texts, message)

    @pytest.mark.parametrize("text", LONG_TEXTS, ids=["160", "unicode", "lines", "segments", "unicode segments"])
    def test_a_text_arrives_whole(self, texts: TextMessages, text: str) -> None:
        message = a_text(text)

        receipt = texts.send(message)

        assert receipt.accepted
        assert isinstance(receipt.response["segments"], int)
        self._check_sent(texts, message)

    def test_each_message_goes_to_its_recipient(self, texts: TextMessages) -> None:
        messages = [a_text(f"Unite: call {number}.", to=f"+1202555010{number}") for number in range(3)]

        for message in messages:
            assert texts.send(message).accepted

        self._check_sent(texts, *messages)

    def test_a_provider_that_does_not_respond_is_unavailable(
        self, texts: TextMessages, outage: AbstractContextManager[object] | None
    ) -> None:
        message_id = _id_of(texts, texts.send(a_text()))
        if outage is None:
            return

        with outage:
            with pytest.raises(Unavailable):
                texts.send(a_text())
            with pytest.raises(Unavailable):
                texts.look_up(message_id)

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
            self._check_sent(texts, message)

    def test_a_message_that_the_search_does_not_find_is_sent(self, texts: TextMessages) -> None:
        message = a_text()
        others = [a_text("Unite: call somebody else."), a_text(message.text, to="+12025550124")]
        for other in others:
            texts.send(other)

        receipt = texts.send(message, may_have_been_sent=True)

        assert receipt.accepted
        self._check_sent(texts, *others, message)

    def test_a_sent_message_can_be_looked_up(self, texts: TextMessages) -> None:
        ids = [_id_of(texts, texts.send(a_text(f"Unite: call {name}."))) for name in ("Ann", "Ben", "Cy")]

        for message_id in ids:
            found = texts.look_up(message_id)

            assert found.message_id == message_id
            assert found.progress is not MessageProgress.UNKNOWN
            assert texts.report_of(found.response) == found
            assert texts.look_up(message_id, short_timeouts=True).message_id == message_id

    def test_a_response_without_a_message_reports_nothing(self, texts: TextMessages) -> None:
        assert texts.report_of({}) is None
        assert texts.report_of({"reason": "not_a_number"}) is None

    def test_a_message_that_was_never_sent_is_not_found(self, texts: TextMessages) -> None:
        texts.send(a_text())

        with pytest.raises(NotFound):
            texts.look_up("no-message")

    def _check_sent(self, texts: TextMessages, *messages: TextMessage) -> None:
        """Check that exactly these messages were sent, if a test can read them."""
        sent = self.sent(texts)
        if sent is not None:
            assert [*sent] == [SentText(message.to, message.text) for message in messages]


def _id_of(texts: TextMessages, receipt: Receipt) -> str:
    report = texts.report_of(receipt.response)
    assert report is not None
    return report.message_id
