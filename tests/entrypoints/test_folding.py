"""Folding entries into reports: a job of the schedule with queues, and a thread of its own without."""

import logging
from threading import Event as Signal
from threading import enumerate as threads
from typing import Any

import pytest

from entrypoints.worker import jobs
from entrypoints.worker.folding import FOLDING_INTERVAL, fold_entries, fold_in_thread
from entrypoints.worker.jobs import EVERY, JOBS, JobContext
from tests.entrypoints.test_missed import Failing
from tests.service_process import eventually
from unite_core.errors import Unavailable
from unite_core.testing.scenario import Scenario


@pytest.fixture
def scenario() -> Scenario:
    """Ada has made a call, which is not folded yet."""
    scenario = Scenario()
    scenario.complete(scenario.create_call_task())
    return scenario


def unfolded(scenario: Scenario) -> int:
    with scenario.ports.reads() as unit:
        return len(unit.rollups.unfolded())


def test_a_job_that_recurs_every_few_seconds_folds_them(scenario: Scenario) -> None:
    context = JobContext(unite=scenario.unite, jobs=scenario.ports.jobs, holder="me", stopping=lambda: False)
    assert unfolded(scenario) == 1

    context("entrypoints.worker.jobs.fold_entries", correlation_id=None)

    assert unfolded(scenario) == 0
    assert EVERY[jobs.fold_entries] == FOLDING_INTERVAL < 60
    assert "entrypoints.worker.jobs.fold_entries" in JOBS


@pytest.mark.parametrize("error", [Unavailable("The database is busy."), ZeroDivisionError("no idea")])
def test_a_run_that_fails_is_logged_and_the_next_one_folds_what_it_did_not(
    scenario: Scenario, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    fold: Any = Failing(error, scenario.unite.reports.fold)

    with caplog.at_level(logging.INFO):
        fold_entries(fold, lambda: False)
        assert unfolded(scenario) == 1
        fold_entries(fold, lambda: False)

    assert unfolded(scenario) == 0
    [failed] = caplog.records
    assert "folding entries into reports" in failed.getMessage()


def test_a_worker_that_stops_begins_no_other_transaction(scenario: Scenario) -> None:
    fold_entries(scenario.unite.reports.fold, lambda: True)

    assert unfolded(scenario) == 1


def test_without_queues_they_are_folded_beside_everything_else(scenario: Scenario) -> None:
    fold: Any = Failing(ZeroDivisionError("no idea"), scenario.unite.reports.fold)
    stop = Signal()

    with fold_in_thread(fold, stop, every=0.01):
        eventually(lambda: unfolded(scenario) == 0, "it is folded")

    assert stop.is_set()
    assert "folding" not in {thread.name for thread in threads()}
