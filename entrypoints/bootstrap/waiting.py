"""A word about a server that does not answer at the start, while it is still waited for."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

SECONDS_UNTIL_A_WORD = 5.0

log = logging.getLogger(__name__)


@contextmanager
def waiting_for(server: str, seconds: float = SECONDS_UNTIL_A_WORD) -> Iterator[None]:
    """Log a warning where the block takes longer than `seconds`. No thread is left behind: processes are forked later.

    What waits has timeouts of its own, which end the start after about a minute.
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
