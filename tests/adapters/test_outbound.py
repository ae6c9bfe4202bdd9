"""Tests of the guard of outbound calls: timeouts, retries, circuit breaker, error translation and log."""

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event, Lock, Thread
from typing import Any

import pytest

from adapters.outbound import CallPolicy, CallTimeouts, OutboundGuard
from unite_core.errors import NotFound, Unavailable, UniteError
from unite_core.testing.contracts.database import run_concurrently

SECOND = timedelta(seconds=1)
POLICY = CallPolicy(
    timeouts=CallTimeouts(connect=SECOND, read=SECOND),
    attempts=3,
    failure_threshold=2,
    recovery_timeout=timedelta(seconds=30),
)
OPENED = "The service failed 2 times in a row; it is not called for 30 seconds."
CLOSED = "The service answers again."


class DriverError(Exception):
    """What the client library raises."""


class ConnectionLost(DriverError):
    """A failure that may pass in a moment."""


class TimedOut(DriverError):
    """The service did not answer in time."""


class Absent(DriverError):
    """The error of a service for a missing resource."""


class Clock:
    """The clock of the circuit breaker."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("circuitbreaker.monotonic", clock)
    return clock


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO):  # as the service logs
        yield caplog


def translate(error: DriverError) -> UniteError:
    return NotFound("There is no such thing.") if isinstance(error, Absent) else Unavailable("It does not answer.")


def a_guard(translate: Callable[[Any], UniteError] = translate, **policy: Any) -> OutboundGuard:
    return OutboundGuard(
        "The service",
        replace(POLICY, **policy),
        errors=(DriverError,),
        translate=translate,
        is_retryable=lambda error: isinstance(error, ConnectionLost),
        is_failure=lambda error: not isinstance(error, Absent),
    )


class Service:
    """A service that raises the given errors, one for each call, and then answers."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "an answer"


