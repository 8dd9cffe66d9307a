"""The days that digests, targets and rules look at: each KPI's judged window, ending yesterday."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy import Connection

from kpi import period as periods
from kpi.buckets import state
from kpi.buckets.lookup import how_they_stand
from kpi.buckets.shapes import CONVERSION
from kpi.buckets.tables import HISTOGRAM, lead_bucket
from kpi.declaration import Kpi, Window
from kpi.period import Grain, Period
from storage.database import Part, Tongue, days_between, parameter, run, spell, tongue
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
    spoken = tongue(connection)
    parts = {"buckets": how_they_stand(spoken), "histogram": _histogram(spoken)}
    if spoken.schema is None:
        found = run(connection, parts, {name: {"workspace": workspace_id} for name in parts})
        if state.standing(found["buckets"]).state is state.State.READY:
            by_win, by_flag = (
                ninetieth((int(row[0]), row[at]) for row in found["histogram"]) for at, _ in enumerate(HISTOGRAM, 1)
            )
            return by_flag if by_win is None else by_win
    return _of_facts(connection, workspace_id)


def ninetieth(leads: Iterable[tuple[int, int]]) -> int | None:
    """Of how many leads there are by days: within how many days 90 % of them are; None without any."""
    by_days = sorted(leads)
    total, seen = sum(count for _, count in by_days), 0
    for days, count in by_days:
        seen += count
        if seen and 10 * seen >= 9 * total:
            return days
    return None


@lru_cache(maxsize=4)
def _histogram(spoken: Tongue) -> Part:
    columns = lead_bucket.c
    mine = (columns.workspace_id == parameter("workspace", sa.Text), columns.shape == CONVERSION)
    return spell(spoken, sa.select(columns.other, *(columns[name] for name in HISTOGRAM)).where(*mine))


def _of_facts(connection: Connection, workspace_id: str) -> int | None:
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
    by_wins = ninetieth(_by_days(connection, workspace_id, linked))
    return ninetieth(_by_days(connection, workspace_id, flagged)) if by_wins is None else by_wins


def _by_days(connection: Connection, workspace_id: str, converted: sa.Subquery) -> Iterator[tuple[int, int]]:
    """How many leads converted in so many days."""
    day = sa.func.coalesce(converted.c.qualified_on, converted.c.created_on)
    days = days_between(day, converted.c.won_on)
    counted = (converted.c.workspace_id == workspace_id, converted.c.won_on >= day, converted.c.deleted_at.is_(None))
    for row in connection.execute(sa.select(days, sa.func.count()).where(*counted).group_by(days)):
        yield int(row[0]), row[1]
