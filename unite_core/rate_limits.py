"""Port of the rate limits: hits per key in a window of one minute."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

from unite_core.checks import Checked


@dataclass(frozen=True, slots=True)
class RateLimitStatus(Checked):
    """The state of a rate limit after a hit: `allowed` says whether this hit was within the limit.

    `remaining` is the number of further hits that are allowed now; `reset` is the number of whole seconds until another
    hit becomes possible, 0 before the first hit.
    """

    allowed: bool
    limit: int
    remaining: int
    reset: int


class RateLimits(Protocol):
    """Counts hits per key in a window of a minute. Counts may be lost: then more hits are allowed, never fewer."""

    @abstractmethod
    def hit(self, key: str, per_minute: int) -> RateLimitStatus:
        """Count one hit of `key` against `per_minute` (at least 1). A hit beyond the limit is not counted."""

    @abstractmethod
    def peek(self, key: str, per_minute: int) -> RateLimitStatus:
        """Return what a hit would return, without counting one."""
