"""The suites notice every adapter that is broken, and nothing of the ones that are right."""

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from tests.conftest import CHECKOUT
from tests.contracts.broken.cases import PORTS, RIGHT

TIMEOUT = 600.0
"""Seconds for the run of all suites on a busy machine; an idle one needs half a minute."""

BROKEN = [f"{port.name}: {what}" for port in PORTS for what in port.broken]


@cache
def results() -> dict[str, Any]:
    """Run the suites of all adapters once, in a process of their own."""
    command = [sys.executable, "-m", "tests.contracts.broken.run"]
    # Its coverage is not recorded, which would take twice the time: other tests run the suites too.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    run = subprocess.run(
        command, cwd=CHECKOUT, env=unmeasured, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.name)
def test_an_adapter_that_is_right_passes_every_test(port: Any) -> None:
    case = f"{port.name}: {RIGHT}"

    assert results()["failed"][case] == []
    assert results()["passed"][case] == len(
        [name for name in results()["tests"] if name.startswith(f"Test_{port.name}_0::")]
    )


@pytest.mark.parametrize("case", BROKEN)
def test_an_adapter_that_is_broken_fails(case: str) -> None:
    assert results()["failed"][case] != []


def test_a_hundred_adapters_and_more_are_broken_and_some_of_each_port() -> None:
    assert len(set(BROKEN)) == len(BROKEN) >= 100
    ports = {case.partition(":")[0] for case in BROKEN}
    assert ports >= {"Cache", "Files", "Users", "Leads", "CallTasks", "CallLedger", "Deliveries", "Jobs", "Topic"}
    assert ports >= {"TextMessages", "Destination"}
