"""The jobs of the queues: each calls one use case with ids only, and is safe to run twice.

A job lets its errors pass: the queue that runs it logs them and runs it again.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from entrypoints import error_tracking
from entrypoints.correlation import correlation_scope
from entrypoints.dead_letters import log_dead_letter
from entrypoints.tracing import JobTracing, UntracedJobs
from entrypoints.worker import upkeep
from entrypoints.worker.import_runs import continue_import, continue_undo
from entrypoints.worker.time_slices import TIME_SLICE, TimeSlice
from unite_core.application import Unite
from unite_core.imports.queries import ImportsToContinue
from unite_core.jobs import Jobs, job_name

MAX_TURN_SECONDS = 120.0
"""Seconds after which an import goes to the end of the queue even if no other import is known to wait.

RQ would consider the worker of a longer job dead.
"""

MAX_LOGGED_LENGTH = 100
"""Characters of a job name from Redis that are logged."""

SWEEP_INTERVAL = 5
"""Seconds between two sweeps for work without a wake-up; queues in the worker's process sweep every second."""

FOLDING_INTERVAL = 2
"""Seconds between two runs; a report adds the entries that are not folded yet by itself."""

MISSED_CALLS_INTERVAL = 5

SUMMARY_INTERVAL = 15
"""Seconds between two runs; a summary at 23:59 can be created for only one minute."""

UPKEEP_INTERVAL = 60

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class JobContext:
    """The context of a job: the application and the worker that runs the job.

    `jobs` enqueues into the queues that the job comes from; `holder` is the worker's name in leases; `stopping` returns
    whether the worker has to stop. Each job runs in a span of `tracing`.
    """

    unite: Unite
    jobs: Jobs
    holder: str
    stopping: Callable[[], bool]
    tracing: JobTracing = field(default_factory=UntracedJobs)
    clock: Callable[[], float] = time.monotonic

    def __call__(
        self, function: str, *arguments: str, correlation_id: str | None, traceparent: str | None = None
    ) -> None:
        """Run the job with the name `function`.

        A job that is not in `JOBS`, or that has invalid arguments, is logged and dropped: anybody with access to Redis
        can write there, and the database has all pending work anyway.
        """
        with correlation_scope(correlation_id):
            job = JOBS.get(function)
            if job is None or not job.accepts(self, arguments):
                log.warning("An unknown job is dropped.", extra={"job": function[:MAX_LOGGED_LENGTH]})
                return
            with (
                self.tracing.job(function, arguments, traceparent, begins_trace=job.begins_trace),
                error_tracking.retried(function.rpartition(".")[2], *arguments),
            ):
                job.do(self, *arguments)


def run_import(context: JobContext, import_id: str) -> None:
    """Continue an import for one turn; if it has not ended, enqueue it again."""
    time_slice = TimeSlice(context.unite.imports.due, context.stopping, context.clock)
    latest = context.clock() + MAX_TURN_SECONDS
    status = continue_import(
        context.unite.imports,
        UUID(import_id),
        holder=context.holder,
        should_stop=lambda: time_slice.is_over() or context.clock() >= latest,
    )
    if status is not None and not status.ended:
        context.jobs.run_import(UUID(import_id))


def undo_import(context: JobContext, import_id: str) -> None:
    """Continue an undo to its end; if the worker has to stop, the sweep enqueues it again."""
    continue_undo(context.unite.imports, UUID(import_id), should_stop=context.stopping)


def relay(context: JobContext, destination: str) -> None:
    """Deliver events to one destination for one turn; enqueue the job again if events are left."""
    latest = context.clock() + TIME_SLICE

    def over() -> bool:
        return context.stopping() or context.clock() >= latest

    context.unite.notifications.relay(destination, should_stop=over, on_dead=log_dead_letter)
    if over():
        # The events left have traces of their own. With a span of this job the next ones would follow for ever.
        with context.tracing.following(None):
            context.jobs.deliver_events([destination])


def sweep(context: JobContext) -> None:
    """Enqueue pending work that has no job."""
    context.jobs.deliver_events()
    due = context.unite.imports.due()
    for import_id in due.to_import:
        with _as_in_request(context, due, import_id):
            context.jobs.run_import(import_id)
    for import_id in due.to_undo:
        with _as_in_request(context, due, import_id):
            context.jobs.undo_import(import_id)


@contextmanager
def _as_in_request(context: JobContext, due: ImportsToContinue, import_id: UUID) -> Iterator[None]:
    """Have what is enqueued in the block follow from the request that made the import due."""
    with (
        correlation_scope(due.correlation_ids.get(import_id)),
        context.tracing.following(due.traceparents.get(import_id)),
    ):
        yield


def mark_missed(context: JobContext) -> None:
    """Mark missed calls. If it fails, the next run marks the rest."""
    missed = context.unite.upkeep.mark_missed(should_stop=context.stopping)
    if missed:
        log.info("Calls that were not made in time: %s.", missed)


def fold_entries(context: JobContext) -> None:
    """Fold entries of the call ledger into the rollups. If it fails, the next run folds the rest."""
    context.unite.reports.fold(should_stop=context.stopping)


def make_summaries(context: JobContext) -> None:
    """Create the daily summaries that are due. If it fails, the next run creates the rest."""
    made = context.unite.upkeep.create_daily_summaries(should_stop=context.stopping)
    if made:
        log.info("Daily summaries made: %s.", made)


def keep_up(context: JobContext) -> None:
    """Delete expired and abandoned data."""
    upkeep.keep_up(context.unite.upkeep, context.stopping)


def _is_id(_context: JobContext, argument: str) -> bool:
    try:
        return str(UUID(argument)) == argument
    except ValueError:
        return False


def _is_destination(context: JobContext, argument: str) -> bool:
    return argument in context.unite.notifications.destinations


@dataclass(frozen=True)
class Job:
    """A job of a worker, and a check for each of its arguments.

    A job that `begins_trace` is traced even if nothing traced enqueued it. A recurring job is not: every few seconds it
    finds that there is nothing to do. What it finds to deliver has traces of its own.
    """

    do: Callable[..., None]
    checks: tuple[Callable[[JobContext, str], bool], ...] = ()
    begins_trace: bool = False

    def accepts(self, context: JobContext, arguments: tuple[str, ...]) -> bool:
        """Return whether the arguments are valid for the job."""
        return len(arguments) == len(self.checks) and all(
            check(context, argument) for check, argument in zip(self.checks, arguments, strict=True)
        )


JOBS: Mapping[str, Job] = {
    job_name(job.do): job
    for job in (
        Job(run_import, (_is_id,), begins_trace=True),
        Job(undo_import, (_is_id,), begins_trace=True),
        Job(relay, (_is_destination,)),
        Job(sweep),
        Job(mark_missed),
        Job(fold_entries),
        Job(make_summaries),
        Job(keep_up),
    )
}
"""All jobs by their names in the queues."""

JOB_INTERVALS: Mapping[Callable[..., None], int] = {
    sweep: SWEEP_INTERVAL,
    mark_missed: MISSED_CALLS_INTERVAL,
    fold_entries: FOLDING_INTERVAL,
    make_summaries: SUMMARY_INTERVAL,
    keep_up: UPKEEP_INTERVAL,
}
"""The scheduled jobs, and the seconds between two runs of each."""
