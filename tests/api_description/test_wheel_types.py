"""The wheels are complete for tools: types for mypy and pyright, private modules for linters, metadata for an index."""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.api_description.tools import TIMEOUT, run_tool
from tests.architecture.test_adapters_wheel import SERVICE, build_wheels
from tests.conftest import CHECKOUT

PAGE = CHECKOUT / "docs" / "reference" / "adapters.md"

CARELESS = """
from unite_core import Nonsense, errors
from unite_core._errors import Invalid
from unite_core.testing.in_memory import in_memory_unite

print(Nonsense, errors, Invalid, in_memory_unite().reports.glance)
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheels(tmp_path_factory.mktemp("typed"))


@pytest.fixture(scope="module")
def environment(wheels: Path) -> Path:
    """An environment with the packages of both wheels, and the libraries of the tests."""
    folder = wheels.parent / "environment"
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for wheel in wheels.glob("*.whl"):
        shutil.unpack_archive(wheel, packages, "zip")
    (packages / "libraries.pth").write_text(next(path for path in sys.path if path.endswith("site-packages")), "utf-8")
    return folder


@pytest.fixture(scope="module")
def programs(environment: Path) -> Path:
    """A folder with the service, the examples of the documentation, and a program that is wrong in many ways."""
    folder = environment.parent / "programs"
    folder.mkdir()
    shutil.copy(SERVICE, folder)
    text = SERVICE.read_text("utf-8")
    (folder / "careless_service.py").write_text(text.replace('b"s" * 32', '"s" * 32'), "utf-8")
    (folder / "careless.py").write_text(CARELESS, "utf-8")
    for number, example in enumerate(re.findall(r"(?ms)^```python\n(.*?)^```$", PAGE.read_text("utf-8"))):
        (folder / f"example_{number}.py").write_text(example, "utf-8")
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict", "pythonVersion": "3.11"}', "utf-8")
    return folder


def check_with_mypy(environment: Path, programs: Path, *files: str) -> "subprocess.CompletedProcess[str]":
    options = [
        "--strict",
        "--cache-dir",
        str(environment / "mypy"),
        "--python-executable",
        str(environment / "bin/python"),
    ]
    return subprocess.run(
        [sys.executable, "-m", "mypy", *options, *files],
        cwd=programs,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def check_with_pyright(environment: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    # Pyright looks for the packages of the Python that is the first on the path.
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return run_tool("pyright", *arguments, folder=folder, PATH=path)


def correct(programs: Path) -> list[str]:
    """Return the names of the programs that are as they should be."""
    names = [SERVICE.name, *sorted(path.name for path in programs.glob("example_*.py"))]
    assert len(names) == 3
    return names


def test_correct_programs_pass_mypy(environment: Path, programs: Path) -> None:
    checked = check_with_mypy(environment, programs, *correct(programs))

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_mypy_notices_what_would_be_refused(environment: Path, programs: Path) -> None:
    checked = check_with_mypy(environment, programs, "careless_service.py", "careless.py")

    assert checked.returncode == 1
    assert 'Dict entry 0 has incompatible type "str": "str"' in checked.stdout
    assert 'Module "unite_core" has no attribute "Nonsense"' in checked.stdout


def test_correct_programs_pass_pyright(environment: Path, programs: Path) -> None:
    checked = check_with_pyright(environment, programs, *correct(programs))

    assert checked.returncode == 0, checked.stdout


def test_pyright_notices_names_that_there_are_not_and_deprecated_ones(environment: Path, programs: Path) -> None:
    checked = check_with_pyright(environment, programs, "careless.py")

    assert checked.returncode == 1
    assert '"Nonsense" is unknown import symbol' in checked.stdout
    assert "`Reports.glance` is deprecated since" in checked.stdout


def test_a_linter_notices_private_modules(programs: Path) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--preview", "--select", "PLC2701", "careless.py"],
        cwd=programs, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "Private name import `_errors` from external module `unite_core`" in checked.stdout


@pytest.mark.parametrize("package", ["unite_core", "unite_adapters"])
def test_every_public_name_has_a_complete_type(environment: Path, package: str) -> None:
    checked = check_with_pyright(environment, environment, "--ignoreexternal", "--verifytypes", package)

    exported = re.search(r'^Symbols exported by "\w+": (\d+)$', checked.stdout, re.MULTILINE)
    assert exported is not None, checked.stdout
    assert int(exported[1]) > 200
    assert checked.stdout.rstrip().splitlines()[-3] == "Type completeness score: 100%", checked.stdout


def test_an_index_accepts_the_metadata(wheels: Path) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *wheels.glob("*.whl"), *wheels.glob("*.tar.gz")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.count("PASSED") == 3
