"""Tests of the job that folds ledger entries into the rollups."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapters.local.job_queue import QueuedJob, run_job
from entrypoints.worker.jobs import FOLDING_INTERVAL, JOB_INTERVALS, JOBS, JobContext, fold_entries
from tests.entrypoints.test_missed import Failing
from unite_core.errors import Unavailable
from unite_core.testing.scenario import Scenario


@pytest.fixture
def scenario() -> Scenario:
    """Ann has made a call, which is not folded yet."""
    scenario = Scenario()
    scenario.complete(scenario.create_call_task())
    return scenario


def unfolded(scenario: Scenario) -> int:
    with scenario.ports.reads() as unit:
        return len(unit.rollups.unfolded())


def context_of(scenario: Scenario, fold: Any = None, stopping: Callable[[], bool] = lambda: False) -> JobContext:
    reports = replace(scenario.unite.reports, fold=fold or scenario.unite.reports.fold)
    unite = replace(scenario.unite, reports=reports)
    return JobContext(unite=unite, jobs=scenario.ports.jobs, holder="me", stopping=stopping)


def test_the_job_recurs_every_few_seconds_and_folds_all_entries(scenario: Scenario) -> None:
    assert unfolded(scenario) == 1

    context_of(scenario)("entrypoints.worker.jobs.fold_entries", correlation_id=None)

    assert unfolded(scenario) == 0
    assert JOB_INTERVALS[fold_entries] == FOLDING_INTERVAL < 60
    assert "entrypoints.worker.jobs.fold_entries" in JOBS


@pytest.mark.parametrize("error", [Unavailable("The database is busy."), ZeroDivisionError("no idea")])
def test_a_failed_run_is_logged_and_the_next_one_folds_the_rest(
    scenario: Scenario, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    context = context_of(scenario, Failing(error, scenario.unite.reports.fold))

    with caplog.at_level(logging.INFO):
        run_job(QueuedJob("entrypoints.worker.jobs.fold_entries"), context)
        assert unfolded(scenario) == 1
        run_job(QueuedJob("entrypoints.worker.jobs.fold_entries"), context)

    assert unfolded(scenario) == 0
    [failed] = caplog.records
    assert "entrypoints.worker.jobs.fold_entries" in failed.getMessage()


def test_a_stopping_worker_starts_no_other_transaction(scenario: Scenario) -> None:
    fold_entries(context_of(scenario, stopping=lambda: True))

    assert unfolded(scenario) == 1
