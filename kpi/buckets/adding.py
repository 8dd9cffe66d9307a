"""What rows add to the buckets, added up cell by cell, and written."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Any

from kpi.buckets.shapes import NONE, UNDATED, Shape, code
from kpi.buckets.tables import Family
from kpi.buckets.tally import STOCK, added
from kpi.period import Grain

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

    Numbers = NDArray[int64]

Row = tuple[Any, ...]
Cell = tuple[Any, ...]
"""A row of a bucket table, in the order of its columns."""
Keys = Sequence[Iterable[str]]
"""Columns of keys, each with one for every cell."""

IDENTITY = 2
"""Columns of a tally before its keys: workspace and id."""

KEY = 6
"""Columns of the key of a bucket table, which come first."""


@dataclass(frozen=True, slots=True)
class Part:
    """What rows add, or take away, on one day each."""

    days: Sequence[date | None]
    keys: Sequence[Sequence[str]]
    """For each row, its keys in the order of the family's."""
    numbers: "Numbers"
    """For each row, what it adds to each column of the bucket table, in order."""


def moved(gone: Sequence[Row], come: Sequence[Row], said: int) -> tuple[list[Row], "Numbers"]:
    """Tally rows that no longer hold and those that hold now, with the numbers after the first `said` columns: signed,
    and one row where nothing else changed."""
    import numpy as np

    before = {row[:said]: row for row in gone}
    rows, numbers = [], []
    for row in come:
        old = before.pop(row[:said], None)
        rows.append(row)
        numbers.append(
            row[said:] if old is None else [new - was for new, was in zip(row[said:], old[said:], strict=True)]
        )
    for row in before.values():
        rows.append(row)
        numbers.append([-was for was in row[said:]])
    width = len(rows[0]) - said if rows else 0
    return rows, np.array(numbers, dtype=np.int64).reshape(len(rows), width)


@dataclass(frozen=True, slots=True)
class Told:
    """Cells that tell of the same columns; what they do not tell of stays as it is."""

    columns: tuple[str, ...]
    """Of the bucket table: its key, and those that change."""
    rows: list[Cell]
    """In the order of `columns`."""


def cells(family: Family, workspace_id: str, parts: Sequence[Part]) -> list[Cell]:
    """The cells that change, each once and with what is added to it, nothing but zeros left out; in the order of their
    keys."""
    return [cell for _, keys, sums in _changed(family, parts) for cell in _named(workspace_id, keys, sums)]


def told(family: Family, workspace_id: str, parts: Sequence[Part]) -> list[Told]:
    """As `cells`, of the columns that change: a page's changes are of few."""
    import numpy as np

    changed = list(_changed(family, parts))
    names, found = family.bucket.c.keys(), []
    for stock_only in (False, True):
        mine = [(keys, sums) for shape, keys, sums in changed if shape.stock_only is stock_only]
        if mine:
            some = np.flatnonzero(np.logical_or.reduce([sums.any(axis=0) for _, sums in mine]))
            rows = [cell for keys, sums in mine for cell in _named(workspace_id, keys, sums[:, some])]
            found.append(Told((*names[:KEY], *(names[KEY + at] for at in some.tolist())), rows))
    return found


def _named(workspace_id: str, keys: Keys, sums: "Numbers") -> Iterable[Cell]:
    return zip(repeat(workspace_id), *keys, *sums.T.tolist(), strict=False)


