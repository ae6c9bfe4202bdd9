"""Limit the time of an import while others wait."""

import time
from collections.abc import Callable
from typing import Protocol

from unite_core.imports.queries import ImportsToContinue

TIME_SLICE = 20.0
"""Seconds for an import while another one waits. Continuing it later costs a quick read up to its last row."""


class Due(Protocol):
    """A function that returns the due work, like `unite.imports.due`."""

    def __call__(self, *, limit: int = 100) -> ImportsToContinue: ...


class TimeSlice:
    """The turn of an import, which begins now, so that small imports need not wait for a large one.

    `due` returns the due work; `stopping` returns whether the worker has to stop.
    """

    def __init__(self, due: Due, stopping: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._due = due
        self._stopping = stopping
        self._clock = clock
        self._until = clock() + TIME_SLICE

    def is_over(self) -> bool:
        """Return whether the import has to stop after its current chunk."""
        if self._stopping():
            return True
        if self._clock() < self._until:
            return False
        self._until = self._clock() + TIME_SLICE
        return bool(self._due(limit=1).to_import)
