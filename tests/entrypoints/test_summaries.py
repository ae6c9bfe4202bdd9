"""Tests of the job that creates daily summaries."""

import logging
from datetime import timedelta

import pytest

from adapters.local.job_queue import QueuedJob, run_job
from entrypoints.worker.jobs import JOB_INTERVALS, JOBS, SUMMARY_INTERVAL, make_summaries
from tests.entrypoints.test_missed import Failing, context_of
from unite_core.errors import Unavailable
from unite_core.testing.scenario import Scenario


@pytest.fixture
def scenario() -> Scenario:
    """Return a scenario in which the daily summary of the manager is due."""
    scenario = Scenario()
    scenario.update_daily_summary(scenario.manager, at="09:30")
    scenario.ports.clock.advance(timedelta(minutes=30))
    return scenario


def texts(scenario: Scenario) -> list[str]:
    scenario.run_jobs()
    return [message.text.rpartition(" #")[0] for message in scenario.ports.texts.sent]


def test_the_job_creates_summaries_several_times_a_minute(scenario: Scenario) -> None:
    context_of(scenario)("entrypoints.worker.jobs.make_summaries", correlation_id=None)

    assert texts(scenario) == ["Unite, Mon 2 Mar: no calls."]
    assert JOB_INTERVALS[make_summaries] == SUMMARY_INTERVAL < 60
    assert "entrypoints.worker.jobs.make_summaries" in JOBS


@pytest.mark.parametrize("error", [Unavailable("The database is busy."), ZeroDivisionError("no idea")])
def test_a_failed_run_is_logged_and_the_next_one_creates_the_rest(
    scenario: Scenario, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    make = Failing(error, scenario.unite.upkeep.create_daily_summaries)
    context = context_of(scenario, create_daily_summaries=make)

    with caplog.at_level(logging.INFO):
        run_job(QueuedJob("entrypoints.worker.jobs.make_summaries"), context)
        assert texts(scenario) == []
        run_job(QueuedJob("entrypoints.worker.jobs.make_summaries"), context)
        run_job(QueuedJob("entrypoints.worker.jobs.make_summaries"), context)

    assert len(texts(scenario)) == 1
    failed, made = caplog.records
    assert "entrypoints.worker.jobs.make_summaries" in failed.getMessage()
    assert made.getMessage() == "Daily summaries made: 1."
