"""Tests of a worker whose queues become unavailable: it uses its fallback until they are back."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Event
from typing import Any

import pytest

from entrypoints.worker.jobs import JOB_INTERVALS, JobContext, fold_entries, keep_up, make_summaries, mark_missed, sweep
from entrypoints.worker.worker import Queues, Worker
from unite_core.application import build
from unite_core.errors import Unavailable
from unite_core.jobs import JobHandler, Jobs
from unite_core.notifications.model import ACTIVITY, TEXTS, TOPIC
from unite_core.testing.in_memory import InMemoryJobs, in_memory_ports


class Script:
    """Queues with a script of the results of running their jobs, one after the other."""

    def __init__(
        self,
        *,
        imports: Sequence[Exception] = (),
        upkeep: Sequence[Exception] = (),
        topic: Sequence[Exception] = (),
        pings: Sequence[Exception | None] = (),
    ) -> None:
        self._imports = iter(imports)
        self._upkeep = iter(upkeep)
        self._topic = iter(topic)
        self._pings = iter(pings)
        self.jobs: Jobs = InMemoryJobs()
        self.every: list[Mapping[Callable[..., None], int]] = []
        self.delivered: list[str] = []
        self.contexts: list[JobContext] = []

    def ping(self) -> None:
        error = next(self._pings, None)
        if error is not None:
            raise error

    def run_import_jobs(self, handler: JobHandler, stopping: Callable[[], bool]) -> None:
        self._run(self._imports, handler, stopping)

    def run_delivery_jobs(self, handler: JobHandler, stopping: Callable[[], bool], destination: str) -> None:
        self.delivered.append(destination)
        self._run(self._topic if destination == TOPIC else iter(()), handler, stopping)

    def run_upkeep_jobs(
        self, handler: JobHandler, stopping: Callable[[], bool], every: Mapping[Callable[..., None], int]
    ) -> None:
        self.every.append(every)
        self._run(self._upkeep, handler, stopping)

    def _run(self, errors: Iterator[Exception], handler: JobHandler, stopping: Callable[[], bool]) -> None:
        assert isinstance(handler, JobContext)
        self.contexts.append(handler)
        error = next(errors, None)
        if error is not None:
            raise error
        self.wait(stopping)
        assert handler.stopping()

    def wait(self, stopping: Callable[[], bool]) -> None:
        pause = Event()
        while not stopping():
            pause.wait(0.01)


class Fallback(Script):
    """Queues that are run until the others are back; the last time, the worker is stopped."""

    def __init__(self, stop: Event, times: int, **errors: Any) -> None:
        super().__init__(**errors)
        self._stop = stop
        self._times = times

    def wait(self, stopping: Callable[[], bool]) -> None:
        if len(self.every) >= self._times:
            self._stop.set()
        super().wait(stopping)


@pytest.fixture
def stop() -> Event:
    return Event()


def work(queues: Queues, stop: Event, fallback: Queues | None = None) -> None:
    Worker(unite=build(in_memory_ports()), queues=queues, holder="me", stop=stop, fallback=fallback).run()


UNAVAILABLE = Unavailable("Redis does not answer.")


@pytest.mark.parametrize(
    "lost",
    [
        {"imports": [UNAVAILABLE, UNAVAILABLE]},
        {"upkeep": [UNAVAILABLE, UNAVAILABLE]},
        {"topic": [UNAVAILABLE, UNAVAILABLE]},
        {"imports": [UNAVAILABLE, UNAVAILABLE], "upkeep": [UNAVAILABLE], "topic": [UNAVAILABLE]},
        {"imports": [ZeroDivisionError("no idea"), UNAVAILABLE]},
    ],
)
def test_when_a_thread_loses_the_queues_the_worker_runs_the_fallback_and_returns_later(
    stop: Event, caplog: pytest.LogCaptureFixture, lost: dict[str, list[Exception]]
) -> None:
    queues = Script(**lost, pings=[UNAVAILABLE, ZeroDivisionError("no idea"), None])
    fallback = Fallback(stop, times=2)

    with caplog.at_level(logging.INFO):
        work(queues, stop, fallback)

    assert len(fallback.every) == 2
    lines = [record.getMessage() for record in caplog.records]
    assert lines.count("Redis does not answer: the worker looks into the database itself.") == 2
    assert lines.count("Redis is back: the worker takes jobs from the queues again.") == 1


def test_a_failing_fallback_is_restarted_and_recovery_is_not_logged(
    stop: Event, caplog: pytest.LogCaptureFixture
) -> None:
    queues = Script(imports=[UNAVAILABLE], pings=[UNAVAILABLE] * 1000)
    fallback = Fallback(stop, times=2, upkeep=[ZeroDivisionError("no idea")])

    with caplog.at_level(logging.INFO):
        work(queues, stop, fallback)

    assert len(fallback.every) == 2
    assert "ZeroDivisionError: no idea" in caplog.text
    assert "Redis is back" not in caplog.text


def test_without_a_fallback_the_queues_are_restarted(stop: Event, caplog: pytest.LogCaptureFixture) -> None:
    queues = Fallback(stop, times=2, imports=[ZeroDivisionError("no idea")])

    work(queues, stop)

    assert len(queues.every) == 2
    assert "ZeroDivisionError: no idea" in caplog.text


def test_a_worker_that_is_stopped_before_its_start_runs_nothing(stop: Event) -> None:
    queues = Script()
    fallback = Fallback(stop, times=1)
    stop.set()

    work(queues, stop, fallback)

    assert (queues.every, fallback.every) == ([], [])


def test_the_sweep_and_the_upkeep_recur_in_the_queues_and_in_the_fallback(stop: Event) -> None:
    queues = Script(imports=[UNAVAILABLE])
    fallback = Fallback(stop, times=1)

    work(queues, stop, fallback)

    assert (queues.every, fallback.every) == ([JOB_INTERVALS], [JOB_INTERVALS])
    assert set(JOB_INTERVALS) == {sweep, mark_missed, fold_entries, make_summaries, keep_up}


def test_jobs_enqueue_further_jobs_in_their_own_queues(stop: Event) -> None:
    queues = Script(imports=[UNAVAILABLE])
    fallback = Fallback(stop, times=1)

    work(queues, stop, fallback)

    assert all(context.jobs is queues.jobs for context in queues.contexts)
    assert all(context.jobs is fallback.jobs for context in fallback.contexts)
    assert queues.contexts
    assert fallback.contexts


def test_every_destination_has_its_own_thread_in_the_queues_and_in_the_fallback(stop: Event) -> None:
    queues = Script(imports=[UNAVAILABLE])
    fallback = Fallback(stop, times=1)

    work(queues, stop, fallback)

    assert sorted(queues.delivered) == sorted(fallback.delivered) == sorted([ACTIVITY, TOPIC, TEXTS])
