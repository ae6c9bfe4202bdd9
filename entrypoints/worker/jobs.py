"""The jobs of the queues: each calls one use case with ids only, and is safe to run twice."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from entrypoints.correlation import correlation_scope
from entrypoints.dead_letters import log_dead_letter
from entrypoints.worker import folding, summaries, upkeep
from entrypoints.worker.importing import continue_import, continue_undo
from entrypoints.worker.missed import MISSED_CALLS_INTERVAL, mark_missed
from entrypoints.worker.turns import TURN, Turns
from unite_core.application import Unite
from unite_core.jobs import Jobs

MAX_TURN_SECONDS = 120.0
"""Seconds after which an import goes to the end of the queue even if no other import is known to wait.

RQ would consider the worker of a longer job dead.
"""

MAX_LOGGED_LENGTH = 100
"""Characters of a job name from Redis that are logged."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class JobContext:
    """The context of a job: the application and the worker that runs the job.

    `holder` is the worker's name in leases; `stopping` returns whether the worker has to stop; `further` are tasks by
    name that run once a minute in addition to the upkeep of `unite`.
    """

    unite: Unite
    jobs: Jobs
    holder: str
    stopping: Callable[[], bool]
    further: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic

    def __call__(self, function: str, *about: str, correlation_id: str | None) -> None:
        """Run the job with the name `function`.

        A job that is not in `JOBS`, or that has invalid arguments, is logged and dropped: anybody with access to Redis
        can write there, and the database has all pending work anyway.
        """
        with correlation_scope(correlation_id):
            job = JOBS.get(function)
            if job is None or not job.accepts(self, about):
                log.warning("A job that nobody here asks for is dropped.", extra={"job": function[:MAX_LOGGED_LENGTH]})
                return
            job.do(self, *about)


def run_import(context: JobContext, import_id: str) -> None:
    """Continue an import for one turn; if it has not ended, enqueue it again."""
    wanted = UUID(import_id)
    turns = Turns(context.unite.imports.due, context.stopping, context.clock)
    turns.begin()
    latest = context.clock() + MAX_TURN_SECONDS
    status = continue_import(
        context.unite.imports,
        wanted,
        holder=context.holder,
        should_stop=lambda: turns.over() or context.clock() >= latest,
    )
    if status is not None and not status.ended:
        context.jobs.run_import(wanted)


def undo_import(context: JobContext, import_id: str) -> None:
    """Continue an undo to its end; if the worker has to stop, the sweep enqueues it again."""
    continue_undo(context.unite.imports, UUID(import_id), should_stop=context.stopping)


def relay(context: JobContext, destination: str) -> None:
    """Deliver events to one destination for one turn; enqueue the job again if events are left."""
    latest = context.clock() + TURN

    def over() -> bool:
        return context.stopping() or context.clock() >= latest

    context.unite.notifications.relay(destination, should_stop=over, on_dead=log_dead_letter)
    if over():
        context.jobs.deliver_events([destination])


def sweep(context: JobContext) -> None:
    """Enqueue pending work that has no job, and mark missed calls."""
    due = context.unite.imports.due()
    for import_id in due.to_import:
        with correlation_scope(due.correlation_ids.get(import_id)):
            context.jobs.run_import(import_id)
    for import_id in due.to_undo:
        with correlation_scope(due.correlation_ids.get(import_id)):
            context.jobs.undo_import(import_id)
    context.jobs.deliver_events()
    mark_missed(context.unite.upkeep.mark_missed, context.stopping)


def fold_entries(context: JobContext) -> None:
    """Fold entries of the call ledger into the rollups for reports."""
    folding.fold_entries(context.unite.reports.fold, context.stopping)


def make_summaries(context: JobContext) -> None:
    """Create the daily summaries that are due."""
    summaries.make_summaries(context.unite.upkeep.create_daily_summaries, context.stopping)


def keep_up(context: JobContext) -> None:
    """Delete expired and abandoned data."""
    upkeep.keep_up(context.unite.upkeep, context.further, context.stopping)


def _an_id(_desk: JobContext, about: str) -> bool:
    try:
        return str(UUID(about)) == about
    except ValueError:
        return False


def _a_destination(context: JobContext, about: str) -> bool:
    return about in context.unite.notifications.destinations


@dataclass(frozen=True)
class Job:
    """A job of a worker, and a check for each of its arguments."""

    do: Callable[..., None]
    arguments: tuple[Callable[[JobContext, str], bool], ...] = ()

    def accepts(self, context: JobContext, about: tuple[str, ...]) -> bool:
        """Return whether the arguments are valid for the job."""
        return len(about) == len(self.arguments) and all(
            check(context, each) for check, each in zip(self.arguments, about, strict=True)
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
"""All jobs by their names in the queues."""

EVERY: Mapping[Callable[..., None], int] = {
    sweep: MISSED_CALLS_INTERVAL,
    fold_entries: folding.FOLDING_INTERVAL,
    make_summaries: summaries.SUMMARY_INTERVAL,
    keep_up: 60,
}
"""The scheduled jobs, and the seconds between two runs of each."""
