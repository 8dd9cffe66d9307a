"""The rows that measures count, with the key of every dimension; a table is joined only when a key needs it.

Whose a deal is: its owner at the close day (today's, if open) and that owner's team on that day. A lead belongs to its
owner's team on the lead's day. Region is the owner's office. A segment or source that the row does not tell is its
customer's.
"""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause

from kpi.scope import Scope
from storage.schema import change, customer, deal, lead, membership, person, pipeline, product, stage, team

Key = ColumnElement[str | None]
Condition = ColumnElement[bool]
Given = str | ColumnElement[str]
"""A workspace's id, or the parameter that it will be."""
Which = Callable[[ColumnElement[Any]], Condition]
"""Of a column of ids: those that are looked at, where these are few."""

NAMED = {"rep": person, "team": team, "customer": customer, "product": product, "pipeline": pipeline, "stage": stage}
"""Dimensions whose key is a row id, and the table that has its name; other keys are their own names."""


_DEALS = deal.alias("d")


class Rows:
    """One table (or subquery), the day on which each of its rows has its owner, and the joins used so far."""

    def __init__(self, table: FromClause, workspace_id: Given, day: ColumnElement[date]) -> None:
        self.c = table.c
        self.workspace_id = workspace_id
        self.day = day
        self.won_before: date | None = None
        """Wins (conversions) of this day and later are not known yet: for a cohort seen at an earlier age."""
        self._table = table
        self._from: FromClause = table
        self._joined: dict[str, FromClause] = {}

    @property
    def table(self) -> FromClause:
        return self._table

    @property
    def source(self) -> FromClause:
        """What to select from; ask for every key first."""
        return self._from

    def mine(self) -> Condition:
        return self.c.workspace_id == self.workspace_id

    def owner(self) -> Key:
        return self.c.owner_id

    def key(self, dimension: str) -> Key:
        """The key of a dimension; raises `KeyError` for one that this table does not have."""
        match dimension:
            case "rep":
                return self.owner()
            case "team":
                return self._team()
            case "region":
                return self._join_id("person", person, self.owner()).c.region
            case "segment":
                return sa.func.coalesce(self.c.segment, self._customer().c.segment)
            case "source":
                return sa.func.coalesce(self.c.origin, self._customer().c.origin)
            case _:
                return self.c[f"{dimension}_id"]

    def visible(self, scope: Scope) -> Condition:
        """The rows that the scope lets see."""
        if scope.everything:
            return sa.true()
        seen: list[Condition] = []
        if scope.people:
            seen.append(self.owner().in_(sorted(scope.people)))
        if scope.teams:
            seen.append(self._team().in_(sorted(scope.teams)))
        return sa.or_(sa.false(), *seen)

    def _customer(self) -> FromClause:
        return self._join_id("customer", customer, self.c.customer_id)

    def _team(self) -> Key:
        if "membership" not in self._joined:
            spell = membership.alias()
            self._join(
                "membership",
                spell,
                sa.and_(
                    spell.c.workspace_id == self.workspace_id,
                    spell.c.person_id == self.owner(),
                    spell.c.starts_on <= self.day,
                    sa.or_(spell.c.ends_on.is_(None), spell.c.ends_on > self.day),
                ),
            )
        return self._joined["membership"].c.team_id

    def _join_id(self, name: str, table: FromClause, key: Key) -> FromClause:
        if name not in self._joined:
            other = table.alias()
            self._join(name, other, sa.and_(other.c.workspace_id == self.workspace_id, other.c.id == key))
        return self._joined[name]

    def _join(self, name: str, other: FromClause, on: Condition) -> None:
        self._joined[name] = other
        self._from = self._from.outerjoin(other, on)


class DealRows(Rows):
    """Deals, or those of them that `table` holds; `today` is the day on which an open deal has its owner."""

    def __init__(
        self,
        workspace_id: Given,
        today: date | ColumnElement[date],
        table: FromClause | None = None,
    ) -> None:
        table = _DEALS if table is None else table
        day: ColumnElement[date] = sa.func.coalesce(
            table.c.closed_on, sa.literal(today, sa.Date) if isinstance(today, date) else today
        )
        super().__init__(table, workspace_id, day)

    def owner(self) -> Key:
        """The owner when the deal was first seen closed: a later reassignment does not move it."""
        if "reassigned" not in self._joined:
            moved = _first_reassignments(self.workspace_id)
            closed = self.c.status != "open"
            self._join("reassigned", moved, sa.and_(closed, moved.c.object_id == self.c.id))
        moved = self._joined["reassigned"]
        return sa.case((moved.c.object_id.is_not(None), moved.c.old), else_=self.c.owner_id)


