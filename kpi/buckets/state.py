"""How far the buckets of a workspace can be relied on.

Absent: never built. `building`: a full build is needed, or under way from `position`. `due`: all is there but for the
rows that `bucket_due` names. `ready`: every bucket is the sum of what the facts say, for any `today` within
[valid_from, valid_until): outside of it, open deals may belong to another team. Buckets in another currency than the
workspace's are as good as none: they count as `building`, not begun.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select

from kpi.buckets.tables import bucket_due, bucket_state
from storage.database import Insert, insert, insert_of
from storage.schema import workspace
from storage.workspaces import read_workspace


class State(StrEnum):
    BUILDING = "building"
    DUE = "due"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Standing:
    """`state` None: never built. `position`: how far a build is; "" = not begun."""

    state: State | None = None
    position: str = ""
    valid_from: date | None = None
    valid_until: date | None = None

    @property
    def begun(self) -> bool:
        """Whether anything is there that changes have to be added to."""
        return self.state is not None and (self.state is not State.BUILDING or self.position != "")

    def within(self, today: date) -> bool:
        """Whether open deals belong to the teams of that day."""
        begun = self.valid_from is None or self.valid_from <= today
        return begun and (self.valid_until is None or today < self.valid_until)

    def holds(self, today: date) -> bool:
        """Whether questions seen from a local day may be answered from the buckets."""
        return self.state is State.READY and self.within(today)


def select(workspace_id: str) -> Select[Any]:
    """Columns `state`, `position`, `valid_from`, `valid_until`; no row: never built."""
    return of(sa.literal(workspace_id, sa.Text))


def of(workspace_id: ColumnElement[str]) -> Select[Any]:
    """`select` of a workspace that is given as a parameter."""
    currency = sa.select(workspace.c.currency).where(workspace.c.workspace_id == workspace_id).scalar_subquery()
    same = bucket_state.c.currency == currency
    return sa.select(
        sa.case((same, bucket_state.c.state), else_=str(State.BUILDING)).label("state"),
        sa.case((same, bucket_state.c.position), else_="").label("position"),
        bucket_state.c.valid_from,
        bucket_state.c.valid_until,
    ).where(bucket_state.c.workspace_id == workspace_id)


def standing(rows: Sequence[Sequence[Any]]) -> Standing:
    """From the rows of `select`."""
    return Standing(State(rows[0][0]), *rows[0][1:]) if rows else Standing()


def read(connection: Connection, workspace_id: str) -> Standing:
    """How the buckets stand."""
    return standing(connection.execute(_asked(), {"workspace": workspace_id}).all())


@cache
def _asked() -> Select[Any]:
    """Made once, as each page asks: SQLAlchemy takes far longer for it than the database."""
    return of(sa.bindparam("workspace", type_=sa.Text))


@cache
def _held(dialect: str) -> tuple[Insert, Select[Any]]:
    """The row where there is none, and the row for oneself."""
    state = sa.literal(str(State.BUILDING))
    new = insert_of(dialect, bucket_state).values(workspace_id=sa.bindparam("workspace"), state=state)
    mine = bucket_state.c.workspace_id == sa.bindparam("workspace")
    row = sa.select(bucket_state.c.state, bucket_state.c.position).where(mine).with_for_update()
    return new.on_conflict_do_nothing(), row


def hold(connection: Connection, workspace_id: str) -> Standing:
    """How the buckets stand, and nobody else changes it, or folds, until the end of the transaction.

    From now on there is a row: of two that come first, one waits for the other.
    """
    new, row = _held(connection.dialect.name)
    connection.execute(new, {"workspace": workspace_id})
    stored = connection.execute(row, {"workspace": workspace_id}).one()
    # Read again: it may have waited for another, and sees now what that one did.
    now = read(connection, workspace_id)
    if not now.begun and Standing(State(stored.state), stored.position).begun:
        write(connection, workspace_id, now)
    return now


def write(connection: Connection, workspace_id: str, standing: Standing) -> None:
    """Set down how the buckets stand. Raises `ValueError` for one that was never built, `LookupError` for a workspace
    that does not exist."""
    if standing.state is None:
        raise ValueError("a workspace without buckets has no state")
    values = {
        "state": str(standing.state),
        "currency": read_workspace(connection, workspace_id).currency,
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
