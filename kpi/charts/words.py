"""A text of a picture, put on it as a stamp of letters that were set before: the rest of matplotlib's Text stays."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from kpi.charts import theme
from kpi.charts.text import SCALE, letters

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAD = 5
"""Pixels of paper around a text that covers what is behind it."""
_START = {"left": 0.0, "center": 0.5, "right": 1.0}
"""How much of a text stands before its place."""


class Words(Text):
    """A text that is already plain, never read as a formula, drawn by Agg. `covers` hides what is behind it."""

    def __init__(
        self, x: float, y: float, text: str, size: float, bold: bool, covers: bool, *, color: str, ha: Any
    ) -> None:
        super().__init__(
            x, y, text, color=color, fontproperties=theme.font(size, bold), parse_math=False, ha=ha, va="baseline"
        )
        self.set_zorder(8)
        self._letters = letters(text, size, bold)
        self._covers = covers

    def draw(self, renderer: Any) -> None:
        self._renderer = renderer
        printed = self._letters
        if not printed.ink.size:
            return
        x, y = self.get_transform().transform(self.get_position())
        start = x - _START[self.get_horizontalalignment()] * printed.across * SCALE
        ink = np.pad(printed.ink, PAD) if self._covers else printed.ink
        pad = PAD if self._covers else 0
        left, top = round(start) + printed.before - pad, round(y) + printed.above + pad
        context = renderer.new_gc()
        renderer.draw_image(context, left, top - ink.shape[0], self._stamp(ink)[::-1])
        context.restore()

    def _stamp(self, ink: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
        """Red, green, blue and alpha of every pixel: letters alone, or letters on paper."""
        colour = np.array(to_rgb(self.get_color())) * 255
        stamp = np.empty((*ink.shape, 4), np.uint8)
        if self._covers:
            stamp[..., :3] = 255 + (colour - 255) * (ink[..., None] / 255)
            stamp[..., 3] = 255
        else:
            stamp[..., :3] = colour
            stamp[..., 3] = ink
        return stamp
