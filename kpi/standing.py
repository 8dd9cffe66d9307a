"""What stands around a number: how fresh the data is, when it begins, the target, whose teams."""

from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import Connection

from kpi.declaration import Kpi, Reading
from kpi.formulas import Formula, Mean, Median, Rate, Total
from kpi.query import KpiQuery, Unit
from kpi.scope import Scope
from storage.schema import contract, cursor, deal, lead, membership, person, purchase, team
from storage.targets import find_target

_CUSTOMERS = ("deal", "contract", "purchase", "customer")
OBJECTS: dict[str, tuple[str, ...]] = {
    "leads": ("lead",),
    "lead_conversion": ("lead", "deal"),
    "retention": _CUSTOMERS,
    "ltv": _CUSTOMERS,
    "cac": (*_CUSTOMERS, "spend"),
}
"""What a KPI is computed from; deals for those not named."""


def as_of(connection: Connection, workspace_id: str, metric: str) -> datetime | None:
    """When the data of a KPI was last known to be complete: the oldest of its objects; None = never."""
    objects = OBJECTS.get(metric, ("deal",))
    query = sa.select(cursor.c.complete_at).where(cursor.c.workspace_id == workspace_id, cursor.c.object.in_(objects))
    moments = list(connection.scalars(query))
    known = [moment for moment in moments if moment is not None]
    return min(known) if known and len(known) == len(moments) else None


def first_day(connection: Connection, workspace_id: str, formula: Formula) -> date | None:
    """The first day on which the data that a formula counts has anything; None without any."""
    axes: set[tuple[str, str]]
    match formula:
        case Rate() | Mean() | Total():
            axes = {(measure.population.table, measure.population.axis) for measure in formula.measures}
        case Median(population):
            axes = {(population.table, population.axis)}
        case _:
            axes = {
                ("deal", "created_on"),
                ("deal", "closed_on"),
                ("contract", "starts_on"),
                ("purchase", "purchased_on"),
            }
    tables = {"deal": deal, "contract": contract, "purchase": purchase}
    days = [
        sa.select(sa.func.min(tables[name].c[axis])).where(
            tables[name].c.workspace_id == workspace_id, tables[name].c.deleted_at.is_(None)
        )
        for name, axis in sorted(axes)
        if name != "lead"
    ]
    if any(name == "lead" for name, _ in axes):
        day = sa.func.min(sa.func.coalesce(lead.c.qualified_on, lead.c.created_on))
        days.append(sa.select(day).where(lead.c.workspace_id == workspace_id, lead.c.deleted_at.is_(None)))
    found = [day for day in connection.scalars(sa.union_all(*days)) if day is not None]
    return min(found, default=None)


def target_of(connection: Connection, query: KpiQuery, declared: Kpi, reading: Reading) -> Decimal | None:
    """The most specific target that applies, else the recommended one.

    A target of the whole workspace says nothing of a part of it when it is an amount or a number; a rate, a cycle or a
    mean is the same aim for everyone.
    """
    narrowed = {each.dimension: each.key for each in query.filters}
    if not query.scope.everything and len(query.scope.people) == 1 and not query.scope.teams:
        narrowed.setdefault("rep", next(iter(query.scope.people)))
    found = find_target(connection, query.scope.workspace_id, declared.metric, reading.key, narrowed)
    whole = not narrowed and query.scope.everything
    adds_up = reading.unit is Unit.COUNT or isinstance(reading.formula, Total)
    if found is not None and (found.dimension is not None or whole or not adds_up):
        return found.value
    advised = declared.advised(reading.key, narrowed.get("segment"))
    return None if advised is None else advised.low


def has_team_history(connection: Connection, workspace_id: str) -> bool:
    """Whether any membership is known to have begun on some day; else only today's teams are known."""
    mine = (membership.c.workspace_id == workspace_id, membership.c.starts_on > date.min)
    return connection.execute(sa.select(membership.c.person_id).where(*mine).limit(1)).first() is not None


def scope_names(connection: Connection, scope: Scope) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the people and of the teams that a scope lets see."""
    names = []
    for table, ids in ((person, scope.people), (team, scope.teams)):
        mine = (table.c.workspace_id == scope.workspace_id, table.c.id.in_(sorted(ids)))
        names.append(tuple(connection.scalars(sa.select(table.c.name).where(*mine).order_by(table.c.name))))
    return names[0], names[1]
