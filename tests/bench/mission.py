"""The questions of the mission, each as a person's `KpiQuery` and as the barest lookup of the same cells by hand."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from kpi import measures as m
from kpi import period as periods
from kpi import populations
from kpi.buckets.tables import column_of, left_out_of
from kpi.period import Grain, Period
from kpi.query import Comparison, Filter, KpiQuery, KpiResult
from kpi.scope import Scope
from storage.workspaces import SINGLE
from tests.bench import company
from tests.bench.lookups import Leg, Lookup, by_bucket, lookup, of_rep, over, undated, up_to

TODAY = date(2026, 11, 19)
"""A Thursday."""
ALL = Scope(SINGLE, everything=True)
NOW, BEFORE = "now", "before"

Rows = Sequence[tuple[Any, ...]]
"""Label, key, numbers."""


@dataclass(frozen=True, slots=True)
class Question:
    """The same question with other keys, so that no page of the database is warmer than it would be."""

    name: str
    variants: tuple[tuple[tuple[KpiQuery, ...], Lookup], ...]
    told: Callable[[Rows], Sequence[Fraction | None]]
    """The values, and those of the periods before, in the order of the queries: from what the lookup fetched."""


def answered(results: Iterable[KpiResult]) -> list[Fraction | None]:
    """What `Question.told` must come to."""
    found: list[Fraction | None] = []
    for result in results:
        found.append(result.measured.value)
        if result.previous is not None:
            found.append(result.previous.measured.value)
    return found


def questions() -> tuple[Question, ...]:
    return (
        _one_rep(),
        _team_by_rep(),
        _trend(),
        _funnel(),
        _retention(),
        _by_segment(),
        _cohort(),
        _leads_by_source(),
        _digest(),
    )


def _asked(metric: str, reading: str, period: Period, **more: Any) -> KpiQuery:
    return KpiQuery(metric, reading, period, ALL, TODAY, **more)


def _before(period: Period) -> Period:
    return periods.previous(period, TODAY)


def _of_team(number: int) -> Filter:
    return Filter("team", company.team(number), f"Équipe {number}")


def _measures(*measures: m.Measure, told: populations.Population | None = None) -> list[str]:
    aside = [] if told is None else list(left_out_of(told).values())
    return list(dict.fromkeys([*(column_of(each) for each in measures), *aside]))


def _total(rows: Rows, label: str, column: int = 0) -> int:
    return sum(int(row[2 + column] or 0) for row in rows if row[0] == label)


def _rate(rows: Rows, label: str, top: int = 0, bottom: int = 1, factor: int = 100) -> Fraction | None:
    below = _total(rows, label, bottom)
    return Fraction(factor * _total(rows, label, top), below) if below else None


def _one_rep() -> Question:
    """What one rep has sold this month, against the same days of the month before."""
    period, columns = periods.this(Grain.MONTH, TODAY), _measures(m.WON_AMOUNT, told=populations.WON_AMOUNTS)
    variants = []
    for number in range(40, 60):
        rep = company.rep(number)
        query = _asked("revenue_won", "sum", period, filters=(Filter("rep", rep, rep),))
        windows = ((NOW, period), (BEFORE, _before(period)))
        legs = [of_rep(label, "deal_bucket", columns, each.start, each.end, rep) for label, each in windows]
        variants.append(((query,), lookup(legs)))
    return Question(
        "one_rep", tuple(variants), lambda rows: [Fraction(_total(rows, NOW)), Fraction(_total(rows, BEFORE))]
    )


def _team_by_rep() -> Question:
    """The win rate of a team's reps last month, against the month before."""
    period = periods.last(Grain.MONTH, TODAY)
    columns = _measures(m.DECIDED_WON, m.DEALS_DECIDED, told=populations.DECIDED)
    variants = []
    for number in range(company.TEAMS):
        query = _asked("win_rate", "closed", period, filters=(_of_team(number),), group_by="rep")
        legs = [
            over(label, "deal_bucket", columns, "rep", each.start, each.end, key="rep", team=company.team(number))
            for label, each in ((NOW, period), (BEFORE, _before(period)))
        ]
        variants.append(((query,), lookup(legs)))
    return Question("team_by_rep", tuple(variants), lambda rows: [_rate(rows, NOW), _rate(rows, BEFORE)])


