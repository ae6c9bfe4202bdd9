"""Retry of transactions that lost against a concurrent one."""

from collections.abc import Callable
from typing import TypeVar

from unite_core.errors import Deadlock, Unavailable

T = TypeVar("T")

MAX_TRANSACTION_ATTEMPTS = 5
"""How many times one transaction is tried before `Unavailable` is raised."""


def retry_on_deadlock(attempt: Callable[[], T], *losses: type[Exception]) -> T:
    """Call `attempt` until it succeeds, and return its result.

    `attempt` is one transaction that decides by what it reads. It is tried again after `Deadlock` and after the
    errors in `losses`: they mean that a concurrent transaction was quicker and that nothing was committed.
    Raise `Unavailable` after five failures.
    """
    losses = (Deadlock, *losses)
    for _ in range(MAX_TRANSACTION_ATTEMPTS):
        try:
            return attempt()
        except losses:
            continue
    raise Unavailable("Too many others change the same things at the same time; try again in a moment.")
