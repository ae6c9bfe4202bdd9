"""Tests of the wheel of the adapters: with that of the core, a service of others runs on it on SQLite and MySQL."""

import re
import shutil
import sqlite3
import subprocess
import sys
import venv
from contextlib import closing
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.architecture.test_wheel import _run, build_core_wheel
from tests.conftest import CHECKOUT
from tests.servers.fixtures import new_mysql_database
from tests.servers.kinds import Server
from tests.service_process import eventually

SERVICE = Path(__file__).with_name("outside_service.py")
EXPECTED = "2 leads, booked: call_task.completed"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheels(tmp_path_factory.mktemp("wheels"))


def build_wheels(folder: Path) -> Path:
    """Build both wheels in a folder, and return the folder that they are in."""
    build_core_wheel(folder)
    source = folder / "adapters"
    _run(sys.executable, "-m", "infra.release.stage", "unite_adapters", source, cwd=CHECKOUT)
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", cwd=source)
    return folder / "dist"


@pytest.fixture(scope="module")
def adapters_wheel(wheels: Path) -> ZipFile:
    (built,) = wheels.glob("unite_adapters-*.whl")
    return ZipFile(built)


@pytest.fixture(scope="module")
def python(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with both wheels, and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("outside")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    locked = (CHECKOUT / "requirements" / "service.txt").read_text("utf-8")
    # Without their hashes: pip would ask for one of our wheels too.
    versions = folder / "constraints.txt"
    versions.write_text("\n".join(re.findall(r"^[\w.-]+==[^ \\;]+", locked, re.MULTILINE)), "utf-8")
    (core,) = wheels.glob("unite_core-*.whl")
    (adapters,) = wheels.glob("unite_adapters-*.whl")
    _run(*pip, "install", "-q", "--no-compile", "-c", versions, core, f"{adapters}[local,sql]", cwd=folder)
    _run(*pip, "check", cwd=folder)
    return python


def serve(python: Path, url: str, folder: Path) -> str:
    return _run(python, "-I", "-W", "error", SERVICE, url, folder / "data", cwd=folder).strip()


def examples(page: str) -> list[str]:
    """Return the Python examples of a page of the documentation."""
    text = (CHECKOUT / "docs" / page).read_text("utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def metadata(wheel: ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return HeaderParser().parsestr(wheel.read(name).decode())


def test_the_wheel_contains_every_module_under_its_public_name(adapters_wheel: ZipFile) -> None:
    names = adapters_wheel.namelist()

    modules = {path.relative_to(CHECKOUT / "adapters") for path in (CHECKOUT / "adapters").rglob("*.py")}
    assert len([name for name in names if name.endswith(".py")]) == len(modules)
    assert "unite_adapters/py.typed" in names
    assert {name.partition("/")[0] for name in names} == {"unite_adapters", "unite_adapters-0.1.0.dist-info"}


def test_no_module_of_the_wheel_imports_adapters_under_its_name_in_the_repository(adapters_wheel: ZipFile) -> None:
    texts = {name: adapters_wheel.read(name).decode() for name in adapters_wheel.namelist() if name.endswith(".py")}

    assert [name for name, text in texts.items() if re.search(r"(?<![\w.])adapters\.", text)] == []


def test_every_group_of_libraries_has_an_extra(adapters_wheel: ZipFile) -> None:
    described = metadata(adapters_wheel)

    assert set(described.get_all("Provides-Extra", [])) == {
        "all", "aws", "local", "mongo", "otel", "redis", "rq", "sql", "twilio",
    }  # fmt: skip
    always = {line for line in described.get_all("Requires-Dist", []) if "extra ==" not in line}
    assert always == {"unite-core==0.1.0", "backoff", "circuitbreaker"}
    assert described.get_all("License-File") == ["LICENSE", "NOTICE"]


def test_an_outside_service_runs_on_sqlite(python: Path, tmp_path: Path) -> None:
    assert serve(python, f"sqlite:///{tmp_path / 'roofs.sqlite3'}", tmp_path) == EXPECTED


def test_an_outside_service_runs_on_mysql(python: Path, mysql_server: Server, worker_id: str, tmp_path: Path) -> None:
    with new_mysql_database(mysql_server, f"{worker_id}_outside") as url:
        assert serve(python, url, tmp_path) == EXPECTED


def test_the_example_of_the_documentation_runs_until_it_is_stopped(python: Path, tmp_path: Path) -> None:
    (program := tmp_path / "worker.py").write_text(examples("reference/adapters.md")[0], "utf-8")
    database = tmp_path / "unite.sqlite3"
    variables = {
        "DATABASE_URL": f"sqlite:///{database}",
        "UNITE_SECRET": "s" * 32,
        "ADMIN_PASSWORD": "correct horse battery",
    }
    with subprocess.Popen([str(python), "-I", "-W", "error", str(program)], cwd=tmp_path, env=variables) as worker:
        try:
            eventually(lambda: _users(database) == 1, "the first admin is there")
        finally:
            worker.terminate()

        assert worker.wait(30) == 0


def run_with_all_libraries(wheels: Path, program: str, folder: Path, **variables: str) -> str:
    """Run a program with the packages of both wheels, and with the libraries of the tests."""
    packages = wheels.parent / "packages"
    if not packages.exists():
        for wheel in wheels.glob("*.whl"):
            shutil.unpack_archive(wheel, packages, "zip")
    (folder / "program.py").write_text(program, "utf-8")
    return _run(sys.executable, folder / "program.py", cwd=folder, PYTHONPATH=str(packages), **variables)


def test_the_example_with_servers_opens_and_closes_without_them(wheels: Path, tmp_path: Path) -> None:
    variables = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'unite.sqlite3'}",
        "UNITE_SECRET": "s" * 32,
        "TWILIO_TOKEN": "0" * 32,
    }

    run_with_all_libraries(wheels, examples("reference/adapters.md")[1], tmp_path, **variables)

    assert _users(tmp_path / "unite.sqlite3") == 0


