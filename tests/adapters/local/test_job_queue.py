"""Tests of one job queue inside a worker: order, pauses after failures, and recurring jobs."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from adapters.local.job_queue import JobQueue, QueuedJob
from unite_core.errors import Unavailable
from unite_core.jobs import FIRST_BACKOFF, MAX_BACKOFF

JOB = QueuedJob("count", ("one",))


@dataclass
class Scenario:
    """A queue with a fixed clock, and a job that fails a given number of times."""

    now: float = 0.0
    failures: int = 0
    runs: int = 0
    meanwhile: Callable[[], None] = lambda: None
    queue: JobQueue = field(init=False)

    def __post_init__(self) -> None:
        self.queue = JobQueue(lambda: self.now)

    def run(self, *, interval: float | None = None) -> None:
        """Run the one job that is due."""
        runs = self.runs
        self.queue.run(self._handle, lambda: self.runs > runs, interval=interval)

    def waiting(self) -> QueuedJob:
        (job,) = self.queue._jobs.values()
        return job

    def _handle(self, _: str, *__: str, correlation_id: str | None, traceparent: str | None) -> None:
        del correlation_id, traceparent
        self.runs += 1
        self.meanwhile()
        if self.runs <= self.failures:
            raise Unavailable("The storage does not answer.")


@pytest.fixture
def scenario() -> Scenario:
    return Scenario()


def test_the_pause_after_a_failure_grows_up_to_a_limit(scenario: Scenario) -> None:
    scenario.failures = 9
    scenario.queue.put(JOB)
    pauses = []

    for _ in range(scenario.failures):
        scenario.run()
        pauses.append(scenario.waiting().due_at - scenario.now)
        scenario.now = scenario.waiting().due_at

    assert pauses[:3] == [FIRST_BACKOFF, 2 * FIRST_BACKOFF, 4 * FIRST_BACKOFF]
    assert pauses[-1] == MAX_BACKOFF
    scenario.run()
    assert scenario.queue._jobs == {}


def test_a_job_that_is_enqueued_after_its_failure_keeps_its_pause(scenario: Scenario) -> None:
    scenario.failures = 1
    scenario.queue.put(JOB)
    scenario.run()

    scenario.queue.put(JOB)

    assert (scenario.waiting().due_at, scenario.waiting().failures) == (FIRST_BACKOFF, 1)


def test_a_job_that_is_enqueued_while_it_fails_pauses_too(scenario: Scenario) -> None:
    scenario.failures = 1
    scenario.meanwhile = lambda: scenario.queue.put(JOB)
    scenario.queue.put(JOB)

    scenario.run()

    assert scenario.waiting().due_at == FIRST_BACKOFF


def test_a_recurring_job_is_due_again_after_its_interval(scenario: Scenario) -> None:
    scenario.queue.put(JOB)

    scenario.run(interval=5)

    assert scenario.waiting().due_at == 5


def test_the_pause_of_a_job_that_failed_for_days_is_the_maximum(scenario: Scenario) -> None:
    scenario.failures = 1
    scenario.queue.put(QueuedJob("count", ("one",), failures=100_000))

    scenario.run()

    assert scenario.waiting().due_at == MAX_BACKOFF


def test_an_enqueued_recurring_job_is_due_at_once(scenario: Scenario) -> None:
    scenario.queue.put(JOB)
    scenario.run(interval=5)

    scenario.queue.put(JOB)

    assert scenario.waiting().due_at == 0
    scenario.run(interval=5)
    assert scenario.runs == 2


def test_a_recurring_job_that_is_enqueued_during_its_run_is_due_at_once(scenario: Scenario) -> None:
    scenario.meanwhile = lambda: scenario.queue.put(JOB)
    scenario.queue.put(JOB)

    scenario.run(interval=5)

    assert scenario.waiting().due_at == 0


def test_a_failed_recurring_job_waits_at_least_its_interval(
    scenario: Scenario,
) -> None:
    scenario.failures = 5
    scenario.queue.put(JOB)
    pauses = []

    for _ in range(6):
        scenario.run(interval=3)
        pauses.append(scenario.waiting().due_at - scenario.now)
        scenario.now = scenario.waiting().due_at

    assert pauses == [3, 3, 3, 4, 8, 3]
    assert scenario.waiting().failures == 0
