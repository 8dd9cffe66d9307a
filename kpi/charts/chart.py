"""What a picture shows, ready to be drawn: every text is written and translated by whoever asks for it.

A `Chart` holds no exact number: floats only say where to draw, the texts beside them say the value. It can be pickled
and written as JSON, since a letter keeps the chart that its picture will show.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import TypeAdapter

MOST_BARS = 15


class Kind(StrEnum):
    LINE = "line"
    """One series over time."""
    BARS = "bars"
    """Groups side by side, drawn in the order given, the first on top; at most `MOST_BARS` can be drawn."""
    PANELS = "panels"
    """Several small lines, each with its own title and scale: the digest."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One point of a line or one bar."""

    label: str
    """The bucket or the group."""
    value: float | None
    """None = no data: a gap, never 0."""
    text: str = ""
    """The value in words, as it is written beside a bar and read out."""
    short: str = ""
    """The value in few letters, as it is written at the end of a line."""
    low: float | None = None
    high: float | None = None
    """The interval's ends; both or neither."""
    few: bool = False
    """Drawn hollow: too few deals to trust."""
    complete: bool = True
    """False: the bucket is not over; drawn hollow and dashed."""
    muted: bool = False
    """Drawn grey: the group "(none)"."""
    before: float | None = None
    """The same place in the period before, drawn as a light line."""


@dataclass(frozen=True, slots=True)
class Level:
    """A value of the axis with its text: a tick, or the target."""

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    kind: Kind
    title: str
    subtitle: str = ""
    marks: tuple[Mark, ...] = ()
    ticks: tuple[Level, ...] = ()
    """The value axis of a line; bars have none, their values stand beside them."""
    target: Level | None = None
    before_label: str = ""
    """What the light line is."""
    interval_label: str = ""
    """What the band or the whiskers are."""
    notes: tuple[str, ...] = ()
    """Said under the picture: what hollow marks mean, how many groups are not shown."""
    unit: str = ""
    """What the values are in, for those who show bare numbers: `%`, `EUR`, `days`; empty for counts."""
    value: str = ""
    """Of a panel: the value in large type."""
    change: str = ""
    """Of a panel: its change and its target, in words."""
    panels: tuple["Chart", ...] = ()

    def to_json(self) -> str:
        """JSON that `from_json` reads back to an equal chart."""
        return _adapter().dump_json(self, exclude_defaults=True).decode()

    @staticmethod
    def from_json(text: str) -> "Chart":
        """The chart that `to_json` wrote. ValueError if the text is not one."""
        return _adapter().validate_json(text)


@cache
def _adapter() -> "TypeAdapter[Chart]":
    """Made once: it costs more than the charts that it reads and writes."""
    from pydantic import TypeAdapter

    return TypeAdapter(Chart)
