"""A walk in stretches, and pages by offset over a set that moves while it is read.

APIs with a start and a size count places, and places shift: a row that is removed, or moves to the end because it was
edited, pulls every later one forward, and the next window would begin behind rows that nobody has read. So windows
overlap, and one counts only if it holds an anchor: a row that was read before and has not changed since. Rows keep
their order until they are changed, so all that stands before an anchor has been read too; a row there that is not
remembered (rows of one moment may come in another order) is given all the same. Without an anchor an earlier window is
asked for, in the end the first. What is changed meanwhile is the next walk's business.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from storage.records import Position

_ANCHORS = 40
"""Rows that are remembered: so many of the last ones would have to change at once to send the reader back."""
_OVERLAP = 20


@dataclass(frozen=True, slots=True)
class Window:
    """Rows that are new since the window before, where to go on, and whether nothing follows."""

    rows: Sequence[Any]
    token: str
    last: bool


Stretch = Callable[[str], Iterator[Window]]
"""From a token of its own on; an empty one is its beginning."""


def along(
    position: Position, stretches: Sequence[Stretch], behind: Callable[[], timedelta | None]
) -> Iterator[tuple[int, Sequence[Any], Position, bool]]:
    """One walk, stretch after stretch: the number of the stretch, its rows, the position after them, whether it ends.

    `behind` tells how far the CRM's clock is behind ours, as `Position.done` wants it.
    """
    number, _, token = position.token.partition(" ")
    first = int(number) if number.isdecimal() and int(number) < len(stretches) else 0
    for index in range(first, len(stretches)):
        for window in stretches[index](token if index == first else ""):
            last = window.last and index == len(stretches) - 1
            ahead = f"{index + 1} " if window.last else f"{index} {window.token}"
            yield index, window.rows, position.done(behind()) if last else replace(position, token=ahead), last


def windows(
    ask: Callable[[int, int], tuple[Sequence[Any], bool | None]], mark: Callable[[Any], str], size: int, token: str
) -> Iterator[Window]:
    """Every row of a set that is read by places.

    `ask(start, size)` gives the rows there and whether more follow; None where the API does not say: then the set ends
    where a window brings nothing new, whatever its length (a server may cap the size in silence). `mark` names a row
    and its version.
    """
    start, most, anchors = _opened(token)
    while True:
        rows, more = ask(start, size)
        marks = [mark(row) for row in rows]
        fresh = [place for place, each in enumerate(marks) if each not in anchors]
        most = max(most, len(rows))
        if start and len(fresh) == len(rows):
            # So far that the window reaches to where this one began, by what the server really gives.
            start = max(0, start - max(1, most - 1))
            continue
        last = not fresh if more is None else not (more and rows)
        anchors = [*anchors, *(marks[place] for place in fresh)][-_ANCHORS:]
        start += len(rows) - min(_OVERLAP, max(1, len(rows) // 4)) if rows else 0
        yield Window([rows[place] for place in fresh], json.dumps([start, most, anchors]), last)
        if last:
            return


def _opened(token: str) -> tuple[int, int, list[str]]:
    if not token:
        return 0, 0, []
    start, most, anchors = json.loads(token)
    return start, most, anchors
