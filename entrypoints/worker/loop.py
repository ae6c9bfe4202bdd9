"""The worker loop without queues: imports, undos and upkeep, read from the database."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from entrypoints.worker.failures import Backoff, log_failures
from entrypoints.worker.importing import continue_import, continue_undo
from entrypoints.worker.turns import Turns
from entrypoints.worker.upkeep import keep_up
from entrypoints.worker.wake_ups import POLL_INTERVAL, WakeUpSource
from unite_core.application import Unite

UPKEEP_INTERVAL = 60.0


@dataclass
class Worker:
    """A loop that does due work until it is stopped; any number of workers may run in parallel.

    `holder` is the worker's name in leases. `upkeep` are further tasks by name that run once a minute.
    A failure is logged and followed by a pause; it never ends the loop.
    """

    unite: Unite
    holder: str
    waiting: WakeUpSource
    stop: Event
    upkeep: dict[str, Callable[[], object]] = field(default_factory=dict)

    def run(self) -> None:
        """Run until `stop` is set. Work in progress then ends with its current chunk."""
        turns = Turns(self.unite.imports.due, self.stop.is_set)
        backoff = Backoff()
        upkeep_at = 0.0
        while not self.stop.is_set():
            with log_failures(backoff, "looking for work"):
                worked = self._work(turns)
                if time.monotonic() >= upkeep_at:
                    self._upkeep()
                    upkeep_at = time.monotonic() + UPKEEP_INTERVAL
                backoff.succeeded()
                if worked:
                    continue
            if backoff.seconds:
                self.stop.wait(backoff.seconds)
            elif not self.stop.is_set():
                self.waiting.wait(POLL_INTERVAL)

    def _work(self, turns: Turns) -> bool:
        """Continue one import for a turn and all undos; return whether there was anything to do."""
        chosen = turns.next()
        if chosen is not None:
            continue_import(
                self.unite.imports,
                chosen,
                holder=self.holder,
                should_stop=turns.over,
                correlation_id=turns.correlation_id,
            )
        due = self.unite.imports.due()
        for import_id in due.to_undo:
            if self.stop.is_set():
                break
            continue_undo(
                self.unite.imports,
                import_id,
                should_stop=self.stop.is_set,
                correlation_id=due.correlation_ids.get(import_id),
            )
        return chosen is not None or bool(due.to_undo)

    def _upkeep(self) -> None:
        keep_up(self.unite.upkeep, self.upkeep, self.stop.is_set)
