"""The questions of the mission as a notebook would answer them: load the deals with pandas, then aggregate."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd

from kpi import period as periods
from kpi.period import Grain, Period
from tests.bench import company
from tests.bench.mission import TODAY

_DEALS = (
    "SELECT owner_id, customer_id, stage_id, segment, origin, status, kind, product_id, value_minor, created_on, "
    "closed_on FROM deal WHERE deleted_at IS NULL"
)
_LEADS = (
    "SELECT owner_id, customer_id, origin, qualified, inbound, qualified_on, created_on FROM lead "
    "WHERE deleted_at IS NULL"
)


def deals(raw: Any) -> pd.DataFrame:
    """Every deal, through the bare driver."""
    return _frame(raw, _DEALS, "created_on", "closed_on")


def leads(raw: Any) -> pd.DataFrame:
    return _frame(raw, _LEADS, "created_on", "qualified_on")


def _frame(raw: Any, query: str, *days: str) -> pd.DataFrame:
    cursor = raw.cursor()
    cursor.execute(query)
    names = [column[0] for column in cursor.description]
    found = pd.DataFrame(cursor.fetchall(), columns=names)
    for name in days:
        found[name] = pd.to_datetime(found[name], errors="coerce")
    return found


def _within(found: pd.DataFrame, axis: str, period: Period) -> pd.DataFrame:
    return found[(found[axis] >= _day(period.start)) & (found[axis] < _day(period.end))]


def _day(day: date) -> pd.Timestamp:
    return pd.Timestamp(day)


def _one_rep(raw: Any) -> float:
    won = deals(raw).query("status == 'won'")
    sold = won[won.owner_id == company.rep(40)]
    return float(_within(sold, "closed_on", periods.this(Grain.MONTH, TODAY)).value_minor.sum())


def _team_by_rep(raw: Any) -> float:
    decided = _within(deals(raw), "closed_on", periods.last(Grain.MONTH, TODAY)).query("status in ('won', 'lost')")
    mine = decided[decided.owner_id.isin([company.rep(number) for number in range(0, company.REPS, company.TEAMS)])]
    won = mine.status == "won"
    won.groupby(mine.owner_id).mean()
    return float(100 * won.mean())


def _trend(raw: Any) -> float:
    created = _within(deals(raw), "created_on", periods.last(Grain.MONTH, TODAY, 12))
    won = created.status == "won"
    won.groupby(created.created_on.dt.to_period("M")).mean()
    return float(100 * won.mean())


def _funnel(raw: Any) -> float:
    waiting = deals(raw).query("status == 'open'")
    return float(waiting.groupby("stage_id").value_minor.sum().sum())


def _retention(raw: Any) -> float:
    """By won deals alone: contracts and purchases would be loaded besides."""
    won = deals(raw).query("status == 'won'")
    year = periods.rolling(Grain.MONTH, 12, TODAY)
    active = []
    for end in (year.start, year.end):
        bought = won[(won.closed_on < _day(end)) & (won.closed_on >= _day(end - timedelta(days=365)))]
        active.append(set(bought.customer_id))
    first = won.groupby("customer_id").closed_on.min()
    new = int(((first >= _day(year.start)) & (first < _day(year.end))).sum())
    return 100 * (len(active[1]) - new) / len(active[0])


def _by_segment(raw: Any) -> float:
    won = _within(deals(raw), "closed_on", periods.last(Grain.QUARTER, TODAY)).query("status == 'won'")
    won.groupby("segment", dropna=False).value_minor.mean()
    return float(won.value_minor.mean())


def _cohort(raw: Any) -> float:
    created = _within(deals(raw), "created_on", periods.last(Grain.MONTH, TODAY))
    return float(100 * (created.status == "won").mean())


def _leads_by_source(raw: Any) -> float:
    found = leads(raw)
    counted = _within(found, "qualified_on", periods.last(Grain.QUARTER, TODAY))
    counted = counted[counted.qualified.astype(bool) & counted.inbound.astype(bool)]
    return float(counted.groupby("origin", dropna=False).size().sum())


def _digest(raw: Any) -> float:
    """Five of the nine, of a team's reps as they are today: the frame is loaded once for all of them."""
    found = deals(raw)
    mine = found[found.owner_id.isin([company.rep(number) for number in range(0, company.REPS, company.TEAMS)])]
    closed = _within(mine, "closed_on", periods.rolling(Grain.DAY, 28, TODAY))
    won = closed[closed.status == "won"]
    (won.closed_on - won.created_on).dt.days.mean()
    won.value_minor.sum()
    won.value_minor.mean()
    mine[mine.status == "open"].value_minor.sum()
    _within(leads(raw), "qualified_on", periods.rolling(Grain.DAY, 28, TODAY)).groupby("owner_id").size()
    return float(100 * len(won) / len(closed[closed.status.isin(["won", "lost"])]))


ANSWERS: Mapping[str, Callable[[Any], float]] = {
    "one_rep": _one_rep,
    "team_by_rep": _team_by_rep,
    "trend": _trend,
    "funnel": _funnel,
    "retention": _retention,
    "by_segment": _by_segment,
    "cohort": _cohort,
    "leads_by_source": _leads_by_source,
    "digest": _digest,
}
"""By question, its first value: of the first of its variants."""

ROUGH = frozenset({"retention"})
"""Answered more simply than Vigie does, so that only the time can be compared."""
