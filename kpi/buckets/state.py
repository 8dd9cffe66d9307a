"""How far the buckets of a workspace can be relied on.

Absent: never built. `building`: a full build is needed, or under way from `position`. `due`: all is there but for the
rows that `bucket_due` names. `ready`: every bucket is the sum of what the facts say, for any `today` within
[valid_from, valid_until): outside of it, open deals may belong to another team.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select

from kpi.buckets.tables import bucket_due, bucket_state
from storage.database import insert


class State(StrEnum):
    BUILDING = "building"
    DUE = "due"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Standing:
    """`state` None: never built."""

    state: State | None = None
    position: str = ""
    valid_from: date | None = None
    valid_until: date | None = None

    def holds(self, today: date) -> bool:
        """Whether questions seen from a local day may be answered from the buckets."""
        if self.state is not State.READY:
            return False
        begun = self.valid_from is None or self.valid_from <= today
        return begun and (self.valid_until is None or today < self.valid_until)


def select(workspace_id: str) -> Select[tuple[Any, ...]]:
    """Columns `state`, `position`, `valid_from`, `valid_until`; no row: never built."""
    columns = (bucket_state.c.state, bucket_state.c.position, bucket_state.c.valid_from, bucket_state.c.valid_until)
    return sa.select(*columns).where(bucket_state.c.workspace_id == workspace_id)


def read(connection: Connection, workspace_id: str) -> Standing:
    """How the buckets stand."""
    return _standing(connection, select(workspace_id))


def hold(connection: Connection, workspace_id: str) -> Standing:
    """How the buckets stand, and nobody else changes it, or folds, until the end of the transaction."""
    return _standing(connection, select(workspace_id).with_for_update())


def _standing(connection: Connection, query: Select[tuple[Any, ...]]) -> Standing:
    row = connection.execute(query).first()
    return Standing() if row is None else Standing(State(row.state), row.position, row.valid_from, row.valid_until)


def write(connection: Connection, workspace_id: str, standing: Standing) -> None:
    """Set down how the buckets stand. Raises `ValueError` for one that was never built."""
    if standing.state is None:
        raise ValueError("a workspace without buckets has no state")
    values = {
        "state": str(standing.state),
        "position": standing.position,
        "valid_from": standing.valid_from,
        "valid_until": standing.valid_until,
    }
    statement = insert(connection, bucket_state).values(workspace_id=workspace_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["workspace_id"], set_=values))


def note_due(connection: Connection, workspace_id: str, family: str, ids: Iterable[str]) -> None:
    """Rows that are to be folded later."""
    rows = [{"workspace_id": workspace_id, "family": family, "id": each} for each in sorted(set(ids))]
    if rows:
        connection.execute(insert(connection, bucket_due).on_conflict_do_nothing(), rows)
