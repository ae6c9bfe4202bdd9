"""Programs that stand in for others: each notes how it was called, and does what its script says."""

import os
import textwrap
from pathlib import Path


class Stubs:
    """A folder of programs that goes before all others on the path."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = folder.parent / "calls.log"

    def add(self, name: str, script: str = "") -> None:
        """Make a program that writes down its name and its arguments, and then runs the script of sh."""
        program = self.folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.log}\n{textwrap.dedent(script).strip()}\n')
        program.chmod(0o755)

    @property
    def path(self) -> str:
        """What the variable PATH has to be."""
        return f"{self.folder}{os.pathsep}{os.environ['PATH']}"

    def calls(self) -> list[str]:
        """Every call until now, first one first."""
        return self.log.read_text("utf-8").splitlines() if self.log.exists() else []

    def forget(self) -> None:
        """Empty the list of calls."""
        self.log.unlink(missing_ok=True)
