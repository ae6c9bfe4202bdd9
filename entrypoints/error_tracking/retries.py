"""Errors of work that is retried: they are sent only if retries do not overcome them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

Subject = tuple[str, ...]
Event = dict[str, Any]

ATTEMPTS = 5
"""Failures in a row after which the error is sent: as many as a queue in Redis makes before it gives a job up."""

REPEAT_SECONDS = 3600.0
"""Seconds after which the error is sent again, if the work has failed all the time."""

MAX_SUBJECTS = 100
"""Subjects whose failures are counted; of more, the oldest are sent at once."""


@dataclass
class _Failures:
    """The failures in a row of one subject; `pending` is the event of the last one until an event is sent."""

    count: int = 0
    pending: Event | None = None
    sent_at: float | None = None


class Retries:
    """The failures of work that is retried, by its subject.

    The error of a subject is sent after `ATTEMPTS` failures in a row, and once an hour while it goes on failing. A
    success ends the row, and nothing is sent of errors that it overcame. `event_of` returns the event for an error, or
    None if there is to be none, and `send` sends it. Threads may share it.
    """

    def __init__(
        self,
        event_of: Callable[[Exception, Subject], Event | None],
        send: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._event_of = event_of
        self._send = send
        self._clock = clock
        self._failures: dict[Subject, _Failures] = {}
        self._lock = Lock()

    @contextmanager
    def attempt(self, subject: Subject) -> Iterator[None]:
        """Count how the block ends, and let its error pass."""
        try:
            yield
        except Exception as error:
            self._failed(subject, error)
            raise
        with self._lock:
            self._failures.pop(subject, None)

    def send_pending(self) -> None:
        """Send the errors that no success has followed yet; for the end of a process, which sees no further attempt."""
        with self._lock:
            pending = [failures.pending for failures in self._failures.values() if failures.pending is not None]
            self._failures.clear()
        for event in pending:
            self._send(event)

    def _failed(self, subject: Subject, error: Exception) -> None:
        now = self._clock()
        event = self._event_of(error, subject)
        with self._lock:
            failures = self._failures.setdefault(subject, _Failures())
            failures.count += 1
            failures.pending = event if self._is_due(failures, now) else None
            due = [self._taken(failures, now)] if failures.count >= ATTEMPTS else []
            if len(self._failures) > MAX_SUBJECTS:
                due.append(self._failures.pop(next(iter(self._failures))).pending)
        for each in due:
            if each is not None:
                self._send(each)

    def _is_due(self, failures: _Failures, now: float) -> bool:
        return failures.sent_at is None or now - failures.sent_at >= REPEAT_SECONDS

    def _taken(self, failures: _Failures, now: float) -> Event | None:
        event, failures.pending = failures.pending, None
        if event is not None:
            failures.sent_at = now
        return event
