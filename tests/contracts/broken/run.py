"""Run the suites of all ports over all broken adapters, and print as JSON which tests each of them fails.

After the first failed test of an adapter, its other tests are left out. It is a process of its own, because pytest does
not run well inside itself.
"""

import json
import os
import sys
from collections.abc import Generator
from itertools import groupby
from pathlib import Path

import pytest

CASES = Path(__file__).with_name("cases.py")


class Results:
    """A plugin that collects the failures of each case."""

    def __init__(self) -> None:
        self.failed: dict[str, list[str]] = {}
        self.passed: dict[str, int] = {}
        self.tests: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.tests = [item.nodeid.partition("::")[2] for item in session.items]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for case, items in groupby(session.items, _case_of):
            for item in items:
                if self.failed.get(case):
                    break
                # The next item says what is not to be torn down; any other one will do, as all are in one module.
                other = session.items[0 if item is session.items[-1] else -1]
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=other)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        case = _case_of(item)
        failed = self.failed.setdefault(case, [])
        if report.failed:
            failed.append(f"{item.name}: {report.longreprtext[-400:]}")
        elif report.when == "call":
            self.passed[case] = self.passed.get(case, 0) + 1
        return report


def _case_of(item: pytest.Item) -> str:
    return str(item.cls.case) if isinstance(item, pytest.Function) and item.cls else item.nodeid


def main() -> None:
    """Run the tests; the last line of the output is the result."""
    results = Results()
    options = ["--noconftest", "-c", os.devnull, "--rootdir", str(CASES.parent), "--assert=plain", "-q", "--tb=line"]
    unused = ("cacheprovider", "logging", "faulthandler", "unraisableexception", "threadexception", "junitxml")
    options += [f"-pno:{plugin}" for plugin in unused]
    options += ["--capture=no", "--import-mode=importlib"]
    # What a broken adapter leaves open is not what is looked for.
    options += ["-W", "ignore", "-o", "python_classes=Test_*", *sys.argv[1:], str(CASES)]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    code = pytest.main(options, plugins=[results])
    print()
    print(json.dumps({"code": int(code), "failed": results.failed, "passed": results.passed, "tests": results.tests}))


if __name__ == "__main__":
    main()
