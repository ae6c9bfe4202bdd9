"""Folding entries into reports: a job of the schedule with queues, and a thread of its own without."""

import logging
from threading import Event as Signal
from threading import enumerate as threads
from typing import Any

import pytest

from entrypoints.worker import jobs
from entrypoints.worker.folding import FOLDING_INTERVAL, fold_entries, folding
from entrypoints.worker.jobs import EVERY, JOBS, Desk
from tests.core.notifications.floor import CallFloor
from tests.entrypoints.test_missed import Failing
from tests.service_process import eventually
from unite_core.errors import Unavailable


@pytest.fixture
def floor() -> CallFloor:
    """Ada has made a call, which is not folded yet."""
    floor = CallFloor()
    floor.complete(floor.plan())
    return floor


def unfolded(floor: CallFloor) -> int:
    with floor.ports.reads() as unit:
        return len(unit.rollups.unfolded())


def test_a_job_that_recurs_every_few_seconds_folds_them(floor: CallFloor) -> None:
    desk = Desk(unite=floor.unite, jobs=floor.ports.jobs, holder="me", stopping=lambda: False)
    assert unfolded(floor) == 1

    desk("entrypoints.worker.jobs.fold_entries", correlation_id=None)

    assert unfolded(floor) == 0
    assert EVERY[jobs.fold_entries] == FOLDING_INTERVAL < 60
    assert "entrypoints.worker.jobs.fold_entries" in JOBS


@pytest.mark.parametrize("error", [Unavailable("The database is busy."), ZeroDivisionError("no idea")])
def test_a_run_that_fails_is_logged_and_the_next_one_folds_what_it_did_not(
    floor: CallFloor, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    fold: Any = Failing(error, floor.unite.reports.fold)

    with caplog.at_level(logging.INFO):
        fold_entries(fold, lambda: False)
        assert unfolded(floor) == 1
        fold_entries(fold, lambda: False)

    assert unfolded(floor) == 0
    [failed] = caplog.records
    assert "folding entries into reports" in failed.getMessage()


def test_a_worker_that_stops_begins_no_other_transaction(floor: CallFloor) -> None:
    fold_entries(floor.unite.reports.fold, lambda: True)

    assert unfolded(floor) == 1


def test_without_queues_they_are_folded_beside_everything_else(floor: CallFloor) -> None:
    fold: Any = Failing(ZeroDivisionError("no idea"), floor.unite.reports.fold)
    stop = Signal()

    with folding(fold, stop, every=0.01):
        eventually(lambda: unfolded(floor) == 0, "it is folded")

    assert stop.is_set()
    assert "folding" not in {thread.name for thread in threads()}
