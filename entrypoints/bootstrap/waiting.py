"""Log a warning while the start waits for a server that does not respond."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

SECONDS_UNTIL_WARNING = 5.0

log = logging.getLogger(__name__)


@contextmanager
def warn_if_slow(server: str, seconds: float = SECONDS_UNTIL_WARNING) -> Iterator[None]:
    """Log a warning if the block takes longer than `seconds`. No thread is left, because processes are forked later.

    The calls in the block have their own timeouts, which end the start after about a minute.
    """
    timer = Timer(
        seconds,
        log.warning,
        ("%s has not answered for %g seconds; the start is given up after a minute.", server, seconds),
    )
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
