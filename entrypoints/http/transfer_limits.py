"""Places that few can have at once, of which nobody gets more than a share."""

import threading
from collections import Counter
from collections.abc import Callable

from entrypoints.http.problems import too_many_transfers


class TransferLimiter:
    """So many places, at most `max_per_client` of them for one holder."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, holder: str, max_per_client: int) -> Callable[[], None]:
        """Take a place; call what comes back once to give it back.

        Raises `Unavailable` (`too_many_transfers`) where no place is free, or the holder has a full share.
        """
        with self._lock:
            if self._held[holder] >= max_per_client:
                raise too_many_transfers(f"You have {max_per_client} transfers under way; wait until one has ended.")
            if self._held.total() >= self._places:
                raise too_many_transfers("Too many files are on their way; send or ask for this one later.")
            self._held[holder] += 1
        return lambda: self._give_back(holder)

    def _give_back(self, holder: str) -> None:
        with self._lock:
            self._held[holder] -= 1
            # Holders come and go.
            self._held += Counter()
