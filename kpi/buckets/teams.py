"""For which days "today" open deals belong to the teams they are tallied in: memberships begin and end on days."""

from datetime import date

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.schema import membership


def window(connection: Connection, workspace_id: str, today: date) -> tuple[date | None, date | None]:
    """The half-open range of days around `today` on which no membership begins or ends; None: no bound."""
    bounds = _bounds(workspace_id).subquery()
    before, after = bounds.c.day <= today, bounds.c.day > today
    columns = (sa.func.max(sa.case((before, bounds.c.day))), sa.func.min(sa.case((after, bounds.c.day))))
    start, end = connection.execute(sa.select(*columns)).one()
    return None if start == date.min else start, end


def moved_between(connection: Connection, workspace_id: str, after: date, until: date) -> set[str]:
    """The people of whom a membership begins or ends in (after, until]."""
    bounds = _bounds(workspace_id).subquery()
    found = sa.select(bounds.c.person_id).where(bounds.c.day > after, bounds.c.day <= until)
    return set(connection.scalars(found))


def _bounds(workspace_id: str) -> sa.CompoundSelect[tuple[str, date | None]]:
    starts, ends = membership.c.starts_on.label("day"), membership.c.ends_on.label("day")
    mine = membership.c.workspace_id == workspace_id
    return sa.union_all(
        sa.select(membership.c.person_id, starts).where(mine),
        sa.select(membership.c.person_id, ends).where(mine, membership.c.ends_on.is_not(None)),
    )
