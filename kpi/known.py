"""What the facts say beside a number: since when there is data, and whether leads are told apart."""

from datetime import date

import sqlalchemy as sa
from sqlalchemy import Connection

from kpi.formulas import Formula, Mean, Median, Rate, Total
from storage.schema import contract, deal, lead, purchase


def axes_of(formula: Formula) -> tuple[tuple[str, str], ...]:
    """The tables and days on which a formula counts anything."""
    match formula:
        case Rate() | Mean() | Total():
            found = {(measure.population.table, measure.population.axis) for measure in formula.measures}
            return tuple(sorted(found))
        case Median(population):
            return ((population.table, population.axis),)
        case _:
            return (
                ("contract", "starts_on"),
                ("deal", "closed_on"),
                ("deal", "created_on"),
                ("purchase", "purchased_on"),
            )


def first_day(connection: Connection, workspace_id: str, formula: Formula) -> date | None:
    """The first day on which the data that a formula counts has anything; None without any."""
    tables = {"deal": deal, "contract": contract, "purchase": purchase}
    axes = axes_of(formula)
    days = [
        sa.select(sa.func.min(tables[name].c[axis])).where(
            tables[name].c.workspace_id == workspace_id, tables[name].c.deleted_at.is_(None)
        )
        for name, axis in axes
        if name != "lead"
    ]
    if any(name == "lead" for name, _ in axes):
        day = sa.func.min(sa.func.coalesce(lead.c.qualified_on, lead.c.created_on))
        days.append(sa.select(day).where(lead.c.workspace_id == workspace_id, lead.c.deleted_at.is_(None)))
    found = [day for day in connection.scalars(sa.union_all(*days)) if day is not None]
    return min(found, default=None)


def tells_qualified(connection: Connection, workspace_id: str) -> bool:
    """Whether the sources say of any lead that it is, or is not, qualified or inbound."""
    tells = sa.or_(lead.c.qualified.is_not(None), lead.c.qualified_on.is_not(None), lead.c.inbound.is_not(None))
    query = sa.select(lead.c.id).where(lead.c.workspace_id == workspace_id, tells).limit(1)
    return connection.execute(query).first() is not None
