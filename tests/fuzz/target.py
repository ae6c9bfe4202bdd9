"""Definition of a fuzz target: a function of bytes that checks invariants for any input."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import CHECKOUT

MAX_CPU_SECONDS = 3.0
"""Limit for one input, far above what any takes, even on a slow machine with coverage."""

CASES = Path(__file__).with_name("cases")
"""The folder with regression cases: one folder per target with inputs that once failed."""

_DATA = (CHECKOUT.parent / "shared" / "data", CHECKOUT / "tests" / "data")


@dataclass(frozen=True, kw_only=True)
class Target:
    """A function that raises an exception if an invariant does not hold.

    `tokens` are what its inputs are made of, `seeds` whole inputs. Longer inputs than `max_length` bytes are cut.
    """

    name: str
    check: Callable[[bytes], None]
    tokens: tuple[bytes, ...]
    seeds: Callable[[], Iterable[bytes]] = field(default=tuple)
    max_length: int = 4096
    max_cpu_seconds: float = MAX_CPU_SECONDS

    def __call__(self, data: bytes) -> None:
        """Check one input; raise `TooSlowError` if that takes seconds of CPU time."""
        began = time.thread_time()
        self.check(data[: self.max_length])
        taken = time.thread_time() - began
        if taken > self.max_cpu_seconds:
            raise TooSlowError(f"{len(data)} bytes took {taken:.1f} seconds.")

    def cases(self) -> Iterator[Path]:
        """Yield the files with inputs that once failed."""
        yield from sorted((CASES / self.name).glob("*"))

    def corpus(self) -> Iterator[bytes]:
        """Yield all seeds and regression cases."""
        yield from self.seeds()
        for case in self.cases():
            yield case.read_bytes()


class TooSlowError(AssertionError):
    """An input took far longer than its length explains."""


def csv_files() -> Iterator[bytes]:
    """Yield the example lead files that are available."""
    yield (CHECKOUT / "sample_leads.csv").read_bytes()
    for folder in _DATA:
        for path in sorted(folder.rglob("*.csv")):
            yield path.read_bytes()


def cells() -> Iterator[bytes]:
    """Return the distinct cells of those files."""
    lines = (line for content in csv_files() for line in content.splitlines()[:200])
    yield from dict.fromkeys(cell.strip(b' "') for line in lines for cell in line.split(b","))
