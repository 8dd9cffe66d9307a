"""Alert rules, and the state of each (rule, group): moved by compare-and-set on a version."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import insert
from storage.schema import episode, rule


class Whatever(Enum):
    """Said in the place of what somebody has seen: it does not matter."""

    WHATEVER = "whatever"


WHATEVER = Whatever.WHATEVER
WHOLE = ""
"""The group key of a rule that watches one number."""

OPEN = ("firing", "recovering")
"""The states of an episode that was told and is not over."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What to watch: a KPI, for one `key` of `dimension` (or the whole workspace), or for `each` value of a dimension.

    `threshold` and `recovery` are in the KPI's unit (percent, days, count, major currency units); of a rule `against`
    its own last windows, by how many percent the value may fall (rise), and within how many it is good again.
    `direction` says which side of the threshold is bad, `below` or `above`.
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

    @property
    def beneath_it(self) -> str:
        """The state of the machine, whether it is frozen or not."""
        return self.beneath or self.state

    @property
    def open(self) -> bool:
        """It was told that this is bad, and not yet that it is over."""
        return self.beneath_it in OPEN


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
    hold: int = 3,
    against: int | None = None,
    window_days: int | None = None,
    delay_minutes: int = 60,
    time_zone: str = "UTC",
    quiet_from: time | None = None,
    quiet_to: time | None = None,
    holidays: str | None = None,
    remind_hours: int | None = None,
) -> Rule:
    """Remembers a new rule; it is judged within seconds, over its last `hold` days at once.

    `time_zone` is that of its days: the workspace's, or that of the channel's readers.
    """
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
        against=against,
        window_days=window_days,
        delay_minutes=delay_minutes,
        time_zone=time_zone,
        quiet_from=quiet_from,
        quiet_to=quiet_to,
        holidays=holidays,
        remind_hours=remind_hours,
    )
    values = {name: getattr(row, name) for name in Rule.__slots__}
    connection.execute(sa.insert(rule).values(**values, created_by=owner, created_at=now))
    return row


def read(connection: Connection, workspace_id: str, rule_id: str) -> Rule | None:
    """A rule by its id, stopped or not; None where there is none."""
    mine = (rule.c.workspace_id == workspace_id, rule.c.id == rule_id)
    row = connection.execute(sa.select(*_RULE).where(*mine)).mappings().one_or_none()
    return None if row is None else Rule(**row)


def running(connection: Connection, workspace_id: str) -> list[Rule]:
    """The rules of a workspace that are not stopped, oldest first; those that are paused are among them."""
    rows = connection.execute(
        sa.select(*_RULE)
        .where(rule.c.workspace_id == workspace_id, rule.c.stopped_at.is_(None))
        .order_by(rule.c.created_at, rule.c.id)
    ).mappings()
    return [Rule(**row) for row in rows]


def is_running(connection: Connection, watched: Rule) -> bool:
    """Whether a rule is there and was not stopped; a paused one is."""
    mine = (rule.c.workspace_id == watched.workspace_id, rule.c.id == watched.id, rule.c.stopped_at.is_(None))
    return connection.execute(sa.select(rule.c.id).where(*mine)).first() is not None


def standings(connection: Connection, watched: Rule) -> dict[str, Episode]:
    """Where each group of a rule stands that was ever judged, by its key."""
    rows = connection.execute(
        sa.select(*_EPISODE)
        .where(episode.c.workspace_id == watched.workspace_id, episode.c.rule_id == watched.id)
        .order_by(episode.c.group_key)
    ).mappings()
    return {row["group_key"]: _episode(row) for row in rows}


def never_judged(watched: Rule, group_key: str, now: datetime) -> Episode:
    """Where a group stands that was never judged: `ok` since `now`, with version 0."""
    return Episode(watched.workspace_id, watched.id, group_key, "ok", now, 0, 0, None, None, None, None, 0)


def episodes(connection: Connection, workspace_id: str) -> list[Episode]:
    """Where every group of every rule stands."""
    rows = connection.execute(
        sa.select(*_EPISODE)
        .where(episode.c.workspace_id == workspace_id)
        .order_by(episode.c.rule_id, episode.c.group_key)
    ).mappings()
    return [_episode(row) for row in rows]


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


def hand_over(connection: Connection, watched: Rule, owner: str) -> bool:
    """Gives a rule another owner, with whose rights it is judged from now on; false where somebody was first."""
    result = connection.execute(
        sa.update(rule)
        .where(
            rule.c.workspace_id == watched.workspace_id,
            rule.c.id == watched.id,
            rule.c.owner == watched.owner,
            rule.c.stopped_at.is_(None),
        )
        .values(owner=owner)
    )
    return result.rowcount == 1


