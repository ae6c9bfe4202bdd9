"""One deployment of all stacks, for all tests that look at what came of it."""

from collections.abc import Generator

import pytest

from tests.infra.aws.deploying import Deployment, aws, deploy
from tests.infra.aws.templates import sources


@pytest.fixture(scope="session")
def deployment() -> Generator[Deployment]:
    with aws():
        yield deploy(sources())
