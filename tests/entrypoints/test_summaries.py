"""Daily summaries in a worker: a job of the schedule with queues, and a thread of their own without."""

import logging
from datetime import timedelta
from threading import Event as Signal
from threading import enumerate as threads
from typing import Any

import pytest

from entrypoints.worker import jobs
from entrypoints.worker.jobs import EVERY, JOBS, Desk
from entrypoints.worker.summaries import SUMMARY_INTERVAL, make_summaries, making_summaries
from tests.core.notifications.floor import CallFloor
from tests.entrypoints.test_missed import Failing
from tests.service_process import eventually
from unite_core.errors import Unavailable


@pytest.fixture
def floor() -> CallFloor:
    """Mia asked for her summary, and its time has come."""
    floor = CallFloor()
    floor.ask_for_summary(floor.manager, at="09:30")
    floor.ports.clock.advance(timedelta(minutes=30))
    return floor


def texts(floor: CallFloor) -> list[str]:
    floor.relay()
    return [message.text.rpartition(" #")[0] for message in floor.ports.texts.sent]


def test_a_job_that_recurs_several_times_a_minute_makes_them(floor: CallFloor) -> None:
    desk = Desk(unite=floor.unite, jobs=floor.ports.jobs, holder="me", stopping=lambda: False)

    desk("entrypoints.worker.jobs.make_summaries", correlation_id=None)

    assert texts(floor) == ["Unite, Mon 2 Mar: no calls."]
    assert EVERY[jobs.make_summaries] == SUMMARY_INTERVAL < 60
    assert "entrypoints.worker.jobs.make_summaries" in JOBS


@pytest.mark.parametrize("error", [Unavailable("The database is busy."), ZeroDivisionError("no idea")])
def test_a_run_that_fails_is_logged_and_the_next_one_makes_what_it_did_not(
    floor: CallFloor, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    make: Any = Failing(error, floor.unite.upkeep.make_daily_summaries)

    with caplog.at_level(logging.INFO):
        make_summaries(make, lambda: False)
        assert texts(floor) == []
        make_summaries(make, lambda: False)
        make_summaries(make, lambda: False)

    assert len(texts(floor)) == 1
    failed, made = caplog.records
    assert "making daily summaries" in failed.getMessage()
    assert made.getMessage() == "Daily summaries made: 1."


def test_without_queues_they_are_made_beside_everything_else(floor: CallFloor) -> None:
    make: Any = Failing(ZeroDivisionError("no idea"), floor.unite.upkeep.make_daily_summaries)
    stop = Signal()

    with making_summaries(make, stop, every=0.01):
        eventually(lambda: texts(floor), "it is made")

    assert stop.is_set()
    assert "summaries" not in {thread.name for thread in threads()}
