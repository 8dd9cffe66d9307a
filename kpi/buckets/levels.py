"""What stands at the end of days, as everything up to them adds up to it: the open pipeline, and customers.

Up to the first of the days looked at, whole years and then the cells since its new year are added up; from each day to
the next, the few cells between them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kpi.ask import Ask
from kpi.buckets import cells
from kpi.buckets.cells import PAST, Form
from kpi.buckets.lookup import Found
from kpi.buckets.ranges import covering, year_of
from kpi.buckets.routes import Route, values_of
from kpi.buckets.shapes import UNDATED
from storage.database import Part, Tongue

Sums = Sequence[int]
"""What was added up, in the order of the columns."""


@dataclass(frozen=True, slots=True)
class Line:
    """Of all, or of one group: the sums of everything before each day, and of what has no day."""

    before: Mapping[date, Sums]
    undated: Sums


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: `whole` where days of all were asked for, else empty; the groups' names; how many cells."""

    whole: Line
    groups: Mapping[str | None, Line]
    names: dict[str, str]
    cells: int


@dataclass(slots=True)
class Levels:
    """Everything before some days: before each of `ends` of all, before each of `grouped_ends` by group (all are one
    group where there is none)."""

    family: str
    columns: tuple[str, ...]
    way: Route
    ask: Ask
    ends: tuple[date, ...]
    grouped_ends: tuple[date, ...]
    undated: bool = False
    """Whether rows without a day on the axis are looked at too."""
    lists: dict[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        each = tuple(dict.fromkeys(code for step in self._steps(self.ends) for code in step))
        # A series needs the whole of what has no day, the groups their part of it.
        self.lists["each"] = (*each, UNDATED) if self.undated and each else each
        slices = list(self._steps(self.grouped_ends))
        if self.undated:
            slices.append((UNDATED,))
        self.lists |= {f"slice_{at}": step for at, step in enumerate(slices)}

    @property
    def _first(self) -> date:
        return min((*self.ends, *self.grouped_ends))

    def _steps(self, ends: Sequence[date]) -> Iterator[Sequence[str]]:
        """The cells from the new year that comes before all to the first day, and from each to the next."""
        start = date(self._first.year, 1, 1)
        for end in ends:
            yield covering(start, end, weeks=self.way.weeks)
            start = end

    def parts(self, spoken: Tongue) -> Mapping[str, Part | Form]:
        form = Form(
            self.family,
            self.columns,
            self.way.legs,
            each=bool(self.ends),
            slices=len(self.lists) - 1,
            past=True,
            group_by=self.ask.query.group_by,
        )
        found: dict[str, Part | Form] = {"levels": form}
        if self.way.elsewhere is not None:
            found["elsewhere"] = cells.anything(spoken, self.family, self.way.elsewhere)
        return found

    def values(self) -> Mapping[str, Mapping[str, Any]]:
        common = {"workspace": self.ask.workspace_id, "year": year_of(self._first)} | values_of(self.ask)
        found = {"levels": common | self.lists}
        if self.way.elsewhere is not None:
            every = dict.fromkeys(code for codes in self.lists.values() for code in codes)
            found["elsewhere"] = common | {"each": list(every)}
        return found

    def read(self, found: Found) -> Read:
        """The sums, added up from day to day."""
        nothing = (0,) * len(self.columns)
        each: dict[str, Sums] = {}
        groups: dict[str | None, dict[str, Sums]] = {}
        names: dict[str, str] = {}
        count = 0
        for tag, key, name, added, *sums in found["levels"]:
            count += added
            of_group = groups.setdefault(key, {}) if tag == PAST or tag.isdecimal() else None
            into = each if of_group is None else of_group
            into[tag] = plus(into[tag], sums) if tag in into else sums
            if name is not None:
                names[key] = name
        past = total((sums[PAST] for sums in groups.values() if PAST in sums), len(self.columns))
        whole = Line(self._line(past, self.ends, each, self._steps(self.ends)), each.get(UNDATED, nothing))
        at_undated = str(len(self.lists) - 2)
        lines = {
            key: Line(
                self._line(
                    sums.get(PAST, nothing),
                    self.grouped_ends,
                    sums,
                    ((str(at),) for at in range(len(self.grouped_ends))),
                ),
                sums.get(at_undated, nothing) if self.undated else nothing,
            )
            for key, sums in groups.items()
        }
        return Read(whole, lines, names, count)

    def _line(
        self, past: Sums, ends: Sequence[date], found: Mapping[str, Sums], steps: Iterable[Sequence[str]]
    ) -> dict[date, Sums]:
        line, so_far = {}, past
        for end, step in zip(ends, steps, strict=True):
            for tag in step:
                if tag in found:
                    so_far = plus(so_far, found[tag])
            line[end] = so_far
        return line


def plus(one: Sums, other: Sums) -> Sums:
    return [mine + yours for mine, yours in zip(one, other, strict=True)]


def total(all_sums: Iterable[Sums], width: int) -> Sums:
    summed = [sum(column) for column in zip(*all_sums, strict=True)]
    return summed or (0,) * width


def added_up(cells: Iterable[Mapping[str, int]], names: Iterable[str]) -> dict[str, int]:
    """The cell of all groups together."""
    summed = dict.fromkeys(names, 0)
    for cell in cells:
        for name, value in cell.items():
            summed[name] += value
    return summed
