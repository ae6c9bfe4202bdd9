"""What a loop does about a failure: write it down, wait, and go on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from unite_core.errors import Unavailable

log = logging.getLogger(__name__)

FIRST_BACKOFF = 0.5
MAX_BACKOFF = 30.0


@dataclass
class Backoff:
    """How many seconds to wait after a failure: twice as long after each one that follows another."""

    seconds: float = 0.0

    def failed(self) -> None:
        """Count a failure."""
        self.seconds = min(MAX_BACKOFF, self.seconds * 2 or FIRST_BACKOFF)

    def succeeded(self) -> None:
        """Begin anew."""
        self.seconds = 0.0


@contextmanager
def log_failures(backoff: Backoff, doing: str) -> Iterator[None]:
    """Log and count whatever goes wrong in the block, and end it there."""
    try:
        yield
    except Unavailable as error:
        backoff.failed()
        log.warning("Something does not answer while %s: %s", doing, error.detail)
    except Exception:
        backoff.failed()
        log.exception("Something unexpected happened while %s.", doing)
