"""What the jobs in the queues do: one use case each, told by ids alone, and safe to run twice."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from entrypoints.correlation import correlated
from entrypoints.dead_letters import log_dead_letter
from entrypoints.worker import folding, summaries, upkeep
from entrypoints.worker.importing import continue_import, continue_undo
from entrypoints.worker.missed import MISSED_CALLS_INTERVAL, mark_missed
from entrypoints.worker.turns import TURN, Turns
from unite_core.application import Unite
from unite_core.jobs import Jobs

MAX_TURN_SECONDS = 120.0
"""Seconds after which an import goes to the end of the line even where nobody is seen to wait.

A job that is silent for longer looks to RQ as if its worker had died.
"""

MAX_LOGGED_LENGTH = 100
"""Characters of a name from Redis that the log shows."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What a job works with, handed to it by its worker.

    `holder` names the worker in the leases that it takes; `stopping` tells whether it is to stop; `further` are things
    to do once a minute beside the upkeep of `unite`, by name.
    """

    unite: Unite
    jobs: Jobs
    holder: str
    stopping: Callable[[], bool]
    further: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic

    def __call__(self, function: str, *about: str, correlation_id: str | None) -> None:
        """Carry the job out that is named `function`.

        One that is not in `JOBS`, or is about something that no such job is about, is dropped with a line in the log:
        anybody with access to Redis can write there, and what there is to do stands in the database anyway.
        """
        with correlated(correlation_id):
            job = JOBS.get(function)
            if job is None or not job.is_about(self, about):
                log.warning("A job that nobody here asks for is dropped.", extra={"job": function[:MAX_LOGGED_LENGTH]})
                return
            job.do(self, *about)


def run_import(desk: Desk, import_id: str) -> None:
    """Give an import a turn; one that has not ended goes to the end of the line."""
    wanted = UUID(import_id)
    turns = Turns(desk.unite.imports.due, desk.stopping, desk.clock)
    turns.begin()
    latest = desk.clock() + MAX_TURN_SECONDS
    status = continue_import(
        desk.unite.imports, wanted, holder=desk.holder, should_stop=lambda: turns.over() or desk.clock() >= latest
    )
    if status is not None and not status.ended:
        desk.jobs.run_import(wanted)


def undo_import(desk: Desk, import_id: str) -> None:
    """Go on with an undoing to its end; the sweep finds what is left where the worker has to stop."""
    continue_undo(desk.unite.imports, UUID(import_id), should_stop=desk.stopping)


def relay(desk: Desk, destination: str) -> None:
    """Tell one destination of events, for a turn; what is left then waits behind the others."""
    latest = desk.clock() + TURN

    def over() -> bool:
        return desk.stopping() or desk.clock() >= latest

    desk.unite.notifications.relay(destination, should_stop=over, on_dead=log_dead_letter)
    if over():
        desk.jobs.deliver_events([destination])


def sweep(desk: Desk) -> None:
    """Enqueue what is to be done and nobody was woken for, and mark the calls that were missed."""
    due = desk.unite.imports.due()
    for import_id in due.to_import:
        with correlated(due.correlation_ids.get(import_id)):
            desk.jobs.run_import(import_id)
    for import_id in due.to_undo:
        with correlated(due.correlation_ids.get(import_id)):
            desk.jobs.undo_import(import_id)
    desk.jobs.deliver_events()
    mark_missed(desk.unite.upkeep.mark_missed, desk.stopping)


def fold_entries(desk: Desk) -> None:
    """Fold entries of the call ledger into what reports read."""
    folding.fold_entries(desk.unite.reports.fold, desk.stopping)


def make_summaries(desk: Desk) -> None:
    """Make the daily summaries whose local time has come."""
    summaries.make_summaries(desk.unite.upkeep.make_daily_summaries, desk.stopping)


def keep_up(desk: Desk) -> None:
    """Clear away what has run out or was given up."""
    upkeep.keep_up(desk.unite.upkeep, desk.further, desk.stopping)


def _an_id(_desk: Desk, about: str) -> bool:
    try:
        return str(UUID(about)) == about
    except ValueError:
        return False


def _a_destination(desk: Desk, about: str) -> bool:
    return about in desk.unite.notifications.destinations


@dataclass(frozen=True)
class Job:
    """A job that a worker carries out, and for each of its arguments what that has to be."""

    do: Callable[..., None]
    arguments: tuple[Callable[[Desk, str], bool], ...] = ()

    def is_about(self, desk: Desk, about: tuple[str, ...]) -> bool:
        """Whether the job can be about this."""
        return len(about) == len(self.arguments) and all(
            check(desk, each) for check, each in zip(self.arguments, about, strict=True)
        )


JOBS: Mapping[str, Job] = {
    f"{job.do.__module__}.{job.do.__qualname__}": job
    for job in (
        Job(run_import, (_an_id,)),
        Job(undo_import, (_an_id,)),
        Job(relay, (_a_destination,)),
        Job(sweep),
        Job(fold_entries),
        Job(make_summaries),
        Job(keep_up),
    )
}
"""All jobs that there are, by the names that they have in the queues."""

EVERY: Mapping[Callable[..., None], int] = {
    sweep: MISSED_CALLS_INTERVAL,
    fold_entries: folding.FOLDING_INTERVAL,
    make_summaries: summaries.SUMMARY_INTERVAL,
    keep_up: 60,
}
"""The seconds between two runs of the jobs that recur."""