def _changed(family: Family, parts: Sequence[Part]) -> Iterator[tuple[Shape, Keys, "Numbers"]]:
    """By shape the cells that change: each column of their keys from the shape's name on, and what is added to them."""
    import numpy as np

    if not parts:
        return
    numbers = np.concatenate([part.numbers for part in parts])
    live = np.flatnonzero(numbers.any(axis=1))
    if not live.size:
        return
    numbers = numbers[live]
    all_days = [day for part in parts for day in part.days]
    all_keys = [keys for part in parts for keys in part.keys]
    days = _Places([all_days[at] for at in live])
    keys = {name: _Places([all_keys[at][place] for at in live]) for place, name in enumerate(family.keys)}
    stock = np.flatnonzero(_stock(family))
    stocks = numbers[:, stock]
    grains = {grain for shape in family.shapes for grain in (*shape.grains, None)}
    lying = {grain: _buckets(tuple(days.values), grain) for grain in grains}
    for shape in family.shapes:
        kept = [keys[name] for name in _kept(shape) if name is not None]
        # By day first: what is left to be added up by week and month is far less than there are rows.
        of_day, daily = _summed(_place(days.places, kept), stocks if shape.stock_only else numbers)
        day = days.places[of_day]
        # All grains at once: of a page's few rows, it is not the adding up that takes the time, but each call.
        buckets: list[str] = []
        shares, here = [], []
        for grain in (*shape.grains, None):
            place = np.array(lying[grain].places, dtype=np.int64)[day]
            rows = np.flatnonzero(place >= 0)
            here.append(rows)
            shares.append(place[rows] + len(buckets))
            buckets += lying[grain].values
        rows, bucket = np.concatenate(here), np.concatenate(shares)
        first, sums = _summed(_place(bucket, kept, of_day[rows]), daily[rows])
        if not first.size:
            continue
        if shape.stock_only:
            some, sums = sums, np.zeros((len(sums), numbers.shape[1]), dtype=np.int64)
            sums[:, stock] = some
        at = of_day[rows[first]]
        named = [repeat(NONE, len(first)) if name is None else keys[name].at(at) for name in _kept(shape)]
        codes = [buckets[each] for each in bucket[first].tolist()]
        yield shape, (repeat(shape.name, len(first)), codes, *named), sums


def _place(place: "Numbers", keys: Sequence["_Places"], rows: "Numbers | slice" = slice(None)) -> "Numbers":
    """The place of a cell among all that there could be, in the order of their keys."""
    for key in keys:
        place = place * len(key.values) + key.places[rows]
    return place


def _kept(shape: Shape) -> tuple[str | None, ...]:
    return ("team" if shape.team else None, "rep" if shape.rep else None, shape.other)


def _summed(places: "Numbers", numbers: "Numbers") -> tuple["Numbers", "Numbers"]:
    """For each place, in order, a row that has it and the sums of those that do; nothing but zeros left out."""
    import numpy as np

    if not places.size:
        return places, numbers
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    # Column by column: row by row takes twice as long.
    sums = np.add.reduceat(np.ascontiguousarray(numbers[order].T), starts, axis=1).T
    some = np.flatnonzero(sums.any(axis=1))
    return order[starts[some]], sums[some]


class _Places:
    """The different values of a list, in order (None last), and for each of the list its place among them."""

    def __init__(self, listed: Sequence[Any]) -> None:
        import numpy as np

        self.values: list[Any] = sorted(set(listed), key=lambda value: (value is None, value))
        place = {value: at for at, value in enumerate(self.values)}
        self.places: Numbers = np.array([place[value] for value in listed], dtype=np.int64)

    def at(self, rows: "Numbers") -> list[Any]:
        """The values of some of the list."""
        return [self.values[place] for place in self.places[rows].tolist()]


@dataclass(frozen=True, slots=True)
class _Buckets:
    values: tuple[str, ...]
    places: tuple[int, ...]
    """For each day the place of its bucket; -1: in none."""


@lru_cache(maxsize=64)
def _buckets(days: tuple[date | None, ...], grain: Grain | None) -> _Buckets:
    """The buckets of a grain in which the days lie; None: those without a day."""
    if grain is None:
        return _Buckets((UNDATED,), tuple(0 if day is None else -1 for day in days))
    codes = [None if day is None else code(grain, day) for day in days]
    values = tuple(sorted({each for each in codes if each is not None}))
    place = {each: at for at, each in enumerate(values)}
    return _Buckets(values, tuple(-1 if each is None else place[each] for each in codes))


@lru_cache(maxsize=4)
def _stock(family: Family) -> tuple[bool, ...]:
    """Which columns of the bucket table say what is open."""
    if family.name != "deal":
        return (False,) * (len(family.bucket.c) - len(family.bucket.primary_key))
    return tuple(each.axis == STOCK for each in added("deal"))
