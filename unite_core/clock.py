"""Time comes through a port, so that a test can hold it still."""

from abc import abstractmethod
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    @abstractmethod
    def now(self) -> datetime:
        """The present moment: aware, in UTC, to the microsecond."""
