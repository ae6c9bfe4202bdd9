"""How what takes time is shown: a bar for a terminal, a line now and then for a log, a table at the end."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn
from rich.table import Table

MAX_WIDTH = 100
LOG_LINE_INTERVAL = 2.0
"""Seconds between two lines where there is no terminal to draw a bar on."""

OUTCOMES = ("created", "updated", "duplicate", "rejected")
_STYLES = {"created": "green", "updated": "cyan", "duplicate": "yellow", "rejected": "red"}


def console(*, stderr: bool = False) -> Console:
    """Where everything is shown; no wider than is good to read, and as wide as that where nobody's window limits it."""
    plain = Console(highlight=False, stderr=stderr)
    width = min(MAX_WIDTH, plain.width) if plain.is_terminal else MAX_WIDTH
    return Console(highlight=False, width=width, stderr=stderr)


class ProgressBar:
    """How far something has come: a bar on a terminal; elsewhere a line every two seconds at most, and one at the end.

    Use it as a context manager; `show` is told how much of `total` is done and what else is to be said.
    """

    def __init__(self, on: Console, what: str) -> None:
        self._console = on
        self._what = what
        self._bar: Progress | None = None
        self._told_at = 0.0
        self._last: tuple[float, str] | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            columns = (
                TextColumn("  {task.description}"),
                BarColumn(bar_width=30),
                TaskProgressColumn(),
                TextColumn("{task.fields[more]}"),
            )
            self._bar = Progress(*columns, console=self._console)
            self._task = self._bar.add_task(self._what, total=1.0, more="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self._last is not None:
            self._line(*self._last)

    def show(self, done: float, total: float, more: str = "") -> None:
        """Show that `done` of `total` is done."""
        share = done / total if total else 1.0
        if self._bar is not None:
            self._bar.update(self._task, completed=share, more=more)
            return
        self._last = (share, more)
        if time.monotonic() >= self._told_at + LOG_LINE_INTERVAL:
            if self._told_at:
                self._line(share, more)
            self._told_at = time.monotonic()

    def _line(self, share: float, more: str) -> None:
        self._last = None
        self._console.print(f"  {self._what} {share:4.0%}  {more}".rstrip(), markup=False)


class StageProgress:
    """How far something has come that has several stages: each has a bar of its own once it has taken `after` seconds.

    Use it as a context manager.
    """

    def __init__(self, on: Console, *, after: float = LOG_LINE_INTERVAL) -> None:
        self._console = on
        self._after = after
        self._bar: ProgressBar | None = None
        self._stage = ""
        self._began = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)
            self._bar = None

    def show(self, stage: str, done: float, total: float) -> None:
        """Show that `done` of `total` is done in a stage."""
        if stage != self._stage:
            self.__exit__(None, None, None)
            self._stage, self._began = stage, time.monotonic()
        if self._bar is None:
            if time.monotonic() < self._began + self._after:
                return
            self._bar = ProgressBar(self._console, stage).__enter__()
        self._bar.show(done, total)


class CounterProgress:
    """How much is dealt with of something whose end nobody knows: told at a terminal once it has taken `after` seconds.

    Use it as a context manager; nothing of it is left at the end.
    """

    def __init__(self, on: Console, *, after: float = LOG_LINE_INTERVAL) -> None:
        self._console = on
        self._shown_from = time.monotonic() + after
        self._line: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line is not None:
            self._line.stop()

    def show(self, so_far: str) -> None:
        """Show what was dealt with so far."""
        if not self._console.is_terminal or time.monotonic() < self._shown_from:
            return
        if self._line is None:
            columns = (SpinnerColumn(), TextColumn("{task.description}"))
            self._line = Progress(*columns, console=self._console, transient=True)
            self._task = self._line.add_task(so_far, total=None)
            self._line.start()
        self._line.update(self._task, description=so_far)


def rate(rows: int, rows_per_second: float | None, eta_seconds: float | None) -> str:
    """How many rows are dealt with, how fast, and how long it will take."""
    told = [f"{rows:,} rows"]
    if rows_per_second:
        told.append(f"{rows_per_second:,.0f}/s")
    if eta_seconds:
        told.append(f"{eta_seconds:,.0f} s left")
    return "  ".join(told)


def counts_table(counts: dict[str, int]) -> Table:
    """What became of the rows, and their sum."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for outcome in OUTCOMES:
        table.add_row(f"  {outcome}", f"{counts[outcome]:,}", style=_STYLES[outcome] if counts[outcome] else "dim")
    table.add_row("  rows", f"{counts['rows']:,}", style="bold")
    return table
