"""Tests of imports: the core needs two libraries, and importing a module only defines names."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

ALLOWED_IN_THE_CORE = {"phonenumbers", "email_validator", "unite_core"}
# The contract suites are tests that ship with the library; whoever runs them has pytest.
ALLOWED_IN_THE_CONTRACTS = {*ALLOWED_IN_THE_CORE, "pytest"}
PACKAGES = ("unite_core", "adapters", "entrypoints")

# Runs in a process of its own: from the first import on, whatever opens a file to write, a socket, a
# thread, a child process or a database is told of.
WATCH = """
import importlib, os, sys, threading

ours = sys.argv[1].split(",")
# What the libraries do when they load is theirs; they are loaded before the watch begins.
for library in sys.argv[2].split(","):
    if library:
        importlib.import_module(library)

seen = []

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and "__pycache__" not in str(path):
            seen.append(f"open {path}")
    elif event.startswith(("socket.", "subprocess.", "sqlite3.connect", "os.putenv", "os.mkdir", "os.fork")):
        seen.append(f"{event} {arguments}")

sys.addaudithook(watch)
threads = threading.active_count()
for module in ours:
    importlib.import_module(module)
if threading.active_count() > threads:
    seen.append("a thread was started")
print("\\n".join(seen))
"""


def _files(package: str) -> list[Path]:
    return sorted((CHECKOUT / package).rglob("*.py"))


def _module(path: Path) -> str:
    parts = path.relative_to(CHECKOUT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _name(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but imports that type checkers alone follow, of names that each of them knows."""
    unseen = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module == "typing_extensions"
    }
    yield from (node for node in ast.walk(tree) if id(node) not in unseen)


def _imports(path: Path) -> Iterator[str]:
    """Return the top-level names that a file imports, anywhere in it."""
    for node in _walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "unite_core" if node.level else (node.module or "").partition(".")[0]


def _third_parties(package: str) -> list[str]:
    """Every library module that the files of `package` import, by its full name."""
    results: set[str] = set()
    for path in _files(package):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Import):
                results.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                results.add(node.module)
    return sorted(name for name in results if name.partition(".")[0] not in {*PACKAGES, "__future__"})


def test_the_core_imports_only_the_standard_library_and_two_others() -> None:
    strangers = [
        f"{_name(path)}: {name}"
        for path in _files("unite_core")
        for name in _imports(path)
        if name not in sys.stdlib_module_names
        and name not in (ALLOWED_IN_THE_CONTRACTS if "contracts" in path.parts else ALLOWED_IN_THE_CORE)
    ]

    assert strangers == []


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_has_files_to_check(package: str) -> None:
    assert _files(package)


# A __main__ runs when it is imported, which is what it is for; migrations are Alembic's to load.
IMPORTABLE = [
    path
    for package in PACKAGES
    for path in _files(package)
    if path.name != "__main__.py" and "migrations" not in path.parts
]


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_has_no_side_effects(package: str) -> None:
    modules = [_module(path) for path in IMPORTABLE if path.is_relative_to(CHECKOUT / package)]
    libraries = [library for each in PACKAGES for library in _third_parties(each)]

    watched = subprocess.run(
        [sys.executable, "-B", "-c", WATCH, ",".join(modules), ",".join(libraries)],
        cwd=CHECKOUT,
        env={"PATH": "", "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert watched.returncode == 0, watched.stderr
    assert watched.stdout.strip() == ""


READERS_OF_THE_ENVIRONMENT = {"entrypoints/settings/load.py"}


def _reads_of_the_environment(path: Path) -> Iterator[int]:
    """The lines where a file reads the environment."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Attribute):
            # `request.environ` is the head of a request (PEP 3333).
            if node.attr in {"environ", "getenv", "environb"} and ast.unparse(node) != "request.environ":
                yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (node.lineno for alias in node.names if alias.name in {"environ", "getenv"})


def test_only_settings_reads_the_environment() -> None:
    reads = {_name(path) for package in PACKAGES for path in _files(package) if any(_reads_of_the_environment(path))}

    assert reads == READERS_OF_THE_ENVIRONMENT


# What a port gives instead: Clock, Ids, and whoever hands the core its bytes.
SOURCES_OF_SURPRISE = {"random", "secrets", "socket", "subprocess", "tempfile", "time"}
SURPRISING_CALLS = {"now", "today", "utcnow", "uuid1", "uuid4"}


def _surprises(path: Path) -> Iterator[str]:
    """Return the places where a file uses the clock, random numbers or files."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from (f"{node.lineno}: import {name}" for name in names if name in SOURCES_OF_SURPRISE)
        elif isinstance(node, ast.Call):
            called = node.func
            owner = (
                called.value.id if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) else None
            )
            if (
                isinstance(called, ast.Attribute)
                and called.attr in SURPRISING_CALLS
                and owner in {"datetime", "date", "uuid"}
            ):
                yield f"{node.lineno}: {owner}.{called.attr}"
            elif isinstance(called, ast.Name) and called.id in {"open", "uuid1", "uuid4"}:
                yield f"{node.lineno}: {called.id}"


def test_the_core_uses_no_clock_random_numbers_or_files_of_its_own() -> None:
    impurities = [f"{_name(path)}:{surprise}" for path in _files("unite_core") for surprise in _surprises(path)]

    assert impurities == []
