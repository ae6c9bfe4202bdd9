"""Choices that look like chance and are the same each time."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

# Knuth, The Art of Computer Programming, volume 2, 3.3.4: the linear congruential generator of MMIX.
_FACTOR, _SUMMAND, _MODULUS = 6364136223846793005, 1442695040888963407, 2**64


class Choices:
    """One choice after the other, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def below(self, end: int) -> int:
        """A number from 0 to before `end`."""
        self._state = (self._state * _FACTOR + _SUMMAND) % _MODULUS
        # The lower bits repeat themselves soon.
        return (self._state >> 24) % end

    def of(self, things: Sequence[T]) -> T:
        """One of the things."""
        return things[self.below(len(things))]

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """All of the things in another order."""
        left = list(things)
        return [left.pop(self.below(len(left))) for _ in things]
