"""The names a question may use in one workspace: teams, reps, segments, sources, products, pipelines, regions, stages.

Names are foreign text. Those of people are limited to what the asker's scope lets them see; customers, who may be
many, are read only when a question holds words that nothing else explains.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select

from kpi.scope import Scope
from storage import schema


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
    rows = connection.execute(_names(scope)).all()
    told = [Name(row.dimension, row.key, row.name, row.email, row.deleted_at is not None) for row in rows if row.name]
    names = (*told, *_texts(connection, scope))
    me = next((name for name in names if name.dimension == "rep" and name.key == asker), None)
    my_team = None
    if me is not None:
        team_id = connection.execute(_team_of(scope.workspace_id, me.key, today)).scalar()
        my_team = next((name for name in names if name.dimension == "team" and name.key == team_id), None)

    def customers() -> tuple[Name, ...]:
        found = connection.execute(_customers(scope)).all()
        return tuple(Name("customer", row.id, row.name, None, row.deleted_at is not None) for row in found)

    return Vocabulary(names, me, my_team, customers)


def _visible_people(scope: Scope) -> sa.ColumnElement[bool]:
    """The people whose names the asker may read: the scope's own, and all who ever were in one of its teams."""
    person, membership = schema.person, schema.membership
    if scope.everything:
        return sa.true()
    members = sa.select(membership.c.person_id).where(
        membership.c.workspace_id == scope.workspace_id, membership.c.team_id.in_(sorted(scope.teams))
    )
    return sa.or_(person.c.id.in_(sorted(scope.people)), person.c.id.in_(members))


def _names(scope: Scope) -> sa.CompoundSelect[*tuple[Any, ...]]:
    """One statement for the names of rows that have an id."""
    person = schema.person

    def rows(dimension: str, table: sa.Table) -> Select[*tuple[Any, ...]]:
        email = table.c.email if table is person else sa.cast(sa.null(), sa.Text).label("email")
        statement = sa.select(
            sa.literal(dimension).label("dimension"), table.c.id.label("key"), table.c.name, email, table.c.deleted_at
        ).where(table.c.workspace_id == scope.workspace_id)
        return statement.where(_visible_people(scope)) if table is person else statement

    return sa.union_all(
        rows("rep", person),
        rows("team", schema.team),
        rows("product", schema.product),
        rows("pipeline", schema.pipeline),
        rows("stage", schema.stage),
    )


def _texts(connection: Connection, scope: Scope) -> list[Name]:
    """The dimensions whose keys are their own names, each text once; a table is read once for all of its texts."""
    nothing = sa.cast(sa.null(), sa.Text)
    columns: dict[sa.Table, dict[str, sa.ColumnElement[Any]]] = {
        schema.person: {"region": schema.person.c.region},
        schema.spend: {"source": schema.spend.c.origin},
        **{
            table: {"segment": table.c.segment, "source": table.c.origin}
            for table in (schema.deal, schema.lead, schema.customer)
        },
    }
    dimensions = ("region", "segment", "source")
    statement = sa.union(
        *(
            sa.select(*(texts.get(dimension, nothing).label(dimension) for dimension in dimensions))
            .where(table.c.workspace_id == scope.workspace_id)
            .distinct()
            for table, texts in columns.items()
        )
    )
    found = {
        (dimension, row[dimension]) for row in connection.execute(statement).mappings() for dimension in dimensions
    }
    return [Name(dimension, text, text) for dimension, text in sorted(each for each in found if each[1])]


def _team_of(workspace_id: str, person_id: str, today: date) -> Select[str]:
    membership = schema.membership
    return sa.select(membership.c.team_id).where(
        membership.c.workspace_id == workspace_id,
        membership.c.person_id == person_id,
        membership.c.starts_on <= today,
        sa.or_(membership.c.ends_on.is_(None), membership.c.ends_on > today),
    )


def _customers(scope: Scope) -> Select[*tuple[Any, ...]]:
    """All customers, or those with a deal or lead of a person the asker may see."""
    customer, person = schema.customer, schema.person
    statement = sa.select(customer.c.id, customer.c.name, customer.c.deleted_at).where(
        customer.c.workspace_id == scope.workspace_id
    )
    if scope.everything:
        return statement
    people = sa.select(person.c.id).where(person.c.workspace_id == scope.workspace_id, _visible_people(scope))
    deal = schema.deal
    theirs = sa.select(deal.c.customer_id).where(deal.c.workspace_id == scope.workspace_id, deal.c.owner_id.in_(people))
    return statement.where(customer.c.id.in_(theirs))
