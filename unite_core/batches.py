"""Deletion in batches: one transaction for each, until nothing is left."""

from collections.abc import Callable

MAX_BATCHES = 100
"""How many batches one call deletes at most; the rest is left for the next call."""


def in_batches(clear: Callable[[], int], *, limit: int, should_stop: Callable[[], bool]) -> int:
    """Call `clear`, which deletes up to `limit` things, until it deletes fewer; return how many were deleted."""
    total = 0
    for _ in range(MAX_BATCHES):
        cleared = clear()
        total += cleared
        if cleared < limit or should_stop():
            break
    return total
