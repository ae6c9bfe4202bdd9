"""Tests of the guard of outbound calls in any order of calls, against a model of retries and circuit breaker."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from adapters.outbound import CallPolicy, CallTimeouts, OutboundGuard
from unite_core.errors import NotFound, Unavailable, UniteError

ATTEMPTS, FAILURE_THRESHOLD, RECOVERY_SECONDS = 3, 3, 30
ANSWER = "an answer"
LOG = logging.getLogger("adapters.outbound")


class DriverError(Exception):
    """What the client library raises."""


class Lost(DriverError):
    """It is retryable."""


class TimedOut(DriverError):
    """It is a failure, and not retryable."""


class Absent(DriverError):
    """It is no failure."""


class Bug(Exception):
    """It is no error of the client library."""


OUTCOMES = {Lost: Unavailable, TimedOut: Unavailable, Absent: NotFound, Bug: Bug, None: None}
"""What an attempt raises, and what a call raises that ends with it; None is an answer."""


def translate(error: DriverError) -> UniteError:
    return NotFound("absent") if isinstance(error, Absent) else Unavailable("failed")


class Lines(logging.Handler):
    """The levels of what was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.levels: list[int] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.levels.append(record.levelno)


class GuardedCalls(RuleBasedStateMachine):
    """Calls through one guard, whose breaker has the clock of the model."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.patches = pytest.MonkeyPatch()
        self.patches.setattr("circuitbreaker.monotonic", lambda: self.now)
        self.lines = Lines()
        LOG.addHandler(self.lines)
        LOG.setLevel(logging.INFO)
        second = timedelta(seconds=1)
        self.guard = OutboundGuard(
            "The service",
            CallPolicy(
                timeouts=CallTimeouts(connect=second, read=second),
                attempts=ATTEMPTS,
                failure_threshold=FAILURE_THRESHOLD,
                recovery_timeout=RECOVERY_SECONDS * second,
            ),
            errors=(DriverError,),
            translate=translate,
            is_retryable=lambda error: isinstance(error, Lost),
            is_failure=lambda error: not isinstance(error, Absent),
        )
        self.failures = 0
        self.failed_at = 0.0
        self.expected_levels: list[int] = []

    def teardown(self) -> None:
        self.patches.undo()
        LOG.removeHandler(self.lines)
        LOG.setLevel(logging.NOTSET)

    @property
    def expected_state(self) -> str:
        if self.failures < FAILURE_THRESHOLD:
            return "closed"
        return "open" if self.now < self.failed_at + RECOVERY_SECONDS else "half_open"

    @rule(outcomes=st.lists(st.sampled_from([*OUTCOMES]), min_size=ATTEMPTS, max_size=ATTEMPTS), retry=st.booleans())
    def call(self, outcomes: list[Any], retry: bool) -> None:
        attempts = 0

        def function() -> str:
            nonlocal attempts
            attempts += 1
            error = outcomes[attempts - 1]
            if error is not None:
                raise error
            return ANSWER

        expected_attempts, expected_error = self._expected(outcomes, retry)
        if expected_error is None:
            assert self.guard.call(function, retry=retry) == ANSWER
        else:
            with pytest.raises(expected_error):
                self.guard.call(function, retry=retry)

        assert attempts == expected_attempts

    @rule(seconds=st.sampled_from([1, RECOVERY_SECONDS - 1, RECOVERY_SECONDS]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def the_breaker_is_in_the_state_of_the_model(self) -> None:
        assert self.guard.breaker_state == self.expected_state

    @invariant()
    def each_outage_and_its_end_were_logged_once(self) -> None:
        assert self.lines.levels == self.expected_levels

    def _expected(self, outcomes: list[Any], retry: bool) -> tuple[int, type[Exception] | None]:
        """Return how many attempts are made and what the call raises, and change the model."""
        before = self.expected_state
        if before == "open":
            return 0, Unavailable
        attempts = 1
        while retry and outcomes[attempts - 1] is Lost and attempts < ATTEMPTS:
            attempts += 1
        last = outcomes[attempts - 1]
        if last in (Lost, TimedOut):
            self.failures, self.failed_at = self.failures + 1, self.now
            if before == "closed" and self.failures == FAILURE_THRESHOLD:
                self.expected_levels.append(logging.WARNING)
        else:
            self.failures = 0
            if before == "half_open":
                self.expected_levels.append(logging.INFO)
        return attempts, OUTCOMES[last]


TestGuardedCalls = GuardedCalls.TestCase
