"""The pending work of the application, for programs that import the library: they need no queue and no service."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event

from unite_core.clock import Clock

TURN = timedelta(seconds=20)
"""How long a step may take in `work_until` before the others have their turn. A large import needs several turns."""

INTERVAL = timedelta(seconds=1)

UPKEEP_INTERVAL = timedelta(minutes=1)

ShouldStop = Callable[[], bool]
Step = Callable[[ShouldStop], object]
"""A function that does one kind of work until nothing of it is due, or until the function that it is given says so."""

_log = logging.getLogger(__name__)


def _log_failures(failures: ExceptionGroup[Exception]) -> None:
    for failure in failures.exceptions:
        _log.error("Background work failed, and is tried again: %s", failure, exc_info=failure)


@dataclass(frozen=True, kw_only=True)
class BackgroundWork:
    """All pending work: `steps` at every turn, `upkeep` once a minute.

    Several threads and processes may work at the same time: each piece of work is claimed in the database.
    """

    steps: Mapping[str, Step]
    upkeep: Mapping[str, Step]
    clock: Clock

    def once(self, should_stop: ShouldStop = lambda: False) -> None:
        """Run every step until nothing is due. Raises an `ExceptionGroup` of what failed, when all steps have run."""
        self._run({**self.steps, **self.upkeep}, lambda: should_stop)

    def until(
        self,
        stop: Event,
        *,
        interval: timedelta = INTERVAL,
        on_failure: Callable[[ExceptionGroup[Exception]], None] = _log_failures,
    ) -> None:
        """Work until `stop` is set, with a pause of `interval` after each turn; call `on_failure` with what failed."""
        upkeep_since: datetime | None = None
        while not stop.is_set():
            steps = self.steps
            now = self.clock.now()
            if upkeep_since is None or now - upkeep_since >= UPKEEP_INTERVAL:
                upkeep_since = now
                steps = {**self.steps, **self.upkeep}
            try:
                self._run(steps, lambda: self._end_of_turn(stop))
            except ExceptionGroup as failures:
                on_failure(failures)
            stop.wait(interval.total_seconds())

    def _end_of_turn(self, stop: Event) -> ShouldStop:
        end = self.clock.now() + TURN
        return lambda: stop.is_set() or self.clock.now() >= end

    def _run(self, steps: Mapping[str, Step], new_turn: Callable[[], ShouldStop]) -> None:
        failures: list[Exception] = []
        for name, step in steps.items():
            try:
                step(new_turn())
            except Exception as failure:  # noqa: BLE001 - a step that fails must not keep the others from running
                failure.add_note(f"This happened in the step: {name}.")
                failures.append(failure)
        if failures:
            raise ExceptionGroup(f"{len(failures)} of {len(steps)} steps of background work failed.", failures)
