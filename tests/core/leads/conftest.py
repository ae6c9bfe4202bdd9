"""Fixtures for tests of leads."""

import pytest

from unite_core import PhonePolicy, Rules
from unite_core.testing.scenario import Scenario


@pytest.fixture
def scenario() -> Scenario:
    """Return a scenario in which phones without a country are American."""
    return Scenario(rules=Rules(phones=PhonePolicy(default_country="US")))