def fail(guard: OutboundGuard, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(Unavailable, match="does not answer"):
            guard.call(Service(TimedOut()))


class TestRetries:
    def test_a_retryable_error_is_retried_up_to_the_number_of_attempts(self) -> None:
        passing, lasting = Service(ConnectionLost(), ConnectionLost()), Service(*[ConnectionLost()] * 3)

        assert a_guard().call(passing) == "an answer"
        with pytest.raises(Unavailable):
            a_guard().call(lasting)

        assert (passing.calls, lasting.calls) == (3, 3)

    @pytest.mark.parametrize("error", [TimedOut(), Absent(), ZeroDivisionError()], ids=repr)
    def test_a_timeout_or_any_other_error_is_not_retried(self, error: Exception) -> None:
        service = Service(error)

        with pytest.raises((Unavailable, NotFound, ZeroDivisionError)):
            a_guard().call(service)

        assert service.calls == 1

    def test_a_timeout_after_a_retry_ends_the_call(self) -> None:
        service = Service(ConnectionLost(), TimedOut())

        with pytest.raises(Unavailable):
            a_guard().call(service)

        assert service.calls == 2

    def test_a_call_without_retry_is_made_once(self) -> None:
        service = Service(ConnectionLost())

        with pytest.raises(Unavailable):
            a_guard().call(service, retry=False)

        assert service.calls == 1

    def test_no_retry_starts_after_the_maximum_elapsed_time(self) -> None:
        service = Service(ConnectionLost())

        with pytest.raises(Unavailable):
            a_guard(max_elapsed=timedelta()).call(service)

        assert service.calls == 1

    def test_the_pause_before_a_retry_is_random_and_its_limit_doubles(self, monkeypatch: pytest.MonkeyPatch) -> None:
        waits: list[float] = []
        monkeypatch.setattr("backoff._sync.time.sleep", waits.append)
        monkeypatch.setattr("random.uniform", lambda shortest, longest: (shortest + longest) / 2)

        a_guard(attempts=4, retry_interval=0.5 * SECOND).call(Service(*[ConnectionLost()] * 3))

        assert waits == [0.25, 0.5, 1]

    def test_a_policy_with_one_attempt_retries_nothing(self) -> None:
        service = Service(ConnectionLost())

        with pytest.raises(Unavailable):
            a_guard(attempts=1).call(service)

        assert service.calls == 1


class TestCircuitBreaker:
    def test_it_opens_after_the_threshold_of_consecutive_failures_and_then_refuses_calls(self) -> None:
        guard, service = a_guard(), Service()

        fail(guard)
        assert guard.breaker_state == "closed"
        fail(guard)

        assert guard.breaker_state == "open"
        with pytest.raises(Unavailable) as refused:
            guard.call(service)
        assert refused.value.detail == "The service did not answer several times; try again in a moment."
        assert refused.value.__cause__ is None
        assert service.calls == 0

    def test_a_call_with_several_attempts_counts_as_one_failure(self) -> None:
        guard = a_guard()

        with pytest.raises(Unavailable):
            guard.call(Service(*[ConnectionLost()] * 3))

        assert guard.breaker_state == "closed"

    def test_a_success_between_failures_keeps_the_breaker_closed(self) -> None:
        guard = a_guard()

        for _ in range(3):
            fail(guard)
            guard.call(Service())

        assert guard.breaker_state == "closed"

    @pytest.mark.parametrize("error", [Absent(), ZeroDivisionError(), Unavailable("of our own")], ids=repr)
    def test_expected_errors_are_not_counted_as_failures(self, error: Exception) -> None:
        guard = a_guard()

        for _ in range(9):
            with pytest.raises((NotFound, ZeroDivisionError, Unavailable)):
                guard.call(Service(error))

        assert guard.breaker_state == "closed"

    def test_after_the_recovery_timeout_one_success_closes_it(self, clock: Clock) -> None:
        guard = a_guard()
        fail(guard, 2)

        clock.advance(29)
        assert guard.breaker_state == "open"
        clock.advance(1)
        assert guard.breaker_state == "half_open"
        guard.call(Service())

        assert guard.breaker_state == "closed"
        fail(guard)
        assert guard.breaker_state == "closed"

    def test_after_the_recovery_timeout_one_failure_opens_it_again(self, clock: Clock) -> None:
        guard, service = a_guard(), Service()
        fail(guard, 2)
        clock.advance(30)

        fail(guard)

        assert guard.breaker_state == "open"
        with pytest.raises(Unavailable, match="several times"):
            guard.call(service)
        assert service.calls == 0


class TestTranslation:
    def test_an_error_of_the_driver_is_the_cause_of_the_translated_one(self) -> None:
        error = TimedOut()

        with pytest.raises(Unavailable, match="does not answer") as raised:
            a_guard().call(Service(error))

        assert raised.value.__cause__ is error

    def test_an_error_is_translated_once_after_all_attempts(self) -> None:
        translated: list[DriverError] = []

        def watched(error: DriverError) -> UniteError:
            translated.append(error)
            return translate(error)

        last = ConnectionLost()
        with pytest.raises(Unavailable):
            a_guard(watched).call(Service(ConnectionLost(), ConnectionLost(), last))

        assert translated == [last]

    @pytest.mark.parametrize("error", [ZeroDivisionError(), NotFound("of our own"), KeyboardInterrupt()], ids=repr)
    def test_every_other_exception_passes_through_as_it_is(self, error: BaseException) -> None:
        with pytest.raises(type(error)) as raised:
            a_guard().call(Service(error))

        assert raised.value is error

    def test_errors_after_a_call_are_translated_without_counting_as_failures(self, logged: Any) -> None:
        guard = a_guard()
        for _ in range(9):
            with pytest.raises(Unavailable, match="does not answer"), guard.translated():
                raise TimedOut
        assert guard.breaker_state == "closed"

        fail(guard, 2)
        with guard.translated():
            pass
        with pytest.raises(NotFound), guard.translated():
            raise Absent

        assert guard.breaker_state == "open"
        assert logged.messages == [OPENED]


class TestLog:
    def test_an_outage_is_logged_once_and_so_is_its_end(self, clock: Clock, logged: pytest.LogCaptureFixture) -> None:
        guard = a_guard()
        fail(guard, 2)
        for _ in range(3):
            with pytest.raises(Unavailable, match="several times"):
                guard.call(Service())
            clock.advance(30)
            fail(guard)
        clock.advance(30)
        guard.call(Service())
        guard.call(Service())

        assert [(it.levelname, it.message) for it in logged.records] == [("WARNING", OPENED), ("INFO", CLOSED)]

    def test_every_outage_is_logged(self, clock: Clock, logged: pytest.LogCaptureFixture) -> None:
        guard = a_guard()

        for _ in range(2):
            fail(guard, 2)
            clock.advance(30)
            guard.call(Service())

        assert logged.messages == [OPENED, CLOSED] * 2

    def test_a_breaker_that_never_opened_is_not_logged(self, logged: pytest.LogCaptureFixture) -> None:
        guard = a_guard()

        fail(guard)
        guard.call(Service())

        assert logged.messages == []

    def test_an_expected_error_ends_an_outage(self, clock: Clock, logged: pytest.LogCaptureFixture) -> None:
        guard = a_guard()
        fail(guard, 2)
        clock.advance(30)

        with pytest.raises(NotFound):
            guard.call(Service(Absent()))

        assert guard.breaker_state == "closed"
        assert logged.messages == [OPENED, CLOSED]

    def test_the_log_line_of_the_translation_comes_before_that_of_the_breaker(
        self, logged: pytest.LogCaptureFixture
    ) -> None:
        def logging_translate(error: DriverError) -> UniteError:
            logging.getLogger("adapter").warning("It failed.")
            return translate(error)

        fail(a_guard(logging_translate), 2)

        assert logged.messages == ["It failed.", "It failed.", OPENED]

    def test_the_log_contains_nothing_of_errors_and_responses(self, logged: pytest.LogCaptureFixture) -> None:
        guard = a_guard(failure_threshold=1)

        with pytest.raises(Unavailable):
            guard.call(Service(ConnectionLost("redis://user:secret@host"), TimedOut("secret")))

        assert logged.messages == ["The service failed 1 times in a row; it is not called for 30 seconds."]
        assert "secret" not in logged.text


class LockOfTwo:
    """A lock that is granted only once two threads wait for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._both = Barrier(2, timeout=30)

    def __enter__(self) -> None:
        self._both.wait()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class TestThreads:
    def test_failures_of_several_threads_open_the_breaker_and_are_logged_once(
        self, logged: pytest.LogCaptureFixture
    ) -> None:
        guard = a_guard(failure_threshold=8)
        together = Barrier(8)

        def time_out() -> None:
            together.wait()
            raise TimedOut

        def call(_: int) -> str:
            with pytest.raises(Unavailable) as raised:
                guard.call(time_out)
            return raised.value.detail

        assert run_concurrently(8, call) == ["It does not answer."] * 8
        assert guard.breaker_state == "open"
        assert len(logged.messages) == 1

    def test_a_state_change_that_two_threads_notice_is_logged_once(self, logged: pytest.LogCaptureFixture) -> None:
        guard, called = a_guard(failure_threshold=1), Barrier(2)
        locks: dict[int, Any] = {os.getpid(): LockOfTwo()}
        guard._locks = locks

        def time_out() -> None:
            called.wait()
            raise TimedOut

        def call(_: int) -> None:
            with suppress(Unavailable):
                guard.call(time_out)

        run_concurrently(2, call)

        assert len(logged.messages) == 1

    def test_a_slow_call_in_one_thread_does_not_delay_others(self) -> None:
        guard, answered, begun = a_guard(), Event(), Event()

        def slow() -> bool:
            begun.set()
            return answered.wait(30)

        slow_thread = Thread(target=guard.call, args=(slow,))
        slow_thread.start()
        assert begun.wait(30)
        assert guard.call(Service()) == "an answer"
        answered.set()
        slow_thread.join()

    def test_a_success_of_a_call_that_began_before_the_breaker_opened_closes_it(
        self, logged: pytest.LogCaptureFixture
    ) -> None:
        guard = a_guard()

        def answer_late() -> str:
            fail(guard, 2)
            return "an answer"

        assert guard.call(answer_late) == "an answer"
        assert guard.breaker_state == "closed"
        assert logged.messages == [OPENED, CLOSED]


def test_a_forked_process_does_not_wait_for_a_lock_of_its_parent() -> None:
    guard = a_guard()

    with guard._lock():
        child = multiprocessing.get_context("fork").Process(target=fail, args=(guard, 2))
        child.start()
        child.join(30)
        child.kill()  # it hangs if it waits for the lock
        child.join()

    assert child.exitcode == 0
    assert guard.breaker_state == "closed"


def test_the_short_timeouts_default_to_the_normal_ones() -> None:
    short = CallTimeouts(connect=0.1 * SECOND, read=0.2 * SECOND)
    with_short = replace(POLICY, short_timeouts=short)

    assert (POLICY.timeouts_for(short=True), POLICY.timeouts_for(short=False)) == (POLICY.timeouts, POLICY.timeouts)
    assert (with_short.timeouts_for(short=True), with_short.timeouts_for(short=False)) == (short, POLICY.timeouts)
