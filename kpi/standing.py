"""What stands around a number: how fresh the data is, when it begins, the target, whose teams."""

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import Connection

from kpi.declaration import Kpi, Reading
from kpi.formulas import Formula, Mean, Median, Rate, Total
from kpi.query import KpiQuery, Unit
from kpi.scope import Scope
from storage.schema import contract, cursor, deal, lead, membership, person, purchase, source, team
from storage.status import READY, REFUSED, STOPPED
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


def rests_on(metric: str, objects: Collection[str]) -> bool:
    """Whether a KPI is computed from any of these objects."""
    return not set(OBJECTS.get(metric, ("deal",))).isdisjoint(objects)


def as_of(connection: Connection, workspace_id: str, metric: str) -> datetime | None:
    """When the data of a KPI was last known to be complete: the oldest of its objects; None = never.

    A source that a person stopped is waited for no longer, unless nothing else tells these objects.
    """
    told = _told(connection, workspace_id, metric)
    moments = [moment for moment, state in told if state != STOPPED] or [moment for moment, _ in told]
    known = [moment for moment in moments if moment is not None]
    return min(known) if known and len(known) == len(moments) else None


def is_late(connection: Connection, workspace_id: str, metric: str, since: datetime) -> bool:
    """Whether a connected source has not confirmed an object of the KPI complete since then.

    What was loaded by hand, or from a source that was stopped, is as old as it is said to be: nothing newer is awaited.
    """
    waited_for = (moment for moment, state in _told(connection, workspace_id, metric) if state in {READY, REFUSED})
    return any(moment is not None and moment < since for moment in waited_for)


def _told(connection: Connection, workspace_id: str, metric: str) -> list[tuple[datetime | None, str | None]]:
    """For each source and object of the KPI: complete up to when, and the state of the source where it is connected."""
    objects = OBJECTS.get(metric, ("deal",))
    query = (
        sa.select(cursor.c.complete_at, source.c.state)
        .outerjoin(source, sa.and_(source.c.workspace_id == cursor.c.workspace_id, source.c.source == cursor.c.source))
        .where(cursor.c.workspace_id == workspace_id, cursor.c.object.in_(objects))
    )
    return [(row.complete_at, row.state) for row in connection.execute(query)]


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
