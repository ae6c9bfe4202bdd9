"""Log failures of a worker loop, and back off before the next attempt."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from entrypoints import error_tracking
from unite_core.errors import Unavailable
from unite_core.jobs import backoff_after

log = logging.getLogger(__name__)


@dataclass
class Backoff:
    """The pause after each failure of a loop, which has failed `failures` times in a row."""

    failures: int = 0

    @property
    def seconds(self) -> float:
        """The seconds to wait now; 0 after a success."""
        return backoff_after(self.failures)

    def failed(self) -> None:
        """Increase the pause after a failure."""
        self.failures += 1

    def succeeded(self) -> None:
        """Reset the pause after a success."""
        self.failures = 0


@contextmanager
def log_failures(doing: str, on_failure: Callable[[], None]) -> Iterator[None]:
    """Log any error of the block, which is run again later, call `on_failure`, and suppress the error."""
    try:
        with error_tracking.retried(doing):
            yield
    except Unavailable as error:
        on_failure()
        log.warning("Something does not answer while %s: %s", doing, error.detail)
    except Exception:
        on_failure()
        log.exception("Something unexpected happened while %s.", doing, extra={"retried": True})
