"""What people thought of an alert: useful, or noise; one vote for each person and alert, which may be changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import insert
from storage.schema import vote


@dataclass(frozen=True, slots=True)
class Votes:
    useful: int
    noise: int


def cast(
    connection: Connection,
    *,
    workspace_id: str,
    rule_id: str,
    letter_id: str,
    user: str,
    useful: bool,
    now: datetime,
) -> bool:
    """One person's vote on one alert, in place of an earlier one; false where it says what that one said."""
    mine = (
        vote.c.workspace_id == workspace_id,
        vote.c.rule_id == rule_id,
        vote.c.letter_id == letter_id,
        vote.c.slack_user_id == user,
    )
    keys = {"workspace_id": workspace_id, "rule_id": rule_id, "letter_id": letter_id, "slack_user_id": user}
    created = connection.execute(
        insert(connection, vote)
        .values(**keys, useful=useful, at=now)
        .on_conflict_do_nothing(index_elements=list(keys))
        .returning(vote.c.useful)
    )
    if created.first() is not None:
        return True
    changed = connection.execute(
        sa.update(vote).where(*mine, vote.c.useful != sa.literal(useful)).values(useful=useful, at=now)
    )
    return changed.rowcount == 1


def by_rule(connection: Connection, workspace_id: str) -> Mapping[str, Votes]:
    """How many found each rule's alerts useful, and how many noise; rules without a vote are left out."""
    useful = sa.func.sum(sa.case((vote.c.useful, 1), else_=0))
    rows = connection.execute(
        sa.select(vote.c.rule_id, useful.label("useful"), sa.func.count().label("all_"))
        .where(vote.c.workspace_id == workspace_id)
        .group_by(vote.c.rule_id)
    )
    return {row.rule_id: Votes(int(row.useful), row.all_ - int(row.useful)) for row in rows}
