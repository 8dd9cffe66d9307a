"""What digests have told: each figure with the question that gives it again, to hold later answers to it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import insert
from storage.schema import cursor, letter, published, schedule

KEPT = timedelta(days=400)
"""Figures of digests that are older than this before the newest one of their schedule are forgotten."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, `metric:reading`; what it means is `kpi.told`'s."""

    figure: str
    question: Json
    told: Json


@dataclass(frozen=True, slots=True)
class Restatable:
    """A digest that stands in its channel, with what it told."""

    workspace_id: str
    letter_id: str
    schedule_id: str
    channel_id: str
    day: date
    put_at: datetime
    """When it was computed and put: what was learned later it could not know."""
    complete_at: datetime
    """When the data of some source was last complete."""
    figures: tuple[Figure, ...]
    restated: Mapping[str, Json]
    """By figure: what the note in its thread says now; a figure that is not there holds as it was told."""
    restatements: int


def keep(
    connection: Connection,
    *,
    workspace_id: str,
    letter_id: str,
    schedule_id: str,
    day: date,
    as_of: datetime | None,
    figures: Sequence[Figure],
) -> None:
    """Remembers what a digest told, in the transaction that puts its letter; what is there already is left alone."""
    shared = {"workspace_id": workspace_id, "letter_id": letter_id, "schedule_id": schedule_id, "day": day}
    rows = [
        shared
        | {
            "figure": each.figure,
            "question": json.dumps(each.question),
            "told": json.dumps(each.told),
            "as_of": as_of,
            "restated": None,
            "restatements": 0,
        }
        for each in figures
    ]
    if rows:
        connection.execute(insert(connection, published).on_conflict_do_nothing(), rows)
    old = (published.c.schedule_id == schedule_id, published.c.day < day - KEPT)
    connection.execute(sa.delete(published).where(published.c.workspace_id == workspace_id, *old))


def last_told(connection: Connection, workspace_id: str, schedule_id: str, channel_id: str) -> Mapping[str, Json]:
    """By figure: what the last digest of a schedule told one reader; empty where none was put."""
    mine = (published.c.workspace_id == workspace_id, published.c.schedule_id == schedule_id)
    last = (
        sa.select(published.c.letter_id)
        .join(letter, sa.and_(letter.c.workspace_id == published.c.workspace_id, letter.c.id == published.c.letter_id))
        .where(*mine, letter.c.channel_id == channel_id)
        .order_by(published.c.day.desc(), published.c.letter_id)
        .limit(1)
        .scalar_subquery()
    )
    rows = connection.execute(
        sa.select(published.c.figure, published.c.told).where(*mine, published.c.letter_id == last)
    )
    return {row.figure: json.loads(row.told) for row in rows}


def restatable(connection: Connection, workspace_id: str, since: date, newest: int = 2) -> list[Restatable]:
    """The newest digests of each running schedule and reader that were posted, are about a local day from `since` on,
    and were last held to data that is older than what some source has confirmed since."""
    complete_at = connection.scalar(
        sa.select(sa.func.max(cursor.c.complete_at)).where(cursor.c.workspace_id == workspace_id)
    )
    if complete_at is None:
        return []
    digests = (
        sa.select(
            published.c.letter_id,
            letter.c.channel_id,
            letter.c.created_at,
            sa.func.row_number()
            .over(
                partition_by=(published.c.schedule_id, letter.c.channel_id),
                order_by=(sa.func.max(published.c.day).desc(), published.c.letter_id),
            )
            .label("age"),
        )
        .join(letter, sa.and_(letter.c.workspace_id == published.c.workspace_id, letter.c.id == published.c.letter_id))
        .join(
            schedule,
            sa.and_(schedule.c.workspace_id == published.c.workspace_id, schedule.c.id == published.c.schedule_id),
        )
        .where(
            published.c.workspace_id == workspace_id,
            published.c.day >= since,
            letter.c.state == "sent",
            schedule.c.stopped_at.is_(None),
        )
        .group_by(published.c.letter_id, published.c.schedule_id, letter.c.channel_id, letter.c.created_at)
        .subquery("digests")
    )
    rows = connection.execute(
        sa.select(published, digests.c.channel_id, digests.c.created_at)
        .join(digests, digests.c.letter_id == published.c.letter_id)
        .where(
            published.c.workspace_id == workspace_id,
            digests.c.age <= newest,
            sa.or_(published.c.as_of.is_(None), published.c.as_of < complete_at),
        )
        .order_by(published.c.letter_id, published.c.figure)
    ).mappings()
    by_letter: dict[str, list[Any]] = {}
    for row in rows:
        by_letter.setdefault(row["letter_id"], []).append(row)
    return [_restatable(told, complete_at) for told in by_letter.values()]


def _restatable(rows: Sequence[Mapping[str, Any]], complete_at: datetime) -> Restatable:
    first = rows[0]
    return Restatable(
        workspace_id=first["workspace_id"],
        letter_id=first["letter_id"],
        schedule_id=first["schedule_id"],
        channel_id=first["channel_id"],
        day=first["day"],
        put_at=first["created_at"],
        complete_at=complete_at,
        figures=tuple(Figure(row["figure"], json.loads(row["question"]), json.loads(row["told"])) for row in rows),
        restated={row["figure"]: json.loads(row["restated"]) for row in rows if row["restated"] is not None},
        restatements=first["restatements"],
    )


def held(connection: Connection, digest: Restatable) -> None:
    """A digest was held to the data that was complete when it was read: it is not asked again before there is more."""
    mine = (published.c.workspace_id == digest.workspace_id, published.c.letter_id == digest.letter_id)
    connection.execute(sa.update(published).where(*mine).values(as_of=digest.complete_at))


def restate(connection: Connection, digest: Restatable, said: Mapping[str, Json]) -> bool:
    """Writes down what the note in a digest's thread says from now on; a figure that is not in `said` holds again as it
    was told. False when another replica was quicker: put no note then."""
    mine = (published.c.workspace_id == digest.workspace_id, published.c.letter_id == digest.letter_id)
    moved = connection.execute(
        sa.update(published)
        .where(*mine, published.c.restatements == digest.restatements)
        .values(restated=None, restatements=digest.restatements + 1)
    )
    if moved.rowcount != len(digest.figures):
        return False
    for figure, told in said.items():
        connection.execute(
            sa.update(published).where(*mine, published.c.figure == figure).values(restated=json.dumps(told))
        )
    return True
