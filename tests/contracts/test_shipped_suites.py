"""Tests of the contract suites as a part of the library: one for each port, with helpful errors."""

import ast
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

import unite_core
from tests.conftest import CHECKOUT
from tests.service_process import environment
from unite_core.testing import contracts
from unite_core.unit_of_work import UnitOfWork

SUITES = [name for name in contracts.__all__ if name.endswith("Contract")]

NOT_PORTS = {
    "JobHandler": "a function that a worker passes to its queues",
    "KeyedUseCase": "a use case",
    "Readable": "a part of a stream",
    "UnitOfWorkFactory": "tested with the units that it makes",
    "UploadNotice": "tested with the `UploadNotices` that return it",
}


def run_pytest(folder: Path, module: str, env: Mapping[str, str] = os.environ) -> tuple[str, int]:
    """Run a test module in a folder of its own, outside this checkout; return the output and the exit code."""
    (folder / "test_outside.py").write_text(module, "utf-8")
    options = ["-p", "no:cacheprovider", "-p", "no:schemathesis", "-q", "--rootdir", str(folder), "-c", os.devnull]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(folder / "test_outside.py")],
        cwd=folder,
        env={**env, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return run.stdout + run.stderr, run.returncode


def ports() -> set[str]:
    """Return the names of the protocols of the core that adapters implement."""
    found = set()
    for module in pkgutil.walk_packages(unite_core.__path__, "unite_core."):
        if module.name.startswith("unite_core.testing"):
            continue
        for name, it in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            of_ours = it.__module__ == module.name and it is not Protocol
            if of_ours and Protocol in it.__bases__ and (it is UnitOfWork or not issubclass_of_unit(it)):
                found.add(name)
    return found - NOT_PORTS.keys()


def issubclass_of_unit(it: type) -> bool:
    return UnitOfWork in it.__mro__


@pytest.mark.parametrize("port", sorted(ports()))
def test_every_port_has_a_suite(port: str) -> None:
    assert f"{port}Contract" in SUITES


def test_all_ports_are_detected() -> None:
    assert len(ports()) > 25
    assert "Destination" in ports()


def test_a_suite_names_its_missing_fixtures(tmp_path: Path) -> None:
    classes = "\n".join(f"class Test{name}({name}):\n    pass\n" for name in SUITES)

    # Its coverage is not recorded: `test_whatever_a_suite_needs_is_named_if_it_is_missing` runs the same lines.
    output, code = run_pytest(
        tmp_path, f"from unite_core.testing.contracts import *\n\n{classes}", env=environment(tmp_path)
    )

    assert code == 1
    needed = set(re.findall(r"The suite (\w+) needs a fixture `\w+`: .+\. Define it in Test\w+:", output))
    assert needed == {*SUITES} - {"DatabaseContract"}
    assert "The suite UsersContract needs a fixture `work`: a function that returns a unit of work" in output
    assert "with `users`, a `Users`. Define it in TestUsersContract:" in output
    assert "The suite CacheContract needs a fixture `cache`: the `Cache` under test" in output


def required() -> list[tuple[str, str]]:
    """Return each suite with each name that its test class has to define."""
    return [
        (suite, name)
        for suite in SUITES
        for name in dir(getattr(contracts, suite))
        if "raise missing_" in _source_of(getattr(contracts, suite), name)
    ]


def _function_of(suite: type, name: str) -> Any:
    member = inspect.getattr_static(suite, name)
    return getattr(member, "__wrapped__", member)


def _source_of(suite: type, name: str) -> str:
    function = _function_of(suite, name)
    return inspect.getsource(function) if inspect.isfunction(function) else ""


@pytest.mark.parametrize(("suite", "name"), required())
def test_every_missing_fixture_or_method_of_a_suite_is_named(suite: str, name: str) -> None:
    class Mine(getattr(contracts, suite)):  # type: ignore[misc]  # one of the suites
        pass

    function = _function_of(Mine, name)
    others = [None] * (len(inspect.signature(function).parameters) - 1)

    with pytest.raises(pytest.fail.Exception, match=rf"The suite {suite} needs a (fixture|method) `{name}`: .+ Mine:"):
        function(Mine(), *others)


def test_a_suite_names_its_missing_method(tmp_path: Path) -> None:
    output, code = run_pytest(
        tmp_path,
        """
import pytest

from unite_core.testing.contracts import TopicContract
from unite_core.testing.in_memory import InMemoryTopic


class TestMyTopic(TopicContract):
    @pytest.fixture
    def topic(self):
        return InMemoryTopic()

    @pytest.fixture
    def outage(self):
        return None
""",
    )

    assert code == 1
    assert "The suite TopicContract needs a method `heard`: the messages that a subscriber received" in output
    assert "Define it in TestMyTopic:" in output


def test_a_suite_names_the_missing_repositories_of_a_test(tmp_path: Path) -> None:
    output, code = run_pytest(
        tmp_path,
        """
import pytest

from tests.contracts.broken.small_units import SmallUnit
from unite_core.testing.contracts import CallLedgerContract
from unite_core.testing.in_memory.calls import InMemoryCallLedger
from unite_core.testing.in_memory.tables import Store


class TestMyLedger(CallLedgerContract):
    @pytest.fixture
    def work(self):
        store = Store()
        return lambda: SmallUnit(store, ledger=lambda tables: InMemoryCallLedger(tables, set()))
""",
    )

    assert code == 1
    assert "for this test its units need `tasks` too" in output
    assert re.search(r"1 failed, \d+ passed", output)


def test_tests_that_cannot_observe_or_cause_something_pass_with_none(tmp_path: Path) -> None:
    output, code = run_pytest(
        tmp_path,
        """
import pytest

from unite_core.testing.contracts import TextMessagesContract, TopicContract
from unite_core.testing.in_memory import InMemoryTextMessages, InMemoryTopic


class Unseen:
    @pytest.fixture
    def outage(self):
        return None


class TestMyTopic(Unseen, TopicContract):
    @pytest.fixture
    def topic(self):
        return InMemoryTopic()

    def heard(self, topic, sent):
        return None


class TestMyTexts(Unseen, TextMessagesContract):
    @pytest.fixture
    def texts(self):
        return InMemoryTextMessages()

    def sent(self, texts):
        return None
""",
    )

    assert code == 0, output


def test_a_failed_assertion_of_a_suite_shows_its_values(tmp_path: Path) -> None:
    output, code = run_pytest(
        tmp_path,
        """
import pytest

from unite_core.testing.contracts import CacheContract
from unite_core.testing.in_memory import InMemoryCache


class Upper(InMemoryCache):
    def put(self, namespace, key, value, *, ticket, ttl):
        super().put(namespace, key, value.upper() + b"!", ticket=ticket, ttl=ttl)


class TestMyCache(CacheContract):
    @pytest.fixture
    def cache(self, clock):
        return Upper(clock)

    @pytest.fixture
    def outage(self):
        return None
""",
    )

    assert code == 1
    assert "assert [b'1!', b'2!', b'3!'] == [b'1', b'2', b'3']" in output


def test_without_pytest_the_suites_name_the_extra() -> None:
    program = """
import sys

sys.modules["pytest"] = None
import unite_core.testing.builders, unite_core.testing.in_memory, unite_core.testing.scenario
try:
    import unite_core.testing.contracts
except ImportError as error:
    print(error)
"""

    run = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False
    )

    assert "pip install 'unite-core[testing]'" in run.stdout
    assert run.stderr == ""


def test_a_module_that_pytest_itself_lacks_is_named() -> None:
    program = """
import sys
from importlib.abc import MetaPathFinder


class Broken(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "pytest":
            raise ModuleNotFoundError("No module named 'pluggy'", name="pluggy")


sys.meta_path.insert(0, Broken())
try:
    import unite_core.testing.contracts
except ImportError as error:
    print(error)
"""

    run = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False
    )

    assert run.stdout.strip() == "No module named 'pluggy'"


def examples() -> list[str]:
    """Return the Python examples of the page about adapters outside this repository."""
    page = (CHECKOUT / "docs" / "how-to" / "test-an-adapter-of-your-own.md").read_text("utf-8")
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


def test_the_examples_of_the_documentation_pass(tmp_path: Path) -> None:
    module = "\n".join(examples())
    classes = [node for node in ast.parse(module).body if isinstance(node, ast.ClassDef)]
    assert len([it for it in classes if it.name.startswith("Test")]) == 2

    output, code = run_pytest(tmp_path, module)

    assert code == 0, output
    assert re.search(r"\d+ passed", output)
