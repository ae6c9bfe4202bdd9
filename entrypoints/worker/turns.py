"""Choose the next import to continue, and limit its time while others wait."""

import time
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from unite_core.imports.queries import ImportsToContinue

TURN = 20.0
"""Seconds for an import while another one waits. Continuing it later costs a quick read up to its last row."""


class Due(Protocol):
    """A function that returns the due work, like `unite.imports.due`."""

    def __call__(self, *, limit: int = 100) -> ImportsToContinue: ...


class Turns:
    """A round-robin schedule of imports, so that small imports need not wait for a large one.

    `due` returns the due work; `stopping` returns whether the worker has to stop.
    """

    def __init__(self, due: Due, stopping: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._due = due
        self._stopping = stopping
        self._clock = clock
        self._had_turn: dict[UUID, int] = {}
        self._turns = 0
        self._until = 0.0
        self.correlation_id: str | None = None
        """The correlation id of the request that started the current import."""

    def next(self) -> UUID | None:
        """Return the import to continue now, and begin its turn; None if there is none."""
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
        """Begin the turn of an import that the caller has chosen."""
        self._until = self._clock() + TURN

    def over(self) -> bool:
        """Return whether the current import has to stop after its current chunk."""
        if self._stopping():
            return True
        if self._clock() < self._until:
            return False
        self._until = self._clock() + TURN
        return bool(self._due(limit=1).to_import)
