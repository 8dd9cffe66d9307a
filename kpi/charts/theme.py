"""One look for every picture: sizes, colours and the font, chosen to be read on a telephone.

A picture is 1200 units wide and is drawn at half as much again; on a telephone it is seen 360 points wide, so that a
text of 30 units is 9 points high there. Colours are those of Okabe and Ito, told apart by colour-blind people; nothing
rests on colour alone.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal

from kpi.charts.text import POINTS, SCALE, fitted, font_file, plain, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.text import Text

WIDTH = 1200
HEIGHT = 675
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
    """An empty picture with one pair of axes over all of it, whose coordinates are units from the bottom left.

    There is one sheet, wiped for the next picture: draw one at a time, and be done with it before the next.
    """
    figure, axes = _made()
    for artist in (*axes.lines, *axes.patches, *axes.collections, *axes.texts):
        artist.remove()
    axes.containers.clear()
    figure.set_size_inches(WIDTH / 100, height / 100)
    axes.set_ylim(0, height)
    return figure, axes


@cache
def _made() -> "tuple[Figure, Axes]":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100 * SCALE, facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_autoscale_on(False)
    axes.set_xlim(0, WIDTH)
    return figure, axes


@cache
def palette() -> bytes:
    """The colours of a picture and what lies between them and what they are drawn on: 256 times red, green, blue.

    A picture has no others, so that nothing need be looked for in its millions of points.
    """
    ramps = [(colour, PAPER) for colour in (INK, QUIET, GRID, BLUE, BAND, BEFORE, MUTED, TARGET)]
    ramps += [(colour, BAND) for colour in (INK, BLUE, GRID, BEFORE, TARGET)]
    ramps += [(TARGET, BLUE), (INK, BLUE), (INK, GRID), (BLUE, GRID), (TARGET, GRID), (QUIET, MUTED)]
    found = dict.fromkeys(colour for ramp in ramps for colour in _between(*ramp))
    colours = [part for colour in list(found)[:256] for part in colour]
    return bytes(colours).ljust(768, b"\xff")


def _between(ink: str, under: str) -> Iterator[tuple[int, int, int]]:
    """Both colours and those between, some 12 apart: the search for the nearest confuses closer ones."""
    pairs = list(zip(_rgb(ink), _rgb(under), strict=True))
    steps = max(1, max(abs(one - other) for one, other in pairs) // 12)
    for step in range(steps + 1):
        red, green, blue = (round(low + (high - low) * step / steps) for high, low in pairs)
        yield red, green, blue


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


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
    from kpi.charts.words import Words

    words = Words(x, y - HALF_CAPITAL * size, shown, size, bold, covers, color=colour, ha=ha)
    axes.add_artist(words)
    return words


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
