"""Groups side by side: horizontal bars with their values beside them, whiskers for intervals, the target across."""

from typing import TYPE_CHECKING

from kpi.charts import theme
from kpi.charts.chart import MOST_BARS, Chart, Mark
from kpi.charts.text import fitted, plain, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 54
BAR = 32
NAMES = 340
"""The most room that names take."""


def draw_bars(chart: Chart) -> "Figure":
    """As high as its bars need, so that many are as easy to read as few. ValueError if they are more than 15."""
    if len(chart.marks) > MOST_BARS:
        raise ValueError(f"a picture shows at most {MOST_BARS} bars, not {len(chart.marks)}")
    below = 30 + 36 * len(chart.notes)
    above = 130 + (44 if chart.target is not None else 0)
    height = max(theme.HEIGHT * 0.6, above + ROW * max(1, len(chart.marks)) + below)
    figure, axes = theme.sheet(height)
    theme.head(axes, chart.title, chart.subtitle, height)
    theme.foot(axes, chart.notes)
    names = [fitted(plain(mark.label), theme.LABEL, NAMES) for mark in chart.marks]
    texts = [plain(mark.text, 60) for mark in chart.marks]
    left = theme.MARGIN + max((width(name, theme.LABEL) for name in names), default=0.0) + 24
    beside = max((width(text, theme.SMALL, bold=True) for text in texts), default=0.0) + 24
    right = theme.WIDTH - theme.MARGIN - min(beside, 480)
    reach = [mark.high if mark.high is not None else mark.value for mark in chart.marks if mark.value is not None]
    ends = [end for end in reach if end is not None] + ([chart.target.value] if chart.target is not None else [])
    lows = [mark.value for mark in chart.marks if mark.value is not None]
    low, high = min([0.0, *lows]), max([0.0, *ends])
    unit = (right - left) / ((high - low) or 1)
    zero = left - low * unit
    for index, (mark, name, text) in enumerate(zip(chart.marks, names, texts, strict=True)):
        y = height - above - ROW * (index + 0.5)
        theme.write(axes, left - 24, y, name, ha="right", colour=theme.QUIET if mark.muted else theme.INK)
        end = _bar(axes, mark, y, zero, unit)
        colour = theme.QUIET if mark.muted else theme.INK
        theme.write(axes, end + 18, y, text, theme.SMALL, bold=True, colour=colour, covers=True)
    axes.plot([zero] * 2, [height - above - ROW * len(chart.marks), height - above], color=theme.QUIET, lw=2, zorder=4)
    if chart.target is not None:
        _target(axes, chart, zero + chart.target.value * unit, height - above)
    return figure


def _bar(axes: "Axes", mark: Mark, y: float, zero: float, unit: float) -> float:
    """One bar and its whiskers; the place after which its text may stand."""
    if mark.value is None:
        return zero
    colour = theme.MUTED if mark.muted else theme.BLUE
    hollow = mark.few or not mark.complete
    axes.barh(
        [y],
        [mark.value * unit],
        BAR,
        left=zero,
        color=theme.PAPER if hollow else colour,
        edgecolor=colour,
        linewidth=3,
        linestyle="-" if mark.complete else (0, (2, 1)),
        zorder=2,
    )
    end = zero + max(mark.value, 0.0) * unit
    if mark.low is None or mark.high is None:
        return end
    low, high = zero + mark.low * unit, zero + mark.high * unit
    axes.plot([low, high], [y, y], color=theme.INK, lw=2, zorder=3)
    for cap in (low, high):
        axes.plot([cap, cap], [y - 7, y + 7], color=theme.INK, lw=2, zorder=3)
    return max(end, high)


def _target(axes: "Axes", chart: Chart, x: float, top: float) -> None:
    if chart.target is None:
        return
    axes.plot([x, x], [top - ROW * len(chart.marks), top + 6], color=theme.TARGET, lw=2.7, ls=(0, (5, 3)), zorder=4)
    half = width(plain(chart.target.text), theme.SMALL) / 2
    middle = min(max(x, theme.MARGIN + half), theme.WIDTH - theme.MARGIN - half)
    theme.write(axes, middle, top + 26, chart.target.text, theme.SMALL, ha="center", colour=theme.TARGET)
