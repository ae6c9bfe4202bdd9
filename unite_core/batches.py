"""Clearing away in rounds: each a transaction of its own, until nothing is left."""

from collections.abc import Callable

MAX_BATCHES = 100
"""After how many rounds the rest is left to the next time."""


def in_batches(clear: Callable[[], int], *, limit: int, should_stop: Callable[[], bool]) -> int:
    """Have `clear` clear away up to `limit` things again and again, until it finds fewer; how many there were."""
    total = 0
    for _ in range(MAX_BATCHES):
        cleared = clear()
        total += cleared
        if cleared < limit or should_stop():
            break
    return total
