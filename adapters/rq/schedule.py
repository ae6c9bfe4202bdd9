"""What is enqueued by the clock: jobs that recur, and jobs that failed and are tried again."""

import logging
from collections.abc import Callable, Mapping, Sequence

from redis import Redis
from redis.exceptions import LockError
from rq.cron import CronScheduler
from rq.scheduler import RQScheduler

from adapters.rq.jobs import FAILURE_KEPT_FOR, NO_TIMEOUT

LOCK = "unite:schedule"
LOCK_HELD_FOR = 10
"""Seconds after which another worker keeps the schedule, where the one that kept it has died."""


class Schedule:
    """RQ's own cron, kept by one worker at a time; the others stand by.

    `every` tells of each function how many seconds lie between two runs. A run that nobody has begun when the next one
    is due is dropped, so that they never pile up.
    """

    def __init__(
        self, redis: Redis, *, queue: str, every: Mapping[Callable[..., None], int], retried: Sequence[str]
    ) -> None:
        self._lock = redis.lock(LOCK, timeout=LOCK_HELD_FOR, thread_local=False)
        self._cron = CronScheduler(connection=redis, logging_level=logging.WARNING)
        for function, seconds in every.items():
            self._cron.register(
                function,
                queue,
                interval=seconds,
                ttl=seconds,
                job_timeout=NO_TIMEOUT,
                result_ttl=0,
                failure_ttl=FAILURE_KEPT_FOR,
            )
        self._retries = RQScheduler(retried, connection=redis, logging_level=logging.WARNING)

    def keep(self) -> None:
        """Enqueue what is due by now; to be called about once a second. Raises what the client of Redis raises."""
        if self._is_ours():
            if self._cron.enqueue_jobs():
                self._cron.save()
            self._cron.heartbeat()
        self._retries.acquire_locks()  # type: ignore[no-untyped-call]  # rq leaves it without types
        self._retries.enqueue_scheduled_jobs()  # type: ignore[no-untyped-call]  # rq leaves it without types

    def leave(self) -> None:
        """Have another worker keep it from now on. Raises what the client of Redis raises."""
        if self._lock.owned():
            self._lock.release()
        self._cron.register_death()
        self._retries.release_locks()  # type: ignore[no-untyped-call]  # rq leaves it without types

    def _is_ours(self) -> bool:
        try:
            return bool(self._lock.reacquire())
        except LockError:
            return bool(self._lock.acquire(blocking=False))
