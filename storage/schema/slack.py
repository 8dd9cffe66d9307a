"""What Vigie remembers of Slack: who is who, targets, schedules, rules and their episodes, letters, audit."""

from datetime import date, datetime, time
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import Column, Index, Named, Table, TypedColumns

from storage.schema.base import ExactDecimal, Instant, metadata


class OwnedColumns(TypedColumns):
    workspace_id = Column(sa.Text, primary_key=True)
    id = Column(sa.Text, primary_key=True)
    created_by: Named[str | None]
    """Slack user id."""
    created_at = Column(Instant, nullable=False)
    stopped_at = Column(Instant, nullable=True)


class link_columns(TypedColumns):
    """A Slack user and the CRM person they are."""

    workspace_id = Column(sa.Text, primary_key=True)
    slack_user_id = Column(sa.Text, primary_key=True)
    person_id: Named[str | None]
    role: Named[str]
    """`rep`, `manager` or `admin`."""
    language: Named[str | None]
    confirmed_at = Column(Instant, nullable=True)


class target_columns(OwnedColumns):
    metric: Named[str]
    reading: Named[str]
    dimension: Named[str | None]
    """`team`, `rep`, `segment`, or null for the whole workspace."""
    key: Named[str | None]
    value: Named[Decimal] = Column(ExactDecimal)
    """In the KPI's unit: percent, days, count, or major currency units."""


class schedule_columns(OwnedColumns):
    channel_id: Named[str]
    owner: Named[str]
    """Slack user whose rights the digest is computed with, at send time."""
    weekday: Named[int]
    """ISO weekday, 1 = Monday."""
    at: Named[time]
    """Wall time in `time_zone`."""
    time_zone: Named[str]
    language: Named[str]
    dimension: Named[str | None]
    key: Named[str | None]
    """What the digest is narrowed to: (`team`, id) or nothing."""
    next_on: Named[date]
    """Local date of the next occurrence: its identity."""
    next_at: Named[datetime] = Column(Instant)
    """The instant of `next_on` at `at` in `time_zone` (first of a doubled hour, gap shifted forward)."""
    version: Named[int]


class rule_columns(OwnedColumns):
    metric: Named[str]
    reading: Named[str]
    dimension: Named[str | None]
    key: Named[str | None]
    """What the rule watches: one value of a dimension, or the whole workspace."""
    each: Named[str | None]
    """A dimension whose every value is watched on its own (`team`), or null."""
    channel_id: Named[str]
    owner: Named[str]
    language: Named[str]
    threshold: Named[Decimal] = Column(ExactDecimal)
    recovery: Named[Decimal] = Column(ExactDecimal)
    direction: Named[str]
    """`below` or `above`: which side of the threshold is bad."""
    min_sample: Named[int]
    hold: Named[int]
    """Evaluations on new data in a row for which the value must be bad before the alert fires (good to recover)."""


class episode_columns(TypedColumns):
    """The state of one (rule, group), moved by compare-and-set on `version`."""

    workspace_id = Column(sa.Text, primary_key=True)
    rule_id = Column(sa.Text, primary_key=True)
    group_key = Column(sa.Text, primary_key=True)
    state: Named[str]
    """`ok`, `pending`, `firing`, `recovering`, `no_data`."""
    since = Column(Instant, nullable=False)
    streak: Named[int]
    """Evaluations on new data in a row that agree with leaving `state`."""
    number: Named[int]
    """Counts the episodes of this (rule, group): one message each."""
    judged_as_of = Column(Instant, nullable=True)
    fired: Named[str | None]
    """JSON: value, numerator, denominator, interval that fired."""
    recovered: Named[str | None]
    letter_id: Named[str | None]
    """The letter that carries this episode's message."""
    version: Named[int]


class letter_columns(TypedColumns):
    """The outbox: one visible message to post or edit, exactly once."""

    workspace_id = Column(sa.Text, primary_key=True)
    id = Column(sa.Text, primary_key=True)
    dedupe: Named[str]
    """Identity of the occurrence (`digest:<schedule>:2026-11-23`); unique in the workspace."""
    kind: Named[str]
    """`digest`, `alert`, `share`."""
    channel_id: Named[str]
    edits: Named[str | None]
    """Id of the letter whose message this one edits in place; null = a new message."""
    payload: Named[str]
    """JSON: text and blocks."""
    chart: Named[str | None]
    """JSON of the chart to draw and show by an image block, with its alt text; null = none."""
    due_at: Named[datetime] = Column(Instant)
    state: Named[str]
    """`pending`, `sending`, `sent`, `unknown`, `dead`, `skipped`."""
    token: Named[str | None]
    lease_until = Column(Instant, nullable=True)
    attempts: Named[int]
    last_try_at = Column(Instant, nullable=True)
    ts: Named[str | None]
    """Slack's receipt."""
    error: Named[str | None]
    created_at = Column(Instant, nullable=False)


class audit_columns(TypedColumns):
    """Every disclosure and every change of settings."""

    workspace_id = Column(sa.Text, primary_key=True)
    id = Column(sa.Text, primary_key=True)
    at = Column(Instant, nullable=False)
    actor: Named[str]
    action: Named[str]
    details: Named[str]
    """JSON, ids only."""


link = Table("link", metadata, link_columns)
target = Table("target", metadata, target_columns)
schedule = Table("schedule", metadata, schedule_columns)
rule = Table("rule", metadata, rule_columns)
episode = Table("episode", metadata, episode_columns)
letter = Table("letter", metadata, letter_columns, sa.UniqueConstraint("workspace_id", "dedupe"))
audit = Table("audit", metadata, audit_columns)

Index(None, schedule.c.next_at)
Index(None, letter.c.state, letter.c.due_at)
