"""What a digest tells: the KPIs over their judged windows, what is worth saying about them, and who did well."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from kpi import period as periods
from kpi.catalog import kpi
from kpi.engine import answer
from kpi.findings import Finding, did_well, findings
from kpi.judged import judged_period
from kpi.period import Grain, Period
from kpi.query import Comparison, Filter, Group, KpiQuery, KpiResult
from kpi.scope import Scope
from kpi.trend import trend
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
    queries = {metric: _query(connection, metric, scope, today, chosen, as_known) for metric in METRICS}
    answered = [answer(connection, query) for query in queries.values() if query is not None]
    told = tuple(result for result in answered if result.measured.value is not None)
    known = {result.query.metric: result for result in told}
    one_team = any(each.dimension == "team" for each in chosen) or len(scope.teams) == 1
    explaining = "source" if one_team else "team"
    grouped = [_grouped(connection, known[metric], explaining) for metric in EXPLAINED if metric in known]
    by_rep = _grouped(connection, known["win_rate"], "rep") if "win_rate" in known else None
    as_of = [result.as_of for result in answered if result.as_of is not None]
    return Digest(
        week=periods.last(Grain.WEEK, today),
        filters=chosen,
        results=told,
        absent=tuple(metric for metric in METRICS if metric not in known),
        trends=tuple(_trends(connection, known)),
        findings=tuple(findings(told, grouped)),
        by_rep=by_rep,
        praised=tuple(did_well(by_rep, MOST_PRAISED)) if by_rep is not None else (),
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


def _grouped(connection: Connection, result: KpiResult, dimension: str) -> KpiResult:
    return answer(connection, replace(result.query, group_by=dimension))


def _trends(connection: Connection, known: Mapping[str, KpiResult]) -> Iterator[KpiResult]:
    """Each result with the series that led to it."""
    for metric in DRAWN:
        if metric in known and (led := trend(connection, known[metric].query)) is not None:
            result = known[metric]
            query = replace(result.query, grain=led.query.grain)
            yield replace(result, query=query, series=led.series, window=led.window)
