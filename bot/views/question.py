"""A structured question in words: what `kpi.words.understand` made of it, and would make of these words again."""

from bot.blocks import name
from bot.i18n import Language
from kpi.catalog import kpi
from kpi.labels import known_on, period_label
from kpi.period import Grain
from kpi.query import Comparison, Filter, KpiQuery


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for a marked text
    """Marks a text for the catalogs."""
    return message


DIMENSION = {
    "rep": N_("rep"),
    "team": N_("team"),
    "customer": N_("customer"),
    "segment": N_("segment"),
    "source": N_("source"),
    "product": N_("product"),
    "pipeline": N_("pipeline"),
    "region": N_("region"),
    "stage": N_("stage"),
}
BY = {
    "rep": N_("by rep"),
    "team": N_("by team"),
    "customer": N_("by customer"),
    "segment": N_("by segment"),
    "source": N_("by source"),
    "product": N_("by product"),
    "pipeline": N_("by pipeline"),
    "region": N_("by region"),
    "stage": N_("by stage"),
}
WITHOUT = {
    "rep": N_("no rep"),
    "team": N_("no team"),
    "customer": N_("no customer"),
    "segment": N_("no segment"),
    "source": N_("no source"),
    "product": N_("no product"),
    "pipeline": N_("no pipeline"),
    "region": N_("no region"),
    "stage": N_("no stage"),
}
BY_GRAIN = {
    Grain.DAY: N_("by day"),
    Grain.WEEK: N_("by week"),
    Grain.MONTH: N_("by month"),
    Grain.QUARTER: N_("by quarter"),
    Grain.YEAR: N_("by year"),
}


def metric_name(metric: str, language: Language) -> str:
    """What the KPI is called."""
    return language._(kpi(metric).name)


def reading_name(metric: str, reading: str, language: Language) -> str:
    """What the reading is called; empty for the only one of a KPI."""
    declared = kpi(metric)
    return language._(declared.reading(reading).name) if len(declared.readings) > 1 else ""


def title(query: KpiQuery, language: Language) -> str:
    """The KPI with its reading where it has several: "Win rate (by closing date)"."""
    return title_of(query.metric, query.reading, language)


def title_of(metric: str, key: str, language: Language) -> str:
    """`title` of a KPI and the key of one of its readings."""
    reading, named = reading_name(metric, key, language), metric_name(metric, language)
    return language._("{kpi} ({reading})", kpi=named, reading=reading) if reading else named


def filter_words(chosen: Filter, language: Language) -> str:
    """What a question is narrowed to: "team Lyon", "no source"."""
    if chosen.key is None:
        return language._(WITHOUT[chosen.dimension])
    dimension = language._(DIMENSION[chosen.dimension])
    return language._("{dimension} {name}", dimension=dimension, name=name(chosen.name, language._("(no name)")))


def known_words(query: KpiQuery, language: Language) -> str:
    """As when the data was known: "as known on 1 September 2026 at 08:00"; empty for all that is known."""
    if query.as_known is None:
        return ""
    on, at = known_on(query.as_known, language.locale)
    if at is None:
        return language._("as known on {day}", day=on)
    return language._("as known on {day} at {time}", day=on, time=at)


def describe(query: KpiQuery, language: Language, fiscal_start_month: int = 1) -> str:
    """The whole question, shown back to who asked it: "Win rate (by closing date), Q4 2017, by team"."""
    _ = language._
    parts = [title(query, language), period_label(query.period, language.locale, fiscal_start_month)]
    if query.group_by is not None:
        parts.append(_(BY[query.group_by]))
    if query.grain is not None:
        parts.append(_(BY_GRAIN[query.grain]))
    parts += [filter_words(chosen, language) for chosen in query.filters]
    if query.comparison is None:
        parts.append(_("no comparison"))
    elif query.comparison is Comparison.LAST_YEAR:
        parts.append(_("vs last year"))
    if known := known_words(query, language):
        parts.append(known)
    return ", ".join(parts)
