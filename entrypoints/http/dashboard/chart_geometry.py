"""Compute the geometry of SVG charts with pure functions, for the templates to print.

Horizontal lengths are in percent of the width, vertical ones in pixels: a chart fills the available width, and its
texts have the same size on every screen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

BAR_HEIGHT = 14
BAR_PITCH = 20
TEXT_HEIGHT = 20
BASELINE = 14
GROUP_GAP = 8
MAX_BAR_WIDTH = 66.0
"""Percent; the rest is for the text after the longest bar."""

COLUMN_AREA = 140
AXIS_HEIGHT = 20
MAX_NAME_LENGTH = 40
MAX_COLUMN_DIGITS = 2
"""A number with more digits is wider than its column on a phone."""


class Anchor(StrEnum):
    """The part of a text that is at its position."""

    START = "start"
    MIDDLE = "middle"


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle and the index of its series, from 0; `x` and `width` are in percent."""

    x: float
    y: float
    width: float
    height: float
    series: int


@dataclass(frozen=True, slots=True)
class Label:
    """A text at its baseline; `x` is in percent. `soft` texts are numbers or hours, the others are names."""

    x: float
    y: float
    text: str
    anchor: Anchor = Anchor.START
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """The shapes and texts of a chart, in `height` pixels."""

    height: float
    rects: tuple[Rect, ...]
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of one or more parts (series, number), and the text after it."""

    parts: Sequence[tuple[int, int]]
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """Bars below each other, under a name."""

    name: str
    bars: Sequence[Bar]


def bars_of(groups: Sequence[Group]) -> Chart:
    """Return a chart of horizontal bars by group; the longest bar has the maximum width."""
    longest = max((_length(bar) for group in groups for bar in group.bars), default=0) or 1
    rects: list[Rect] = []
    labels: list[Label] = []
    top = 0
    for group in groups:
        labels.append(Label(0, top + BASELINE, _shortened(group.name)))
        top += TEXT_HEIGHT
        for bar in group.bars:
            end = 0.0
            for series, number in bar.parts:
                width = number / longest * MAX_BAR_WIDTH
                if number:
                    rects.append(Rect(_rounded(end), top, _rounded(width), BAR_HEIGHT, series))
                end += width
            labels.append(Label(_rounded(end + 1), top + BASELINE - 2, bar.text, soft=True))
            top += BAR_PITCH
        top += GROUP_GAP
    return Chart(top, tuple(rects), tuple(labels))


def columns_of(columns: Sequence[tuple[str, Sequence[int]]], *, label_every: int = 1) -> Chart:
    """Return a chart of columns side by side; the numbers of one column overlap, with the first one behind.

    Every `label_every`-th column has its label below. Each column has its first number above, if it fits.
    """
    highest = max((max(numbers, default=0) for _, numbers in columns), default=0) or 1
    step = 100 / max(len(columns), 1)
    rects: list[Rect] = []
    labels: list[Label] = []
    for index, (label, numbers) in enumerate(columns):
        for series, number in enumerate(numbers):
            height = _rounded(number / highest * (COLUMN_AREA - TEXT_HEIGHT))
            inset = step * (0.1 + 0.15 * series)
            if number:
                x, width = _rounded(index * step + inset), _rounded(step - 2 * inset)
                rects.append(Rect(x, _rounded(COLUMN_AREA - height), width, height, series))
                if not series and len(str(number)) <= MAX_COLUMN_DIGITS:
                    middle = _rounded((index + 0.5) * step)
                    labels.append(Label(middle, COLUMN_AREA - height - 4, str(number), Anchor.MIDDLE, soft=True))
        if index % label_every == 0:
            labels.append(Label(_rounded(index * step), COLUMN_AREA + AXIS_HEIGHT - 6, label))
    return Chart(COLUMN_AREA + AXIS_HEIGHT, tuple(rects), tuple(labels))


def _length(bar: Bar) -> int:
    return sum(number for _, number in bar.parts)


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 1]}\N{HORIZONTAL ELLIPSIS}"


def _rounded(length: float) -> float:
    return round(length, 2)
