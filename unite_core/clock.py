"""Port of the current time, so that tests can fix it; and times as text."""

from abc import abstractmethod
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Returns the current time."""

    @abstractmethod
    def now(self) -> datetime:
        """Return the current time: aware, in UTC, to the microsecond."""


def rfc3339(at: datetime, timespec: str = "auto") -> str:
    """Return a time as RFC 3339 in UTC, `2026-01-31T09:30:00.123456Z`; `timespec` is that of `isoformat`."""
    return at.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
