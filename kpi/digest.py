"""What a digest tells: the KPIs over their judged windows, what is worth saying about them, and who did well."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from kpi import period as periods
from kpi.catalog import kpi
from kpi.engine import answers
from kpi.findings import Finding, did_well, findings
from kpi.judged import judged_period
from kpi.period import Grain, Period
from kpi.query import Comparison, Filter, Group, KpiQuery, KpiResult
from kpi.scope import Scope
from kpi.trend import trend_of, trend_query
from storage.as_known import as_known as known

METRICS = (
    "win_rate",
    "revenue_won",
    "average_deal",
    "sales_cycle",
    "leads",
    "lead_conversion",
    "retention",
    "open_pipeline",
)
DRAWN = ("win_rate", "revenue_won")
"""The two small lines of the picture."""
EXPLAINED = ("win_rate", "revenue_won", "leads")
"""Whose changes are taken apart by group."""
MOST_PRAISED = 2


@dataclass(frozen=True, slots=True)
class Digest:
    """Results in the order to show them; names in them are foreign text."""

    week: Period
    """The last ISO week that is over."""
    filters: tuple[Filter, ...]
    results: tuple[KpiResult, ...]
    absent: tuple[str, ...]
    """Metrics without data for this digest."""
    trends: tuple[KpiResult, ...]
    """Some of the results, each with the series that led to it."""
    findings: tuple[Finding, ...]
    by_rep: KpiResult | None
    praised: tuple[Group, ...]
    as_of: datetime | None
    """When the data was last complete; None = never."""


def read_digest(
    connection: Connection,
    scope: Scope,
    today: date,
    filters: Sequence[Filter] = (),
    as_known: datetime | None = None,
) -> Digest:
    """Compute a digest as seen on a local day, within a scope; `as_known` (aware) hides what was learned later.

    Raises `RefusedError` when the scope does not reach what the digest is narrowed to.
    """
    with known(connection, scope.workspace_id, as_known):
        return _digest(connection, scope, today, tuple(filters), as_known)


def _digest(
    connection: Connection, scope: Scope, today: date, chosen: tuple[Filter, ...], as_known: datetime | None
) -> Digest:
    asked = [_query(connection, metric, scope, today, chosen, as_known) for metric in METRICS]
    queries = {query.metric: query for query in asked if query is not None}
    one_team = any(each.dimension == "team" for each in chosen) or len(scope.teams) == 1
    explaining = "source" if one_team else "team"
    # All at once: whether a number is known shows with the others.
    grouped = {metric: replace(queries[metric], group_by=explaining) for metric in EXPLAINED if metric in queries}
    led = {metric: trend_query(queries[metric]) for metric in DRAWN if metric in queries}
    by_rep = replace(queries["win_rate"], group_by="rep") if "win_rate" in queries else None
    everything = [*queries.values(), *grouped.values(), *led.values(), *([] if by_rep is None else [by_rep])]
    answered = dict(zip(everything, answers(connection, everything), strict=True))
    results = [answered[query] for query in queries.values()]
    told = tuple(result for result in results if result.measured.value is not None)
    known = {result.query.metric for result in told}
    reps = answered[by_rep] if by_rep is not None and "win_rate" in known else None
    as_of = [result.as_of for result in results if result.as_of is not None]
    return Digest(
        week=periods.last(Grain.WEEK, today),
        filters=chosen,
        results=told,
        absent=tuple(metric for metric in METRICS if metric not in known),
        trends=tuple(
            _drawn(answered[queries[metric]], answered[query]) for metric, query in led.items() if metric in known
        ),
        findings=tuple(findings(told, [answered[query] for metric, query in grouped.items() if metric in known])),
        by_rep=reps,
        praised=tuple(did_well(reps, MOST_PRAISED)) if reps is not None else (),
        as_of=min(as_of, default=None),
    )


def _query(
    connection: Connection,
    metric: str,
    scope: Scope,
    today: date,
    filters: tuple[Filter, ...],
    as_known: datetime | None,
) -> KpiQuery | None:
    """The judged reading over the judged window; None for a KPI that has no such dimension."""
    declared = kpi(metric)
    if any(each.dimension not in declared.dimensions for each in filters):
        return None
    return KpiQuery(
        metric=metric,
        reading=declared.judged,
        period=judged_period(connection, declared, scope.workspace_id, today),
        scope=scope,
        today=today,
        comparison=Comparison.PREVIOUS,
        filters=filters,
        as_known=as_known,
    )


def _drawn(result: KpiResult, found: KpiResult) -> KpiResult:
    """A result with the series that led to it."""
    led = trend_of(result.query, found)
    return replace(result, query=replace(result.query, grain=led.query.grain), series=led.series, window=led.window)
