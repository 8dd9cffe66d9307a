"""From a `Chart` to a PNG."""

from io import BytesIO
from typing import TYPE_CHECKING, Any

from kpi.charts.chart import Chart, Kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(chart: Chart) -> bytes:
    """The picture as a PNG with a palette, 1800 pixels wide. Not for two threads at once."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    from kpi.charts.theme import palette

    canvas: Any = FigureCanvasAgg(figure(chart))
    canvas.draw()
    pixels = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
    colours = Image.new("P", (1, 1))
    colours.putpalette(palette())
    written = BytesIO()
    pixels.convert("RGB").quantize(palette=colours, dither=Image.Dither.NONE).save(written, "PNG", compress_level=1)
    return written.getvalue()


def figure(chart: Chart) -> "Figure":
    """The picture before it is turned into pixels."""
    match chart.kind:
        case Kind.LINE:
            from kpi.charts.line import draw_line

            return draw_line(chart)
        case Kind.BARS:
            from kpi.charts.bars import draw_bars

            return draw_bars(chart)
        case Kind.PANELS:
            from kpi.charts.panels import draw_panels

            return draw_panels(chart)
