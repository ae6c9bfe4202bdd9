"""Measurement of CPU time for hostile texts, compared with plain texts of the same length in the same run."""

import time
from collections.abc import Callable, Iterator, Mapping

FLOOR_SECONDS = 0.02
"""Shorter times are fast enough, and too short to be compared."""

MAX_RATIO = 12
"""Limit of the ratio to plain text: expansion and decomposition cost a small factor, quadratic work hundreds."""

MAX_GROWTH = 9
"""Limit of the ratio to a quarter of the text: it is four for linear work, sixteen for quadratic."""

MARGIN_SECONDS = 0.1

KINDS: Mapping[str, str] = {
    "marks in turn": "\u0301\u0323",
    "decomposed marks": "\u0f73",
    "half-width marks": "\uff9e\u0323",
    "jamo": "\u1100\u1161\u11a8",
    "ligatures": "\ufdfa",
    "final sigmas": "\u03a3\u0345",
    "family emoji": "\U0001f469\u200d",
    "right to left": "\u200f\u05d0",
    "ideographs": "\u660e",
    "blanks": " ",
    "wide blanks": "\u3000",
    "dots": ".",
    "labels": "a.",
    "at signs": "@",
    "hyphens": "-a",
    "slashes": "/\\",
    "digits": "1",
    "digits apart": "1 ",
    "extensions": "x ",
    "quotes": '"',
    "apostrophes": "'",
    "commas": ",",
    "values": '"a",',
    "formulas": ";'=",
    "parameters": ";a=",
    "percent signs": "%",
    "brackets": "([{",
    "addresses": ",127.0.0.1",
}
"""Name -> the repeated text."""


def out_of_order(size: int) -> str:
    """A letter with marks above it before marks below it, so that all of them have to be reordered."""
    return "a" + "\u0301" * (size // 4) + "\u0323" * (size // 4)


def hostile_texts(size: int) -> Iterator[tuple[str, str]]:
    """Yield name and text, each of about `size` bytes in UTF-8."""
    yield "marks out of order", out_of_order(size)
    for name, unit in KINDS.items():
        yield name, "a" + unit * (size // len(unit.encode()))


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of this thread for `work`."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


def slow_texts(use: Callable[[str], object], size: int) -> list[str]:
    """Return the names of the hostile texts of `size` bytes that take much longer than plain ones."""
    return [name for name, text in hostile_texts(size) if is_slow(use, text)]


def is_slow(use: Callable[[str], object], text: str) -> bool:
    """Return whether the text takes much longer than a plain one, and the time grows faster than the text.

    Growth is measured only if the comparison fails. Linear work may take many times as long as plain text, most of all
    with coverage. Quadratic work takes sixteen times as long for four times the text. A failed comparison is repeated,
    because other processes and garbage collections disturb it.
    """
    for _ in range(3):
        hostile = cpu_seconds(lambda: use(text))
        if hostile <= MARGIN_SECONDS:
            return False
        if hostile <= MARGIN_SECONDS + MAX_RATIO * cpu_seconds(lambda: use("a" * len(text))):
            return False
        if hostile <= MARGIN_SECONDS + MAX_GROWTH * cpu_seconds(lambda: use(text[: len(text) // 4])):
            return False
    return True
