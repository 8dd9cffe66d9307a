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
    """Where it is posted: a channel, or a person's id for a direct message."""
    audience: Named[str]
    """`channel`, `person`, or `managers`: each manager gets their own team's, by direct message."""
    owner: Named[str]
    """Slack user whose rights the digest is computed with, at send time (of `managers`: each one's own)."""
    cadence: Named[str]
    """`daily`, `weekly` or `monthly`."""
    weekday: Named[int]
    """Of a weekly one: ISO weekday, 1 = Monday."""
    month_day: Named[int]
    """Of a monthly one: day of the month, 1 to 28."""
    at: Named[time]
    """Wall time in `time_zone`."""
    time_zone: Named[str]
    language: Named[str | None]
    """Null = its reader's."""
    dimension: Named[str | None]
    key: Named[str | None]
    """What the digest is narrowed to: (`team`, id) or nothing."""
    kpis: Named[str | None]
    """JSON list of [metric, reading] in the order they are shown; null = those of every digest."""
    skip_unchanged: Named[bool]
    """No digest where no figure differs from the last one that was posted."""
    paused_at = Column(Instant, nullable=True)
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
    """Local days in a row on which the value must be bad before the alert fires (good to recover)."""
    against: Named[int | None]
    """Null: `threshold` is a level. n: `threshold` is by how many percent the value may fall (rise, for `above`)
    against the mean of its own last n windows."""
    window_days: Named[int | None]
    """Length of the rolling window; null = the KPI's own judged window."""
    delay_minutes: Named[int]
    """How long after midnight data must be complete before a day is judged: late entries are still coming in."""
    time_zone: Named[str]
    """IANA zone of its days, quiet hours and holidays."""
    quiet_from: Named[time | None]
    quiet_to: Named[time | None]
    """Wall times between which nothing is posted (may span midnight); null = at any hour."""
    holidays: Named[str | None]
    """ISO country whose public holidays and weekends hold the message; null = every day is good."""
    remind_hours: Named[int | None]
    """Hours between two reminders of an alert that nobody has acknowledged; null = none."""
    paused_at = Column(Instant, nullable=True)


class episode_columns(TypedColumns):
    """The state of one (rule, group), moved by compare-and-set on `version`."""

    workspace_id = Column(sa.Text, primary_key=True)
    rule_id = Column(sa.Text, primary_key=True)
    group_key = Column(sa.Text, primary_key=True)
    state: Named[str]
    """`ok`, `pending`, `firing`, `recovering`, `no_data`, `stale`, `paused`."""
    beneath: Named[str | None]
    """Of `stale` and `paused`: the state to which it goes back."""
    since = Column(Instant, nullable=False)
    streak: Named[int]
    """Local days in a row that agree with leaving `state`."""
    number: Named[int]
    """Counts the episodes of this (rule, group): one message each."""
    judged_on: Named[date | None]
    """The last local day that was judged: each one counts once, however many syncs and replicas see it."""
    judged_as_of = Column(Instant, nullable=True)
    fired: Named[str | None]
    """JSON: value, numerator, denominator, interval that fired."""
    recovered: Named[str | None]
    letter_id: Named[str | None]
    """The letter that carries this episode's message; episodes that fire together share one."""
    acked_by: Named[str | None]
    acked_at = Column(Instant, nullable=True)
    assigned_to: Named[str | None]
    snoozed_until = Column(Instant, nullable=True)
    remind_at = Column(Instant, nullable=True)
    """When the next reminder is due; null = none."""
    reminders: Named[int]
    """Reminders put so far: part of the identity of the next one."""
    version: Named[int]


class vote_columns(TypedColumns):
    """What one person thought of one alert."""

    workspace_id = Column(sa.Text, primary_key=True)
    rule_id = Column(sa.Text, primary_key=True)
    letter_id = Column(sa.Text, primary_key=True)
    slack_user_id = Column(sa.Text, primary_key=True)
    useful: Named[bool]
    """True: useful; false: noise."""
    at = Column(Instant, nullable=False)


class published_columns(TypedColumns):
    """A figure that a digest has told, and the question that gives it again."""

    workspace_id = Column(sa.Text, primary_key=True)
    letter_id = Column(sa.Text, primary_key=True)
    figure = Column(sa.Text, primary_key=True)
    """`metric:reading`."""
    schedule_id: Named[str]
    day: Named[date]
    """Local date of the digest."""
    question: Named[str]
    """JSON: what is asked to get the figure again."""
    told: Named[str]
    """JSON: value, numerator, denominator (exact, as text), unit."""
    as_of = Column(Instant, nullable=True)
    """How fresh the data was that it was last held to: first, when it was told."""
    restated: Named[str | None]
    """JSON like `told`: what the last note in the thread said; null = it still holds."""
    restatements: Named[int]


class letter_columns(TypedColumns):
    """The outbox: one visible message to post or edit, exactly once."""

    workspace_id = Column(sa.Text, primary_key=True)
    id = Column(sa.Text, primary_key=True)
    dedupe: Named[str]
    """Identity of the occurrence (`digest:<schedule>:2026-11-23`); unique in the workspace."""
    kind: Named[str]
    """`digest`, `alert`, `share`, `notice`."""
    channel_id: Named[str]
    edits: Named[str | None]
    """Id of the letter whose message this one edits in place; null = a new message."""
    thread: Named[str | None]
    """Id of the letter in whose thread this one is posted; null = in the channel itself."""
    owner: Named[str | None]
    """Slack user who is told where it cannot be delivered; null = the administrators."""
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


class inbox_columns(TypedColumns):
    """What Slack said, kept before it is acknowledged and until it is done."""

    workspace_id = Column(sa.Text, primary_key=True)
    id = Column(sa.Text, primary_key=True)
    """Its identity as Slack gives it: the same event, command or click said again is the same row."""
    kind: Named[str]
    """`command`, `click`, `event`, `echo`."""
    body: Named[str | None]
    """The payload, encrypted: words, names and a `response_url` are in it; null once it is done."""
    state: Named[str]
    """`waiting`, `running`, `done`, `failed`."""
    token: Named[str | None]
    lease_until = Column(Instant, nullable=True)
    attempts: Named[int]
    received_at = Column(Instant, nullable=False)
    settled_at = Column(Instant, nullable=True)
    error: Named[str | None]
    """A code; nothing of the body."""


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
vote = Table("vote", metadata, vote_columns)
published = Table("published", metadata, published_columns)
inbox = Table("inbox", metadata, inbox_columns)
audit = Table("audit", metadata, audit_columns)

Index(None, schedule.c.next_at)
Index(None, letter.c.state, letter.c.due_at)
Index(None, letter.c.workspace_id, letter.c.channel_id, letter.c.state)
Index(None, episode.c.remind_at)
Index(None, inbox.c.state, inbox.c.received_at)
Index(None, published.c.workspace_id, published.c.schedule_id, published.c.day)
