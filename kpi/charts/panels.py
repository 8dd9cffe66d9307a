"""The digest's picture: a few numbers in large type, each over its own small line with its own scale.

The number may be of a longer period than a point of its line, so the last point has its own value beside it.
"""

from typing import TYPE_CHECKING

from kpi.charts import theme
from kpi.charts.chart import Chart
from kpi.charts.line import Place, last_value, line
from kpi.charts.text import plain, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 290
GAP = 40


def draw_panels(chart: Chart) -> "Figure":
    """Two panels beside each other, as many rows as needed."""
    rows = max(1, -(-len(chart.panels) // 2))
    below = 30 + 36 * len(chart.notes)
    height = 140 + ROW * rows + below
    figure, axes = theme.sheet(height)
    theme.head(axes, chart.title, chart.subtitle, height)
    theme.foot(axes, chart.notes)
    across = (theme.WIDTH - 2 * theme.MARGIN - GAP) / 2
    for index, panel in enumerate(chart.panels):
        left = theme.MARGIN + (index % 2) * (across + GAP)
        _panel(axes, panel, left, height - 140 - ROW * (index // 2), across)
    return figure


def _panel(axes: "Axes", panel: Chart, left: float, top: float, across: float) -> None:
    axes.plot([left, left + across], [top, top], color=theme.GRID, lw=2)
    theme.write(axes, left, top - 30, panel.title, theme.LABEL, room=across, least=24, colour=theme.QUIET)
    beside = [(panel.change, theme.INK)] if panel.change else []
    beside += [(panel.target.text, theme.TARGET)] if panel.target is not None else []
    taken = max((width(plain(text), theme.SMALL) for text, _ in beside), default=0.0)
    theme.write(
        axes, left, top - 78, panel.value, 44, bold=True, least=30, room=across - min(taken, across * 0.48) - 20
    )
    for index, (text, colour) in enumerate(beside):
        y = top - 78 + 17 * (len(beside) - 1) - 34 * index
        theme.write(axes, left + across, y, text, theme.SMALL, ha="right", room=across * 0.48, colour=colour)
    values = [value for mark in panel.marks for value in (mark.value, mark.before) if value is not None]
    if panel.target is not None:
        values.append(panel.target.value)
    if not values:
        return
    low, high = min(values), max(values)
    room = (high - low) * 0.08 or 1.0
    end = last_value(panel.marks)
    said = panel.marks[end].short if end is not None else ""
    right = left + across - 14 - (width(plain(said), theme.SMALL, bold=True) + 22 if said else 0)
    place = Place(left + 14, right, top - ROW + 40, top - 130, low - room, high + room, len(panel.marks))
    line(axes, panel, place, weight=3.5, band=False)
    if end is not None:
        y = place.y(panel.marks[end].value or 0.0)
        theme.write(axes, place.x(end) + 22, y, said, theme.SMALL, bold=True, colour=theme.BLUE, covers=True)
