"""Scheduler: enqueues recurring jobs, and retries of failed jobs."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from redis import Redis
from redis.exceptions import LockError
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.registry import ScheduledJobRegistry
from rq.scheduler import RQScheduler
from rq.serializers import JSONSerializer

from adapters.rq.job_format import ValidatedJob
from adapters.rq.jobs import FAILED_JOB_TTL, NO_TIMEOUT
from unite_core.jobs import job_name

LOCK = "unite:schedule"
LOCK_TTL = 10
"""Seconds after which another worker takes over, if the one that holds the lock has died."""


class Schedule:
    """Enqueues recurring jobs and retries. One worker at a time holds the lock and does it; the others stand by.

    `every` maps each recurring function to its interval in seconds. A run that has not begun when the next one is due
    is dropped, so that runs do not pile up. RQ's own cron is not used, because it writes pickles.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        queue: str,
        every: Mapping[Callable[..., None], int],
        retried: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._lock = redis.lock(LOCK, timeout=LOCK_TTL, thread_local=False)
        self._queue = Queue(queue, connection=redis, serializer=JSONSerializer)
        self._intervals = {job_name(function): seconds for function, seconds in every.items()}
        self._clock = clock
        self._due: dict[str, float] = {}
        self._retried = retried
        self._retries = RQScheduler(retried, connection=redis, logging_level=logging.WARNING, serializer=JSONSerializer)

    def keep(self) -> None:
        """Enqueue the jobs that are due; to be called about once a second. Raises the errors of the Redis client."""
        if self._holds_lock():
            self._enqueue_recurring()
        self._retries.acquire_locks()  # type: ignore[no-untyped-call]  # rq has no types for it
        for name in self._retries.acquired_locks:
            self._drop_malformed(name)
        self._retries.enqueue_scheduled_jobs()  # type: ignore[no-untyped-call]  # rq has no types for it

    def leave(self) -> None:
        """Release the locks, so that another worker takes over. Raises the errors of the Redis client."""
        if self._lock.owned():
            self._lock.release()
        self._retries.release_locks()  # type: ignore[no-untyped-call]  # rq has no types for it

    def _holds_lock(self) -> bool:
        try:
            return bool(self._lock.reacquire())
        except LockError:
            return bool(self._lock.acquire(blocking=False))

    def _enqueue_recurring(self) -> None:
        for function, seconds in self._intervals.items():
            now = self._clock()
            if now < self._due.get(function, now):
                continue
            self._queue.enqueue_call(
                function,
                ttl=seconds,
                timeout=NO_TIMEOUT,
                result_ttl=0,
                failure_ttl=FAILED_JOB_TTL,
            )
            self._due[function] = now + seconds

    def _drop_malformed(self, queue: str) -> None:
        """Remove malformed jobs from the retries that are due, because RQ would stop at them."""
        key = ScheduledJobRegistry.key_template.format(queue)
        due = cast("list[bytes]", self._redis.zrangebyscore(key, 0, time.time()))
        for job_id in due:
            try:
                ValidatedJob.fetch(job_id.decode("utf-8", "replace"), connection=self._redis)
            except NoSuchJobError:
                self._redis.zrem(key, job_id)
