"""Charts as the geometry of an SVG: pure functions, so that a template has only to write it down.

All lengths are in the units of a view box that is `WIDTH` wide, about a pixel each on a phone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 320
BAR_HEIGHT = 14
ROW_HEIGHT = 40
LABEL_BASELINE = 14
COLUMN_AREA = 120
AXIS_HEIGHT = 20


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle, and which series of the chart it belongs to, from 0."""

    x: float
    y: float
    width: float
    height: float
    series: int


@dataclass(frozen=True, slots=True)
class Label:
    """A text, and where its baseline begins."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What there is to draw, in a view box of `WIDTH` by `height`."""

    height: float
    rects: tuple[Rect, ...]
    labels: tuple[Label, ...]


def stacked_bars_of(rows: Sequence[tuple[str, Sequence[int]]]) -> Chart:
    """Horizontal bars, one for each row, whose parts stand behind one another; the longest one is as wide as the chart.

    A row is its label and a number for each series.
    """
    most = max((sum(numbers) for _, numbers in rows), default=0) or 1
    rects: list[Rect] = []
    labels: list[Label] = []
    for index, (label, numbers) in enumerate(rows):
        top = index * ROW_HEIGHT
        labels.append(Label(0, top + LABEL_BASELINE, label))
        start = 0.0
        for series, number in enumerate(numbers):
            width = _rounded(number / most * WIDTH)
            if number:
                rects.append(Rect(_rounded(start), top + LABEL_BASELINE + 6, width, BAR_HEIGHT, series))
            start += width
    return Chart(len(rows) * ROW_HEIGHT, tuple(rects), tuple(labels))


def funnel_of(rows: Sequence[tuple[str, Sequence[int]]]) -> Chart:
    """Horizontal bars, one for each row, whose numbers lie in front of one another, the largest one behind."""
    most = max((max(numbers, default=0) for _, numbers in rows), default=0) or 1
    rects: list[Rect] = []
    labels: list[Label] = []
    for index, (label, numbers) in enumerate(rows):
        top = index * ROW_HEIGHT
        labels.append(Label(0, top + LABEL_BASELINE, label))
        for series, number in enumerate(numbers):
            if number:
                inset = 2 * series
                width, height = _rounded(number / most * WIDTH), BAR_HEIGHT - 2 * inset
                rects.append(Rect(0, top + LABEL_BASELINE + 6 + inset, width, height, series))
    return Chart(len(rows) * ROW_HEIGHT, tuple(rects), tuple(labels))


def columns_of(columns: Sequence[tuple[str, Sequence[int]]], *, label_every: int = 1) -> Chart:
    """Columns side by side; the numbers of one column stand in front of each other, the first one behind.

    Every `label_every`-th column has its label below.
    """
    most = max((max(numbers, default=0) for _, numbers in columns), default=0) or 1
    step = WIDTH / max(len(columns), 1)
    rects: list[Rect] = []
    labels: list[Label] = []
    for index, (label, numbers) in enumerate(columns):
        for series, number in enumerate(numbers):
            height = _rounded(number / most * COLUMN_AREA)
            inset = step * (0.1 + 0.15 * series)
            if number:
                x, width = _rounded(index * step + inset), _rounded(step - 2 * inset)
                rects.append(Rect(x, _rounded(COLUMN_AREA - height), width, height, series))
        if index % label_every == 0:
            labels.append(Label(_rounded(index * step), COLUMN_AREA + AXIS_HEIGHT - 6, label))
    return Chart(COLUMN_AREA + AXIS_HEIGHT, tuple(rects), tuple(labels))


def _rounded(length: float) -> float:
    return round(length, 2)
