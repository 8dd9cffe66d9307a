"""The days that digests, targets and rules look at: each KPI's judged window, ending yesterday."""

from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from kpi import period as periods
from kpi.declaration import Kpi, Window
from kpi.period import Grain, Period
from storage.database import days_between
from storage.schema import deal, lead

TWENTY_EIGHT = 28


def judged_period(connection: Connection, declared: Kpi, workspace_id: str, today: date) -> Period:
    """The window of local days on which this KPI is judged, as seen on `today`.

    Lead conversion looks at the 28 days that ended one 90th-percentile conversion time ago, so that its leads have had
    the time to convert. A stock (the open pipeline) is looked at over 28 days too: its value is that of the last day.
    """
    match declared.judged_window:
        case Window.TWELVE_MONTHS:
            return periods.rolling(Grain.MONTH, 12, today)
        case Window.MONTH_TO_DATE:
            return periods.this(Grain.MONTH, today)
        case Window.MATURED_28_DAYS:
            return _days_to(today - timedelta(days=conversion_days(connection, workspace_id) or 0))
        case Window.LAST_28_DAYS | Window.TODAY:
            return _days_to(today)


def _days_to(end: date) -> Period:
    return periods.rolling(Grain.DAY, TWENTY_EIGHT, end)


def conversion_days(connection: Connection, workspace_id: str) -> int | None:
    """The days within which 90 % of the leads that converted had converted; None when none has.

    Counted from the wins of linked deals; by the source's own dates only where no lead is linked to a won deal.
    """
    wins = (
        sa.select(deal.c.lead_id, sa.func.min(deal.c.closed_on).label("won_on"))
        .where(
            deal.c.workspace_id == workspace_id,
            deal.c.status == "won",
            deal.c.lead_id.is_not(None),
            deal.c.deleted_at.is_(None),
        )
        .group_by(deal.c.lead_id)
        .subquery()
    )
    linked = sa.select(lead, wins.c.won_on).join(wins, wins.c.lead_id == lead.c.id).subquery()
    flagged = sa.select(lead, lead.c.converted_on.label("won_on")).where(lead.c.converted.is_(sa.true())).subquery()
    by_wins = _ninetieth(connection, workspace_id, linked)
    return _ninetieth(connection, workspace_id, flagged) if by_wins is None else by_wins


def _ninetieth(connection: Connection, workspace_id: str, converted: sa.Subquery) -> int | None:
    day = sa.func.coalesce(converted.c.qualified_on, converted.c.created_on)
    days = days_between(day, converted.c.won_on)
    rows = connection.execute(
        sa.select(days.label("days"), sa.func.count().label("leads"))
        .where(
            converted.c.workspace_id == workspace_id,
            converted.c.won_on >= day,
            converted.c.deleted_at.is_(None),
        )
        .group_by(days)
        .order_by(days)
    ).all()
    total = sum(row.leads for row in rows)
    seen = 0
    for row in rows:
        seen += row.leads
        if 10 * seen >= 9 * total:
            return int(row.days)
    return None