def test_every_module_can_be_imported_by_its_name_in_the_wheel(wheels: Path, tmp_path: Path) -> None:
    program = """
import importlib, pkgutil
import unite_adapters, unite_core

for package in (unite_core, unite_adapters):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        print(importlib.import_module(module.name).__name__)
"""

    imported = run_with_all_libraries(wheels, program, tmp_path).split()

    assert len(imported) > 220
    assert {"unite_core._leads.model", "unite_adapters.redis._cache", "unite_core.testing.contracts"} <= {*imported}


def test_the_examples_of_the_guide_run(python: Path, tmp_path: Path) -> None:
    blocks = examples("how-to/use-the-library.md")
    (program := tmp_path / "guide.py").write_text("\n".join(blocks), "utf-8")

    _run(python, "-I", "-W", "error", program, cwd=tmp_path)

    assert len(blocks) >= 8


def _users(database: Path) -> int:
    try:
        with closing(sqlite3.connect(database)) as connection:
            return int(connection.execute("SELECT count(*) FROM users").fetchone()[0])
    except sqlite3.OperationalError:  # it is not migrated yet
        return 0


def test_the_environment_contains_nothing_of_the_repository(python: Path, tmp_path: Path) -> None:
    look = "from importlib.util import find_spec as f; print([n for n in ('adapters', 'entrypoints', 'flask') if f(n)])"

    assert _run(python, "-I", "-c", look, cwd=tmp_path).strip() == "[]"


@pytest.mark.parametrize(
    ("extra", "module"),
    [
        ("mongo", "mongo.activity"),
        ("redis", "redis.cache"),
        ("rq", "rq.jobs"),
        ("aws", "aws.s3"),
        ("twilio", "twilio.messages"),
        ("otel", "otel.tracing"),
    ],
)
def test_an_adapter_without_its_extra_names_the_missing_extra(
    python: Path, extra: str, module: str, tmp_path: Path
) -> None:
    run = subprocess.run(
        [str(python), "-I", "-c", f"import unite_adapters.{module}"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert run.returncode == 1
    assert f"unite-adapters[{extra}]" in run.stderr.splitlines()[-1]