def _trend() -> Question:
    """The win rate of everyone by month over the last twelve, by the day of creation and by that of closing."""
    period = periods.last(Grain.MONTH, TODAY, 12)
    query = _asked("win_rate", "cohort", period, grain=Grain.MONTH, comparison=None)
    columns = [
        *_measures(m.CREATED_AND_WON, m.DEALS_CREATED, m.CREATED_STILL_OPEN, told=populations.CREATED),
        *_measures(m.DECIDED_WON, m.DEALS_DECIDED),
    ]
    months = [f"m{each.start.isoformat()}" for each in periods.buckets(period, Grain.MONTH)]
    found = lookup([by_bucket(NOW, "deal_bucket", columns, "all", months)])
    return Question("trend", (((query,), found),), lambda rows: [_rate(rows, NOW)])


def _funnel() -> Question:
    """The open pipeline by stage, and what it came to at the same day of the month before."""
    period = periods.this(Grain.MONTH, TODAY)
    query = _asked("open_pipeline", "sum", period, group_by="stage")
    columns = ["open_amount", "open_count", "open_deleted", "open_no_amount", "open_unconverted"]
    legs = [
        *up_to(NOW, "deal_bucket", columns, "stage", TODAY, key="other"),
        undated(NOW, columns, "stage", key="other"),
        *up_to(BEFORE, "deal_bucket", columns, "all", _before(period).last_day),
    ]
    return Question(
        "funnel",
        (((query,), lookup(legs)),),
        lambda rows: [Fraction(_total(rows, NOW)), Fraction(_total(rows, BEFORE))],
    )


_LEVELS = ("active", "new", "kept", "won_back", "active_by_contract", "kept_by_contract")
_SALES = populations.SALES_OF_CUSTOMERS


def _retention_legs(period: Period, shape: str, **keys: str) -> list[Leg]:
    days = {"e": period.last_day, "s": period.start - timedelta(days=1)}
    days["p"] = _before(period).start - timedelta(days=1)
    legs = [leg for label, day in days.items() for leg in up_to(label, "customer_bucket", _LEVELS, shape, day, **keys)]
    aside = list(left_out_of(_SALES).values())
    return [*legs, over("aside", "deal_bucket", aside, shape, period.start, period.end, **keys)]


def _retained(rows: Rows, end: str, start: str) -> Fraction | None:
    at_start = _total(rows, start)
    kept = _total(rows, end) - (_total(rows, end, 1) - _total(rows, start, 1))
    return Fraction(100 * kept, at_start) if at_start else None


def _retention() -> Question:
    """Customers kept over the 12 months that ended yesterday, against the 12 before."""
    period = periods.rolling(Grain.MONTH, 12, TODAY)
    query = _asked("retention", "literal", period)
    found = lookup(_retention_legs(period, "all"))
    return Question(
        "retention", (((query,), found),), lambda rows: [_retained(rows, "e", "s"), _retained(rows, "s", "p")]
    )


def _by_segment() -> Question:
    """The average deal by segment last quarter, against the quarter before."""
    period = periods.last(Grain.QUARTER, TODAY)
    query = _asked("average_deal", "mean", period, group_by="segment")
    columns = _measures(m.WON_AMOUNT, m.WON_WITH_AMOUNT, told=populations.WON_AMOUNTS)
    legs = [
        over(label, "deal_bucket", columns, "segment", each.start, each.end, key="other")
        for label, each in ((NOW, period), (BEFORE, _before(period)))
    ]
    return Question(
        "by_segment",
        (((query,), lookup(legs)),),
        lambda rows: [_rate(rows, NOW, factor=1), _rate(rows, BEFORE, factor=1)],
    )


def _unseen(label: str, table: str, day: str, won: str, period: Period, **keys: str) -> Leg:
    """What the cohort of the period before had not seen yet at this age, counted on the tallies."""
    before = _before(period)
    seen_to = before.end + timedelta(days=max(0, (TODAY - period.last_day).days))
    counted = "created_and_won" if table == "deal_tally" else "leads_converted"
    narrowed = "".join(f" AND {name} = ?" for name in keys)
    days = [(before.start + timedelta(days=at)).isoformat() for at in range(before.days)]
    # Day by day the index gives only what was closed late.
    where = f"{counted} != 0 AND {day} IN ({', '.join('?' for _ in days)}) AND {won} >= ?{narrowed}"
    return Leg(label, table, ["count(*)"], where, (*days, seen_to.isoformat(), *keys.values()))


def _cohort() -> Question:
    """Of the deals created last month, those won by now, against the month before at the same age."""
    period = periods.last(Grain.MONTH, TODAY)
    query = _asked("win_rate", "cohort", period)
    columns = [
        *_measures(m.CREATED_AND_WON, m.DEALS_CREATED, m.CREATED_STILL_OPEN, told=populations.CREATED),
        *_measures(m.DECIDED_WON, m.DEALS_DECIDED),
    ]
    before = _before(period)
    legs = [
        over(NOW, "deal_bucket", columns, "all", period.start, period.end),
        over(BEFORE, "deal_bucket", columns, "all", before.start, before.end),
        _unseen("unseen", "deal_tally", "created_on", "closed_on", period),
    ]

    def told(rows: Rows) -> list[Fraction | None]:
        seen = _total(rows, BEFORE) - _total(rows, "unseen")
        return [_rate(rows, NOW), Fraction(100 * seen, _total(rows, BEFORE, 1))]

    return Question("cohort", (((query,), lookup(legs)),), told)


