"""One look for every picture: sizes, colours and the font, chosen to be read on a telephone.

A picture is 1200 units wide and is drawn at twice that; on a telephone it is seen 360 points wide, so that a text of 30
units is 9 points high there. Colours are those of Okabe and Ito, told apart by colour-blind people; nothing rests on
colour alone.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal

from kpi.charts.text import POINTS, fitted, font_file, plain, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.text import Text

WIDTH = 1200
HEIGHT = 675
SCALE = 2
MARGIN = 44

PAPER = "#FFFFFF"
INK = "#1D1C1D"
QUIET = "#5E5E66"
GRID = "#E3E4E8"
BLUE = "#0072B2"
BAND = "#CCE3F0"
BEFORE = "#8A9099"
MUTED = "#B4B8BF"
TARGET = "#B34700"

TITLE = 40
VALUE = 36
LABEL = 30
SMALL = 26
HALF_CAPITAL = 0.365
"""Half the height of the font's capitals, per unit of size."""


def sheet(height: float = HEIGHT) -> "tuple[Figure, Axes]":
    """An empty picture with one pair of axes over all of it, whose coordinates are units from the bottom left."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 100, height / 100), dpi=100 * SCALE, facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_autoscale_on(False)
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(0, height)
    return figure, axes


@cache
def font(size: float, bold: bool = False) -> "FontProperties":
    """The font at a height in units."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=font_file(bold), size=size * POINTS)


def write(
    axes: "Axes",
    x: float,
    y: float,
    text: str,
    size: float = LABEL,
    *,
    bold: bool = False,
    colour: str = INK,
    most: int = 90,
    room: float | None = None,
    least: float | None = None,
    ha: Literal["left", "center", "right"] = "left",
    covers: bool = False,
) -> "Text":
    """A text whose capitals have their middle at `y`, made at most `room` wide: first smaller, down to `least`,
    then cut with an ellipsis. It is never read as a formula. `covers` hides the lines behind it.
    """
    shown = plain(text, most)
    if room is not None:
        while least is not None and size > least and width(shown, size, bold=bold) > room:
            size = max(size - 2, least)
        shown = fitted(shown, size, room, bold=bold)
    return axes.text(
        x,
        y - HALF_CAPITAL * size,
        shown,
        font=font(size, bold),
        color=colour,
        parse_math=False,
        ha=ha,
        va="baseline",
        zorder=8,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 2} if covers else None,
    )


def head(axes: "Axes", title: str, subtitle: str, height: float) -> None:
    """The title and the line under it, at the top."""
    room = WIDTH - 2 * MARGIN
    write(axes, MARGIN, height - 50, title, TITLE, bold=True, room=room, least=28)
    write(axes, MARGIN, height - 100, subtitle, LABEL, colour=QUIET, room=room, least=24)


def foot(axes: "Axes", notes: Sequence[str]) -> None:
    """What must be said under the picture, one line each."""
    for index, note in enumerate(reversed(notes)):
        write(axes, MARGIN, 30 + 36 * index, note, SMALL, colour=QUIET, room=WIDTH - 2 * MARGIN)


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Heights moved as little as needed to stand at least `gap` apart between `low` and `high`, their order kept."""
    order = sorted(range(len(places)), key=lambda index: -places[index])
    moved = list(places)
    ceiling = high
    for index in order:
        moved[index] = min(places[index], ceiling)
        ceiling = moved[index] - gap
    floor = low
    for index in reversed(order):
        moved[index] = max(moved[index], floor)
        floor = moved[index] + gap
    return moved