class LeadRows(Rows):
    """Leads, with their day and when they were converted; one without a day has its team on the day of conversion.

    Columns beside the table's own: `day` (of qualification, else creation), `qualifies`, `comes_in`, `is_converted`,
    `won_on` (day of conversion, null when unknown), `by_flag` (converted by the source's own flag).
    """

    def __init__(self, workspace_id: Given, which: Which | None = None) -> None:
        table = _all_leads(workspace_id) if which is None else _leads(workspace_id, which)
        super().__init__(table, workspace_id, sa.func.coalesce(table.c.day, table.c.won_on))


# An expression is the same for every question of a workspace, and costs more to build than to run.
@lru_cache(maxsize=256)
def _first_reassignments(workspace_id: Given) -> FromClause:
    """Per deal, the owner that the first reassignment after its closing took it from.

    A change of owner seen together with, or before, a change of status is part of the closing, not a reassignment.
    """
    moved, before = _moved_after_closing(workspace_id), _moved_after_closing(workspace_id)
    earlier = sa.or_(
        before.c.seen_at < moved.c.seen_at, sa.and_(before.c.seen_at == moved.c.seen_at, before.c.id < moved.c.id)
    )
    # No window function: SQLite would read all of its rows again for every deal.
    is_first = ~sa.exists().where(before.c.object_id == moved.c.object_id, earlier)
    return sa.select(moved.c.object_id, moved.c.old).where(is_first).subquery()


def _moved_after_closing(workspace_id: Given) -> FromClause:
    moved, later = change.alias(), change.alias()
    closing_after = (
        sa.exists()
        .where(later.c.workspace_id == workspace_id, later.c.object == "deal", later.c.object_id == moved.c.object_id)
        .where(later.c.field == "status", later.c.seen_at >= moved.c.seen_at)
    )
    return (
        sa.select(moved.c.object_id, moved.c.old, moved.c.seen_at, moved.c.id)
        .where(moved.c.workspace_id == workspace_id, moved.c.object == "deal", moved.c.field == "owner_id")
        .where(~closing_after)
        .subquery()
    )


@lru_cache(maxsize=256)
def _all_leads(workspace_id: Given) -> sa.Subquery:
    return _leads(workspace_id, None)


def _leads(workspace_id: Given, few: Which | None) -> sa.Subquery:
    won, linked, dated = deal.alias(), deal.alias(), lead.alias()
    which = few or (lambda lead_id: lead_id.is_not(None))
    mine = sa.select(lead.c.source).where(lead.c.workspace_id == workspace_id, which(lead.c.id))
    # Joined, not asked for lead by lead: each column below is read several times a row.
    wins = (
        sa.select(won.c.lead_id, sa.func.min(won.c.closed_on).label("won_on"))
        .where(
            won.c.workspace_id == workspace_id,
            won.c.status == "won",
            won.c.deleted_at.is_(None),
            which(won.c.lead_id),
        )
        .group_by(won.c.lead_id)
        .subquery("wins")
    )
    links_deals = lead.c.source.in_(_saying(linked.c.lead_id, workspace_id, few and mine))
    tells_qualification = lead.c.source.in_(_saying(dated.c.qualified_on, workspace_id, few and mine))
    has_win = wins.c.lead_id.is_not(None)
    by_flag = sa.and_(lead.c.converted.is_(sa.true()), ~links_deals, ~has_win)
    qualifies = sa.case(
        (lead.c.qualified.is_not(None), lead.c.qualified),
        else_=sa.or_(lead.c.qualified_on.is_not(None), ~tells_qualification),
    )
    found = (
        sa.select(
            lead,
            sa.func.coalesce(lead.c.qualified_on, lead.c.created_on).label("day"),
            qualifies.label("qualifies"),
            sa.func.coalesce(lead.c.inbound, sa.true()).label("comes_in"),
            sa.or_(has_win, by_flag).label("is_converted"),
            sa.case((by_flag, lead.c.converted_on), else_=wins.c.won_on).label("won_on"),
            by_flag.label("by_flag"),
        )
        .select_from(lead.outerjoin(wins, wins.c.lead_id == lead.c.id))
        .where(lead.c.workspace_id == workspace_id, which(lead.c.id))
    )
    return found.subquery("l")


def _saying(column: ColumnElement[Any], workspace_id: Given, among: sa.Select[Any] | None) -> sa.Select[Any]:
    """The sources of which any row says something in a column; of some sources, where these are given."""
    table = column.table
    says = sa.select(table.c.source).where(table.c.workspace_id == workspace_id, column.is_not(None))
    if among is None:
        return says
    # Asked of each source once: most answer with the first row.
    asked = among.distinct().subquery()
    return sa.select(asked.c.source).where(says.where(table.c.source == asked.c.source).exists())
