"""Show progress and results: a bar on a terminal, lines in a log, a table of counts."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn
from rich.table import Table

MAX_WIDTH = 100
LOG_LINE_INTERVAL = 2.0
"""Seconds between two lines of progress if the output is not a terminal."""

OUTCOMES = ("created", "updated", "duplicate", "rejected")
_STYLES = {"created": "green", "updated": "cyan", "duplicate": "yellow", "rejected": "red"}


def console(*, stderr: bool = False) -> Console:
    """Return the console; its width is limited for reading, and fixed if the output is not a terminal."""
    plain = Console(highlight=False, stderr=stderr)
    width = min(MAX_WIDTH, plain.width) if plain.is_terminal else MAX_WIDTH
    return Console(highlight=False, width=width, stderr=stderr)


class ProgressBar:
    """A progress bar on a terminal; elsewhere at most one line every two seconds, and one at the end.

    Use it as a context manager; `show` gets how much of `total` is done, and further text.
    """

    def __init__(self, on: Console, label: str) -> None:
        self._console = on
        self._what = label
        self._bar: Progress | None = None
        self._printed_at = 0.0
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
        if time.monotonic() >= self._printed_at + LOG_LINE_INTERVAL:
            if self._printed_at:
                self._line(share, more)
            self._printed_at = time.monotonic()

    def _line(self, share: float, more: str) -> None:
        self._last = None
        self._console.print(f"  {self._what} {share:4.0%}  {more}".rstrip(), markup=False)


class StageProgress:
    """The progress of several stages: each stage has its own bar after `after` seconds.

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
    """The progress of something without a known total, shown on a terminal after `after` seconds.

    Use it as a context manager; its line is removed at the end.
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
        """Show the progress so far."""
        if not self._console.is_terminal or time.monotonic() < self._shown_from:
            return
        if self._line is None:
            columns = (SpinnerColumn(), TextColumn("{task.description}"))
            self._line = Progress(*columns, console=self._console, transient=True)
            self._task = self._line.add_task(so_far, total=None)
            self._line.start()
        self._line.update(self._task, description=so_far)


def rate(rows: int, rows_per_second: float | None, eta_seconds: float | None) -> str:
    """Return the number of rows, the rows per second and the remaining time as text."""
    parts = [f"{rows:,} rows"]
    if rows_per_second:
        parts.append(f"{rows_per_second:,.0f}/s")
    if eta_seconds:
        parts.append(f"{eta_seconds:,.0f} s left")
    return "  ".join(parts)


def counts_table(counts: dict[str, int]) -> Table:
    """Return a table with the number of rows by result, and their sum."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for outcome in OUTCOMES:
        table.add_row(f"  {outcome}", f"{counts[outcome]:,}", style=_STYLES[outcome] if counts[outcome] else "dim")
    table.add_row("  rows", f"{counts['rows']:,}", style="bold")
    return table
