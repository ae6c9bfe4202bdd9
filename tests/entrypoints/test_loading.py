"""Tests of lazy imports: the library of an optional server is loaded only if that server is configured."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.service_process import environment, run

SERVERS = {"boto3", "botocore", "mongoengine", "pymongo", "redis", "requests", "rq", "twilio"}
"""Libraries that reach servers."""

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
