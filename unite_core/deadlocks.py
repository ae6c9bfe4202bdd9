"""Transactions that are begun anew because somebody else was quicker."""

from collections.abc import Callable
from typing import TypeVar

from unite_core.errors import Deadlock, Unavailable

T = TypeVar("T")

MAX_TRANSACTION_ATTEMPTS = 5
"""How often one transaction is begun before it is left for later."""


def retry_on_deadlock(attempt: Callable[[], T], *losses: type[Exception]) -> T:
    """What `attempt` returns: a transaction that decides by what it reads, begun anew where that has changed meanwhile.

    It has lost where it raises `Deadlock` or one of the `losses`, which mean that somebody else was quicker and that
    nothing of it was committed. Raises `Unavailable` where it has lost five times.
    """
    losses = (Deadlock, *losses)
    for _ in range(MAX_TRANSACTION_ATTEMPTS):
        try:
            return attempt()
        except losses:
            continue
    raise Unavailable("Too many others change the same things at the same time; try again in a moment.")
