"""What the reader must know about an answer, as codes with values."""

from collections.abc import Iterator
from fractions import Fraction

from kpi import measures, period
from kpi.ask import Ask, Counted
from kpi.customers import ACTIVE_DAYS
from kpi.declaration import Reading
from kpi.formulas import Lifetime, Rate, Retention, Stock, mean_years, share_lost, yearly_value
from kpi.narrowing import wholly_seen
from kpi.query import Measured, Note
from kpi.reasons import Said
from kpi.standing import Standing, names_of


def notes(ask: Ask, standing: Standing, reading: Reading, counted: Counted, measured: Measured) -> tuple[Note, ...]:
    """Every note of an answer, the most important first."""
    return (
        *_of_age(ask, standing),
        *_of_period(ask, reading),
        *_of_cohort(ask, reading, counted),
        *_of_rate(reading, measured),
        *_of_customers(reading, counted),
        *_of_source(counted),
        *_of_scope(ask, standing),
    )


def _of_age(ask: Ask, standing: Standing) -> Iterator[Note]:
    since = ask.query.scope.late_before
    if since is None or ask.query.as_known is not None:
        return
    if standing.is_late(ask.query.metric, since):
        yield Note(Said.LATE)


def _of_period(ask: Ask, reading: Reading) -> Iterator[Note]:
    asked, today = ask.query.period, ask.query.today
    if isinstance(reading.formula, Stock):
        return
    if asked.start > today:
        yield Note(Said.NOT_BEGUN, {"start": asked.start})
    elif asked.unit is not None and asked.whole().end > today:
        yield Note(Said.UNFINISHED, {"elapsed": period.elapsed(asked, today), "total": asked.whole().days})
    elif asked.last_day > today:
        yield Note(Said.UNFINISHED, {"elapsed": period.elapsed(asked, today), "total": asked.days})


def is_cohort(reading: Reading) -> bool:
    """Whether the value still changes after the period: what was created in it may be won later."""
    formula = reading.formula
    return isinstance(formula, Rate) and formula.numerator in {measures.CREATED_AND_WON, measures.LEADS_CONVERTED}


def _of_cohort(ask: Ask, reading: Reading, counted: Counted) -> Iterator[Note]:
    if not is_cohort(reading):
        return
    for waiting in (measures.CREATED_STILL_OPEN, measures.LEADS_NOT_CONVERTED):
        if count := counted.now.get(waiting.key, 0):
            yield Note(Said.STILL_OPEN, {"count": count})
    if ask.before is not None:
        yield Note(Said.SAME_AGE, {"days": ask.age})


def _of_rate(reading: Reading, measured: Measured) -> Iterator[Note]:
    formula, value = reading.formula, measured.value
    if (
        isinstance(formula, Rate)
        and not formula.subset
        and formula.sample is None
        and value is not None
        and value > 100
    ):
        yield Note(Said.OVER_100, {"numerator": measured.numerator, "denominator": measured.denominator})


def _of_customers(reading: Reading, counted: Counted) -> Iterator[Note]:
    cell, formula = counted.now, reading.formula
    if isinstance(formula, Retention):
        if cell["won_back"] and not formula.strict:
            yield Note(Said.WIN_BACKS, {"count": cell["won_back"]})
        judged = {"by_contract": cell["by_contract"], "by_purchase": cell["by_purchase"]}
        if any(judged.values()):
            yield Note(Said.RETENTION_BASIS, {**judged, "window": ACTIVE_DAYS})
    if isinstance(formula, Lifetime) and yearly_value(cell) is not None:
        lost, years = share_lost(cell), mean_years(cell)
        basket = Fraction(cell["amount"], cell["with_amount"])
        kept = None if lost is None else 100 * (1 - lost)
        yield Note(
            Said.LTV_PARTS, {"basket": basket, "frequency": Fraction(cell["sales"], cell["buyers"]), "retention": kept}
        )
        if not lost and years is not None:
            yield Note(Said.LOWER_BOUND, {"years": float(years)})


def _of_source(counted: Counted) -> Iterator[Note]:
    kinds = {
        "upsell": measures.SALES_UPSELL,
        "cross_sell": measures.SALES_CROSS_SELL,
        "additional": measures.SALES_OF_UNKNOWN_KIND,
    }
    split = {name: counted.now.get(measure.key, 0) for name, measure in kinds.items()}
    if any(split.values()):
        yield Note(Said.UPSELL_KINDS, split)
    if unconverted := counted.now.get(measures.SALES_UNCONVERTED.key, 0) + counted.now.get("unconverted", 0):
        yield Note(Said.UNCONVERTED_AMOUNTS, {"count": unconverted})
    if first_seen := sum(counted.now.get(key, 0) for key in _FIRST_SEEN):
        yield Note(Said.FIRST_SEEN, {"count": first_seen})
    flagged = sum(counted.now.get(each.key, 0) for each in (measures.LEADS_BY_FLAG, measures.CONVERSIONS_BY_FLAG))
    if flagged:
        yield Note(Said.CRM_FLAG, {"count": flagged})
    if counted.now.get(measures.LEADS.key) and not counted.tells_qualified:
        yield Note(Said.ALL_QUALIFIED)


_FIRST_SEEN = ("first_seen", *(measure.key for measure in measures.BY_FIRST_SEEN.values()))
"""Where a plan counts the rows created on the day they were first seen: at most one of them."""


def _of_scope(ask: Ask, standing: Standing) -> Iterator[Note]:
    scope = ask.query.scope
    if ask.is_by("team") and not standing.team_history:
        yield Note(Said.TODAYS_TEAMS)
    if ask.is_by("stage"):
        yield Note(Said.TODAYS_STAGES)
    if not wholly_seen(scope, ask.narrowings):
        people, teams = names_of(standing, scope)
        yield Note(Said.NARROWED, {"people": people, "teams": teams})
