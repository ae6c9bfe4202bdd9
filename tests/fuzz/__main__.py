"""Run fuzz targets with both engines, one after the other: python -m tests.fuzz [TARGET|all] [SECONDS].

Findings are written to .fuzz/findings, and belong into tests/fuzz/cases once they are fixed. The inputs that reach all
the code that was ever reached stay in .fuzz/corpus, so that the next run continues from there.
"""

import subprocess
import sys
from pathlib import Path

from tests.conftest import CHECKOUT
from tests.fuzz.targets import TARGETS

_FOLDER = CHECKOUT / ".fuzz"
_SECONDS = "600"


def main(arguments: list[str]) -> int:
    """Run each target for that many seconds with each engine; return 1 if anything was found."""
    asked, seconds = (*arguments, *("all", _SECONDS)[len(arguments) :])[:2]
    names = sorted(TARGETS) if asked == "all" else [asked]
    if not TARGETS.keys() >= set(names):
        print(f"There is no target {asked}; there are {', '.join(sorted(TARGETS))}.")
        return 2
    failed = False
    for name in names:
        findings, corpus = _FOLDER / "findings" / name, _FOLDER / "corpus" / name
        known = _number_of_files(findings)
        for engine, more in (("by_examples", []), ("by_coverage", [str(corpus)])):
            command = [sys.executable, "-m", f"tests.fuzz.{engine}", name, seconds, str(findings), *more]
            failed |= subprocess.run(command, cwd=CHECKOUT, check=False).returncode != 0
        failed |= _number_of_files(findings) > known
    return int(failed)


def _number_of_files(folder: Path) -> int:
    return sum(1 for _ in folder.glob("*"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
