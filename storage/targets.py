"""Targets that people set: for the whole workspace, or for one team, rep or segment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import insert
from storage.schema import target

MOST_SPECIFIC_FIRST = ("rep", "team", "segment")
"""Which of several targets that apply wins; the whole workspace's comes last."""


@dataclass(frozen=True, slots=True)
class Target:
    """In the KPI's unit: percent, days, count, or major currency units. `dimension` None = the whole workspace."""

    id: str
    metric: str
    reading: str
    dimension: str | None
    key: str | None
    value: Decimal


def most_specific(targets: Iterable[Target], narrowed_to: Mapping[str, str | None]) -> Target | None:
    """Of targets for one KPI and reading, the most specific that applies to what is narrowed to these dimensions and
    keys; None where none does."""
    found = [
        each
        for each in targets
        if each.dimension is None or (each.dimension in narrowed_to and narrowed_to[each.dimension] == each.key)
    ]
    order = {dimension: at for at, dimension in enumerate(MOST_SPECIFIC_FIRST)}
    return min(found, key=lambda each: order.get(each.dimension or "", len(order)), default=None)


def list_targets(connection: Connection, workspace_id: str, *, metric: str | None = None) -> tuple[Target, ...]:
    """The targets in force, of one KPI or of all."""
    query = sa.select(target).where(target.c.workspace_id == workspace_id, target.c.stopped_at.is_(None))
    if metric is not None:
        query = query.where(target.c.metric == metric)
    rows = connection.execute(query.order_by(target.c.created_at, target.c.id))
    return tuple(Target(row.id, row.metric, row.reading, row.dimension, row.key, row.value) for row in rows)


def set_target(connection: Connection, workspace_id: str, wanted: Target, *, actor: str | None, now: datetime) -> None:
    """Put a target in force; the one it replaces (same KPI, reading, dimension and key) is stopped."""
    same = sa.and_(
        target.c.workspace_id == workspace_id,
        target.c.metric == wanted.metric,
        target.c.reading == wanted.reading,
        target.c.dimension.is_not_distinct_from(wanted.dimension),
        target.c.key.is_not_distinct_from(wanted.key),
        target.c.stopped_at.is_(None),
    )
    connection.execute(sa.update(target).where(same).values(stopped_at=now))
    connection.execute(
        insert(connection, target).values(
            workspace_id=workspace_id,
            id=wanted.id,
            created_by=actor,
            created_at=now,
            stopped_at=None,
            metric=wanted.metric,
            reading=wanted.reading,
            dimension=wanted.dimension,
            key=wanted.key,
            value=wanted.value,
        )
    )


def stop_target(connection: Connection, workspace_id: str, target_id: str, *, now: datetime) -> bool:
    """Stop a target; False where there is none in force of that id."""
    mine = (target.c.workspace_id == workspace_id, target.c.id == target_id, target.c.stopped_at.is_(None))
    return connection.execute(sa.update(target).where(*mine).values(stopped_at=now)).rowcount == 1
