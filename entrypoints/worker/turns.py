"""Which import is worked on next, and for how long while others wait."""

import time
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from unite_core.imports.queries import ImportsToContinue

TURN = 20.0
"""Seconds that an import may take while another one waits. Going on later costs a quick read up to its last row."""


class Due(Protocol):
    """Tells what there is to do, as `unite.imports.due` does."""

    def __call__(self, *, limit: int = 100) -> ImportsToContinue: ...


class Turns:
    """Lets a small import past a large one: whoever had a turn goes to the end of the line.

    `due` is asked what there is to do; `stopping` whether the worker is to stop.
    """

    def __init__(self, due: Due, stopping: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._due = due
        self._stopping = stopping
        self._clock = clock
        self._had_turn: dict[UUID, int] = {}
        self._turns = 0
        self._until = 0.0
        self.correlation_id: str | None = None
        """Of the request that the import whose turn it is follows from."""

    def next(self) -> UUID | None:
        """The import to continue now; None where there is none. Its turn begins."""
        due = self._due()
        waiting = due.to_import
        self._had_turn = {known: turn for known, turn in self._had_turn.items() if known in waiting}
        if not waiting:
            return None
        chosen = min(waiting, key=lambda import_id: self._had_turn.get(import_id, 0))
        self._turns += 1
        self._had_turn[chosen] = self._turns
        self.begin()
        self.correlation_id = due.correlation_ids.get(chosen)
        return chosen

    def begin(self) -> None:
        """Begin the turn of an import that somebody else has chosen."""
        self._until = self._clock() + TURN

    def over(self) -> bool:
        """Whether the import that has its turn is to stop after the chunk that it is at."""
        if self._stopping():
            return True
        if self._clock() < self._until:
            return False
        self._until = self._clock() + TURN
        return bool(self._due(limit=1).to_import)
