"""Texts of a picture: foreign names made harmless, and cut to the room there is.

A deal or a person may be called anything: a formula, twenty thousand letters, marks that turn the writing round.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy import uint8
    from numpy.typing import NDArray

MOST_GRAPHEMES = 40
MOST_OF_ONE = 8
"""Code points kept of one grapheme; a name can pile thousands of accents on one letter."""
POINTS = 0.72
"""Points of type to one unit of the picture."""
SCALE = 1.5
"""Pixels to one unit."""
KEPT = 256
"""Texts whose letters are remembered, some 15 KB each: titles, dates and ticks come again in picture after picture."""


@dataclass(frozen=True, slots=True)
class Letters:
    """A text as it is printed: setting letters takes most of the time of a picture, so it is done once a text."""

    ink: "NDArray[uint8]"
    """How much of each pixel is covered, 0 to 255, row by row from the top."""
    before: int
    """Pixels from where the text stands to the first column; negative where a letter reaches back."""
    above: int
    """The rows that stand above the base line."""
    across: float
    """How wide it is, in units."""


def plain(text: str, most: int = MOST_GRAPHEMES) -> str:
    """`text` on one line, without control and direction marks, and cut to `most` graphemes with an ellipsis.

    A letter that the font lacks becomes `□`, an emoji goes away.
    """
    from rich.cells import split_graphemes

    start = text[: most * MOST_OF_ONE * 4]
    drawn = re.sub(" +", " ", "".join(map(_drawable, start))).lstrip(" ")
    spans, _ = split_graphemes(drawn)
    graphemes = (drawn[first:last] for first, last, *_ in spans)
    kept = ["□" if "□" in grapheme else grapheme[:MOST_OF_ONE] for grapheme in graphemes]
    if len(kept) > most or len(text) > len(start):
        return "".join(kept[: most - 1]).rstrip() + "…"
    return "".join(kept).rstrip()


def fitted(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """`text`, or as much of its beginning as is at most `room` units wide, with an ellipsis."""
    if width(text, size, bold=bold) <= room:
        return text
    # Letter by letter first, which is nearly right and cheap; neighbours that move closer or apart make the rest.
    advances = _advances(size, bold)
    left, kept = room - advances("…"), 0
    while kept < len(text) and left >= advances(text[kept]):
        left -= advances(text[kept])
        kept += 1
    while kept and width(text[:kept].rstrip() + "…", size, bold=bold) > room:
        kept -= 1
    return text[:kept].rstrip() + "…"


def width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of a text that is already plain, in units of the picture."""
    return letters(text, size, bold).across


@lru_cache(maxsize=KEPT)
def letters(text: str, size: float, bold: bool) -> Letters:
    """The letters of a text that is already plain."""
    from matplotlib.ft2font import LoadFlags

    face = _face(bold)
    face.set_size(size * POINTS, 100 * SCALE)
    # The space in front makes the first letter stand as exactly as the others, and is taken away again.
    face.set_text(" ", 0.0, flags=LoadFlags.DEFAULT)
    space = face.get_width_height()[0]
    face.set_text(f" {text}", 0.0, flags=LoadFlags.DEFAULT)
    across, high = face.get_width_height()
    below = face.get_descent()
    face.draw_glyphs_to_bitmap(antialiased=True)
    printed = face.get_image()
    columns = printed.any(axis=0).nonzero()[0]
    first, last = (columns[0], columns[-1] + 1) if len(columns) else (0, 0)
    return Letters(
        ink=printed[:, first:last].copy(),
        before=int(first) - round(space / 64),
        above=(high - below) // 64 + 1,
        across=(across - space) / 64 / SCALE,
    )


def font_file(bold: bool) -> str:
    """The face that comes with matplotlib, whatever fonts the machine has."""
    import matplotlib

    return str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"))


def _drawable(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Zs" and ord(character) in _charmap():
        return character
    if category in ("Zs", "Zl", "Zp") or character in "\t\n\r\v\f":
        return " "
    if category in ("Cc", "Cf", "Cs", "Co", "Cn"):
        return ""
    if ord(character) in _charmap():
        return character
    return "□" if category[0] in "LN" else ""


@cache
def _charmap() -> frozenset[int]:
    return frozenset(_face(False).get_charmap()) & frozenset(_face(True).get_charmap())


@cache
def _advances(size: float, bold: bool) -> Callable[[str], float]:
    """How far each letter of a size moves the next one, in units."""
    face = _face(bold)

    @cache
    def advance(letter: str) -> float:
        face.set_size(size * POINTS, 100 * SCALE)
        return float(face.load_char(ord(letter)).linearHoriAdvance / 65536 / SCALE)

    return advance


@cache
def _face(bold: bool) -> Any:
    from matplotlib.ft2font import FT2Font

    return FT2Font(font_file(bold))
