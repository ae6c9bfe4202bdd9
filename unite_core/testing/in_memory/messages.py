"""A topic and text messages in memory, and the consents of recipients."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from unite_core.errors import NotFound
from unite_core.notifications.delivery_reports import DeliveryReport, MessageProgress
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import Consent, Consents, TextMessage, TextMessages, Topic, TopicMessage
from unite_core.testing.in_memory.tables import Tables


class InMemoryConsents(Consents):
    """The store of opt-outs and opt-ins."""

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
    """A topic that stores the published messages; `answer` returns the receipt of each message."""

    def __init__(self) -> None:
        self.published: list[TopicMessage] = []
        self.answer: Callable[[TopicMessage], Receipt] = lambda message: Receipt(
            accepted=True, response={"message_id": f"message-{message.event_id}"}
        )

    def publish(self, messages: Sequence[TopicMessage]) -> Sequence[Receipt]:
        receipts = [self.answer(message) for message in messages]
        self.published += [message for message, receipt in zip(messages, receipts, strict=True) if receipt.accepted]
        return receipts


class InMemoryTextMessages(TextMessages):
    """A provider that stores the sent messages; `answer` returns the receipt of each message.

    A response has `message_id`, `status` (a value of `MessageProgress`), `segments` and `cost`, None while unknown.
    """

    def __init__(self) -> None:
        self.sent: list[TextMessage] = []
        self.answer: Callable[[TextMessage], Receipt] = lambda _: Receipt(accepted=True)

    def send(self, message: TextMessage, *, may_have_been_sent: bool = False) -> Receipt:
        if may_have_been_sent and message.delivery_id in self._ids():
            return Receipt(accepted=True, response=self._response(self._ids()[message.delivery_id]))
        receipt = self.answer(message)
        if not receipt.accepted:
            return receipt
        self.sent.append(message)
        return Receipt(accepted=True, response=self._response(message_id(len(self.sent))))

    def report_of(self, response: Mapping[str, Any]) -> DeliveryReport | None:
        return _report_of(response) if "message_id" in response else None

    def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:  # noqa: ARG002 - a lookup in memory takes no time
        if message_id not in self._ids().values():
            raise NotFound("There is no such message.")
        return _report_of({**self._response(message_id), "status": MessageProgress.DELIVERED.value, "cost": "0.0079"})

    def _ids(self) -> dict[UUID, str]:
        return {message.delivery_id: message_id(number) for number, message in enumerate(self.sent, start=1)}

    def _response(self, message_id: str) -> dict[str, Any]:
        return {"message_id": message_id, "status": MessageProgress.QUEUED.value, "segments": 1, "cost": None}


def message_id(number: int) -> str:
    """Return the id of the message that was sent first, second and so on."""
    return f"message-{number}"


def _report_of(response: Mapping[str, Any]) -> DeliveryReport:
    status = response.get("status")
    return DeliveryReport(
        message_id=response["message_id"],
        progress=MessageProgress(status) if status in list(MessageProgress) else MessageProgress.UNKNOWN,
        complete=response.get("cost") is not None,
        response=response,
    )
