"""The command-line tools of `make test-infra`."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

FOLDER = CHECKOUT / ".venv-infra" / "bin"


def tool(name: str) -> Path:
    """Return the path of a tool; fail the test if it is not installed."""
    path = FOLDER / name
    if not path.is_file():
        pytest.fail(f"{name} is missing in .venv-infra; `make test-infra` installs it.")
    return path


def run(name: str, *arguments: str | Path, cwd: Path = CHECKOUT, text: str | None = None) -> "Result":
    """Run a tool with `text` as its input, and return its exit code and its output."""
    environment = os.environ | {"PATH": f"{FOLDER}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    done = subprocess.run(
        [tool(name), *arguments], cwd=cwd, env=environment, input=text, capture_output=True, text=True, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


class Result:
    """The exit code and the output of a tool."""

    def __init__(self, code: int, stdout: str, stderr: str) -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def output(self) -> str:
        """Return both streams, for the message of a failed test."""
        return f"{self.stdout}\n{self.stderr}".strip()
