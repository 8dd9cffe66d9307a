"""Who is who: Slack people linked to CRM people, matched by e-mail, and the teams that they lead and belong to."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import Connection

from storage import schema
from storage.database import insert


@dataclass(frozen=True, slots=True)
class Link:
    """A Slack user and the CRM person they are; `person_id` is None for an admin who sells nothing."""

    workspace_id: str
    slack_user_id: str
    person_id: str | None
    role: str
    """`rep`, `manager` or `admin`."""
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str


def read_link(connection: Connection, workspace_id: str, slack_user_id: str) -> Link | None:
    """The link of a Slack user, or None where nobody has confirmed one."""
    table = schema.link
    mine = (table.c.workspace_id == workspace_id, table.c.slack_user_id == slack_user_id)
    row = connection.execute(sa.select(table).where(*mine)).one_or_none()
    return None if row is None else Link(workspace_id, slack_user_id, row.person_id, row.role, row.language)


def admins(connection: Connection, workspace_id: str, *, confirmed_after: datetime | None = None) -> tuple[Link, ...]:
    """The workspace's admins, who was confirmed first before the others; those who were confirmed after a moment, where
    one is given."""
    table = schema.link
    admin = [table.c.workspace_id == workspace_id, table.c.role == "admin"]
    if confirmed_after is not None:
        admin.append(table.c.confirmed_at > confirmed_after)
    rows = connection.execute(sa.select(table).where(*admin).order_by(table.c.confirmed_at, table.c.slack_user_id))
    return tuple(Link(workspace_id, row.slack_user_id, row.person_id, row.role, row.language) for row in rows)


def managers(connection: Connection, workspace_id: str) -> tuple[Link, ...]:
    """Those who manage a team: by their role, or because they lead one."""
    link, team = schema.link, schema.team
    leads = sa.exists().where(
        team.c.workspace_id == link.c.workspace_id, team.c.manager_id == link.c.person_id, team.c.deleted_at.is_(None)
    )
    theirs = (link.c.workspace_id == workspace_id, link.c.person_id.is_not(None), link.c.confirmed_at.is_not(None))
    rows = connection.execute(
        sa.select(link).where(*theirs, sa.or_(link.c.role == "manager", leads)).order_by(link.c.slack_user_id)
    )
    return tuple(Link(workspace_id, row.slack_user_id, row.person_id, row.role, row.language) for row in rows)


def match(connection: Connection, workspace_id: str, email: str) -> Person | None:
    """The one CRM person with this e-mail address, case folded; None for nobody, for several, and for an empty one.

    Deleted people are nobody.
    """
    wanted = email.strip().casefold()
    if not wanted:
        return None
    table = schema.person
    with_address = (table.c.workspace_id == workspace_id, table.c.email.is_not(None), table.c.deleted_at.is_(None))
    # Folded here, not in SQL: SQLite lowers ASCII only.
    found = [
        Person(row.id, row.name)
        for row in connection.execute(sa.select(table.c.id, table.c.name, table.c.email).where(*with_address))
        if row.email.strip().casefold() == wanted
    ]
    return found[0] if len(found) == 1 else None


def slack_users_of(connection: Connection, workspace_id: str, person_id: str) -> tuple[str, ...]:
    """The Slack users linked to this person; more than one only where an admin said so."""
    table = schema.link
    theirs = (table.c.workspace_id == workspace_id, table.c.person_id == person_id)
    return tuple(connection.scalars(sa.select(table.c.slack_user_id).where(*theirs).order_by(table.c.slack_user_id)))


def link(
    connection: Connection,
    *,
    workspace_id: str,
    slack_user_id: str,
    person_id: str | None,
    actor: str,
    now: datetime,
    role: str | None = None,
) -> Link:
    """Say that a Slack user is a CRM person, and write it to the audit.

    `role`: None keeps the role of an existing link; a new one is `manager` for who leads a team, else `rep`.
    """
    before = read_link(connection, workspace_id, slack_user_id)
    if role is None:
        role = before.role if before is not None else _first_role(connection, workspace_id, person_id)
    values = {"person_id": person_id, "role": role, "confirmed_at": now}
    statement = insert(connection, schema.link).values(
        workspace_id=workspace_id, slack_user_id=slack_user_id, language=None, **values
    )
    connection.execute(statement.on_conflict_do_update(index_elements=["workspace_id", "slack_user_id"], set_=values))
    connection.execute(
        insert(connection, schema.audit).values(
            workspace_id=workspace_id,
            id=uuid4().hex,
            at=now,
            actor=actor,
            action="link",
            details=json.dumps({"slack_user": slack_user_id, "person": person_id, "role": role}),
        )
    )
    return Link(workspace_id, slack_user_id, person_id, role, None if before is None else before.language)


def teams_below(connection: Connection, workspace_id: str, team_ids: frozenset[str]) -> frozenset[str]:
    """These teams and every team below them; a tree that bites its tail ends nevertheless."""
    if not team_ids:
        return frozenset()
    table = schema.team
    here = sa.select(table.c.id).where(table.c.workspace_id == workspace_id, table.c.id.in_(sorted(team_ids)))
    tree = here.cte("tree", recursive=True)
    below = sa.select(table.c.id).where(table.c.workspace_id == workspace_id, table.c.parent_id == tree.c.id)
    return team_ids | frozenset(connection.scalars(sa.select(tree.union(below).c.id)))


def teams_led(connection: Connection, workspace_id: str, person_id: str) -> frozenset[str]:
    """The teams whose manager is this person."""
    table = schema.team
    led = (table.c.workspace_id == workspace_id, table.c.manager_id == person_id, table.c.deleted_at.is_(None))
    return frozenset(connection.scalars(sa.select(table.c.id).where(*led)))


def teams_of(connection: Connection, workspace_id: str, person_id: str, today: date) -> frozenset[str]:
    """The teams that this person belongs to on a local day."""
    table = schema.membership
    on_the_day = (table.c.starts_on <= today, sa.or_(table.c.ends_on.is_(None), table.c.ends_on > today))
    mine = (table.c.workspace_id == workspace_id, table.c.person_id == person_id, *on_the_day)
    return frozenset(connection.scalars(sa.select(table.c.team_id).where(*mine)))


def was_in_teams(connection: Connection, workspace_id: str, person_id: str, team_ids: frozenset[str]) -> bool:
    """Whether this person has ever belonged to one of these teams."""
    table = schema.membership
    mine = (table.c.workspace_id == workspace_id, table.c.person_id == person_id)
    query = sa.select(table.c.team_id).where(*mine, table.c.team_id.in_(sorted(team_ids))).limit(1)
    return connection.execute(query).first() is not None


def _first_role(connection: Connection, workspace_id: str, person_id: str | None) -> str:
    leads = person_id is not None and teams_led(connection, workspace_id, person_id)
    return "manager" if leads else "rep"
