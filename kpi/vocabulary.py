"""The names a question may use in one workspace: teams, reps, segments, sources, products, pipelines, regions, stages.

Names are foreign text. Those of people are limited to what the asker's scope lets them see; customers, who may be
many, are read only when a question holds words that nothing else explains.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select

from kpi.buckets import state
from kpi.buckets.lookup import how_they_stand
from kpi.buckets.ranges import AFTER_YEARS, FIRST_YEAR
from kpi.buckets.shapes import UNDATED
from kpi.buckets.tables import deal_bucket, lead_bucket
from kpi.scope import Scope
from storage import schema
from storage.database import Part, Tongue, among, parameter, run, spell, tongue

_WORKSPACE = parameter("workspace", sa.Text)


@dataclass(frozen=True, slots=True)
class Name:
    """One value of a dimension, by its name: `key` is what a `Filter` takes."""

    dimension: str
    key: str
    name: str
    email: str | None = None
    """Of a rep."""
    deleted: bool = False
    """Gone from the source; still named where the past is asked about."""


def _nobody() -> tuple[Name, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What may be named, and who asks."""

    names: tuple[Name, ...] = ()
    me: Name | None = None
    """The rep who asks; None when the asker is not linked to one."""
    my_team: Name | None = None
    customers: Callable[[], tuple[Name, ...]] = field(default=_nobody)
    """Reads the customers the asker may see; called at most once per question."""


def read_vocabulary(connection: Connection, scope: Scope, *, today: date, asker: str | None = None) -> Vocabulary:
    """The names of a workspace that a person with this scope may use; `asker` is that person's `person.id`.

    The connection must be open as long as the vocabulary is used: customers are read from it on demand.
    """
    spoken, workspace = tongue(connection), {"workspace": scope.workspace_id}
    seen = workspace | {"people": sorted(scope.people), "teams": sorted(scope.teams)}
    parts = {"names": _names(spoken, scope.everything), "buckets": how_they_stand(spoken), "regions": _regions(spoken)}
    parts |= {"texts": _keys(spoken), "spend": _spend(spoken)}
    found = run(connection, parts, dict.fromkeys(parts, workspace) | {"names": seen})
    told = [
        Name(dimension, key, name, email, deleted_at is not None)
        for dimension, key, name, email, deleted_at in found["names"]
        if name
    ]
    ready = state.standing(found["buckets"]).state is state.State.READY
    texts = found["texts"] if ready else _texts(connection, scope)
    both = {(str(dimension), text) for dimension, text in (*texts, *found["regions"], *found["spend"]) if text}
    names = (*told, *(Name(dimension, text, text) for dimension, text in sorted(both)))
    me = next((name for name in names if name.dimension == "rep" and name.key == asker), None)
    my_team = None
    if me is not None:
        team_id = connection.execute(_team_of(scope.workspace_id, me.key, today)).scalar()
        my_team = next((name for name in names if name.dimension == "team" and name.key == team_id), None)

    def customers() -> tuple[Name, ...]:
        rows = run(connection, {"customers": _customers(spoken, scope.everything)}, {"customers": seen})["customers"]
        return tuple(Name("customer", key, name, None, deleted_at is not None) for key, name, deleted_at in rows)

    return Vocabulary(names, me, my_team, customers)


def _visible_people(*, everything: bool) -> sa.ColumnElement[bool]:
    """The people whose names the asker may read: the scope's own, and all who ever were in one of its teams."""
    person, membership = schema.person, schema.membership
    if everything:
        return sa.true()
    mine = (membership.c.workspace_id == _WORKSPACE, among(membership.c.team_id, "teams"))
    return sa.or_(among(person.c.id, "people"), person.c.id.in_(sa.select(membership.c.person_id).where(*mine)))


@lru_cache(maxsize=8)
def _names(spoken: Tongue, everything: bool) -> Part:
    """The names of rows that have an id."""
    person = schema.person

    def rows(dimension: str, table: sa.Table) -> Select[*tuple[Any, ...]]:
        email = table.c.email if table is person else sa.cast(sa.null(), sa.Text).label("email")
        statement = sa.select(
            sa.literal(dimension).label("dimension"), table.c.id.label("key"), table.c.name, email, table.c.deleted_at
        ).where(table.c.workspace_id == _WORKSPACE)
        return statement.where(_visible_people(everything=everything)) if table is person else statement

    union = sa.union_all(
        rows("rep", person),
        rows("team", schema.team),
        rows("product", schema.product),
        rows("pipeline", schema.pipeline),
        rows("stage", schema.stage),
    )
    return spell(spoken, union)


@lru_cache(maxsize=4)
def _keys(spoken: Tongue) -> Part:
    """The segments and sources of deals and leads, as the cells of years and of undated rows are named."""
    selects = []
    for table in (deal_bucket, lead_bucket):
        mine = (table.c.workspace_id == _WORKSPACE, table.c.shape.in_(("segment", "source")))
        # Each by itself: of "either … or" SQLite would read every day.
        years = sa.and_(table.c.bucket >= FIRST_YEAR, table.c.bucket < AFTER_YEARS)
        undated = table.c.bucket == UNDATED
        selects += [sa.select(table.c.shape, table.c.other).where(*mine, cells) for cells in (years, undated)]
    return spell(spoken, sa.union(*selects))


@lru_cache(maxsize=4)
def _regions(spoken: Tongue) -> Part:
    region = schema.person.c.region
    mine = schema.person.c.workspace_id == _WORKSPACE
    return spell(spoken, sa.select(sa.literal("region"), region).where(mine, region.is_not(None)).distinct())


@lru_cache(maxsize=4)
def _spend(spoken: Tongue) -> Part:
    origin = schema.spend.c.origin
    mine = schema.spend.c.workspace_id == _WORKSPACE
    return spell(spoken, sa.select(sa.literal("source"), origin).where(mine, origin.is_not(None)).distinct())


def _texts(connection: Connection, scope: Scope) -> Iterator[tuple[str, str | None]]:
    """The segments and sources of deals, leads and customers, from the facts: each table is read once for both."""
    statement = sa.union(
        *(
            sa.select(table.c.segment, table.c.origin).where(table.c.workspace_id == scope.workspace_id).distinct()
            for table in (schema.deal, schema.lead, schema.customer)
        )
    )
    for segment, source in connection.execute(statement):
        yield "segment", segment
        yield "source", source


def _team_of(workspace_id: str, person_id: str, today: date) -> Select[str]:
    membership = schema.membership
    return sa.select(membership.c.team_id).where(
        membership.c.workspace_id == workspace_id,
        membership.c.person_id == person_id,
        membership.c.starts_on <= today,
        sa.or_(membership.c.ends_on.is_(None), membership.c.ends_on > today),
    )


@lru_cache(maxsize=8)
def _customers(spoken: Tongue, everything: bool) -> Part:
    """All customers, or those with a deal of a person the asker may see."""
    customer, person, deal = schema.customer, schema.person, schema.deal
    columns = (customer.c.id, customer.c.name, customer.c.deleted_at)
    statement = sa.select(*columns).where(customer.c.workspace_id == _WORKSPACE)
    if everything:
        return spell(spoken, statement)
    people = sa.select(person.c.id).where(person.c.workspace_id == _WORKSPACE, _visible_people(everything=False))
    theirs = sa.select(deal.c.customer_id).where(deal.c.workspace_id == _WORKSPACE, deal.c.owner_id.in_(people))
    return spell(spoken, statement.where(customer.c.id.in_(theirs)))
