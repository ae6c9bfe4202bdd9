"""Fixtures for the Docker Compose stack, shared by all tests of the folder; failures show its logs."""

from collections.abc import Generator, Iterator
from contextlib import suppress

import pytest

from tests.compose.stack import Stack, StackFailed
from tests.live_scenario import LiveScenario
from tests.log_leaks import check_lines
from tests.servers.containers import look_for_an_engine
from tests.servers.finding import CannotBeHad
from tests.servers.twilio import TwilioStandIn
from tests.service_process import Client

_STACK = pytest.StashKey[Stack]()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Stack]:
    """Run the stack until the end of the tests, then remove it completely."""
    try:
        look_for_an_engine()
    except CannotBeHad as reason:
        pytest.fail(f"The tests of the stack need a Docker engine with Compose: {reason}.", pytrace=False)
    one = Stack(tmp_path_factory.mktemp("stack"))
    pytestconfig.stash[_STACK] = one
    try:
        try:
            one.up()
        except StackFailed as failed:
            pytest.fail(f"{failed}\nThe services said:\n{one.logs()}", pytrace=False)
        yield one
        check_lines(one.logs(), one.random_secrets())
    finally:
        del pytestconfig.stash[_STACK]
        one.down()
    assert one.left() == []


@pytest.fixture(scope="session")
def client(stack: Stack) -> Client:
    """Log in as the first admin; once, because logins are limited."""
    return stack.client()


@pytest.fixture(scope="session")
def scenario(client: Client) -> LiveScenario:
    """Return the users of the stack."""
    return LiveScenario(client)


@pytest.fixture(scope="session")
def twilio(stack: Stack) -> TwilioStandIn:
    """Return the fake Twilio of the stack."""
    return TwilioStandIn(port=stack.twilio_port)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    stack = item.config.stash.get(_STACK, None)
    if report.failed and stack is not None:
        with suppress(StackFailed):
            report.sections.append(("the stack", stack.compose("ps", "--all")))
            report.sections.append(("what the services said", stack.logs(tail="60")))
    return report
