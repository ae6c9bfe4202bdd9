"""Contract tests of the queues from which a worker takes its jobs."""

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event as Signal
from threading import Thread
from uuid import UUID

import pytest

from entrypoints.worker.worker import Queues
from tests.service_process import eventually
from unite_core.errors import Unavailable
from unite_core.jobs import JobHandler

TIMEOUT = 30.0
ONE, OTHER = UUID(int=1), UUID(int=2)
DESTINATIONS = ("activity", "topic")
CORRELATION_ID = "c0ffee-1234"
TRACEPARENT = f"00-{'4b' * 16}-{'f0' * 8}-01"

Job = tuple[str, ...]
Run = Callable[[Callable[[], bool]], None]


def ignore(_: Job) -> None:
    """Do nothing with a job."""


@dataclass
class Recorder(JobHandler):
    """Records the jobs that it gets, and then calls `then` with each."""

    then: Callable[[Job], None] = ignore
    jobs: list[Job] = field(default_factory=list)
    correlation_ids: list[str | None] = field(default_factory=list)
    traceparents: list[str | None] = field(default_factory=list)

    def __call__(self, function: str, /, *arguments: str, correlation_id: str | None, traceparent: str | None) -> None:
        job = (function.rpartition(".")[2], *arguments)
        self.jobs.append(job)
        self.correlation_ids.append(correlation_id)
        self.traceparents.append(traceparent)
        self.then(job)


def recurring() -> None:
    """A recurring job; only its name is used."""


def also_recurring() -> None:
    """Another one."""


EVERY_SECOND: Mapping[Callable[..., None], int] = {recurring: 1}


