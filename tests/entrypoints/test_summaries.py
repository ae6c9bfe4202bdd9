"""Daily summaries in a worker: a job of the schedule with queues, and a thread of their own without."""

import logging
from datetime import timedelta
from threading import Event as Signal
from threading import enumerate as threads
from typing import Any

import pytest

from entrypoints.worker import jobs
from entrypoints.worker.jobs import EVERY, JOBS, JobContext
from entrypoints.worker.summaries import SUMMARY_INTERVAL, create_summaries_in_thread, make_summaries
from tests.entrypoints.test_missed import Failing
from tests.service_process import eventually
from unite_core.errors import Unavailable
from unite_core.testing.scenario import Scenario


@pytest.fixture
def scenario() -> Scenario:
    """Mia asked for her summary, and its time has come."""
    scenario = Scenario()
    scenario.update_daily_summary(scenario.manager, at="09:30")
    scenario.ports.clock.advance(timedelta(minutes=30))
    return scenario


def texts(scenario: Scenario) -> list[str]:
    scenario.run_jobs()
    return [message.text.rpartition(" #")[0] for message in scenario.ports.texts.sent]


def test_a_job_that_recurs_several_times_a_minute_makes_them(scenario: Scenario) -> None:
    context = JobContext(unite=scenario.unite, jobs=scenario.ports.jobs, holder="me", stopping=lambda: False)

    context("entrypoints.worker.jobs.make_summaries", correlation_id=None)

    assert texts(scenario) == ["Unite, Mon 2 Mar: no calls."]
    assert EVERY[jobs.make_summaries] == SUMMARY_INTERVAL < 60
    assert "entrypoints.worker.jobs.make_summaries" in JOBS


@pytest.mark.parametrize("error", [Unavailable("The database is busy."), ZeroDivisionError("no idea")])
def test_a_run_that_fails_is_logged_and_the_next_one_makes_what_it_did_not(
    scenario: Scenario, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    make: Any = Failing(error, scenario.unite.upkeep.create_daily_summaries)

    with caplog.at_level(logging.INFO):
        make_summaries(make, lambda: False)
        assert texts(scenario) == []
        make_summaries(make, lambda: False)
        make_summaries(make, lambda: False)

    assert len(texts(scenario)) == 1
    failed, made = caplog.records
    assert "making daily summaries" in failed.getMessage()
    assert made.getMessage() == "Daily summaries made: 1."


def test_without_queues_they_are_made_beside_everything_else(scenario: Scenario) -> None:
    make: Any = Failing(ZeroDivisionError("no idea"), scenario.unite.upkeep.create_daily_summaries)
    stop = Signal()

    with create_summaries_in_thread(make, stop, every=0.01):
        eventually(lambda: texts(scenario), "it is made")

    assert stop.is_set()
    assert "summaries" not in {thread.name for thread in threads()}
