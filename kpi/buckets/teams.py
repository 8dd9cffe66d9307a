"""For which days "today" open deals belong to the teams they are tallied in: memberships begin and end on days."""

from dataclasses import replace
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from kpi.buckets import state
from kpi.buckets.state import Standing, State
from kpi.buckets.touched import OF_PERSON, of_person
from storage.schema import membership


def as_of(connection: Connection, workspace_id: str, standing: Standing, today: date) -> Standing:
    """How buckets stand whose open deals are to belong to the teams of that day: those of people who are in another
    team by then are noted as due. To be written."""
    start, end = window(connection, workspace_id, today)
    if standing.within(today):
        return replace(standing, valid_from=start, valid_until=end)
    if standing.valid_until is not None and today >= standing.valid_until:
        moved = moved_between(connection, workspace_id, standing.valid_until - timedelta(days=1), today)
    else:
        moved = moved_between(connection, workspace_id, today, standing.valid_from or date.max)
    # What is closed belongs to the team of its own day, whatever day it is now.
    state.note_due(connection, workspace_id, OF_PERSON, (of_person(person, date.max) for person in moved))
    after = State.DUE if standing.state is State.READY else standing.state
    return replace(standing, state=after, valid_from=start, valid_until=end)


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
