"""The digest's picture: a few numbers in large type, each over its own small line with its own scale."""

from typing import TYPE_CHECKING

from kpi.charts import theme
from kpi.charts.chart import Chart
from kpi.charts.line import Place, line
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
    names = [plain(panel.target.text) for panel in chart.panels if panel.target is not None]
    beside = max((width(name, theme.SMALL) for name in names), default=0.0)
    for index, panel in enumerate(chart.panels):
        left = theme.MARGIN + (index % 2) * (across + GAP)
        _panel(axes, panel, left, height - 140 - ROW * (index // 2), across, min(beside, across / 3))
    return figure


def _panel(axes: "Axes", panel: Chart, left: float, top: float, across: float, beside: float) -> None:
    """One panel `across` wide, whose line leaves the room `beside` it for the target's name."""
    axes.plot([left, left + across], [top, top], color=theme.GRID, lw=2)
    theme.write(axes, left, top - 30, panel.title, theme.LABEL, room=across, colour=theme.QUIET)
    theme.write(axes, left, top - 78, panel.value, 44, bold=True, room=across * 0.55)
    theme.write(axes, left + across, top - 78, panel.change, theme.SMALL, ha="right", room=across * 0.45)
    values = [value for mark in panel.marks for value in (mark.value, mark.before) if value is not None]
    if panel.target is not None:
        values.append(panel.target.value)
    if not values:
        return
    low, high = min(values), max(values)
    room = (high - low) * 0.08 or 1.0
    right = left + across - (beside + 30 if beside else 14)
    place = Place(left + 14, right, top - ROW + 40, top - 120, low - room, high + room, len(panel.marks))
    line(axes, panel, place, weight=3.5)
    if panel.target is not None:
        level = place.y(panel.target.value)
        theme.write(axes, right + 20, level, panel.target.text, theme.SMALL, colour=theme.TARGET, room=beside + 4)
