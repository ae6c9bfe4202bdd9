"""Tests of the Python client that openapi-python-client generates from the OpenAPI document."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.api_description.files import OPENAPI
from tests.service_process import ADMIN, service

HERE = Path(__file__).parent
FLOW = "client_flow.py"
TIMEOUT = 240.0


def run_in(folder: Path, *command: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "NO_PROXY": "*", "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client, and with the program that uses it."""
    folder = tmp_path_factory.mktemp("client")
    shutil.copy(HERE / FLOW, folder)
    options: Sequence[str | Path] = ("--path", OPENAPI, "--config", HERE / "client.yaml", "--meta", "none")
    made = run_in(folder, "-m", "openapi_python_client", "generate", *options, "--output-path", folder / "unite_client")
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


def test_the_client_and_its_use_pass_the_strict_type_checker(generated: Path) -> None:
    checked = run_in(generated, "-m", "mypy", "--strict", "unite_client", FLOW)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_type_checker_refuses_a_call_that_the_api_would_refuse(generated: Path) -> None:
    flow = (generated / FLOW).read_text("utf-8")
    careless = generated / "careless.py"
    careless.write_text(flow.replace("NewLead(name=", "NewLead(full_name="), "utf-8")

    checked = run_in(generated, "-m", "mypy", "--strict", careless)

    assert checked.returncode != 0
    assert 'Unexpected keyword argument "full_name" for "NewLead"' in checked.stdout


def test_twelve_calls_of_the_client_succeed_against_the_service(generated: Path, tmp_path: Path) -> None:
    leads = tmp_path / "leads.csv"
    leads.write_text("Full Name,E-mail\nAda Lovelace,ada@lovelace.example\nNobody,no address\n", "utf-8")

    with service(tmp_path) as one:
        one.start()
        ended = run_in(generated, FLOW, one.url, ADMIN["email"], ADMIN["password"], leads)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout == "created 1, rejected ['invalid_email']\n"
