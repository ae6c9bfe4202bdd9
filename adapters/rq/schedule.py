"""What is enqueued by the clock: jobs that recur, and jobs that failed and are tried again."""

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

LOCK = "unite:schedule"
LOCK_TTL = 10
"""Seconds after which another worker keeps the schedule, where the one that kept it has died."""


class Schedule:
    """Enqueues what recurs, and what is to be tried again; one worker at a time does, the others stand by.

    `every` tells of each function how many seconds lie between two runs. A run that nobody has begun when the next one
    is due is dropped, so that they never pile up. RQ's own cron is not used, because it writes pickles.
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
        self._every = {f"{function.__module__}.{function.__qualname__}": seconds for function, seconds in every.items()}
        self._clock = clock
        self._due: dict[str, float] = {}
        self._retried = retried
        self._retries = RQScheduler(retried, connection=redis, logging_level=logging.WARNING, serializer=JSONSerializer)

    def keep(self) -> None:
        """Enqueue what is due by now; to be called about once a second. Raises what the client of Redis raises."""
        if self._is_ours():
            self._enqueue_recurring()
        self._retries.acquire_locks()  # type: ignore[no-untyped-call]  # rq leaves it without types
        for name in self._retries.acquired_locks:
            self._drop_malformed(name)
        self._retries.enqueue_scheduled_jobs()  # type: ignore[no-untyped-call]  # rq leaves it without types

    def leave(self) -> None:
        """Have another worker keep it from now on. Raises what the client of Redis raises."""
        if self._lock.owned():
            self._lock.release()
        self._retries.release_locks()  # type: ignore[no-untyped-call]  # rq leaves it without types

    def _is_ours(self) -> bool:
        try:
            return bool(self._lock.reacquire())
        except LockError:
            return bool(self._lock.acquire(blocking=False))

    def _enqueue_recurring(self) -> None:
        for function, seconds in self._every.items():
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
        """Remove the jobs that are due to be tried again and are not of our form; RQ would stop at them."""
        key = ScheduledJobRegistry.key_template.format(queue)
        due = cast("list[bytes]", self._redis.zrangebyscore(key, 0, time.time()))
        for job_id in due:
            try:
                ValidatedJob.fetch(job_id.decode("utf-8", "replace"), connection=self._redis)
            except NoSuchJobError:
                self._redis.zrem(key, job_id)
