"""An answer in sentences: the headline, the comparison, the interval, the target, how fresh the data is.

Plain text in the reader's language. Names in it are foreign text, shortened but not escaped: whoever shows it does
that.
"""

from collections.abc import Iterator
from fractions import Fraction

from bot.i18n import Language
from bot.views.notes import left_out_sentences, note_sentences
from bot.views.question import N_, filter_words, known_words, reading_name, title
from kpi import format as written
from kpi.catalog import kpi
from kpi.formulas import Stock
from kpi.labels import Called, called, day, moment, period_label
from kpi.period import Grain, Period
from kpi.query import Beside, Comparison, KpiResult, Measured, Unit
from kpi.reasons import Said
from storage.workspaces import Workspace

AGAINST = {
    Called.DAY: N_("{change} vs {day} ({value})"),
    Called.WEEK: N_("{change} vs {week} ({value})"),
    Called.MONTH: N_("{change} vs {month} ({value})"),
    Called.QUARTER: N_("{change} vs {quarter} ({value})"),
    Called.FISCAL_YEAR: N_("{change} vs {fiscal_year} ({value})"),
    Called.ROLLING: N_("{change} vs {rolling} ({value})"),
    Called.RANGE: N_("{change} vs {range} ({value})"),
}
"""One sentence for each sort of period, alike in English; each French one has its own preposition."""

MONEY_SHARES = {("upsell_rate", "revenue")}
"""Rates whose numerator and denominator are amounts."""


def value_text(measured: Measured, result: KpiResult, language: Language) -> str:
    """A value in its unit, or "no data"."""
    return written.value(measured, result.unit, result.currency, language.locale) or language._("no data")


def headline(result: KpiResult, language: Language, fiscal_start_month: int = 1) -> str:
    """The answer in one line: "Win rate (by closing date), Q4 2017, team Lyon: 40.0% (6 of 15)"."""
    query = result.query
    period = period_label(query.period, language.locale, fiscal_start_month)
    if _is_stock(result):
        period = language._("on {day}", day=day(min(query.period.last_day, query.today), language.locale))
    parts = [title(query, language), period]
    parts += [filter_words(chosen, language) for chosen in query.filters]
    if known := known_words(query, language):
        parts.append(known)
    asked, value = ", ".join(parts), value_text(result.measured, result, language)
    of = sample(result.measured, result, language)
    if of:
        return language._("{question}: {value} ({sample})", question=asked, value=value, sample=of)
    return language._("{question}: {value}", question=asked, value=value)


def sample(measured: Measured, result: KpiResult, language: Language) -> str:
    """What a value was made of: "6 of 15" for a rate, "n = 15" for a mean; empty for a count, a sum and no data."""
    return made_of(measured, result, result.query.reading, result.unit, language)


def made_of(measured: Measured, result: KpiResult, reading: str, unit: Unit, language: Language) -> str:
    """`sample` for any reading of the answer's KPI."""
    metric, locale = result.query.metric, language.locale
    numerator, denominator = measured.numerator, measured.denominator
    if measured.value is None or denominator is None or metric == "ltv":
        return ""
    if unit is not Unit.PERCENT or numerator is None:
        return language._("n = {count}", count=written.count(denominator, locale))
    money = (metric, reading) in MONEY_SHARES
    part, whole = (
        written.money(number, result.currency, locale) if money else written.count(number, locale)
        for number in (numerator, denominator)
    )
    return language._("{part} of {whole}", part=part, whole=whole)


def _is_stock(result: KpiResult) -> bool:
    """Whether the value is what stands open on one day, whatever the length of the period."""
    return isinstance(kpi(result.query.metric).reading(result.query.reading).formula, Stock)


def comparison(result: KpiResult, language: Language, fiscal_start_month: int = 1) -> str | None:
    """How the value moved: "+3.2 pts vs Q3 2017 (36.8%, 7 of 19)"; None when nothing was compared."""
    before = result.previous
    if before is None or any(note.code == Said.NOT_BEGUN for note in result.notes):
        return None
    _ = language._
    then = before.period
    if _is_stock(result):
        then = Period(then.last_day, then.end, Grain.DAY)
    period = period_label(then, language.locale, fiscal_start_month)
    value = value_text(before.measured, result, language)
    of = sample(before.measured, result, language)
    shown = f"{value}, {of}" if of else value
    moved = written.change(result.measured.value, before.measured.value, result.unit, result.currency, language.locale)
    if moved is None:
        return _("{period}: {value}", period=period, value=shown)
    if before.comparison is Comparison.LAST_YEAR:
        return _("{change} vs a year before, {period} ({value})", change=moved, period=period, value=shown)
    sort = called(then, fiscal_start_month)
    return _(AGAINST[sort], change=moved, value=shown, **{sort.value: period})


def interval(result: KpiResult, language: Language) -> str | None:
    """The 95 % interval of a rate; None where there is none."""
    measured = result.measured
    if measured.interval is None or measured.value is None:
        return None
    low, high = (written.percent(Fraction(end), language.locale) for end in measured.interval)
    return language._("95% interval: {low} to {high}", low=low, high=high)


def few(result: KpiResult, language: Language) -> str | None:
    """That the value rests on few deals."""
    return language._("Few deals: read with care.") if result.measured.few else None


def target(result: KpiResult, language: Language) -> str | None:
    """The target and whether it is met, where the KPI says which side is good."""
    if result.target is None:
        return None
    goal = Fraction(result.target)
    exact = goal / written.major(Fraction(1), result.currency) if result.unit is Unit.MONEY else goal
    shown = written.amount(exact, result.unit, result.currency, language.locale)
    better, value = kpi(result.query.metric).higher_is_better, result.measured.value
    if value is None or better is None:
        return language._("Target: {target}.", target=shown)
    met = value >= exact if better else value <= exact
    if met:
        return language._("Target: {target}, reached.", target=shown)
    if any(note.code in {Said.STILL_OPEN, Said.UNFINISHED} for note in result.notes):
        return language._("Target: {target}, not reached yet.", target=shown)
    return language._("Target: {target}, not reached.", target=shown)


def beside(other: Beside, result: KpiResult, language: Language) -> str:
    """Another reading of the same question: "By closing date: 63.2% (12 of 19)"."""
    value = written.value(other.measured, other.unit, result.currency, language.locale) or language._("no data")
    named = reading_name(result.query.metric, other.reading, language)
    named = named[:1].upper() + named[1:]
    if (
        of := made_of(other.measured, result, other.reading, other.unit, language)
    ) and other.measured.value is not None:
        return language._("{question}: {value} ({sample})", question=named, value=value, sample=of)
    return language._("{question}: {value}", question=named, value=value)


def as_of(result: KpiResult, workspace: Workspace, language: Language) -> str:
    """How fresh the data is."""
    if result.as_of is None and result.query.as_known is not None:
        return language._("Not all of the data had been read by then.")
    if result.as_of is None:
        return language._("Not all of the data has been read yet: these numbers are not final.")
    return language._("Data as of {when}.", when=moment(result.as_of, workspace.zone, language.locale))


def details(result: KpiResult, language: Language, fiscal_start_month: int = 1) -> Iterator[str]:
    """Every further sentence of an answer, the most important first; without the headline and the data's age."""
    for said in (
        comparison(result, language, fiscal_start_month),
        *(beside(other, result, language) for other in result.beside),
        target(result, language),
        few(result, language),
        interval(result, language),
    ):
        if said:
            yield said
    yield from note_sentences(result, language)
    yield from left_out_sentences(result, language)