@contextmanager
def running(*runs: Run) -> Iterator[None]:
    """Run jobs in threads, one for each of `runs`, while the block runs."""
    stop = Signal()
    threads = [Thread(target=run, args=(stop.is_set,)) for run in runs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(TIMEOUT)
    assert not any(thread.is_alive() for thread in threads)


def imports_of(queues: Queues, handler: JobHandler) -> Run:
    return lambda stopping: queues.run_import_jobs(handler, stopping)


def deliveries_of(queues: Queues, handler: JobHandler, destination: str) -> Run:
    return lambda stopping: queues.run_delivery_jobs(handler, stopping, destination)


def upkeep_of(queues: Queues, handler: JobHandler, every: Mapping[Callable[..., None], int] = EVERY_SECOND) -> Run:
    return lambda stopping: queues.run_upkeep_jobs(handler, stopping, every)


def failing_first(error: Exception) -> Callable[[Job], None]:
    """A function that raises the error at its first call."""
    errors = [error]

    def fail(_: Job) -> None:
        if errors:
            raise errors.pop()

    return fail


class QueuesContract:
    """Derive a test class with a fixture `queues` for `DESTINATIONS`.

    Its jobs get `CORRELATION_ID` and `TRACEPARENT`.
    """

    @pytest.fixture
    @abstractmethod
    def queues(self) -> Queues:
        """Return empty queues."""

    def test_a_ping_of_running_queues_succeeds(self, queues: Queues) -> None:
        queues.ping()

    def test_imports_run_in_the_order_in_which_they_were_enqueued(self, queues: Queues) -> None:
        recorder = Recorder()
        queues.jobs.run_import(ONE)
        queues.jobs.undo_import(OTHER)
        queues.jobs.run_import(OTHER)

        with running(imports_of(queues, recorder)):
            eventually(lambda: len(recorder.jobs) == 3, "all jobs run")

        assert recorder.jobs == [("run_import", str(ONE)), ("undo_import", str(OTHER)), ("run_import", str(OTHER))]
        assert recorder.correlation_ids == [CORRELATION_ID] * 3
        assert recorder.traceparents == [TRACEPARENT] * 3

    def test_a_queued_job_is_not_enqueued_again(self, queues: Queues) -> None:
        recorder = Recorder()
        for _ in range(3):
            queues.jobs.run_import(ONE)
        queues.jobs.run_import(OTHER)

        with running(imports_of(queues, recorder)):
            eventually(lambda: ("run_import", str(OTHER)) in recorder.jobs, "the last job runs")

        assert recorder.jobs == [("run_import", str(ONE)), ("run_import", str(OTHER))]

    def test_a_job_that_is_enqueued_during_its_run_runs_once_more(self, queues: Queues) -> None:
        def enqueue_again(_: Job) -> None:
            if len(recorder.jobs) == 1:
                queues.jobs.run_import(ONE)
                queues.jobs.run_import(ONE)
                queues.jobs.run_import(OTHER)

        recorder = Recorder(enqueue_again)
        queues.jobs.run_import(ONE)

        with running(imports_of(queues, recorder)):
            eventually(lambda: ("run_import", str(OTHER)) in recorder.jobs, "the last job runs")

        assert recorder.jobs == [("run_import", str(ONE))] * 2 + [("run_import", str(OTHER))]

    def test_a_job_that_is_enqueued_while_its_worker_waits_is_run(self, queues: Queues) -> None:
        recorder = Recorder()

        with running(imports_of(queues, recorder)):
            for count in (1, 2, 3):
                queues.jobs.run_import(ONE)
                eventually(lambda: len(recorder.jobs) == count, "the job runs")  # noqa: B023 - it ends in this turn

    def test_events_are_delivered_to_the_named_destinations_only(self, queues: Queues) -> None:
        activity, topic = Recorder(), Recorder()
        queues.jobs.deliver_events(["topic", "nobody"])

        with running(deliveries_of(queues, activity, "activity"), deliveries_of(queues, topic, "topic")):
            eventually(lambda: topic.jobs, "the relay of the named destination runs")
            assert activity.jobs == []
            queues.jobs.deliver_events()
            eventually(lambda: activity.jobs and len(topic.jobs) == 2, "the relays of both run")

        assert activity.jobs == [("relay", "activity")]
        assert topic.jobs == [("relay", "topic")] * 2

    def test_a_job_that_does_not_end_delays_no_other_queue(self, queues: Queues) -> None:
        release = Signal()

        def block(_: Job) -> None:
            assert release.wait(TIMEOUT)

        blocked, slow, quick, upkeep = Recorder(block), Recorder(block), Recorder(), Recorder()
        runs = (
            imports_of(queues, blocked),
            deliveries_of(queues, slow, "activity"),
            deliveries_of(queues, quick, "topic"),
            upkeep_of(queues, upkeep),
        )
        queues.jobs.run_import(ONE)
        queues.jobs.deliver_events()

        with running(*runs):
            try:
                eventually(lambda: blocked.jobs and slow.jobs, "two jobs are blocked")
                for count in (2, 3):
                    queues.jobs.deliver_events()
                    eventually(lambda: len(quick.jobs) >= count, "the other destination")  # noqa: B023 - it ends here
                eventually(lambda: len(upkeep.jobs) >= 2, "what recurs runs again")
                assert (len(blocked.jobs), len(slow.jobs)) == (1, 1)
            finally:
                release.set()

    def test_recurring_jobs_run_again_and_again(self, queues: Queues) -> None:
        recorder = Recorder()

        with running(upkeep_of(queues, recorder, {recurring: 1, also_recurring: 3600})):
            eventually(lambda: recorder.jobs.count(("recurring",)) >= 3, "it recurs")

        assert recorder.jobs.count(("also_recurring",)) == 1
        assert {*recorder.correlation_ids} == {None}

    @pytest.mark.parametrize("error", [Unavailable("The database is busy."), ZeroDivisionError("no idea")])
    def test_a_recurring_job_that_fails_is_logged_and_recurs(
        self, queues: Queues, error: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        recorder = Recorder(failing_first(error))

        with caplog.at_level(logging.WARNING), running(upkeep_of(queues, recorder)):
            eventually(lambda: len(recorder.jobs) >= 3, "it recurs")

        assert str(error) in caplog.text

    def test_a_failed_job_is_retried_and_delays_no_other(self, queues: Queues) -> None:
        recorder = Recorder(failing_first(Unavailable("The storage does not answer.")))
        queues.jobs.run_import(ONE)
        queues.jobs.run_import(OTHER)

        with running(imports_of(queues, recorder), upkeep_of(queues, Recorder())):
            eventually(lambda: len(recorder.jobs) == 3, "the failed job runs again")

        assert recorder.jobs == [("run_import", str(it)) for it in (ONE, OTHER, ONE)]
        assert recorder.correlation_ids == [CORRELATION_ID] * 3

    def test_a_failed_delivery_is_retried(self, queues: Queues) -> None:
        recorder = Recorder(failing_first(ZeroDivisionError("no idea")))
        queues.jobs.deliver_events()

        with running(deliveries_of(queues, recorder, "topic"), upkeep_of(queues, Recorder())):
            eventually(lambda: len(recorder.jobs) == 2, "the failed job runs again")

        assert recorder.jobs == [("relay", "topic")] * 2

    def test_an_unavailable_service_is_logged_on_one_line(
        self, queues: Queues, caplog: pytest.LogCaptureFixture
    ) -> None:
        recorder = Recorder(failing_first(Unavailable("The storage does not answer.")))
        queues.jobs.run_import(ONE)

        with caplog.at_level(logging.WARNING), running(imports_of(queues, recorder)):
            eventually(lambda: "The storage does not answer." in caplog.text, "it is logged")

        (line,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert line.getMessage().startswith("A service does not answer in the job entrypoints.worker.jobs.run_import")
        assert line.exc_info is None

    def test_an_unexpected_error_is_logged_with_its_traceback(
        self, queues: Queues, caplog: pytest.LogCaptureFixture
    ) -> None:
        recorder = Recorder(failing_first(ZeroDivisionError("no idea")))
        queues.jobs.run_import(ONE)

        with caplog.at_level(logging.WARNING), running(imports_of(queues, recorder)):
            eventually(lambda: "ZeroDivisionError: no idea" in caplog.text, "it is logged")

        assert "Traceback" in caplog.text

    def test_a_stopping_worker_starts_no_other_job(self, queues: Queues) -> None:
        stop = Signal()
        recorder = Recorder(lambda _: stop.set())
        queues.jobs.run_import(ONE)
        queues.jobs.run_import(OTHER)

        queues.run_import_jobs(recorder, stop.is_set)

        assert recorder.jobs == [("run_import", str(ONE))]

    def test_a_worker_that_is_stopped_at_once_runs_nothing(self, queues: Queues) -> None:
        recorder = Recorder()
        queues.jobs.run_import(ONE)
        queues.jobs.deliver_events()

        for run in (
            imports_of(queues, recorder),
            deliveries_of(queues, recorder, "topic"),
            upkeep_of(queues, recorder),
        ):
            run(lambda: True)

        assert recorder.jobs == []
