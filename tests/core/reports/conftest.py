"""Fixtures for tests of reports."""

import pytest

from tests.core.reports.scenario import ReportScenario


@pytest.fixture
def scenario() -> ReportScenario:
    return ReportScenario()
