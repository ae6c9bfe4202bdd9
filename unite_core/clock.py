"""Port of the current time, so that tests can fix it."""

from abc import abstractmethod
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Returns the current time."""

    @abstractmethod
    def now(self) -> datetime:
        """Return the current time: aware, in UTC, to the microsecond."""
