"""A number over time: the line, its interval, the period before, the target; a gap where there is no data."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from kpi.charts import theme
from kpi.charts.chart import Chart, Mark
from kpi.charts.text import plain, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TOP = 150
NAMES = 420
"""The most room that the names of lines take."""
MOST_LABELS = 6
MOST_DOTS = 40
"""Above this many points only the last one has a dot."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where values stand on the sheet, in units."""

    left: float
    right: float
    bottom: float
    top: float
    low: float
    high: float
    count: int

    def x(self, index: float) -> float:
        return self.left + (self.right - self.left) * (index / (self.count - 1) if self.count > 1 else 0.5)

    def y(self, value: float) -> float:
        clipped = min(max(value, self.low), self.high)
        return self.bottom + (self.top - self.bottom) * (clipped - self.low) / ((self.high - self.low) or 1)


def draw_line(chart: Chart) -> "Figure":
    figure, axes = theme.sheet()
    theme.head(axes, chart.title, chart.subtitle, theme.HEIGHT)
    theme.foot(axes, chart.notes)
    bottom = 112 + 36 * len(chart.notes)
    values = [level.value for level in chart.ticks] or [0.0, 1.0]
    names = _names(chart)
    beside = max((width(plain(name.text), name.size, bold=name.bold) for name in names), default=0.0)
    room = min(beside + 2, NAMES)
    right = theme.WIDTH - theme.MARGIN - 30 - room
    left = theme.MARGIN + 24 + max((width(plain(tick.text), theme.SMALL) for tick in chart.ticks), default=0.0)
    place = Place(left, right, bottom, theme.HEIGHT - TOP, min(values), max(values), len(chart.marks))
    for tick in chart.ticks:
        axes.plot([left - 10, right + 10], [place.y(tick.value)] * 2, color=theme.GRID, lw=1.5, zorder=1)
        theme.write(axes, left - 24, place.y(tick.value), tick.text, theme.SMALL, colour=theme.QUIET, ha="right")
    _dates(axes, chart.marks, place)
    line(axes, chart, place)
    heights = theme.spread([place.y(name.value) for name in names], 40, place.bottom, place.top)
    for height, name in zip(heights, names, strict=True):
        theme.write(axes, right + 30, height, name.text, name.size, bold=name.bold, colour=name.colour, room=room)
    return figure


def line(axes: "Axes", chart: Chart, place: Place, *, weight: float = 4.5, band: bool = True) -> None:
    """The band, the line of the period before, the target and the line itself, without any text."""
    marks = chart.marks
    for run in _runs(
        [band and mark.low is not None and mark.high is not None and mark.value is not None for mark in marks]
    ):
        xs = [place.x(index) for index in run]
        lows = [place.y(marks[index].low or 0.0) for index in run]
        highs = [place.y(marks[index].high or 0.0) for index in run]
        axes.fill_between(xs, lows, highs, color=theme.BAND, lw=0, zorder=2)
    for run in _runs([mark.before is not None for mark in marks]):
        befores = [place.y(marks[index].before or 0.0) for index in run]
        axes.plot([place.x(index) for index in run], befores, color=theme.BEFORE, lw=weight * 0.6, zorder=3)
    if chart.target is not None:
        level = place.y(chart.target.value)
        axes.plot(
            [place.left - 10, place.right + 10],
            [level] * 2,
            color=theme.TARGET,
            lw=weight * 0.6,
            ls=(0, (5, 3)),
            zorder=4,
        )
    spots = [(place.x(index), place.y(mark.value or 0.0)) for index, mark in enumerate(marks)]
    for run in _runs([mark.value is not None for mark in marks]):
        for cut, segments in groupby(pairwise(run), lambda ends: not all(marks[end].complete for end in ends)):
            first, *rest = segments
            path = [spots[first[0]], spots[first[1]], *(spots[end] for _, end in rest)]
            axes.plot(
                *zip(*path, strict=True),
                color=theme.BLUE,
                lw=weight,
                ls=(0, (1.2, 1.2)) if cut else "-",
                solid_capstyle="round",
                solid_joinstyle="round",
                zorder=5,
            )
    last = last_value(marks)
    all_dotted = len(marks) <= MOST_DOTS and weight > 4
    dotted = [
        index
        for index, mark in enumerate(marks)
        if mark.value is not None and (all_dotted or index == last or _alone(marks, index))
    ]
    for hollow in (False, True):
        for large in (False, True):
            chosen = [
                spots[index]
                for index in dotted
                if (marks[index].few or not marks[index].complete) is hollow and (index == last) is large
            ]
            axes.plot(
                [x for x, _ in chosen],
                [y for _, y in chosen],
                ls="",
                marker="o",
                ms=weight * (3.0 if large else 2.2),
                mfc=theme.PAPER if hollow else theme.BLUE,
                mec=theme.BLUE,
                mew=weight * 0.6,
                zorder=6,
            )


def _dates(axes: "Axes", marks: Sequence[Mark], place: Place) -> None:
    """At most six labels under the axis, the last bucket always among them, none over another."""
    if not marks:
        return
    longest = max((plain(mark.label) for mark in marks), key=len)
    widest = width(longest, theme.SMALL) * 1.1 + 24
    most = max(2, min(MOST_LABELS, int((place.right - place.left) // widest) + 1))
    step = max(1, -(-(len(marks) - 1) // (most - 1)))
    for index in range(len(marks) - 1, -1, -step):
        half = width(plain(marks[index].label), theme.SMALL) / 2
        x = min(max(place.x(index), 12 + half), theme.WIDTH - 12 - half)
        theme.write(axes, x, place.bottom - 40, marks[index].label, theme.SMALL, ha="center", colour=theme.QUIET)


@dataclass(frozen=True, slots=True)
class Name:
    """What a line is, written to the right of its end."""

    value: float
    text: str
    size: float
    bold: bool
    colour: str


def _names(chart: Chart) -> list[Name]:
    names = []
    last = last_value(chart.marks)
    if last is not None:
        mark = chart.marks[last]
        names.append(Name(mark.value or 0.0, mark.short or mark.text, theme.VALUE, True, theme.BLUE))
    if chart.target is not None:
        names.append(Name(chart.target.value, chart.target.text, theme.SMALL, False, theme.TARGET))
    befores = [mark.before for mark in chart.marks if mark.before is not None]
    if befores and chart.before_label:
        names.append(Name(befores[-1], chart.before_label, theme.SMALL, False, theme.QUIET))
    return names


def _runs(present: Sequence[bool]) -> list[list[int]]:
    """Neighbouring indexes that are present, together: a line is never drawn across a gap."""
    runs: list[list[int]] = []
    for index, there in enumerate(present):
        if there and runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        elif there:
            runs.append([index])
    return runs


def _alone(marks: Sequence[Mark], index: int) -> bool:
    """A point without neighbours would be a line of no length."""
    beside = [marks[near].value for near in (index - 1, index + 1) if 0 <= near < len(marks)]
    return all(value is None for value in beside)


def last_value(marks: Sequence[Mark]) -> int | None:
    """The index of the last mark that has a value."""
    return max((index for index, mark in enumerate(marks) if mark.value is not None), default=None)
