"""Stub programs that record their calls and run a script."""

import os
import textwrap
from pathlib import Path


class Stubs:
    """A folder of stub programs that is first on the PATH."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = folder.parent / "calls.log"

    def add(self, name: str, script: str = "") -> None:
        """Create a program that records its name and arguments, and then runs a shell script."""
        program = self.folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.log}\n{textwrap.dedent(script).strip()}\n')
        program.chmod(0o755)

    @property
    def path(self) -> str:
        """Return the value for PATH."""
        return f"{self.folder}{os.pathsep}{os.environ['PATH']}"

    def calls(self) -> list[str]:
        """Return all calls so far, oldest first."""
        return self.log.read_text("utf-8").splitlines() if self.log.exists() else []

    def forget(self) -> None:
        """Empty the list of calls."""
        self.log.unlink(missing_ok=True)
