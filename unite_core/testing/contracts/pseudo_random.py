"""Pseudo-random choices that are the same for the same seed."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

# Knuth, The Art of Computer Programming, volume 2, 3.3.4: the linear congruential generator of MMIX.
_FACTOR, _SUMMAND, _MODULUS = 6364136223846793005, 1442695040888963407, 2**64


class Choices:
    """A generator of pseudo-random choices, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def below(self, end: int) -> int:
        """Return a number from 0 to before `end`."""
        self._state = (self._state * _FACTOR + _SUMMAND) % _MODULUS
        # The lower bits have a short period.
        return (self._state >> 24) % end

    def of(self, things: Sequence[T]) -> T:
        """Return one of the things."""
        return things[self.below(len(things))]

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """Return all of the things in another order."""
        remaining = list(things)
        return [remaining.pop(self.below(len(remaining))) for _ in things]
