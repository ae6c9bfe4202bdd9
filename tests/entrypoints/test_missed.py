"""Tests of the job that marks missed calls."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.local.job_queue import QueuedJob, run_job
from entrypoints.worker.jobs import JOB_INTERVALS, JOBS, MISSED_CALLS_INTERVAL, JobContext, mark_missed
from unite_core.calls.model import CallTask, TaskStatus
from unite_core.errors import Unavailable
from unite_core.testing.scenario import Scenario


class Failing:
    """A use case that fails once with an error, and then works."""

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


def context_of(scenario: Scenario, **upkeep: Any) -> JobContext:
    """The context of jobs, with some use cases of the upkeep replaced."""
    unite = replace(scenario.unite, upkeep=replace(scenario.unite.upkeep, **upkeep))
    return JobContext(unite=unite, jobs=scenario.ports.jobs, holder="me", stopping=lambda: False)


def test_the_job_marks_missed_calls_every_five_seconds(scenario: Scenario, overdue: CallTask) -> None:
    context_of(scenario)("entrypoints.worker.jobs.mark_missed", correlation_id=None)

    assert status_of(scenario, overdue) is TaskStatus.MISSED
    assert JOB_INTERVALS[mark_missed] == MISSED_CALLS_INTERVAL == 5
    assert "entrypoints.worker.jobs.mark_missed" in JOBS


@pytest.mark.parametrize("error", [Unavailable("The database is busy."), ZeroDivisionError("no idea")])
def test_a_failed_run_is_logged_and_the_next_one_marks_the_rest(
    scenario: Scenario, overdue: CallTask, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    context = context_of(scenario, mark_missed=Failing(error, scenario.unite.upkeep.mark_missed))

    with caplog.at_level(logging.INFO):
        run_job(QueuedJob("entrypoints.worker.jobs.mark_missed"), context)
        assert status_of(scenario, overdue) is TaskStatus.PENDING
        run_job(QueuedJob("entrypoints.worker.jobs.mark_missed"), context)
        run_job(QueuedJob("entrypoints.worker.jobs.mark_missed"), context)

    assert status_of(scenario, overdue) is TaskStatus.MISSED
    failed, marked = caplog.records
    assert "entrypoints.worker.jobs.mark_missed" in failed.getMessage()
    assert marked.getMessage() == "Calls that were not made in time: 1."