def _leads_by_source() -> Question:
    """The leads of last quarter by where they came from, against the quarter before."""
    period = periods.last(Grain.QUARTER, TODAY)
    query = _asked("leads", "count", period, group_by="source")
    columns = _measures(m.LEADS, told=populations.LEADS)
    legs = [
        over(label, "lead_bucket", columns, "source", each.start, each.end, key="other")
        for label, each in ((NOW, period), (BEFORE, _before(period)))
    ]
    return Question(
        "leads_by_source",
        (((query,), lookup(legs)),),
        lambda rows: [Fraction(_total(rows, NOW)), Fraction(_total(rows, BEFORE))],
    )


MATURED = periods.rolling(Grain.DAY, 28, TODAY - timedelta(days=90))
"""Leads old enough to have converted."""


def _digest() -> Question:
    """Nine KPIs of one team over the windows that digests judge them by, each with the window before."""
    month, year = periods.rolling(Grain.DAY, 28, TODAY), periods.rolling(Grain.MONTH, 12, TODAY)
    asked = (
        ("win_rate", "closed", month),
        ("revenue_won", "sum", month),
        ("average_deal", "mean", month),
        ("sales_cycle", "mean", month),
        ("upsell_rate", "revenue", month),
        ("leads", "count", month),
        ("lead_conversion", "cohort", MATURED),
        ("retention", "literal", year),
        ("open_pipeline", "sum", month),
    )
    deals = [
        *_measures(m.DECIDED_WON, m.DEALS_DECIDED, m.WON_AMOUNT, m.WON_WITH_AMOUNT, m.WON_DAYS, m.WON_WITH_CYCLE),
        *_measures(m.ADDITIONAL_AMOUNT, m.SALES_AMOUNT, m.SALES_WITH_AMOUNT),
    ]
    told = (populations.DECIDED, populations.WON_AMOUNTS, populations.WON_CYCLES, populations.SALES_AMOUNTS)
    deals += [name for each in told for name in left_out_of(each).values() if name not in deals]
    leads = _measures(m.LEADS, m.LEADS_CONVERTED, m.LEADS_NOT_CONVERTED, told=populations.LEADS)
    stock = ["open_amount", "open_count", "open_deleted", "open_no_amount", "open_unconverted"]
    variants = []
    for number in range(company.TEAMS):
        team = company.team(number)
        queries = tuple(_asked(*each, comparison=Comparison.PREVIOUS, filters=(_of_team(number),)) for each in asked)
        legs = [
            *_retention_legs(year, "team", team=team),
            _unseen("unseen", "lead_tally", "day", "won_on", MATURED, team=team),
        ]
        for which, window in enumerate((month, _before(month))):
            legs.append(over(f"deals{which}", "deal_bucket", deals, "team", window.start, window.end, team=team))
            legs.append(over(f"leads{which}", "lead_bucket", leads, "team", window.start, window.end, team=team))
            legs += up_to(f"open{which}", "deal_bucket", stock, "team", window.last_day, team=team)
        for which, window in enumerate((MATURED, _before(MATURED))):
            legs.append(over(f"old{which}", "lead_bucket", leads, "team", window.start, window.end, team=team))
        variants.append((queries, lookup(legs)))

    def numbers(rows: Rows) -> list[Fraction | None]:
        found: list[Fraction | None] = []
        for top, bottom, factor in ((0, 1, 100), (2, None, 1), (2, 3, 1), (4, 5, 1), (6, 7, 100)):
            for label in ("deals0", "deals1"):
                whole = bottom is None
                found.append(
                    Fraction(_total(rows, label, top)) if whole else _rate(rows, label, top, bottom or 0, factor)
                )
        found += [Fraction(_total(rows, label)) for label in ("leads0", "leads1")]
        converted = _total(rows, "old1", 1) - _total(rows, "unseen")
        found += [_rate(rows, "old0", 1, 0), Fraction(100 * converted, _total(rows, "old1"))]
        found += [_retained(rows, "e", "s"), _retained(rows, "s", "p")]
        return [*found, *(Fraction(_total(rows, label)) for label in ("open0", "open1"))]

    return Question("digest", tuple(variants), numbers)
