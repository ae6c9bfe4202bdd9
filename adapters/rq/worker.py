"""RQ worker: takes jobs from the queues and executes them."""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.exceptions import DequeueTimeout
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty, TimerDeathPenalty
from rq.utils import now

from adapters.rq.job_format import MALFORMED, ValidatedJob
from adapters.rq.jobs import IMPORTS, UPKEEP, RqJobs, queue_name
from adapters.rq.schedule import Schedule
from unite_core.errors import Unavailable
from unite_core.jobs import JobHandler

log = logging.getLogger(__name__)

POLL_INTERVAL = 1
"""Seconds that a worker waits for a job before it checks whether it has to stop."""

READ_TIMEOUT = 5
"""Timeout in seconds for answers of Redis; longer than the wait for a job."""

MAINTENANCE_INTERVAL = 60
"""Seconds between two searches for jobs whose worker has died. The sweep finds their work long before that."""


@dataclass(frozen=True)
class RqQueues:
    """The queues in the Redis at `url`, for workers. Nothing is opened before one of its methods is called.

    `jobs` enqueues into the same queues. Jobs are executed one after the other in the calling thread, so that they can
    use the open connections of the process.
    """

    url: str
    jobs: RqJobs

    def ping(self) -> None:
        """Check that Redis answers; raise `Unavailable`."""
        with self._opened() as redis:
            redis.ping()

    def run_import_jobs(self, handler: JobHandler, stopping: Callable[[], bool]) -> None:
        """Run and undo imports until `stopping` returns True. Raises `Unavailable` as soon as Redis does not answer."""
        with self._opened() as redis:
            RqWorker([IMPORTS], redis, handler).do_jobs(stopping)

    def run_delivery_jobs(self, handler: JobHandler, stopping: Callable[[], bool], destination: str) -> None:
        """Deliver events to one destination until `stopping` returns True.

        Raises `Unavailable` as soon as Redis does not answer.
        """
        with self._opened() as redis:
            RqWorker([queue_name(destination)], redis, handler).do_jobs(stopping)

    def run_upkeep_jobs(
        self, handler: JobHandler, stopping: Callable[[], bool], every: Mapping[Callable[..., None], int]
    ) -> None:
        """Do upkeep jobs and run the scheduler until `stopping` returns True.

        `every` maps each recurring function to its interval in seconds. Raises `Unavailable` as soon as Redis does not
        answer.
        """
        with self._opened() as redis:
            retried = [IMPORTS, *map(queue_name, self.jobs.destinations)]
            schedule = Schedule(redis, queue=UPKEEP, every=every, retried=retried)
            try:
                RqWorker([UPKEEP], redis, handler).do_jobs(stopping, schedule.keep)
            finally:
                with suppress(RedisError):  # another worker takes over when the lock has expired
                    schedule.leave()

    @contextmanager
    def _opened(self) -> Iterator[Redis]:
        try:
            with Redis.from_url(
                self.url,
                socket_connect_timeout=READ_TIMEOUT,
                socket_timeout=READ_TIMEOUT,
                retry=Retry(NoBackoff(), 0),  # a retried command could take two jobs from a queue and lose one
                maint_notifications_config=MaintNotificationsConfig(enabled=False),
            ) as redis:
                yield redis
        except RedisError as error:
            raise Unavailable("Redis does not answer as it should.") from error


class RqWorker(SimpleWorker):
    """An RQ worker that executes jobs in its own thread and process, and stops when Redis does not answer.

    It never calls `work`, and so does not listen for RQ's commands: nobody can stop it through Redis.
    """

    job_class: type[Job] = ValidatedJob
    # Jobs have no timeout. RQ's default class uses signals, which work only in the main thread.
    death_penalty_class: type[BaseDeathPenalty] = TimerDeathPenalty
    log_result_lifespan = False
    dequeue_timeout = POLL_INTERVAL
    connection_timeout = READ_TIMEOUT

    def __init__(self, queues: Sequence[str], redis: Redis, handler: JobHandler) -> None:
        super().__init__(
            queues,
            connection=redis,
            maintenance_interval=MAINTENANCE_INTERVAL,
            log_job_description=False,
            serializer=JSONSerializer,
        )
        self._handler = handler

    def do_jobs(self, stopping: Callable[[], bool], between_jobs: Callable[[], None] = lambda: None) -> None:
        """Execute jobs until `stopping` returns True, and call `between_jobs` about once a second.

        Raises the errors of the Redis client.
        """
        self.register_birth()  # type: ignore[no-untyped-call]  # rq has no types for it
        try:
            while not stopping():
                between_jobs()
                self.heartbeat()
                if self.should_run_maintenance_tasks:
                    self._maintain()
                job_and_queue = self._next()
                if job_and_queue is not None:
                    self.execute_job(*job_and_queue)
        finally:
            with suppress(RedisError):  # its key expires by itself
                self.register_death()  # type: ignore[no-untyped-call]  # rq has no types for it

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Execute a job that was taken from its queue, and free its id for the next job of that id."""
        new_id = f"{job.id}-{secrets.token_hex(8)}"
        try:
            with self.connection.pipeline() as pipeline:
                pipeline.rename(job.key, Job.key_for(new_id))
                pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
                pipeline.execute()
        except ResponseError:  # the job expired just before; the sweep finds its work
            return
        job.id = new_id
        cast("ValidatedJob", job).handler = self._handler
        super().execute_job(job, queue)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Log a warning without a traceback for `Unavailable`, and an error for everything else."""
        _, error, _ = exc_info
        # Each job is retried: by RQ, by the sweep, or at its next time.
        extra = {"job_id": job.id, "correlation_id": job.meta.get("correlation_id"), "retried": True}
        if isinstance(error, Unavailable):
            log.warning("A service does not answer in the job %s: %s", job.func_name, error.detail, extra=extra)
        else:
            log.error("Something unexpected happened in the job %s.", job.func_name, exc_info=error, extra=extra)

    def _next(self) -> tuple[Job, Queue] | None:
        try:
            return self.queue_class.dequeue_any(
                self.queues,
                POLL_INTERVAL,
                connection=self.connection,
                job_class=self.job_class,
                serializer=self.serializer,
                death_penalty_class=self.death_penalty_class,
            )
        except DequeueTimeout:
            return None
        except MALFORMED as error:
            log.warning("An entry in a queue is not a job: it is skipped.", extra={"reason": type(error).__name__})
            return None

    def _maintain(self) -> None:
        """Search for jobs whose worker has died; log a warning where RQ's registries hold something malformed."""
        try:
            self.run_maintenance_tasks()  # type: ignore[no-untyped-call]  # rq has no types for it
        except MALFORMED as error:
            self.last_cleaned_at = now()  # type: ignore[assignment]  # rq's own type says that it is never set
            log.warning("RQ's registries hold an entry that is not a job.", extra={"reason": type(error).__name__})
