"""What the worker does beside its loop where storage announces uploads: each one starts its import."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from entrypoints.worker.failures import Backoff, log_failures
from unite_core.imports.use_cases import UploadOutcome

log = logging.getLogger(__name__)


class UploadNotice(Protocol):
    """Tells that a file has come to `key`. `id` is the same however often it tells."""

    @property
    def key(self) -> str: ...

    @property
    def id(self) -> str: ...

    def held(self) -> AbstractContextManager[None]:
        """Keep it from other workers while the block runs."""
        ...

    def done(self) -> None:
        """Have it not come again; without this it does."""
        ...


class UploadNotices(Protocol):
    """Where notices of uploads come in."""

    def receive(self) -> UploadNotice | None:
        """The next one; None where none came within some seconds."""
        ...


@dataclass
class UploadListener:
    """Starts the import of every upload that it is told of, until it is told to stop; many may work side by side.

    `start_uploaded` is what `unite.imports.start_uploaded` does: it gets a key and a correlation id.
    A notice is done with once what follows from it is committed. One whose import is unknown, or could not be started
    because something failed, comes again. A failure is written down and followed by a wait, never by the end; then
    `ready`, which raises `Unavailable`, is asked before the next notice is taken: one that is taken too often counts
    as understood by nobody.
    """

    notices: UploadNotices
    start_uploaded: Callable[[str, str | None], UploadOutcome]
    stop: Event
    ready: Callable[[], None] = lambda: None

    def run(self) -> None:
        """Listen until `stop` is set; it takes as long as waiting for a notice may."""
        backoff = Backoff()
        while not self.stop.is_set():
            with log_failures(backoff, "starting what was uploaded"):
                if backoff.seconds:
                    self.ready()
                notice = self.notices.receive()
                if notice is not None:
                    self._start(notice)
                backoff.succeeded()
            if backoff.seconds:
                self.stop.wait(backoff.seconds)

    def _start(self, notice: UploadNotice) -> None:
        marks = {"key": notice.key, "correlation_id": notice.id}
        with notice.held():
            outcome = self.start_uploaded(notice.key, notice.id)
        if outcome.settled:
            notice.done()
            log.info("A file was uploaded; its import: %s.", outcome, extra=marks)
        else:
            log.warning("A file was uploaded that belongs to no import; the notice is left.", extra=marks)
