"""From a `Chart` to a PNG."""

from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from kpi.charts.chart import Chart, Kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy import uint8
    from numpy.typing import NDArray

WHITE = 0xFFFFFFFF


def draw(chart: Chart) -> bytes:
    """The picture as a PNG with a palette, 1800 pixels wide. Not for two threads at once."""
    import zlib

    from PIL import Image

    from kpi.charts.theme import palette

    canvas: Any = figure(chart).canvas
    canvas.draw()
    across, high = canvas.get_width_height()
    picture = Image.fromarray(_numbered(canvas.buffer_rgba()).reshape(high, across))
    picture.putpalette(palette())
    written = BytesIO()
    # Large areas of one colour: looking for repeats of one point alone is faster, and as small, as for any repeat.
    picture.save(written, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return written.getvalue()


def figure(chart: Chart) -> "Figure":
    """The picture before it is turned into pixels; it is wiped when the next one is drawn."""
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


def _numbered(drawn: memoryview) -> "NDArray[uint8]":
    """Each pixel's number in the palette. Most of a picture is paper, which is not looked up."""
    import numpy as np

    numbers = _numbers()
    pixels = np.frombuffer(drawn, "<u4")
    found = np.full(pixels.shape, numbers[-1], np.uint8)
    inked = np.flatnonzero(pixels != WHITE)
    colours = pixels[inked]
    found[inked] = numbers[(colours & 0xFC) << 10 | (colours & 0xFC00) >> 4 | (colours & 0xFC0000) >> 18]
    return found


@cache
def _numbers() -> "NDArray[uint8]":
    """The nearest colour of the palette for each colour there is, by the six high bits of red, green and blue."""
    import numpy as np
    from PIL import Image

    from kpi.charts.theme import palette

    levels = np.arange(2, 256, 4, dtype=np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(512, 512, 3)
    colours = Image.new("P", (1, 1))
    colours.putpalette(palette())
    nearest = Image.fromarray(cube).quantize(palette=colours, dither=Image.Dither.NONE)
    return np.asarray(nearest).reshape(-1)
