"""Start the import of each uploaded file that the storage announces in a queue."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Event

from entrypoints.worker.failures import Backoff, log_failures
from unite_core.imports.ports import UploadNotice, UploadNotices
from unite_core.imports.use_cases import UploadOutcome, start_announced

RECEIVE_WAIT = timedelta(seconds=10)
"""How long one request waits for a notice (long polling)."""

log = logging.getLogger(__name__)


@dataclass
class UploadListener:
    """A loop that starts the import of every announced upload until it is stopped; several may run in parallel.

    `start_uploaded` gets a key and a correlation id, like `unite.imports.start_uploaded`.
    A notice is deleted after its effect is committed. If its import is unknown, or could not be started because of a
    failure, it is received again. A failure is logged and followed by a pause; it never ends the loop. After a failure,
    `ready`, which raises `Unavailable`, is called before the next notice is received, because a notice that is received
    too often goes to the dead-letter queue.
    """

    notices: UploadNotices
    start_uploaded: Callable[[str, str | None], UploadOutcome]
    stop: Event
    ready: Callable[[], None] = lambda: None

    def run(self) -> None:
        """Run until `stop` is set; that is noticed only after the current wait for a notice."""
        backoff = Backoff()
        while not self.stop.is_set():
            with log_failures("starting what was uploaded", backoff.failed):
                if backoff.seconds:
                    self.ready()
                notice = self.notices.receive(wait=RECEIVE_WAIT)
                if notice is not None:
                    self._start(notice)
                backoff.succeeded()
            if backoff.seconds:
                self.stop.wait(backoff.seconds)

    def _start(self, notice: UploadNotice) -> None:
        marks = {"key": notice.key, "correlation_id": notice.id}
        outcome = start_announced(notice, self.start_uploaded)
        if outcome.settled:
            log.info("A file was uploaded; its import: %s.", outcome, extra=marks)
        else:
            log.warning("A file was uploaded that belongs to no import; the notice is left.", extra=marks)
