"""Who may see what: every query carries a scope, and no query runs without one."""

from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection

from storage import people
from storage.people import Link


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of one workspace's deals that the asker may see.

    A row is visible when `everything` is true, or its owner is one of `people`, or its owner's team on its day is one
    of `teams` (teams below included by whoever builds the scope). Ids are `person.id` and `team.id`.
    """

    workspace_id: str
    everything: bool = False
    people: frozenset[str] = field(default_factory=frozenset)
    teams: frozenset[str] = field(default_factory=frozenset)
    late_before: datetime | None = None
    """An answer says so where a connected source was not confirmed complete since then; None = nobody asks."""


def scope_of(
    connection: Connection, link: Link, *, visibility: str, today: date, late_before: datetime | None = None
) -> Scope:
    """What a linked person may see on a local day.

    An admin sees everything. Everyone else sees their own numbers and those of the teams that they lead, teams below
    included; by the workspace's `visibility`, also those of the teams they are in (`team`) or all (`everyone`); `own`
    adds nothing. Who is no CRM person sees nothing of `own` and `team`.
    """
    workspace_id = link.workspace_id
    if link.role == "admin" or visibility == "everyone":
        return Scope(workspace_id, everything=True, late_before=late_before)
    if link.person_id is None:
        return Scope(workspace_id, late_before=late_before)
    teams = people.teams_led(connection, workspace_id, link.person_id)
    # Some sources do not tell who leads a team: a manager of such a team is one of its members.
    if visibility == "team" or (link.role == "manager" and not teams):
        teams |= people.teams_of(connection, workspace_id, link.person_id, today)
    below = people.teams_below(connection, workspace_id, teams)
    return Scope(workspace_id, people=frozenset({link.person_id}), teams=below, late_before=late_before)
