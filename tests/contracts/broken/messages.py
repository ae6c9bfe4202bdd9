"""Broken job queues, topics and providers of text messages."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unicodedata import normalize

import pytest

from tests.contracts.broken.making import Port, doing_nothing, in_the_basic_plane, raising, returning, with_methods
from tests.contracts.in_memory_units import taking_from
from unite_core.errors import NotFound, Unavailable
from unite_core.notifications.delivery_reports import DeliveryReport, MessageProgress
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import TextMessage, TextMessages, Topic, TopicMessage
from unite_core.testing.builders import an_id
from unite_core.testing.contracts import (
    ALL,
    JobsContract,
    SentText,
    TextMessagesContract,
    TopicContract,
    WakeUp,
)
from unite_core.testing.in_memory import InMemoryJobs, InMemoryTextMessages, InMemoryTopic


@contextmanager
def away(adapter: Any) -> Iterator[None]:
    """Make the server of the adapter unavailable inside the block."""
    adapter.away = True
    yield
    adapter.away = False


class JobsOfServer(InMemoryJobs):
    """Wake-ups through a server, for the destinations of the suite; they are lost while it is unavailable."""

    away = False

    def wake(self, function: str, about: str) -> None:
        if not self.away:
            self.wake_ups.append((function, about))

    def run_import(self, import_id: Any) -> None:
        self.wake("run_import", str(import_id))

    def undo_import(self, import_id: Any) -> None:
        self.wake("undo_import", str(import_id))

    def deliver_events(self, destinations: Collection[str] = ()) -> None:
        for destination in JobsContract.DESTINATIONS:
            if not destinations or destination in destinations:
                self.wake("relay", destination)


def suite_of_jobs(make: Callable[[], Any]) -> type:
    class Suite(JobsContract):
        @pytest.fixture
        def jobs(self) -> Any:
            return make()

        @pytest.fixture
        def take(self, jobs: Any) -> Callable[[], Collection[WakeUp]]:
            return taking_from(jobs)

        @pytest.fixture
        def outage(self, jobs: Any) -> AbstractContextManager[None]:
            return away(jobs)

    return Suite


def _waking(wake: Callable[[Any, str, str], None]) -> Any:
    return with_methods(JobsOfServer, wake=wake)


def _once(self: Any, function: str, about: str) -> None:
    """Wake for a job once, and never again."""
    seen = self.__dict__.setdefault("seen", set())
    if (function, about) not in seen:
        seen.add((function, about))
        JobsOfServer.wake(self, function, about)


def _latest(self: Any, function: str, about: str) -> None:
    self.wake_ups = [it for it in self.wake_ups if it[0] != function]
    JobsOfServer.wake(self, function, about)


def _refusing_duplicates(self: Any, function: str, about: str) -> None:
    if (function, about) in self.wake_ups:
        raise ValueError("There is such a job.")
    JobsOfServer.wake(self, function, about)


def _raising_when_away(self: Any, function: str, about: str) -> None:
    if self.away:
        raise ConnectionError("Connection refused.")
    JobsOfServer.wake(self, function, about)


def _unavailable_when_away(self: Any, function: str, about: str) -> None:
    if self.away:
        raise Unavailable("The queue does not answer.")
    JobsOfServer.wake(self, function, about)


def _delivering(choose: Callable[[Any], Any]) -> Any:
    def deliver(self: Any, destinations: Collection[str] = ()) -> None:
        for destination in choose([*destinations]):
            self.wake("relay", destination)

    return with_methods(JobsOfServer, deliver_events=deliver)


_DESTINATIONS = JobsContract.DESTINATIONS

JOBS = Port(
    name="Jobs",
    suite=suite_of_jobs,
    right=JobsOfServer,
    broken={
        "no worker is woken": doing_nothing(JobsOfServer, "run_import", "undo_import", "deliver_events"),
        "no worker is woken for an import": doing_nothing(JobsOfServer, "run_import"),
        "no worker is woken for an undo": doing_nothing(JobsOfServer, "undo_import"),
        "no relay is woken": doing_nothing(JobsOfServer, "deliver_events"),
        "an undo continues the import": with_methods(JobsOfServer, undo_import=JobsOfServer.run_import),
        "an import is undone": with_methods(JobsOfServer, run_import=JobsOfServer.undo_import),
        "workers are woken for another import": with_methods(
            JobsOfServer, run_import=lambda self, _: JobsOfServer.run_import(self, an_id())
        ),
        "ids are cut": _waking(lambda self, function, about: JobsOfServer.wake(self, function, about[:23])),
        "ids have no hyphens": _waking(
            lambda self, function, about: JobsOfServer.wake(self, function, about.replace("-", ""))
        ),
        "a job is enqueued once and never again": _waking(_once),
        "the latest import alone is continued": _waking(_latest),
        "a job that waits already is an error": _waking(_refusing_duplicates),
        "it raises the error of its client without the server": _waking(_raising_when_away),
        "it is unavailable without the server": _waking(_unavailable_when_away),
        "the first named relay alone is woken": _delivering(lambda named: named[:1] or _DESTINATIONS),
        "no relay is woken if none is named": _delivering(lambda named: [it for it in named if it in _DESTINATIONS]),
        "one relay is woken if none is named": _delivering(
            lambda named: [it for it in named if it in _DESTINATIONS] or _DESTINATIONS[:1]
        ),
        "relays that are not named are woken": _delivering(lambda _: _DESTINATIONS),
        "the other relays are woken": _delivering(
            lambda named: [it for it in _DESTINATIONS if it not in named or not named]
        ),
        "an unknown destination is an error": _delivering(
            lambda named: (
                raising(ValueError("There is no such destination."))
                if {*named} - {*_DESTINATIONS}
                else named or _DESTINATIONS
            )
        ),
        "names of destinations are in upper case": _delivering(
            lambda named: [it.upper() for it in named or _DESTINATIONS]
        ),
        "relays are woken for events of an import": _waking(
            lambda self, _, about: JobsOfServer.wake(self, "relay", about)
        ),
        "an import wakes for all imports' undo": _waking(
            lambda self, function, about: JobsOfServer.wake(
                self, *(("undo_import", ALL) if function == "run_import" else (function, about))
            )
        ),
    },
)


class TopicOnServer(InMemoryTopic):
    """A topic whose server can be unavailable."""

    away = False

    def publish(self, messages: Sequence[TopicMessage]) -> Sequence[Receipt]:
        if self.away:
            raise Unavailable("The topic does not answer.")
        return super().publish(messages)


def suite_of_topic(make: Callable[[], Any]) -> type:
    class Suite(TopicContract):
        @pytest.fixture
        def topic(self) -> Any:
            return make()

        def heard(self, topic: Topic, _sent: Sequence[TopicMessage], /) -> Sequence[TopicMessage]:
            assert isinstance(topic, TopicOnServer)
            return topic.published

        @pytest.fixture
        def outage(self, topic: Any) -> AbstractContextManager[None]:
            return away(topic)

    return Suite


def _publishing(change: Callable[[Any], Any]) -> Any:
    """Return a topic that publishes changed messages, with the receipts of those that it got."""

    def publish(self: Any, messages: Sequence[TopicMessage]) -> Sequence[Receipt]:
        receipts = TopicOnServer.publish(self, messages)
        count = len(self.published) - len(messages)
        self.published[count:] = change(self.published[count:])
        return receipts

    return with_methods(TopicOnServer, publish=publish)


def _each_message(**changes: Callable[[Any], Any]) -> Any:
    return _publishing(
        lambda messages: [
            replace(it, **{name: change(getattr(it, name)) for name, change in changes.items()}) for it in messages
        ]
    )


def _receipts(change: Callable[[Any], Any]) -> Any:
    return returning(TopicOnServer, "publish", change)


def _publish_when_away(answer: Callable[[Any], Any]) -> Any:
    return with_methods(
        TopicOnServer,
        publish=lambda self, messages: answer(messages) if self.away else TopicOnServer.publish(self, messages),
    )


TOPIC = Port(
    name="Topic",
    suite=suite_of_topic,
    right=TopicOnServer,
    broken={
        "nothing is published": _publishing(lambda _: []),
        "the first message alone is published": _publishing(lambda messages: messages[:1]),
        "the last message is not published": _publishing(lambda messages: messages[:-1]),
        "at most nine messages are published": _publishing(lambda messages: messages[:9]),
        "one message of each type is published": _publishing(lambda them: [*{it.type: it for it in them}.values()]),
        "messages of two calls replace each other": with_methods(
            TopicOnServer,
            publish=lambda self, messages: (self.published.clear(), TopicOnServer.publish(self, messages))[1],
        ),
        "bodies are cut": _each_message(body=lambda body: body[:1000]),
        "long bodies are cut": _each_message(body=lambda body: body[:32_768]),
        "bodies are cut by their bytes": _each_message(
            body=lambda body: body.encode()[:65_535].decode("utf-8", "ignore")
        ),
        "bodies are ASCII": _each_message(body=lambda body: body.encode("ascii", "replace").decode()),
        "bodies are normalized": _each_message(body=lambda body: normalize("NFC", body)),
        "bodies have no characters beyond the basic plane": _each_message(body=in_the_basic_plane),
        "bodies are written again": _each_message(body=lambda body: body.replace(": ", ":").replace(", ", ",")),
        "roles are not published": _each_message(role=lambda _: "agent"),
        "types are not published": _each_message(type=lambda _: "event"),
        "types have no prefix": _each_message(type=lambda it: it.rpartition(".")[2]),
        "correlation ids are not published": _each_message(correlation_id=lambda _: None),
        "a missing correlation id is an empty text": _each_message(correlation_id=lambda it: it or ""),
        "a missing correlation id is a text": _each_message(correlation_id=str),
        "messages have ids of their own": _each_message(event_id=lambda _: an_id()),
        "there are no receipts": _receipts(lambda _: []),
        "there is one receipt": _receipts(lambda receipts: receipts[:1]),
        "there is one receipt more": _receipts(lambda receipts: [*receipts, Receipt(accepted=True)]),
        "nothing is taken": _receipts(lambda receipts: [replace(it, accepted=False) for it in receipts]),
        "everything is refused": _receipts(
            lambda receipts: [replace(it, accepted=False, refused=True) for it in receipts]
        ),
        "receipts have no id": _receipts(lambda receipts: [replace(it, response={}) for it in receipts]),
        "receipts have the same id": _receipts(
            lambda receipts: [replace(it, response={"message_id": "1"}) for it in receipts]
        ),
        "receipts have numbers": _receipts(
            lambda receipts: [replace(it, response={"message_id": number}) for number, it in enumerate(receipts)]
        ),
        "receipts of each call have the same ids": _receipts(
            lambda receipts: [replace(it, response={"message_id": str(n)}) for n, it in enumerate(receipts)]
        ),
        "no message is an error": with_methods(
            TopicOnServer,
            publish=lambda self, messages: (
                TopicOnServer.publish(self, messages) if messages else raising(ValueError("There is no message."))
            ),
        ),
        "no message has a receipt": _receipts(lambda receipts: receipts or [Receipt(accepted=True)]),
        "it raises the error of its client without the server": _publish_when_away(
            lambda _: raising(ConnectionError("Connection refused."))
        ),
        "nothing is taken without the server": _publish_when_away(lambda them: [Receipt(accepted=False)] * len(them)),
        "everything is taken without the server": _publish_when_away(lambda them: [Receipt(accepted=True)] * len(them)),
    },
)


class TextsByProvider(InMemoryTextMessages):
    """A provider of text messages that can be unavailable."""

    away = False

    def send(self, message: TextMessage, *, may_have_been_sent: bool = False) -> Receipt:
        if self.away:
            raise Unavailable("The provider does not answer.")
        return super().send(message, may_have_been_sent=may_have_been_sent)

    def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:
        if self.away:
            raise Unavailable("The provider does not answer.")
        return super().look_up(message_id, short_timeouts=short_timeouts)


def suite_of_texts(make: Callable[[], Any]) -> type:
    class Suite(TextMessagesContract):
        @pytest.fixture
        def texts(self) -> Any:
            return make()

        def sent(self, texts: TextMessages, /) -> Sequence[SentText]:
            assert isinstance(texts, TextsByProvider)
            return [SentText(message.to, message.text) for message in texts.sent]

        @pytest.fixture
        def outage(self, texts: Any) -> AbstractContextManager[None]:
            return away(texts)

    return Suite


def _texts(**methods: Any) -> Any:
    return with_methods(TextsByProvider, **methods)


def _sending(**changes: Callable[[str], str]) -> Any:
    """Return a provider that sends changed messages."""

    def send(self: Any, message: TextMessage, *, may_have_been_sent: bool = False) -> Receipt:
        changed: dict[str, Any] = {name: change(getattr(message, name)) for name, change in changes.items()}
        return TextsByProvider.send(self, replace(message, **changed), may_have_been_sent=may_have_been_sent)

    return _texts(send=send)


def _found_by(same: Callable[[TextMessage, TextMessage], bool]) -> Any:
    """Return a provider that finds a message which was sent before by something else than its delivery."""

    def send(self: Any, message: TextMessage, *, may_have_been_sent: bool = False) -> Receipt:
        found = [it for it in self.sent if may_have_been_sent and same(it, message)]
        known = replace(message, delivery_id=found[0].delivery_id) if found else message
        return TextsByProvider.send(self, known, may_have_been_sent=bool(found))

    return _texts(send=send)


def _responding(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    return returning(TextsByProvider, "send", lambda it: replace(it, response=change(dict(it.response))))


def _without(response: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in response.items() if key != name}


def _when_away(name: str, answer: Callable[[], Any]) -> Any:
    original = getattr(InMemoryTextMessages, name)
    return _texts(**{name: lambda self, *given, **named: answer() if self.away else original(self, *given, **named)})


def _refuse() -> Any:
    raise ConnectionError("Connection refused.")


def _look_up_last(self: Any, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:
    TextsByProvider.look_up(self, message_id, short_timeouts=short_timeouts)  # raises as the original does
    return TextsByProvider.look_up(self, [*self._ids().values()][-1], short_timeouts=short_timeouts)


TEXTS = Port(
    name="TextMessages",
    suite=suite_of_texts,
    right=TextsByProvider,
    broken={
        "nothing is sent": _texts(
            send=lambda self, message, **_: Receipt(accepted=True, response=self._response("message-1"))  # noqa: ARG005 - as in the original
        ),
        "texts are cut to a segment": _sending(text=lambda text: text[:160]),
        "texts are cut to a segment of Unicode": _sending(text=lambda text: text[:70]),
        "texts are cut by their bytes": _sending(text=lambda text: text.encode()[:160].decode("utf-8", "ignore")),
        "texts are ASCII": _sending(text=lambda text: text.encode("ascii", "replace").decode()),
        "texts have no characters beyond the basic plane": _sending(
            text=lambda text: "".join(it for it in text if it < "\U00010000")
        ),
        "texts are stripped": _sending(text=str.strip),
        "texts are normalized": _sending(text=lambda text: normalize("NFC", text)),
        "texts are decomposed": _sending(text=lambda text: normalize("NFD", text)),
        "texts are one line": _sending(text=lambda text: text.replace("\n", " ")),
        "quotes in texts are plain": _sending(text=lambda text: text.replace("“", '"').replace("”", '"')),
        "texts have an addition": _sending(text=lambda text: f"{text} STOP to end"),
        "numbers have no plus sign": _sending(to=lambda to: to.removeprefix("+")),
        "all texts go to one number": _sending(to=lambda _: "+12025550123"),
        "numbers are cut": _sending(to=lambda to: to[:11]),
        "a message that was sent is sent again": _texts(
            send=lambda self, message, **_: TextsByProvider.send(self, message)
        ),
        "a message that may have been sent is not sent": _texts(
            send=lambda self, message, *, may_have_been_sent=False: (
                Receipt(accepted=True, response=self._response("message-1"))
                if may_have_been_sent
                else TextsByProvider.send(self, message)
            )
        ),
        "a message is found by its text alone": _found_by(lambda it, message: it.text == message.text),
        "a message is found by its number alone": _found_by(lambda it, message: it.to == message.to),
        "the last message is taken for the one before": _found_by(lambda *_: True),
        "a repeated message has another id": _texts(
            send=lambda self, message, *, may_have_been_sent=False: (
                Receipt(accepted=True, response=self._response("message-9"))
                if may_have_been_sent and message.delivery_id in self._ids()
                else TextsByProvider.send(self, message)
            )
        ),
        "a repeated message is refused": _texts(
            send=lambda self, message, *, may_have_been_sent=False: (
                Receipt(accepted=False, refused=True)
                if may_have_been_sent and message.delivery_id in self._ids()
                else TextsByProvider.send(self, message)
            )
        ),
        "messages are not taken": returning(TextsByProvider, "send", lambda it: replace(it, accepted=False)),
        "messages have the same id": _responding(lambda response: {**response, "message_id": "message-1"}),
        "messages have no id": _responding(lambda response: _without(response, "message_id")),
        "ids are numbers": _responding(lambda response: {**response, "message_id": 1}),
        "responses have no segments": _responding(lambda response: _without(response, "segments")),
        "segments are texts": _responding(lambda response: {**response, "segments": str(response["segments"])}),
        "every text has two segments": _responding(lambda response: {**response, "segments": 2}),
        "responses have no status": _responding(lambda response: _without(response, "status")),
        "the status is one of the provider": _responding(lambda response: {**response, "status": "accepted-by-us"}),
        "nothing is reported": doing_nothing(TextsByProvider, "report_of"),
        "an empty response is reported": _texts(
            report_of=lambda self, response: InMemoryTextMessages.report_of(
                self, {"message_id": "message-1", **response}
            )
        ),
        "a response without a message is an error": _texts(
            report_of=lambda self, response: InMemoryTextMessages.report_of(
                self, {"message_id": response["message_id"], **response}
            )
        ),
        "an unknown message has a report": _texts(
            look_up=lambda self, message_id, *, short_timeouts=False: (
                TextsByProvider.look_up(self, message_id, short_timeouts=short_timeouts)
                if message_id in self._ids().values()
                else InMemoryTextMessages.report_of(self, self._response(message_id))
            )
        ),
        "an unknown message is a KeyError": _texts(
            look_up=lambda self, message_id, *, short_timeouts=False: (
                TextsByProvider.look_up(self, message_id, short_timeouts=short_timeouts)
                if message_id in self._ids().values()
                else raising(KeyError(message_id))
            )
        ),
        "no message can be looked up": _texts(look_up=lambda *_, **__: raising(NotFound("There is no such message."))),
        "the last message is looked up": _texts(look_up=_look_up_last),
        "a short_timeouts lookup finds nothing": _texts(
            look_up=lambda self, message_id, *, short_timeouts=False: (
                raising(NotFound("There is no time.")) if short_timeouts else TextsByProvider.look_up(self, message_id)
            )
        ),
        "a report does not say what it is made of": returning(
            TextsByProvider, "look_up", lambda report: replace(report, response={})
        ),
        "a report has an unknown progress": returning(
            TextsByProvider, "look_up", lambda report: replace(report, progress=MessageProgress.UNKNOWN)
        ),
        "it raises the error of its client without the provider": _when_away("send", _refuse),
        "a lookup raises the error of its client without the provider": _when_away("look_up", _refuse),
        "a message is not taken without the provider": _when_away("send", lambda: Receipt(accepted=False)),
        "a message is refused without the provider": _when_away("send", lambda: Receipt(accepted=False, refused=True)),
        "a message is not found without the provider": _when_away(
            "look_up", lambda: raising(NotFound("There is no such message."))
        ),
    },
)
