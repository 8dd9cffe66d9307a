"""Texts of a picture: foreign names made harmless, and cut to the room there is.

A deal or a person may be called anything: a formula, twenty thousand letters, marks that turn the writing round.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

MOST_GRAPHEMES = 40
MOST_OF_ONE = 8
"""Code points kept of one grapheme; a name can pile thousands of accents on one letter."""
POINTS = 0.72
"""Points of type to one unit of the picture."""


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
    short, long = 0, len(text)
    while short < long:
        middle = (short + long + 1) // 2
        if width(text[:middle].rstrip() + "…", size, bold=bold) <= room:
            short = middle
        else:
            long = middle - 1
    return text[:short].rstrip() + "…"


def width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of a text that is already plain, in units of the picture."""
    face = _face(bold)
    face.set_size(size * POINTS, 100)
    face.set_text(text, 0.0)
    return float(face.get_width_height()[0] / 64)


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
def _face(bold: bool) -> Any:
    from matplotlib.ft2font import FT2Font

    return FT2Font(font_file(bold))
