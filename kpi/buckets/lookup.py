"""A question as lookups in the buckets: what is read, with which values, and what was counted."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

import sqlalchemy as sa

from kpi.ask import Ask, Counted
from kpi.buckets import state
from kpi.buckets.cells import Form
from kpi.buckets.routes import Why
from storage.database import Part, Tongue, parameter, spell

Found = Mapping[str, Sequence[tuple[Any, ...]]]
"""The rows of each part."""


class Lookup(Protocol):
    """What one question reads of the buckets."""

    def parts(self, spoken: Tongue) -> Mapping[str, Part | Form]:
        """The selects, or the forms of cells, by name."""

    def values(self) -> Mapping[str, Mapping[str, Any]]:
        """The parameters of each."""

    def counted(self, ask: Ask, found: Found) -> Counted | Why:
        """What the rows add up to; or why the facts must be asked after all."""


@lru_cache(maxsize=4)
def how_they_stand(spoken: Tongue) -> Part:
    """Of the parameter `workspace`; `state.standing` makes sense of the rows."""
    return spell(spoken, state.of(parameter("workspace", sa.Text)))
