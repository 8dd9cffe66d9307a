"""Alert rules, and the state of each (rule, group): moved by compare-and-set on a version."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import insert
from storage.schema import cursor, episode, rule

WHOLE = ""
"""The group key of a rule that watches one number."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What to watch: a KPI, for one `key` of `dimension` (or the whole workspace), or for `each` value of a dimension.

    `threshold` and `recovery` are in the KPI's unit (percent, days, count, major currency units). `direction` says
    which side of the threshold is bad, `below` or `above`.
    """

    workspace_id: str
    id: str
    metric: str
    reading: str
    dimension: str | None
    key: str | None
    each: str | None
    channel_id: str
    owner: str
    language: str
    threshold: Decimal
    recovery: Decimal
    direction: str
    min_sample: int
    hold: int
    against: int | None = None
    window_days: int | None = None
    delay_minutes: int = 60
    time_zone: str = "UTC"
    quiet_from: time | None = None
    quiet_to: time | None = None
    holidays: str | None = None
    remind_hours: int | None = None
    paused_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """Where one (rule, group) stands; `version` 0 = never judged. `fired` and `recovered` are the evidence."""

    workspace_id: str
    rule_id: str
    group_key: str
    state: str
    since: datetime
    streak: int
    number: int
    judged_as_of: datetime | None
    fired: Mapping[str, Any] | None
    recovered: Mapping[str, Any] | None
    letter_id: str | None
    version: int
    beneath: str | None = None
    judged_on: date | None = None
    acked_by: str | None = None
    acked_at: datetime | None = None
    assigned_to: str | None = None
    snoozed_until: datetime | None = None
    remind_at: datetime | None = None
    reminders: int = 0


_RULE = [rule.c[name] for name in Rule.__slots__]
_EPISODE = [episode.c[name] for name in Episode.__slots__]


def add(
    connection: Connection,
    *,
    workspace_id: str,
    metric: str,
    reading: str,
    channel_id: str,
    owner: str,
    language: str,
    threshold: Decimal,
    recovery: Decimal,
    direction: str,
    now: datetime,
    dimension: str | None = None,
    key: str | None = None,
    each: str | None = None,
    min_sample: int = 12,
    hold: int = 2,
) -> Rule:
    """Remembers a new rule; it is judged after the next good sync."""
    row = Rule(
        workspace_id=workspace_id,
        id=uuid.uuid4().hex,
        metric=metric,
        reading=reading,
        dimension=dimension,
        key=key,
        each=each,
        channel_id=channel_id,
        owner=owner,
        language=language,
        threshold=threshold,
        recovery=recovery,
        direction=direction,
        min_sample=min_sample,
        hold=hold,
    )
    values = {name: getattr(row, name) for name in Rule.__slots__}
    connection.execute(sa.insert(rule).values(**values, created_by=owner, created_at=now))
    return row


def running(connection: Connection, workspace_id: str) -> list[Rule]:
    """The rules of a workspace that are not stopped, oldest first."""
    rows = connection.execute(
        sa.select(*_RULE)
        .where(rule.c.workspace_id == workspace_id, rule.c.stopped_at.is_(None))
        .order_by(rule.c.created_at, rule.c.id)
    ).mappings()
    return [Rule(**row) for row in rows]


def waiting(connection: Connection) -> list[tuple[Rule, datetime | None]]:
    """Every running rule, of every workspace, that was never judged or whose workspace has any newer data since; with
    how fresh the data was when it was last judged."""
    judged = (
        sa.select(sa.func.max(episode.c.judged_as_of))
        .where(episode.c.workspace_id == rule.c.workspace_id, episode.c.rule_id == rule.c.id)
        .scalar_subquery()
    )
    newer = sa.exists().where(cursor.c.workspace_id == rule.c.workspace_id, cursor.c.complete_at > judged)
    rows = connection.execute(
        sa.select(*_RULE, judged.label("judged_as_of"))
        .where(rule.c.stopped_at.is_(None), sa.or_(judged.is_(None), newer))
        .order_by(rule.c.workspace_id, rule.c.created_at, rule.c.id)
    ).mappings()
    return [(Rule(**{name: row[name] for name in Rule.__slots__}), row["judged_as_of"]) for row in rows]


def standing(connection: Connection, watched: Rule, group_key: str, now: datetime) -> Episode:
    """Where a group stands; one never judged is `ok` since `now`, with version 0."""
    row = (
        connection.execute(
            sa.select(*_EPISODE).where(
                episode.c.workspace_id == watched.workspace_id,
                episode.c.rule_id == watched.id,
                episode.c.group_key == group_key,
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        return Episode(watched.workspace_id, watched.id, group_key, "ok", now, 0, 0, None, None, None, None, 0)
    return Episode(**{**row, "fired": _load(row["fired"]), "recovered": _load(row["recovered"])})


def episodes(connection: Connection, workspace_id: str) -> list[Episode]:
    """Where every group of every rule stands."""
    rows = connection.execute(
        sa.select(*_EPISODE)
        .where(episode.c.workspace_id == workspace_id)
        .order_by(episode.c.rule_id, episode.c.group_key)
    ).mappings()
    return [Episode(**{**row, "fired": _load(row["fired"]), "recovered": _load(row["recovered"])}) for row in rows]


def move(connection: Connection, old: Episode, new: Episode) -> bool:
    """Writes `new` if the row is still `old`; false when somebody else was first (write nothing then).

    The version is set here: one more than the old one's.
    """
    values: dict[str, Any] = {name: getattr(new, name) for name in Episode.__slots__}
    values |= {"fired": _dump(new.fired), "recovered": _dump(new.recovered), "version": old.version + 1}
    if old.version == 0:
        created = connection.execute(
            insert(connection, episode)
            .values(values)
            .on_conflict_do_nothing(index_elements=["workspace_id", "rule_id", "group_key"])
            # The row count of such an INSERT is not known on PostgreSQL; what it returns is.
            .returning(episode.c.version)
        )
        return created.first() is not None
    result = connection.execute(
        sa.update(episode)
        .where(
            episode.c.workspace_id == old.workspace_id,
            episode.c.rule_id == old.rule_id,
            episode.c.group_key == old.group_key,
            episode.c.version == old.version,
        )
        .values(values)
    )
    return result.rowcount == 1


def stop(connection: Connection, workspace_id: str, rule_id: str, now: datetime) -> bool:
    """Stops a rule; false when it does not exist or was stopped before."""
    result = connection.execute(
        sa.update(rule)
        .where(rule.c.workspace_id == workspace_id, rule.c.id == rule_id, rule.c.stopped_at.is_(None))
        .values(stopped_at=now)
    )
    return result.rowcount == 1


def _dump(evidence: Mapping[str, Any] | None) -> str | None:
    return None if evidence is None else json.dumps(evidence)


def _load(text: str | None) -> dict[str, Any] | None:
    return None if text is None else json.loads(text)
