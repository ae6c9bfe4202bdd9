"""Tests of the job queues inside a worker: wake-ups, the sweep, and recurring jobs that do not delay each other."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Signal
from threading import Thread
from threading import enumerate as threads
from uuid import UUID

import pytest

from adapters.local.wake_up_pipe import LocalJobs
from adapters.local.worker_queues import SWEEP, LocalQueues
from entrypoints.worker.jobs import sweep
from tests.service_process import eventually
from unite_core.errors import Unavailable
from unite_core.jobs import MAX_BACKOFF, JobHandler

TIMEOUT = 30.0
ANY = UUID(int=7)


def recurring() -> None:
    """Another job beside the sweep; only its name is used."""


SWEEPS: Mapping[Callable[..., None], int] = {sweep: 3600}


@dataclass
class Counter(JobHandler):
    """Counts the jobs by their names, and then calls `then` with the name."""

    then: Callable[[str], None] = lambda _: None
    runs: dict[str, int] = field(default_factory=dict)

    def __call__(
        self,
        function: str,
        /,
        *arguments: str,  # noqa: ARG002 - they recur without
        correlation_id: str | None,  # noqa: ARG002 - the same
        traceparent: str | None,  # noqa: ARG002 - the same
    ) -> None:
        name = function.rpartition(".")[2]
        self.runs[name] = self.runs.get(name, 0) + 1
        self.then(name)


class WaitingForWakeUps:
    """The worker's end of the pipe of a folder, which waits without a timeout."""

    def __init__(self, folder: Path) -> None:
        self._pipe = LocalJobs(folder).listen()

    def wait(self, timeout: float) -> bool:  # noqa: ARG002 - it is what a test does without
        return self._pipe.wait(TIMEOUT)

    def close(self) -> None:
        self._pipe.close()


class Broken:
    """A source of wake-ups that fails."""

    def wait(self, timeout: float) -> bool:  # noqa: ARG002 - it does not come to waiting
        raise OSError("The pipe is gone.")

    def close(self) -> None:
        """Nothing is open."""


@contextmanager
def upkeep(
    queues: LocalQueues, counter: Counter, every: Mapping[Callable[..., None], int] = SWEEPS
) -> Iterator[Signal]:
    stop = Signal()
    thread = Thread(target=queues.run_upkeep_jobs, args=(counter, stop.is_set, every))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(TIMEOUT)
    assert not thread.is_alive()


def test_the_sweep_has_the_name_under_which_it_is_enqueued() -> None:
    assert f"{sweep.__module__}.{sweep.__qualname__}" == SWEEP


def test_a_wake_up_by_another_process_runs_the_sweep_at_once(tmp_path: Path) -> None:
    counter = Counter()
    others = LocalJobs(tmp_path)

    with LocalQueues(WaitingForWakeUps(tmp_path), destinations=()) as queues, upkeep(queues, counter) as stop:
        eventually(lambda: counter.runs == {"sweep": 1}, "the first sweep")
        others.run_import(ANY)
        eventually(lambda: counter.runs == {"sweep": 2}, "the sweep after an import was started")
        others.deliver_events()
        eventually(lambda: counter.runs == {"sweep": 3}, "the sweep after events were recorded")
        stop.set()
        others.wake()


def test_a_wake_up_during_the_sweep_is_not_lost(tmp_path: Path) -> None:
    begun, release = Signal(), Signal()

    def block(_: str) -> None:
        begun.set()
        assert release.wait(TIMEOUT)

    counter = Counter(block)
    others = LocalJobs(tmp_path)

    with LocalQueues(WaitingForWakeUps(tmp_path), destinations=()) as queues, upkeep(queues, counter) as stop:
        assert begun.wait(TIMEOUT)
        others.wake()
        release.set()
        eventually(lambda: counter.runs == {"sweep": 2}, "the sweep runs once more")
        stop.set()
        others.wake()


def test_the_sweep_runs_every_second_without_wake_ups(tmp_path: Path) -> None:
    counter = Counter()
    queues = LocalQueues(LocalJobs(tmp_path).listen(), destinations=())

    with queues, upkeep(queues, counter):
        eventually(lambda: counter.runs.get("sweep", 0) >= 3, "it runs again")


def test_without_a_wake_up_pipe_the_sweep_runs_every_second_and_one_warning_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counter = Counter()
    queues = LocalQueues(Broken(), destinations=())

    with caplog.at_level(logging.WARNING), queues, upkeep(queues, counter):
        eventually(lambda: counter.runs.get("sweep", 0) >= 6, "it runs again and again", timeout=14)

    [line] = caplog.records
    assert line.getMessage() == "Wake-ups cannot be received; the worker looks for work every second."
    assert "The pipe is gone." in caplog.text


def test_a_failing_sweep_runs_every_second_and_is_logged_every_half_minute(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: str) -> None:
        raise Unavailable("The database does not answer.")

    counter, clock = Counter(fail), [0.0]
    queues = LocalQueues(LocalJobs(tmp_path).listen(), destinations=(), clock=lambda: clock[0])

    with caplog.at_level(logging.WARNING), queues, upkeep(queues, counter):
        eventually(lambda: counter.runs.get("sweep", 0) >= 6, "it runs again and again", timeout=14)
        assert len(caplog.records) == 1
        clock[0] = MAX_BACKOFF
        eventually(lambda: len(caplog.records) == 2, "the failure is logged again")

    assert caplog.records[0].getMessage().endswith("entrypoints.worker.jobs.sweep: The database does not answer.")


def test_a_slow_recurring_job_delays_no_other(tmp_path: Path) -> None:
    release = Signal()

    def block_one(name: str) -> None:
        assert name != "recurring" or release.wait(TIMEOUT)

    counter = Counter(block_one)
    queues = LocalQueues(LocalJobs(tmp_path).listen(), destinations=())

    with queues, upkeep(queues, counter, {recurring: 1, sweep: 1}):
        try:
            eventually(lambda: counter.runs.get("sweep", 0) >= 3, "the other one recurs")
            assert counter.runs["recurring"] == 1
        finally:
            release.set()


def test_the_threads_of_recurring_jobs_stop_with_the_worker(tmp_path: Path) -> None:
    counter = Counter()
    queues = LocalQueues(LocalJobs(tmp_path).listen(), destinations=())

    with queues, upkeep(queues, counter, {recurring: 3600, sweep: 3600}) as stop:
        eventually(lambda: counter.runs.keys() == {"recurring", "sweep"}, "both run")
        assert "recurring" in {thread.name for thread in threads()}
        stop.set()
        LocalJobs(tmp_path).wake()

    assert "recurring" not in {thread.name for thread in threads()}
