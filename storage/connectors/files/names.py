"""Who is meant by a name in a cell: a row known by that id, else the only one of that name, else a new mention."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from rapidfuzz import fuzz, process
from sqlalchemy import Connection

from storage import schema
from storage.connectors.base import Known, Suggestion
from storage.connectors.files.cells import Bad
from storage.connectors.files.headers import fold
from storage.problems import Reason
from storage.records import Mention, When

_NAMED = ("person", "product", "customer", "pipeline")
_ALIKE = 88
_SHORTEST = 4
_CODE_DIGITS = 4
_MOST_PAIRS = 4_000_000
"""Above this only spellings that differ by spaces, capitals, accents and signs are compared: more takes minutes."""


class Names:
    """The rows that cells may name, and every name that was not among them."""

    def __init__(self, aliases: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self._aliases = aliases or {}
        self._ids: dict[str, set[str]] = defaultdict(set)
        self._by_name: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._unknown: dict[str, Counter[str]] = defaultdict(Counter)
        self.lead_created: dict[str, When | date | None] = {}

    def add(self, object_: str, ext_id: str, *names: str | None) -> None:
        self._ids[object_].add(ext_id)
        for name in names:
            if name:
                self._by_name[object_][name].add(ext_id)

    def learn(self, known: Known) -> None:
        for object_, rows in known.items():
            for ext_id, *names in rows:
                if object_ == "lead":
                    self.add("lead", ext_id)
                    self.lead_created[ext_id] = names[1]
                else:
                    self.add(object_, ext_id, *names)

    def resolve(self, object_: str, said: str) -> tuple[str, Mention | None] | Bad:
        """The ext id that `said` means, and the mention to insert where no row is known by it."""
        said = self._aliases.get(object_, {}).get(said, said)
        if said in self._ids[object_]:
            return said, None
        found = self._by_name[object_].get(said) or self._by_name[object_].get(said.casefold())
        if found and len(found) > 1:
            return Bad(Reason.REFERENCE_AMBIGUOUS, said)
        if found:
            return next(iter(found)), None
        self._unknown[object_][said] += 1
        return said, Mention(object=object_, ext_id=said, name=said)

    def suggestions(self) -> list[Suggestion]:
        """For each name that no row bears, the known name it resembles; or its twin among the other unknown ones."""
        found: list[Suggestion] = []
        for object_ in _NAMED:
            unknown = self._unknown[object_]
            known = {name: fold(name) for name in self._by_name[object_] or unknown}
            keys: dict[str, list[str]] = defaultdict(list)
            for name in known:
                keys[_key(name)].append(name)
            for said, rows in sorted(unknown.items()):
                other = next((name for name in keys[_key(said)] if name != said), None)
                if other is None and len(unknown) * len(known) <= _MOST_PAIRS:
                    other = _nearest(said, known)
                # Of two unknown spellings, the rarer one is the suspect.
                if other is not None and (other not in unknown or (unknown[other], other) > (rows, said)):
                    found.append(Suggestion(object_, said, other, rows))
        return found


def known_names(connection: Connection, workspace_id: str, source: str) -> Known:
    """What `Names.learn` wants of the rows of earlier syncs; rows that were only mentioned are not among them."""
    known: dict[str, list[tuple[Any, ...]]] = {}
    for object_ in (*_NAMED, "lead"):
        table = schema.metadata.tables[object_]
        extra = {"person": table.c.get("email"), "lead": table.c.get("created_on")}.get(object_)
        columns = [table.c.ext_id, table.c.name] + ([] if extra is None else [extra])
        rows = connection.execute(
            sa.select(*columns).where(
                table.c.workspace_id == workspace_id, table.c.source == source, table.c.payload_hash != ""
            )
        )
        known[object_] = [tuple(row) for row in rows]
    return known


def _key(name: str) -> str:
    """The letters alone, the words in one order: `GTXPro`, `GTX Pro`; `LÉON Zoé`, `Zoé Léon`."""
    return "".join(sorted(fold(name).split()))


def _nearest(said: str, known: Mapping[str, str]) -> str | None:
    """The name most like `said` among `known` (name to its folded form)."""
    digits = [c for c in said if c.isdigit()]
    # Codes resemble each other by nature.
    if len(said) < _SHORTEST or len(digits) >= _CODE_DIGITS:
        return None
    for name in (
        found[2] for found in process.extract(fold(said), known, scorer=fuzz.ratio, score_cutoff=_ALIKE, limit=2)
    ):
        # "Plan 2" is not a misspelt "Plan 3".
        if name != said and [c for c in name if c.isdigit()] == digits:
            return name
    return None
