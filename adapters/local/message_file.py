"""A topic and a provider of text messages that write to a file, each used if no real one is configured."""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from unite_core.errors import NotFound, Unavailable
from unite_core.notifications.delivery_reports import DeliveryReport, MessageProgress
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import TextMessage, TextMessages, Topic, TopicMessage
from unite_core.notifications.texts import segments

log = logging.getLogger(__name__)

FILE = "messages.jsonl"
PREVIOUS_FILE = "messages.previous.jsonl"

MAX_BYTES = 1024 * 1024
"""Size at which the file replaces the previous one, and a new one begins."""

_PREFIX = "file-"
_SHOWN = 4
"""Digits at the end of a number that are written: the sender of the message recognizes the recipient by them."""


class MessageFile:
    """The file for messages that are not sent: one JSON object a line, readable only by its owner.

    Messages are not logged, because they contain names. File and previous file are at most `max_bytes` long each, and
    a message more. Threads may share it.
    """

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._path = folder / FILE
        self._previous_path = folder / PREVIOUS_FILE
        self._max_bytes = max_bytes
        self._lock = Lock()

    def append(self, message: Mapping[str, Any]) -> None:
        """Write a message; raise `Unavailable` if the file cannot be written."""
        line = json.dumps(message, ensure_ascii=False).encode() + b"\n"
        try:
            with self._lock, os.fdopen(self._opened(), "ab") as file:
                file.write(line)
        except OSError as error:
            raise Unavailable(f"The file {self._path} cannot be written: {error.strerror}.") from error

    def _opened(self) -> int:
        if self._path.exists() and self._path.stat().st_size >= self._max_bytes:
            self._path.replace(self._previous_path)
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


class TopicFile(Topic):
    """A topic that writes its messages to a file instead of publishing them."""

    def __init__(self, file: MessageFile) -> None:
        self._file = file

    def publish(self, messages: Sequence[TopicMessage]) -> Sequence[Receipt]:
        return [self._publish(message) for message in messages]

    def _publish(self, message: TopicMessage) -> Receipt:
        content = {
            "message_id": f"{_PREFIX}{message.event_id}",
            "type": message.type,
            "role": message.role,
            "correlation_id": message.correlation_id,
        }
        self._file.append({"kind": "event", **content, "body": message.body})
        log.info("The topic would be told of this event.", extra=content)
        return Receipt(accepted=True, response={"message_id": content["message_id"]})


class TextMessageFile(TextMessages):
    """Text messages that are written to a file instead of sent; each counts as delivered.

    The id of a message contains the id of the delivery, so that a repeated message can be recognized.
    """

    def __init__(self, file: MessageFile) -> None:
        self._file = file

    def send(self, message: TextMessage, *, may_have_been_sent: bool = False) -> Receipt:  # noqa: ARG002 - repeats do no harm
        sid = f"{_PREFIX}{message.delivery_id}"
        content = {"sid": sid, "to": f"…{message.to[-_SHOWN:]}", "correlation_id": message.correlation_id}
        self._file.append({"kind": "text", **content, "text": message.text})
        log.info("A text message would be sent.", extra=content)
        return Receipt(accepted=True, response={**_response(sid), "segments": segments(message.text).count})

    def report_of(self, response: Mapping[str, Any]) -> DeliveryReport | None:
        sid = str(response.get("sid", ""))
        return _report(sid) if sid.startswith(_PREFIX) else None

    def look_up(self, message_id: str, *, short_timeouts: bool = False) -> DeliveryReport:  # noqa: ARG002 - answers at once
        if not message_id.startswith(_PREFIX):
            raise NotFound("There is no such message.")
        return _report(message_id)


def _report(sid: str) -> DeliveryReport:
    return DeliveryReport(message_id=sid, progress=MessageProgress.DELIVERED, complete=True, response=_response(sid))


def _response(sid: str) -> dict[str, Any]:
    # The form of Twilio's answers: clients of the API see the same fields, and a price ends the status checks.
    return {"sid": sid, "status": "delivered", "price": "0", "price_unit": None}
