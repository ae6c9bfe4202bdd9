"""Messages that go nowhere, and what people said about them."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from unite_core.errors import NotFound
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import Consent, Consents, TextMessage, TextMessages, Topic, TopicMessage
from unite_core.testing.in_memory.tables import Tables


class InMemoryConsents(Consents):
    """What people said about text messages to their numbers."""

    def __init__(self, tables: Tables) -> None:
        self._consents = tables.consents

    def add(self, consent: Consent) -> bool:
        if consent.source in self._consents:
            return False
        self._consents[consent.source] = consent
        return True

    def opted_out(self, phone: str) -> bool:
        said = [it for it in self._consents.values() if it.phone == phone]
        return bool(said) and max(said, key=lambda it: (it.at, it.id)).opted_out


class InMemoryTopic(Topic):
    """Keeps what was published; `answer` decides what becomes of each message."""

    def __init__(self) -> None:
        self.published: list[TopicMessage] = []
        self.answer: Callable[[TopicMessage], Receipt] = lambda message: Receipt(
            taken=True, response={"message_id": f"message-{message.event_id}"}
        )

    def publish(self, messages: Sequence[TopicMessage]) -> Sequence[Receipt]:
        receipts = [self.answer(message) for message in messages]
        self.published += [message for message, receipt in zip(messages, receipts, strict=True) if receipt.taken]
        return receipts


class InMemoryTextMessages(TextMessages):
    """Keeps what was sent; `answer` decides what becomes of each message."""

    def __init__(self) -> None:
        self.sent: list[TextMessage] = []
        self.answer: Callable[[TextMessage], Receipt] = lambda _: Receipt(taken=True)

    def send(self, message: TextMessage, *, look_first: bool = False) -> Receipt:
        if look_first and message.delivery_id in self._sids():
            return Receipt(taken=True, response=self._response(self._sids()[message.delivery_id]))
        receipt = self.answer(message)
        if not receipt.taken:
            return receipt
        self.sent.append(message)
        return Receipt(taken=True, response=self._response(f"SM{len(self.sent):032x}"))

    def look_up(self, sid: str, *, hurried: bool = False) -> dict[str, Any]:  # noqa: ARG002 - nobody has to wait
        if sid not in self._sids().values():
            raise NotFound("There is no such message.")
        return {**self._response(sid), "status": "delivered", "price": "-0.0079", "price_unit": "USD"}

    def _sids(self) -> dict[UUID, str]:
        return {message.delivery_id: f"SM{number:032x}" for number, message in enumerate(self.sent, start=1)}

    def _response(self, sid: str) -> dict[str, Any]:
        return {"sid": sid, "status": "queued", "segments": 1, "price": None, "price_unit": None}
