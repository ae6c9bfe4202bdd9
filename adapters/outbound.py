"""Calls to other services: timeouts, retries, circuit breaker, error translation and log, alike for every service."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import backoff
from circuitbreaker import CircuitBreaker  # type: ignore[import-untyped]  # the package ships no types

from unite_core.errors import Unavailable, UniteError

__all__ = ["CallPolicy", "CallTimeouts", "OutboundGuard"]

T = TypeVar("T")

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTimeouts:
    """The longest time to connect to a service, and then to wait for its answer."""

    connect: timedelta
    read: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """The limits of calls to one service.

    The client library enforces `timeouts`, and `short_timeouts` for health checks and where a client waits.

    A call is made up to `attempts` times, and not again after `max_elapsed`. The wait between two attempts is random,
    between zero and `retry_interval`, which doubles after each attempt.

    After `failure_threshold` failed calls in a row the circuit breaker opens: for `recovery_timeout` every call fails
    at once. The first call after that decides whether it closes, or opens again.
    """

    timeouts: CallTimeouts
    short_timeouts: CallTimeouts | None = None
    attempts: int = 1
    retry_interval: timedelta = timedelta()
    max_elapsed: timedelta | None = None
    failure_threshold: int = 5
    recovery_timeout: timedelta = timedelta(seconds=30)

    def timeouts_for(self, *, short: bool) -> CallTimeouts:
        """Return the short timeouts if `short` and the policy has them, otherwise the normal ones."""
        return self.short_timeouts if short and self.short_timeouts is not None else self.timeouts


def _never(_: Exception) -> bool:
    return False


def _always(_: Exception) -> bool:
    return True


class OutboundGuard:
    """The retries, the circuit breaker and the error translation for calls to one service. Threads may share it.

    `name` is the subject of error details and log lines ("Redis", "The file storage"). `errors` are the exceptions of
    the client library, and `translate` returns the error of the core for one of them. `is_retryable` says which of them
    may pass in a moment; a timeout is not one of them, as another attempt would take as long again. `is_failure` says
    which of them count for the circuit breaker. All other exceptions pass through as they are.
    """

    def __init__(
        self,
        name: str,
        policy: CallPolicy,
        *,
        errors: tuple[type[Exception], ...],
        translate: Callable[[Any], UniteError],
        is_retryable: Callable[[Exception], bool] = _never,
        is_failure: Callable[[Exception], bool] = _always,
    ) -> None:
        self._name = name
        self._policy = policy
        self._errors = errors
        self._translate = translate
        self._breaker = CircuitBreaker(
            failure_threshold=policy.failure_threshold,
            recovery_timeout=policy.recovery_timeout.total_seconds(),
            expected_exception=lambda _, error: isinstance(error, errors) and is_failure(error),
        )
        self._attempt_with_retries = backoff.on_exception(
            backoff.expo,
            errors,
            max_tries=policy.attempts,
            max_time=None if policy.max_elapsed is None else policy.max_elapsed.total_seconds(),
            giveup=lambda error: not is_retryable(error),
            factor=policy.retry_interval.total_seconds(),
            jitter=backoff.full_jitter,
            logger=None,
        )(_attempt)
        self._logged_open = False
        # One lock per process id, because another thread might hold the lock at the moment of a fork.
        self._locks: dict[int, threading.Lock] = {}

    @property
    def breaker_state(self) -> str:
        """The breaker: `closed` while calls are made, `open` while none is, `half_open` when the next one decides."""
        return str(self._breaker.state)

    def call(self, function: Callable[[], T], *, retry: bool = True) -> T:
        """Call the function, and return its result.

        It may be called several times, but only once without `retry`. Raises the translated error, and `Unavailable` at
        once while the breaker is open.
        """
        if self._breaker.opened:
            raise Unavailable(f"{self._name} did not answer several times; try again in a moment.")
        attempt = self._attempt_with_retries if retry else _attempt
        with self._breaker_changes_logged(), self.translated(), self._breaker:
            return attempt(function)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise the same errors as `call`, without retries and breaker: for what follows after a call was answered."""
        try:
            yield
        except self._errors as error:
            raise self._translate(error) from error

    @contextmanager
    def _breaker_changes_logged(self) -> Iterator[None]:
        """Log when the breaker opens, and when it closes again; a failure while it is half open is not logged again."""
        try:
            yield
        finally:
            if self._breaker.closed == self._logged_open:
                self._log_change()

    def _log_change(self) -> None:
        with self._lock():
            closed = self._breaker.closed
            if closed != self._logged_open:
                return  # another thread has logged it meanwhile
            self._logged_open = not closed
            if closed:
                log.info("%s answers again.", self._name)
                return
            failures, pause = self._policy.failure_threshold, self._policy.recovery_timeout.total_seconds()
            log.warning("%s failed %d times in a row; it is not called for %g seconds.", self._name, failures, pause)

    def _lock(self) -> threading.Lock:
        return self._locks.setdefault(os.getpid(), threading.Lock())


def _attempt(function: Callable[[], T]) -> T:
    return function()
