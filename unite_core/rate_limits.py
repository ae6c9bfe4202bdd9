"""How often somebody may do something."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """What is left after a hit: `allowed` is whether this hit was within the limit.

    `remaining` is how many more hits fit; `reset` in how many whole seconds another one will, 0 before the first.
    """

    allowed: bool
    limit: int
    remaining: int
    reset: int


class RateLimits(Protocol):
    """Counts hits per key in a window of a minute. What it counted may be lost: then more is allowed, never less."""

    @abstractmethod
    def hit(self, key: str, per_minute: int) -> RateLimitStatus:
        """Count one hit of `key` against `per_minute` (at least 1). A hit beyond the limit is not counted."""

    @abstractmethod
    def peek(self, key: str, per_minute: int) -> RateLimitStatus:
        """What a hit would find, without counting one."""
