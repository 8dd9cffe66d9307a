"""Which tallies a page's changes touch, directly or not."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from kpi.buckets import customers, deals, leads
from storage.history import Change
from storage.rows import Row

OF_CUSTOMER, OF_PERSON, OF_SOURCE = "of_customer", "of_person", "of_source"
"""What `bucket_due.family` says where an id stands for all rows that hang on it: the deals and leads of a customer; the
deals, leads and customers of a person (the id is the day since when, a bar, and the person); the leads of a source."""


AT_ONCE = 600
"""Rows that hang on others and are looked for in a page's transaction; of more it is noted what they hang on."""

FEW = 20
"""Rows that are folded within a page's transaction, which has SQLite's write lock meanwhile; more are noted."""


@dataclass(slots=True)
class Touched:
    ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By family."""
    later: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """What stands for rows that are too many to look for now, by what it is."""
    moves: bool = False
    """Whether somebody changed teams."""

    def __bool__(self) -> bool:
        return any(self.ids.values()) or any(self.later.values())


def touched(connection: Connection, workspace_id: str, changes: Sequence[Change]) -> Touched:
    """What these changes, written already, touch; of rows that hang on others, only so many are looked for."""
    found = Touched()
    found.ids["deal"] |= {change.after["id"] for change in changes if change.object == "deal"}
    found.ids["lead"] |= leads.named(changes)
    found.ids["customer"] |= customers.named(changes)
    later, of_customers = deals.later_wins(connection, workspace_id, changes, AT_ONCE)
    found.ids["deal"] |= later
    found.later[OF_CUSTOMER] |= of_customers
    described = {change.after["id"] for change in changes if _describes(change)}
    if described:
        selects = {"deal": deals.of_customers, "lead": leads.of_customers}
        for family, select in selects.items():
            of_them = connection.scalars(select(workspace_id, sorted(described)).limit(AT_ONCE + 1)).all()
            if len(of_them) > AT_ONCE:
                found.later[OF_CUSTOMER] |= described
            else:
                found.ids[family] |= set(of_them)
    found.later[OF_SOURCE] |= leads.turned(connection, workspace_id, changes)
    for change in changes:
        if change.object == "membership":
            found.moves = True
            found.later[OF_PERSON].add(of_person(change.after["person_id"], _since(change)))
    return found


def of_person(person_id: str, since: date) -> str:
    """The id that stands for what a person owns on a day since then, or today."""
    return f"{since.isoformat()}|{person_id}"


def person_since(noted: str) -> tuple[date, str]:
    """The day and the person of such an id."""
    since, _, person_id = noted.partition("|")
    return date.fromisoformat(since), person_id


def _describes(change: Change) -> bool:
    """Whether a customer's segment or origin is another now: of deals and leads that tell none."""
    if change.object != "customer":
        return False
    before, after = _described(change.before), _described(change.after)
    return before != after


def _described(row: Row | None) -> tuple[str | None, str | None]:
    return (None, None) if row is None else (row["segment"], row["origin"])


def _since(change: Change) -> date:
    """The first day of which the person's team is another now."""
    before, after = change.before, change.after
    days: list[date]
    if before is None or before["team_id"] != after["team_id"]:
        days = [row["starts_on"] for row in (before, after) if row is not None]
    else:
        days = [row["ends_on"] for row in (before, after) if row["ends_on"] is not None]
    return min(days, default=date.max)
