"""Limit concurrent transfers in total and per client."""

import threading
from collections import Counter
from collections.abc import Callable

from entrypoints.http.framework.problems import too_many_transfers


class TransferLimiter:
    """A limited number of places for transfers, with a limit for each holder."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, holder: str, max_per_client: int) -> Callable[[], None]:
        """Take a place, and return the function that releases it; call that once.

        Raises `Unavailable` (`too_many_transfers`) if no place is free, or if the holder has `max_per_client` already.
        """
        with self._lock:
            if self._held[holder] >= max_per_client:
                raise too_many_transfers(f"You have {max_per_client} transfers in progress; wait until one has ended.")
            if self._held.total() >= self._places:
                raise too_many_transfers("Too many files are being transferred; send or request this one later.")
            self._held[holder] += 1
        return lambda: self._release(holder)

    def _release(self, holder: str) -> None:
        with self._lock:
            self._held[holder] -= 1
            # Adding an empty counter removes holders without a place, so the counter does not grow forever.
            self._held += Counter()
