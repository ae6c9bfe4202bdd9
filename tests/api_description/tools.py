"""The command-line tools of tests/tools, which `make test-api` installs in `.venv/tools`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import CHECKOUT

TOOLS = CHECKOUT / "tests" / "tools"
INSTALLED = Path(sys.prefix) / "tools"
TIMEOUT = 240.0


def spectral_rules() -> Path:
    """Copy the rules into the folder of the packages that they refer to, where spectral looks for these."""
    return Path(shutil.copy(TOOLS / "spectral.yaml", INSTALLED))


def run_tool(
    name: str, *arguments: str | Path, folder: Path = CHECKOUT, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run one of the tools to its end, with these further variables in its environment."""
    program = INSTALLED / "node_modules" / ".bin" / name
    assert program.exists(), f"{name} is not installed; run `make test-api`"
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        # Without proxies, which could not reach a local service, and without telemetry.
        env={
            **os.environ,
            "NO_PROXY": "*",
            "REDOCLY_TELEMETRY": "off",
            "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
