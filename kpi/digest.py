"""What a digest tells: the KPIs over their judged windows, what is worth saying about them, and who did well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from kpi import period as periods
from kpi.catalog import kpi
from kpi.declaration import Kpi, Window
from kpi.engine import answers
from kpi.findings import Finding, did_well, findings
from kpi.judged import judged_period
from kpi.period import Grain, Period
from kpi.query import Comparison, Filter, Group, KpiQuery, KpiResult
from kpi.scope import Scope
from kpi.trend import trend_of, trend_query
from storage.as_known import as_known as known

Choice = tuple[str, str]
"""A KPI and its reading."""

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
"""What a digest tells where nothing is chosen."""
DRAWN = ("win_rate", "revenue_won")
"""The two small lines of the picture, where they are told; else the first two that can be drawn."""
EXPLAINED = ("win_rate", "revenue_won", "leads")
"""Whose changes are taken apart by group."""
MOST_PRAISED = 2
MOST_DRAWN = 2


@dataclass(frozen=True, slots=True)
class Digest:
    """Results in the order to show them; names in them are foreign text."""

    about: Period
    """What is over since the last one: a day, an ISO week or a month."""
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
    *,
    chosen: Sequence[Choice] = (),
    grain: Grain = Grain.WEEK,
) -> Digest:
    """Compute a digest as seen on a local day, within a scope; `as_known` (aware) hides what was learned later.

    `chosen` are the KPIs and readings to tell, in their order (none: those of every digest); what the scope or the
    filters do not allow is absent. `grain`: how often it comes; a monthly one tells of the last month what others tell
    of 28 days.
    Raises `RefusedError` when the scope does not reach what the digest is narrowed to.
    """
    asked = tuple(dict.fromkeys(chosen)) or tuple((metric, kpi(metric).judged) for metric in METRICS)
    about = periods.last(grain, today)
    with known(connection, scope.workspace_id, as_known):
        return _digest(connection, scope, today, tuple(filters), as_known, asked, about)


def _digest(
    connection: Connection,
    scope: Scope,
    today: date,
    filters: tuple[Filter, ...],
    as_known: datetime | None,
    asked: tuple[Choice, ...],
    about: Period,
) -> Digest:
    queries = {
        choice: KpiQuery(
            metric=choice[0],
            reading=choice[1],
            period=_period(connection, kpi(choice[0]), scope.workspace_id, today, about),
            scope=scope,
            today=today,
            comparison=Comparison.PREVIOUS,
            filters=filters,
            as_known=as_known,
        )
        for choice in asked
        if _may_be_asked(kpi(choice[0]), scope, filters)
    }
    one_team = any(each.dimension == "team" for each in filters) or len(scope.teams) == 1
    explaining = "source" if one_team else "team"
    # All at once: whether a number is known shows with the others.
    judged = {
        metric: queries[metric, kpi(metric).judged] for metric, reading in queries if reading == kpi(metric).judged
    }
    grouped = {metric: replace(judged[metric], group_by=explaining) for metric in EXPLAINED if metric in judged}
    led = {metric: trend_query(judged[metric]) for metric in _drawable(judged)}
    by_rep = replace(judged["win_rate"], group_by="rep") if "win_rate" in judged else None
    everything = [*queries.values(), *grouped.values(), *led.values(), *([] if by_rep is None else [by_rep])]
    answered = dict(zip(everything, answers(connection, everything), strict=True))
    results = {choice: answered[query] for choice, query in queries.items()}
    told = {choice: result for choice, result in results.items() if result.measured.value is not None}
    known = {metric for metric, reading in told if reading == kpi(metric).judged}
    reps = answered[by_rep] if by_rep is not None and "win_rate" in known else None
    as_of = [result.as_of for result in results.values() if result.as_of is not None]
    drawn = [metric for metric in led if metric in known][:MOST_DRAWN]
    return Digest(
        about=about,
        filters=filters,
        results=tuple(told.values()),
        absent=tuple(dict.fromkeys(choice[0] for choice in asked if choice not in told)),
        trends=tuple(_drawn(answered[judged[metric]], answered[led[metric]]) for metric in drawn),
        findings=tuple(
            findings(tuple(told.values()), [answered[query] for metric, query in grouped.items() if metric in known])
        ),
        by_rep=reps,
        praised=tuple(did_well(reps, MOST_PRAISED)) if reps is not None else (),
        as_of=min(as_of, default=None),
    )


def _may_be_asked(declared: Kpi, scope: Scope, filters: tuple[Filter, ...]) -> bool:
    """Whether the KPI has the dimensions that it is narrowed to, by the filters and by the scope."""
    narrowed = {each.dimension for each in filters} | (set() if scope.everything else {"rep"})
    return narrowed <= set(declared.dimensions)


def _drawable(judged: Mapping[str, KpiQuery]) -> Sequence[str]:
    """The KPIs that may be drawn under one title: all looked at over the same days."""
    of_all = [metric for metric in DRAWN if metric in judged]
    return of_all or [metric for metric in judged if kpi(metric).judged_window is Window.LAST_28_DAYS][:MOST_DRAWN]


def _period(connection: Connection, declared: Kpi, workspace_id: str, today: date, about: Period) -> Period:
    """The judged window; of a monthly digest, the month that is over in place of 28 days."""
    if about.unit is Grain.MONTH and declared.judged_window is Window.LAST_28_DAYS:
        return about
    return judged_period(connection, declared, workspace_id, today)


def _drawn(result: KpiResult, found: KpiResult) -> KpiResult:
    """A result with the series that led to it."""
    led = trend_of(result.query, found)
    return replace(result, query=replace(result.query, grain=led.query.grain), series=led.series, window=led.window)
