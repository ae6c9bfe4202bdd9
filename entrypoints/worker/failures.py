"""Log failures of a worker loop, and back off before the next attempt."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from unite_core.errors import Unavailable

log = logging.getLogger(__name__)

FIRST_BACKOFF = 0.5
MAX_BACKOFF = 30.0


@dataclass
class Backoff:
    """The seconds to wait after a failure, which double with each consecutive failure."""

    seconds: float = 0.0

    def failed(self) -> None:
        """Increase the pause after a failure."""
        self.seconds = min(MAX_BACKOFF, self.seconds * 2 or FIRST_BACKOFF)

    def succeeded(self) -> None:
        """Reset the pause after a success."""
        self.seconds = 0.0


def _ignore() -> None:
    """Do nothing."""


@contextmanager
def log_failures(doing: str, on_failure: Callable[[], None] = _ignore) -> Iterator[None]:
    """Log any error of the block, call `on_failure`, and suppress the error."""
    try:
        yield
    except Unavailable as error:
        on_failure()
        log.warning("Something does not answer while %s: %s", doing, error.detail)
    except Exception:
        on_failure()
        log.exception("Something unexpected happened while %s.", doing)
