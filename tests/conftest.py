"""Configuration of all tests: skipped tests fail, and servers are fixtures."""

import gc
import logging
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from entrypoints import logs
from entrypoints.settings import LogSettings
from tests.log_leaks import Detector
from tests.order import spread

pytest_plugins = ["tests.temporary_files", "tests.servers.fixtures", "tests.databases"]

CHECKOUT = Path(__file__).resolve().parent.parent

_CONFIGURED_LOGGERS = tuple(logs.logging_config(LogSettings(), human=False)["loggers"])

# No deadline: the time of an example depends more on the machine than on the code, and the first run of a checkout
# creates tables of all characters.
settings.register_profile("unite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unite")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root folder of the project."""
    return CHECKOUT


_detector = Detector()
_detector.install()


@pytest.fixture(autouse=True)
def _no_leak_in_a_log() -> Iterator[None]:
    """Fail a test that logs a secret, a name or a number."""
    yield
    leaks = _detector.taken()
    assert not leaks, leaks[0]


@pytest.fixture(autouse=True)
def _plain_logging() -> None:
    """Reset logging before each test, because commands that run in this process configure it globally."""
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    for name in _CONFIGURED_LOGGERS:
        logging.getLogger(name).setLevel(logging.NOTSET)
    for handler in root.handlers[:]:
        if not type(handler).__module__.startswith("_pytest"):
            root.removeHandler(handler)


UNMEASURED = (
    "tests/adapters/aws/test_signed_links.py",
    "tests/adapters/sql/test_call_lists.py",
    "tests/adapters/sql/test_lead_lists.py",
    "tests/adapters/sql/test_ledger_facts_migration.py",
    "tests/adapters/sql/test_migrations_with_rows.py",
    "tests/adapters/sql/test_mysql_migrations.py",
    "tests/adapters/sql/test_mysql_plans.py",
    "tests/adapters/sql/test_plans.py",
    "tests/adapters/sql/test_quotas.py",
    "tests/contracts/test_mysql.py::TestActivityLog",
    "tests/contracts/test_mysql.py::TestCallActivity",
    "tests/contracts/test_mysql.py::TestDeliveries",
    "tests/contracts/test_mysql.py::TestRollups",
    "tests/core/calls/test_any_order.py",
    "tests/core/imports/test_any_file.py",
    "tests/core/imports/test_properties.py",
    "tests/core/notifications/test_life_of_a_delivery.py",
    "tests/core/reports/test_any_history.py",
    "tests/core/summaries/test_any_clock.py",
    "tests/faults/test_daily_summaries.py",
    "tests/faults/test_killed_relay.py",
    "tests/faults/test_queued_workers.py",
    "tests/faults/test_slow_clients.py",
    "tests/faults/test_slow_destination.py",
    "tests/faults/test_twilio_down.py",
    "tests/fuzz/",
    "tests/guards/",
    "tests/http/dashboard/browser/",
    "tests/http/imports/test_bad_files.py",
    "tests/http/imports/test_lead_files.py",
    "tests/http/reports/test_items.py",
    "tests/http/test_schemathesis.py",
    "tests/http/visibility/",
)
"""Tests that record no coverage, because it would double their time, and others run the same code."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test of `UNMEASURED` without the tracer of coverage."""
    with _untraced() if item.nodeid.startswith(UNMEASURED) else nullcontext():
        return (yield)


@contextmanager
def _untraced() -> Iterator[None]:
    """Record no coverage in the block."""
    tracer, of_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)
        threading.settrace(of_threads)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Collect without what takes much of the time of a collection.

    Garbage is not looked for, as nearly all objects stay. Of several processes, which all load the same modules, only
    one records the coverage of that.
    """
    gc.disable()
    try:
        with nullcontext() if _is_first(session.config) else _untraced():
            return (yield)
    finally:
        gc.enable()


def _is_first(config: pytest.Config) -> bool:
    """Return whether this is the first process of the tests that collects, or the only one."""
    shared: dict[str, str] = getattr(config, "workerinput", {})
    return shared.get("workerid", "gw0") == "gw0"


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Look for garbage less often, and not among the tests themselves: that took a third of their time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = spread(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped:
        _fail(report)
    return report


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Report a skipped test as failed, because it has shown nothing."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"skipped tests fail: {report.nodeid}: {reason}"