def stop(connection: Connection, workspace_id: str, rule_id: str, now: datetime) -> bool:
    """Stops a rule; false when it does not exist or was stopped before. What is open of it is closed by the next look
    at the alerts."""
    result = connection.execute(
        sa.update(rule)
        .where(rule.c.workspace_id == workspace_id, rule.c.id == rule_id, rule.c.stopped_at.is_(None))
        .values(stopped_at=now)
    )
    return result.rowcount == 1


def pause(connection: Connection, workspace_id: str, rule_id: str, now: datetime) -> bool:
    """Freezes a rule: it neither fires nor resolves, and nothing is said. False where it does not run, or is paused
    already."""
    return _pause(connection, workspace_id, rule_id, now, paused=True)


def resume(connection: Connection, workspace_id: str, rule_id: str, now: datetime) -> bool:
    """Lets a paused rule go on from where it stood. False where it is not paused."""
    return _pause(connection, workspace_id, rule_id, now, paused=False)


def _pause(connection: Connection, workspace_id: str, rule_id: str, now: datetime, *, paused: bool) -> bool:
    before = rule.c.paused_at.is_(None) if paused else rule.c.paused_at.is_not(None)
    mine = (rule.c.workspace_id == workspace_id, rule.c.id == rule_id, rule.c.stopped_at.is_(None), before)
    result = connection.execute(sa.update(rule).where(*mine).values(paused_at=now if paused else None))
    return result.rowcount == 1


def of_letter(connection: Connection, workspace_id: str, letter_id: str) -> list[Episode]:
    """The episodes that one message tells of, over or not: of one rule, but for the message that gathers what is too
    much for its channel."""
    rows = connection.execute(
        sa.select(*_EPISODE)
        .where(episode.c.workspace_id == workspace_id, episode.c.letter_id == letter_id)
        .order_by(episode.c.rule_id, episode.c.group_key)
    ).mappings()
    return [_episode(row) for row in rows]


def acknowledge(connection: Connection, workspace_id: str, letter_id: str, user: str, now: datetime) -> list[Episode]:
    """Somebody has seen it: no reminder follows. Gives back the open episodes of the letter that this moved; none
    where there is nothing left to acknowledge."""
    values = {"acked_by": user, "acked_at": now, "remind_at": None}
    return _change(connection, workspace_id, letter_id, episode.c.acked_by.is_(None), values)


def assign(
    connection: Connection, workspace_id: str, letter_id: str, user: str, *, seen: str | Whatever | None = WHATEVER
) -> list[Episode]:
    """Somebody takes care of it: `user`, whom reminders mention. Gives back the open episodes that this moved: of two
    who choose at once, with what they have `seen` there (None = nobody), only one has."""
    where = sa.or_(episode.c.assigned_to.is_(None), episode.c.assigned_to != user)
    if not isinstance(seen, Whatever):
        where = sa.and_(where, episode.c.assigned_to.is_not_distinct_from(seen))
    return _change(connection, workspace_id, letter_id, where, {"assigned_to": user})


def snooze(
    connection: Connection,
    workspace_id: str,
    letter_id: str,
    until: datetime,
    *,
    seen: datetime | Whatever | None = WHATEVER,
) -> list[Episode]:
    """Nothing is said before `until`, and once then, if it is still bad. Gives back the open episodes that this
    moved: as `assign` does, with the end that was `seen` (None = none)."""
    where = sa.or_(episode.c.snoozed_until.is_(None), episode.c.snoozed_until != until)
    if not isinstance(seen, Whatever):
        same = episode.c.snoozed_until.is_(None) if seen is None else episode.c.snoozed_until == seen
        where = sa.and_(where, same)
    return _change(connection, workspace_id, letter_id, where, {"snoozed_until": until, "remind_at": until})


def _change(
    connection: Connection, workspace_id: str, letter_id: str, where: sa.ColumnElement[bool], values: dict[str, Any]
) -> list[Episode]:
    """In one statement, so that of two who do the same at once only one has done it."""
    open_ = sa.or_(episode.c.state.in_(OPEN), episode.c.beneath.in_(OPEN))
    rows = connection.execute(
        sa.update(episode)
        .where(episode.c.workspace_id == workspace_id, episode.c.letter_id == letter_id, open_, where)
        .values(**values, version=episode.c.version + 1)
        .returning(*_EPISODE)
    ).mappings()
    return sorted((_episode(row) for row in rows), key=lambda each: (each.rule_id, each.group_key))


def _episode(row: Mapping[Any, Any]) -> Episode:
    return Episode(**{**row, "fired": _load(row["fired"]), "recovered": _load(row["recovered"])})


def _dump(evidence: Mapping[str, Any] | None) -> str | None:
    return None if evidence is None else json.dumps(evidence)


def _load(text: str | None) -> dict[str, Any] | None:
    return None if text is None else json.loads(text)
