"""Storage of fuzz findings: the first input of each kind of failure, as a file that can become a test case."""

import hashlib
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.target import Target


class Findings:
    """Runs a target and stores the first input of each kind of failure, so that the run continues after it.

    Two failures are of one kind if the same exception was raised in the same line.
    """

    def __init__(self, target: Target, folder: Path) -> None:
        self.runs = 0
        self._target = target
        self._folder = folder
        self._kinds: set[tuple[str, str, int | None]] = set()

    def __len__(self) -> int:
        return len(self._kinds)

    def check(self, data: bytes, report: Callable[[str], object] = print) -> None:
        """Check one input; a failure of a new kind is reported and stored."""
        self.runs += 1
        try:
            self._target(data)
        except Exception as error:  # noqa: BLE001 - any error that an input causes is a finding
            last = traceback.extract_tb(error.__traceback__)[-1]
            kind = (type(error).__name__, last.filename, last.lineno)
            if kind not in self._kinds:
                self._kinds.add(kind)
                self._folder.mkdir(parents=True, exist_ok=True)
                stored = self._folder / hashlib.sha256(data).hexdigest()[:16]
                stored.write_bytes(data)
                report(f"FOUND {stored}\n{data[:300]!r}\n{''.join(traceback.format_exception(error))}")
