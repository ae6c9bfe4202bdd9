"""What is fuzzed: one function of bytes for each input, with what has to hold whatever the bytes are."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import CHECKOUT

MAX_CPU_SECONDS = 3.0
"""For one input: far more than any takes, on a slow machine and with its coverage measured too."""

CASES = Path(__file__).with_name("cases")
"""A folder for each target, with the inputs that once broke something."""

_DATA = (CHECKOUT.parent / "shared" / "data", CHECKOUT / "tests" / "data")


@dataclass(frozen=True, kw_only=True)
class Target:
    """A function that fails by an exception where an invariant does not hold.

    `tokens` are what its inputs are made of, `seeds` whole inputs. Longer inputs than `max_length` bytes are cut.
    """

    name: str
    check: Callable[[bytes], None]
    tokens: tuple[bytes, ...]
    seeds: Callable[[], Iterable[bytes]] = field(default=tuple)
    max_length: int = 4096
    max_cpu_seconds: float = MAX_CPU_SECONDS

    def __call__(self, data: bytes) -> None:
        """Check one input; raises `TooSlowError` where that takes seconds of the processor."""
        began = time.thread_time()
        self.check(data[: self.max_length])
        taken = time.thread_time() - began
        if taken > self.max_cpu_seconds:
            raise TooSlowError(f"{len(data)} bytes took {taken:.1f} seconds.")

    def cases(self) -> Iterator[Path]:
        """Inputs that once broke something, each in a file."""
        yield from sorted((CASES / self.name).glob("*"))

    def corpus(self) -> Iterator[bytes]:
        """All inputs that are known to be of interest."""
        yield from self.seeds()
        for case in self.cases():
            yield case.read_bytes()


class TooSlowError(AssertionError):
    """An input takes far longer than its length explains."""


def csv_files() -> Iterator[bytes]:
    """The files that leads come in, as far as they are at hand."""
    yield (CHECKOUT / "sample_leads.csv").read_bytes()
    for folder in _DATA:
        for path in sorted(folder.rglob("*.csv")):
            yield path.read_bytes()


def cells() -> Iterator[bytes]:
    """The cells of those files, each of them once."""
    lines = (line for content in csv_files() for line in content.splitlines()[:200])
    yield from dict.fromkeys(cell.strip(b' "') for line in lines for cell in line.split(b","))
