"""Doing the jobs that wait in the queues."""

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

from adapters.rq.job_format import MALFORMED, JobHandler, ValidatedJob
from adapters.rq.jobs import IMPORTS, UPKEEP, queue_name
from adapters.rq.schedule import Schedule
from unite_core.errors import Unavailable

log = logging.getLogger(__name__)

POLL_INTERVAL = 1
"""Seconds that a worker waits for a job before it sees whether it is to stop."""

READ_TIMEOUT = 5
"""Seconds that Redis may take to answer a worker: longer than waiting for a job takes."""

MAINTENANCE_INTERVAL = 60
"""Seconds between two looks for jobs whose worker has died; what they were for, the sweep has found long before."""


@dataclass(frozen=True)
class RqQueues:
    """The queues of the Redis at `url`, for workers. Nothing is opened before one of its methods is called.

    `destinations` are those that events are delivered to. A job is done in the thread that calls, one after the other,
    so that it may use what the process has opened.
    """

    url: str
    destinations: Sequence[str] = ()

    def ping(self) -> None:
        """Ask for a sign of life; raises `Unavailable` where none comes."""
        with self._opened() as redis:
            redis.ping()

    def run_import_jobs(self, hand: JobHandler, stopping: Callable[[], bool]) -> None:
        """Import and undo until it is time to stop. Raises `Unavailable` as soon as Redis does not answer."""
        with self._opened() as redis:
            RqWorker([IMPORTS], redis, hand).do_jobs(stopping)

    def deliver(self, hand: JobHandler, stopping: Callable[[], bool], destination: str) -> None:
        """Tell one destination of events until it is time to stop.

        Raises `Unavailable` as soon as Redis does not answer.
        """
        with self._opened() as redis:
            RqWorker([queue_name(destination)], redis, hand).do_jobs(stopping)

    def run_upkeep_jobs(
        self, hand: JobHandler, stopping: Callable[[], bool], every: Mapping[Callable[..., None], int]
    ) -> None:
        """Do upkeep until it is time to stop, and keep the schedule.

        `every` tells of each function that recurs after how many seconds. Raises `Unavailable` as soon as Redis does
        not answer.
        """
        with self._opened() as redis:
            retried = [IMPORTS, *map(queue_name, self.destinations)]
            schedule = Schedule(redis, queue=UPKEEP, every=every, retried=retried)
            try:
                RqWorker([UPKEEP], redis, hand).do_jobs(stopping, schedule.keep)
            finally:
                with suppress(RedisError):  # then another takes it when the lock has run out
                    schedule.leave()

    @contextmanager
    def _opened(self) -> Iterator[Redis]:
        try:
            with Redis.from_url(
                self.url,
                socket_connect_timeout=READ_TIMEOUT,
                socket_timeout=READ_TIMEOUT,
                retry=Retry(NoBackoff(), 0),  # to take a job from a queue twice would lose one
                maint_notifications_config=MaintNotificationsConfig(enabled=False),
            ) as redis:
                yield redis
        except RedisError as error:
            raise Unavailable("Redis does not answer as it should.") from error


class RqWorker(SimpleWorker):
    """Does jobs in its own thread and process, with a loop that ends where Redis does not answer.

    It never calls `work`, and so does not listen for RQ's commands: nobody stops it by way of Redis.
    """

    job_class: type[Job] = ValidatedJob
    # Jobs have no timeout; the usual way of keeping one is for the main thread alone.
    death_penalty_class: type[BaseDeathPenalty] = TimerDeathPenalty
    log_result_lifespan = False
    dequeue_timeout = POLL_INTERVAL
    connection_timeout = READ_TIMEOUT

    def __init__(self, queues: Sequence[str], redis: Redis, hand: JobHandler) -> None:
        super().__init__(
            queues,
            connection=redis,
            maintenance_interval=MAINTENANCE_INTERVAL,
            log_job_description=False,
            serializer=JSONSerializer,
        )
        self._hand = hand

    def do_jobs(self, stopping: Callable[[], bool], beside: Callable[[], None] = lambda: None) -> None:
        """Do jobs until it is time to stop, and about once a second what is to be done beside them.

        Raises what the client of Redis raises.
        """
        self.register_birth()  # type: ignore[no-untyped-call]  # rq leaves it without types
        try:
            while not stopping():
                beside()
                self.heartbeat()
                if self.should_run_maintenance_tasks:
                    self._maintain()
                found = self._next()
                if found is not None:
                    self.execute_job(*found)
        finally:
            with suppress(RedisError):  # then it is forgotten when its key has run out
                self.register_death()  # type: ignore[no-untyped-call]  # rq leaves it without types

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Do a job that was taken from its queue, and give the name that it waited under to the next one."""
        own = f"{job.id}-{secrets.token_hex(8)}"
        try:
            with self.connection.pipeline() as pipeline:
                pipeline.rename(job.key, Job.key_for(own))
                pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
                pipeline.execute()
        except ResponseError:  # its time ran out in this very moment; the sweep finds what it was for
            return
        job.id = own
        cast("ValidatedJob", job).hand = self._hand
        super().execute_job(job, queue)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Say calmly what is only that something is away."""
        _, error, _ = exc_info
        if isinstance(error, Unavailable):
            self.log.warning("Something does not answer in the job %s: %s", job.func_name, error.detail)
        else:
            super().handle_exception(job, *exc_info)

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
            log.warning("Something in a queue is no job: it is skipped.", extra={"reason": type(error).__name__})
            return None

    def _maintain(self) -> None:
        """Look for jobs whose worker has died, whatever else lies where they are looked for."""
        try:
            self.run_maintenance_tasks()  # type: ignore[no-untyped-call]  # rq leaves it without types
        except MALFORMED as error:
            self.last_cleaned_at = now()  # type: ignore[assignment]  # rq's own type says that it is never set
            log.warning("RQ's lists hold something that is no job.", extra={"reason": type(error).__name__})
