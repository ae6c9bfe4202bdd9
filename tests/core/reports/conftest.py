import pytest

from tests.core.reports.team import Team


@pytest.fixture
def team() -> Team:
    return Team()
