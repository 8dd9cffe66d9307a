"""The days that digests, targets and rules look at: each KPI's judged window, ending yesterday."""

from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from kpi import period as periods
from kpi.declaration import Kpi, Window
from kpi.period import ONE_DAY, Grain, Period
from kpi.rows import LeadRows
from storage.database import days_between

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
    return Period(end - TWENTY_EIGHT * ONE_DAY, end)


def conversion_days(connection: Connection, workspace_id: str) -> int | None:
    """The days within which 90 % of the leads that converted had converted; None when none has."""
    leads = LeadRows(workspace_id, currency="")
    days = days_between(leads.c.day, leads.c.won_on)
    rows = connection.execute(
        sa.select(days.label("days"), sa.func.count().label("leads"))
        .select_from(leads.source)
        .where(leads.c.is_converted, leads.c.won_on >= leads.c.day, leads.c.deleted_at.is_(None))
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
