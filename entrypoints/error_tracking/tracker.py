"""Turn errors into events and send each once."""

import logging
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from entrypoints.correlation import correlation_id
from entrypoints.error_tracking.exceptions import chain_of, exceptions_of
from entrypoints.error_tracking.retries import Retries, Subject
from entrypoints.error_tracking.throttle import Throttle
from entrypoints.logs import event_of
from entrypoints.redaction import redacted
from unite_core.errors import Deadlock, Unavailable

THROTTLE_SECONDS = 60.0
"""Seconds within which equal errors that no request has caused are one event, and failures of one dependency."""

_OUTAGE = "warning"
"""The level of the events about dependencies that do not answer."""

_SENT = "unite_sent_to_sentry"
"""The attribute of an exception with the occasions for which an event was made of it.

That an exception was seen does not suffice: some libraries raise the same one again and again.
"""

log = logging.getLogger(__name__)


class EventClient(Protocol):
    """A client that sends events."""

    def send(self, event: dict[str, Any]) -> None: ...

    def flush(self, seconds: float) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """What happened: the message without data of people, the message before its values are put in, and ids."""

    message: str
    template: str = ""
    level: str = "error"
    logger: str = __name__
    fields: Mapping[str, Any] = field(default_factory=dict)


class ErrorTracker:
    """Sends the errors of a component. No method raises an error, and none but `flush` waits.

    An exception of a request or a job is one event, even if it is logged, raised further and logged again, or is the
    cause of another one.
    """

    def __init__(self, client: EventClient, component: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._component = component
        self._throttle = Throttle(seconds=THROTTLE_SECONDS, clock=clock)
        self.retries = Retries(self._event_of_retried, self._send_retried, clock)

    def capture(self, error: BaseException | None, what: Occurrence) -> None:
        """Send an error, or a line of the log without one."""
        with harmlessly():
            occasion = what.fields.get("correlation_id") or correlation_id()
            if error is not None and _is_sent(error, occasion):
                return
            event = self._event(error, what)
            if occasion is not None or self._throttle.passes(_key_of(event)):
                self._client.send(event)
            if error is not None:
                _mark_sent(error, occasion)

    def capture_unlogged(self, error: BaseException) -> None:
        """Send an error that ends the process."""
        self.capture(error, Occurrence(message="The process ended with an unexpected error.", level="fatal"))

    def capture_outage(self, error: Unavailable) -> None:
        """Send that a dependency did not answer, once a minute for each."""
        with harmlessly():
            if _is_outage(error) and self._throttle.passes(error.detail):
                self._client.send(self._event(error, Occurrence(message=error.detail, level=_OUTAGE)))

    def flush(self, seconds: float) -> None:
        """Send the errors of work that waits for a retry, and wait until all events are sent."""
        with harmlessly():
            self.retries.send_pending()
            self._client.flush(seconds)

    def _event_of_retried(self, error: Exception, subject: Subject) -> dict[str, Any] | None:
        with harmlessly():
            fields = {"job": " ".join(subject)}
            if isinstance(error, Unavailable):
                what = Occurrence(message=error.detail, level=_OUTAGE, fields=fields)
                return self._event(error, what) if _is_outage(error) else None
            if not _is_sent(error, correlation_id()):
                _mark_sent(error, (correlation_id(), subject))
                return self._event(error, Occurrence(message=f"A job failed: {subject[0]}", fields=fields))
        return None

    def _send_retried(self, event: dict[str, Any]) -> None:
        with harmlessly():
            if event["level"] != _OUTAGE or self._throttle.passes(event["logentry"]["formatted"]):
                self._client.send(event)

    def _event(self, error: BaseException | None, what: Occurrence) -> dict[str, Any]:
        tags = {
            "component": self._component,
            "correlation_id": what.fields.get("correlation_id") or correlation_id(),
            "event": event_of(what.template or what.message),
        }
        event: dict[str, Any] = {
            # It may be sent later.
            "timestamp": datetime.now(UTC),
            "level": what.level,
            "logger": what.logger,
            "logentry": {"formatted": redacted(what.message)},
            "tags": {name: redacted(tag) for name, tag in tags.items() if tag is not None},
            "extra": {name: value for name, value in what.fields.items() if name != "correlation_id"},
        }
        place = what.fields.get("route") or what.fields.get("job")
        if place is not None:
            event["transaction"] = f"{what.fields.get('method', '')} {place}".strip()
        if error is not None:
            event["exception"] = {"values": exceptions_of(error)}
        return event


@contextmanager
def harmlessly() -> Iterator[None]:
    """Log an error of the block as a warning: what fails here must not fail a request or a job."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - see above
        log.warning("An error cannot be sent to Sentry: %s.", type(error).__name__)


def _is_outage(error: Unavailable) -> bool:
    """Return whether a dependency did not answer; a lost transaction, or a full queue of our own, is no outage."""
    return error.code == Unavailable.code and not isinstance(error, Deadlock)


def _is_sent(error: BaseException, occasion: Hashable) -> bool:
    return any(occasion in vars(each).get(_SENT, ()) for each in chain_of(error))


def _mark_sent(error: BaseException, occasion: Hashable) -> None:
    for each in chain_of(error):
        vars(each).setdefault(_SENT, set()).add(occasion)


def _key_of(event: Mapping[str, Any]) -> Hashable:
    """Return what makes two events equal: the message, the fields, and the exceptions with their stack traces."""
    return hash((event["logentry"]["formatted"], str(event["extra"]), str(event.get("exception"))))
