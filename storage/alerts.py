"""What is to be done about alerts, across workspaces: rules to judge, episodes that nobody watches, reminders."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from storage.rules import OPEN, Rule
from storage.schema import cursor, episode, letter, rule, source
from storage.status import READY, REFUSED

_RULE = [rule.c[name] for name in Rule.__slots__]
_OPEN = sa.or_(episode.c.state.in_(OPEN), episode.c.beneath.in_(OPEN))
_OF_RULE = (episode.c.workspace_id == rule.c.workspace_id, episode.c.rule_id == rule.c.id)


@dataclass(frozen=True, slots=True)
class Message:
    """A message about alerts that was put in a channel. `gathers`: it stands for those that were too many."""

    letter_id: str
    gathers: bool


GATHERED = "storm:"
"""How the identity of a message begins that stands for those that were too many."""


def waiting(connection: Connection, late_before: datetime) -> list[Rule]:
    """Every running rule, of every workspace, about which something may have to be done: it was never judged, its
    workspace has newer data, data of a connected source was not confirmed since `late_before`, or it was paused or let
    go on."""
    judged = sa.select(sa.func.max(episode.c.judged_as_of)).where(*_OF_RULE).scalar_subquery()
    newer = sa.exists().where(cursor.c.workspace_id == rule.c.workspace_id, cursor.c.complete_at > judged)
    same = sa.and_(source.c.workspace_id == cursor.c.workspace_id, source.c.source == cursor.c.source)
    late = (
        sa.select(cursor.c.object)
        .join_from(cursor, source, same)
        .where(
            cursor.c.workspace_id == rule.c.workspace_id,
            cursor.c.complete_at < late_before,
            source.c.state.in_((READY, REFUSED)),
        )
        .exists()
    )
    paused = rule.c.paused_at.is_not(None)
    unpaused = [
        judged.is_(None),
        newer,
        sa.and_(late, _some(episode.c.state.not_in(("stale", "paused")))),
        _some(episode.c.state.in_(("stale", "paused"))),
    ]
    due = sa.or_(
        sa.and_(paused, _some(episode.c.state != "paused")),
        sa.and_(~paused, sa.or_(*unpaused)),
    )
    rows = connection.execute(
        sa.select(*_RULE)
        .where(rule.c.stopped_at.is_(None), due)
        .order_by(rule.c.workspace_id, rule.c.created_at, rule.c.id)
    ).mappings()
    return [Rule(**row) for row in rows]


def _some(state: ColumnElement[bool]) -> ColumnElement[bool]:
    return sa.exists().where(*_OF_RULE, state)


def orphaned(connection: Connection) -> list[Rule]:
    """The stopped rules of which an episode is still open: nobody would ever end it."""
    rows = connection.execute(
        sa.select(*_RULE)
        .where(rule.c.stopped_at.is_not(None), sa.exists().where(*_OF_RULE, _OPEN))
        .order_by(rule.c.workspace_id, rule.c.created_at, rule.c.id)
    ).mappings()
    return [Rule(**row) for row in rows]


def to_remind(connection: Connection, now: datetime, most: int) -> list[tuple[Rule, str]]:
    """The (rule, letter) pairs of which a reminder, or the end of a snooze, has come; the most overdue first. What is
    frozen waits."""
    first = sa.func.min(episode.c.remind_at)
    due = (
        sa.select(episode.c.workspace_id, episode.c.rule_id, episode.c.letter_id, first.label("first"))
        .where(episode.c.remind_at <= now, episode.c.state.in_(OPEN), episode.c.letter_id.is_not(None))
        .group_by(episode.c.workspace_id, episode.c.rule_id, episode.c.letter_id)
        .subquery()
    )
    mine = sa.and_(rule.c.workspace_id == due.c.workspace_id, rule.c.id == due.c.rule_id)
    rows = connection.execute(
        sa.select(*_RULE, due.c.letter_id)
        .join_from(rule, due, mine)
        .where(rule.c.stopped_at.is_(None), rule.c.paused_at.is_(None))
        .order_by(due.c.first, due.c.letter_id)
        .limit(most)
    ).mappings()
    return [(Rule(**{name: row[name] for name in Rule.__slots__}), row["letter_id"]) for row in rows]


def messages(
    connection: Connection, workspace_id: str, channel_id: str, since: datetime, until: datetime
) -> list[Message]:
    """The new messages about alerts that were or are to be posted in a channel after `since` and up to `until`, oldest
    first; no edits, nothing in a thread, nothing that was taken back."""
    rows = connection.execute(
        sa.select(letter.c.id, letter.c.dedupe)
        .where(
            letter.c.workspace_id == workspace_id,
            letter.c.channel_id == channel_id,
            letter.c.kind == "alert",
            letter.c.edits.is_(None),
            letter.c.thread.is_(None),
            letter.c.due_at > since,
            letter.c.due_at <= until,
            letter.c.state != "skipped",
        )
        .order_by(letter.c.due_at, letter.c.id)
    )
    return [Message(row.id, row.dedupe.startswith(GATHERED)) for row in rows]


def gathers(connection: Connection, workspace_id: str, letter_id: str) -> bool:
    """Whether this message stands for those that were too many for its channel."""
    mine = (letter.c.workspace_id == workspace_id, letter.c.id == letter_id)
    dedupe = connection.execute(sa.select(letter.c.dedupe).where(*mine)).scalar_one_or_none()
    return dedupe is not None and dedupe.startswith(GATHERED)
