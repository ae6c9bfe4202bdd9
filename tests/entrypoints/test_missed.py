"""The look for missed calls: in the sweep of the queues, and beside everything else without them."""

import logging
from collections.abc import Callable
from datetime import timedelta
from threading import Event as Signal
from threading import enumerate as threads
from typing import Any

import pytest

from entrypoints.worker.jobs import EVERY, JobContext, sweep
from entrypoints.worker.missed import MISSED_CALLS_INTERVAL, mark_missed, mark_missed_in_thread
from tests.service_process import eventually
from unite_core.calls.model import CallTask, TaskStatus
from unite_core.errors import Unavailable
from unite_core.testing.scenario import Scenario


class Failing:
    """Fails once as it is told, then does what it was to do."""

    def __init__(self, error: Exception, then: Callable[..., int]) -> None:
        self.errors = [error]
        self.then = then

    def __call__(self, **options: Any) -> int:
        for error in self.errors:
            self.errors.remove(error)
            raise error
        return self.then(**options)


@pytest.fixture
def scenario() -> Scenario:
    return Scenario()


@pytest.fixture
def overdue(scenario: Scenario) -> CallTask:
    task = scenario.create_call_task()
    scenario.ports.clock.advance(timedelta(days=1))
    return task


def status_of(scenario: Scenario, task: CallTask) -> TaskStatus:
    return scenario.unite.calls.get(scenario.manager, task.id).task.status


def test_the_sweep_marks_what_was_missed_every_five_seconds(scenario: Scenario, overdue: CallTask) -> None:
    context = JobContext(unite=scenario.unite, jobs=scenario.ports.jobs, holder="me", stopping=lambda: False)

    sweep(context)

    assert status_of(scenario, overdue) is TaskStatus.MISSED
    assert EVERY[sweep] == MISSED_CALLS_INTERVAL == 5


@pytest.mark.parametrize("error", [Unavailable("The database is busy."), ZeroDivisionError("no idea")])
def test_a_look_that_fails_is_written_down_and_the_next_one_finds_what_it_did_not(
    scenario: Scenario, overdue: CallTask, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    mark: Any = Failing(error, scenario.unite.upkeep.mark_missed)

    with caplog.at_level(logging.INFO):
        mark_missed(mark, lambda: False)
        assert status_of(scenario, overdue) is TaskStatus.PENDING
        mark_missed(mark, lambda: False)
        mark_missed(mark, lambda: False)

    assert status_of(scenario, overdue) is TaskStatus.MISSED
    failed, marked = caplog.records
    assert "looking for missed calls" in failed.getMessage()
    assert marked.getMessage() == "Calls that were not made in time: 1."


def test_without_queues_missed_calls_are_marked_beside_everything_else(scenario: Scenario, overdue: CallTask) -> None:
    mark: Any = Failing(ZeroDivisionError("no idea"), scenario.unite.upkeep.mark_missed)
    stop = Signal()

    with mark_missed_in_thread(mark, stop, every=0.01):
        eventually(lambda: status_of(scenario, overdue) is TaskStatus.MISSED, "it is marked")

    assert stop.is_set()
    assert "missed" not in {thread.name for thread in threads()}


def test_the_look_ends_with_the_block_however_it_is_left(scenario: Scenario) -> None:
    with pytest.raises(ZeroDivisionError), mark_missed_in_thread(scenario.unite.upkeep.mark_missed, Signal()):
        raise ZeroDivisionError

    assert "missed" not in {thread.name for thread in threads()}
