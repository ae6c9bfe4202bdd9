"""Tests of lazy imports: the library of an optional server is loaded only if that server is configured."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.service_process import environment, run

SERVERS = {"boto3", "botocore", "mongoengine", "opentelemetry", "pymongo", "redis", "requests", "rq", "twilio"}
"""Libraries that reach servers."""

WITHOUT_OPENTELEMETRY = """
import sys
from importlib.abc import MetaPathFinder

class NotInstalled(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NotInstalled())
from entrypoints.__main__ import main

sys.exit(main(sys.argv[1:]))
"""

STARTING = """
import sys
from entrypoints.bootstrap import load_settings, start
from entrypoints.cli import serve
from entrypoints.http import process
from entrypoints.settings import environment
from entrypoints.worker import process

start(load_settings(environment())).close()
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def loaded(folder: Path, **settings: str) -> set[str]:
    """What an installation with these settings has loaded once it has started, its server and its worker included."""
    command = [sys.executable, "-c", STARTING]
    variables = environment(folder, **settings)
    return set(subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout.split())


def test_an_embedded_installation_loads_no_library_of_a_server(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate").returncode == 0

    names = loaded(tmp_path)

    assert "sqlalchemy" in names
    assert names & (SERVERS | {"alembic", "rich", "sentry_sdk"}) == set()


@pytest.mark.parametrize(
    ("settings", "library"),
    [
        ({"UNITE_REDIS_URL": "redis://127.0.0.1:1"}, "rq"),
        ({"UNITE_S3_BUCKET_IMPORTS": "imports", "UNITE_S3_BUCKET_IMAGES": "images"}, "boto3"),
        (
            {
                "UNITE_TWILIO_ACCOUNT_SID": f"AC{'0' * 32}",
                "UNITE_TWILIO_AUTH_TOKEN": "0" * 32,
                "UNITE_TWILIO_FROM": "+12025550100",
            },
            "twilio",
        ),
    ],
)
def test_the_library_of_a_configured_server_is_loaded(tmp_path: Path, settings: dict[str, str], library: str) -> None:
    assert library in loaded(tmp_path, **settings)


def test_without_the_packages_of_tracing_an_installation_works(tmp_path: Path) -> None:
    done = without_opentelemetry(tmp_path, "migrate")

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["migrate", "serve", "work"])
def test_tracing_without_its_packages_is_refused_with_what_to_install(tmp_path: Path, command: str) -> None:
    done = without_opentelemetry(tmp_path, command, UNITE_TRACES="otlp")

    assert done.returncode == 1
    assert "UNITE_TRACES is otlp, and opentelemetry" in done.stderr
    assert "-r requirements/otel.txt" in done.stderr
    assert "Traceback" not in done.stderr


def without_opentelemetry(folder: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a command where the packages of OpenTelemetry are not installed."""
    command = [sys.executable, "-c", WITHOUT_OPENTELEMETRY, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(folder, **settings), capture_output=True, text=True, check=False
    )
