"""Which team a person is in, and since when: kept from what each sync says."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import insert
from storage.history import Change
from storage.schema import membership


def follow_teams(
    connection: Connection, workspace_id: str, teams: Mapping[str, str], today: date, now: datetime
) -> list[Change]:
    """Note that these people (person id to team id) are in these teams on the local day `today`, as seen at `now`.

    A first membership starts at `date.min`: the source tells no history. A change of team ends the old one and starts
    a new one today. Returns the rows that changed.
    """
    if not teams:
        return []
    mine = (membership.c.workspace_id == workspace_id, membership.c.person_id.in_(list(teams)))
    current: dict[str, dict[str, Any]] = {}
    for row in connection.execute(sa.select(membership).where(*mine).order_by(membership.c.starts_on)).mappings():
        current[row["person_id"]] = dict(row)
    changes: list[Change] = []
    for person_id, team_id in teams.items():
        before = current.get(person_id)
        if before is not None and before["team_id"] == team_id and before["ends_on"] is None:
            continue
        after: dict[str, Any] = {"workspace_id": workspace_id, "person_id": person_id, "ends_on": None}
        after |= {"first_seen_at": now}
        after |= {"team_id": team_id, "starts_on": date.min if before is None else today}
        if before is not None:
            this = sa.and_(
                *mine[:1], membership.c.person_id == person_id, membership.c.starts_on == before["starts_on"]
            )
            if before["starts_on"] >= today:
                # Twice moved on one day: the last word of the day is the one that lasts.
                after |= {"starts_on": before["starts_on"], "first_seen_at": before["first_seen_at"]}
                connection.execute(sa.update(membership).where(this).values(team_id=team_id, ends_on=None))
                changes.append(Change("membership", before, after))
                continue
            if before["ends_on"] is None or before["ends_on"] > today:
                connection.execute(sa.update(membership).where(this).values(ends_on=today))
                changes.append(Change("membership", before, before | {"ends_on": today}))
        connection.execute(insert(connection, membership).values(after))
        changes.append(Change("membership", None, after))
    return changes
