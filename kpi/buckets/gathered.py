"""The lookups of several questions as the parts of one statement: cells that several of them add up are read once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

from kpi.buckets.cells import CELLS, Form, spelled
from kpi.buckets.lookup import Found, Lookup
from storage.database import Part, Tongue

Values = Mapping[str, Any]
Rows = Sequence[tuple[Any, ...]]


@dataclass(slots=True)
class _Window:
    """Cells of one form, the same buckets and keys, and the place of each column that anyone sums of them."""

    key: str
    values: Values
    columns: dict[str, int] = field(default_factory=dict)

    def sums(self, columns: Sequence[str]) -> None:
        for column in columns:
            self.columns.setdefault(column, len(self.columns))

    def own(self, columns: Sequence[str], rows: Rows) -> Rows:
        """The rows with only these sums, in this order."""
        if list(columns) == list(self.columns):
            return rows
        mine = itemgetter(*range(CELLS + 1), *(CELLS + 1 + self.columns[name] for name in columns))
        return [mine(row) for row in rows]


class Gathered:
    """Some lookups, each known by a number: `parts` are to be run with `values`."""

    def __init__(self, spoken: Tongue, lookups: Iterable[tuple[int, Lookup]]) -> None:
        self.parts: dict[str, Part] = {}
        self.values: dict[str, Values] = {}
        self._names: dict[int, dict[str, str]] = {}
        self._own: dict[int, dict[str, tuple[_Window, tuple[str, ...]]]] = {}
        windows: dict[Form, list[_Window]] = {}
        for number, lookup in lookups:
            values = lookup.values()
            names, own = self._names.setdefault(number, {}), self._own.setdefault(number, {})
            for name, part in lookup.parts(spoken).items():
                mine = values[name]
                if isinstance(part, Form):
                    alike = windows.setdefault(replace(part, columns=()), [])
                    window = next((each for each in alike if each.values == mine), None)
                    if window is None:
                        window = _Window(f"{number}:{name}", mine)
                        alike.append(window)
                    window.sums(part.columns)
                    own[name] = window, part.columns
                else:
                    # What is asked of the workspace as a whole is asked once for all.
                    names[name] = f"shared:{id(part)}" if len(mine) == 1 else f"{number}:{name}"
                    self.parts[names[name]], self.values[names[name]] = part, mine
        for form, alike in windows.items():
            for window in alike:
                self.parts[window.key] = spelled(spoken, replace(form, columns=tuple(window.columns)))
                self.values[window.key] = window.values

    def found(self, number: int, rows: Mapping[str, Rows]) -> Found:
        """What was read for a lookup, by its own names; nothing for a number that has none."""
        found = {name: rows[key] for name, key in self._names.get(number, {}).items()}
        for name, (window, columns) in self._own.get(number, {}).items():
            found[name] = window.own(columns, rows[window.key])
        return found
