"""What holds for every test: none is skipped, and none depends on files that a clone may not have."""

from collections.abc import Generator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent

LEAD_FILES = CHECKOUT.parent / "shared" / "data"
"""Sample lead files that lie beside the checkout on some machines."""


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder that holds the whole project."""
    return CHECKOUT


@pytest.fixture(scope="session")
def lead_files() -> Path:
    """The folder of sample lead files; a test that asks for it is left out where there is none."""
    return LEAD_FILES


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if LEAD_FILES.is_dir():
        return
    without = [item for item in items if "lead_files" in getattr(item, "fixturenames", ())]
    if without:
        items[:] = [item for item in items if item not in without]
        config.hook.pytest_deselected(items=without)


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
    """A skipped test has shown nothing, so that it may not look like one that has."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"skipped tests fail: {report.nodeid}: {reason}"
