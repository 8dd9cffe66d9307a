"""The private answer: headline, comparison and sample, a native chart or a table where one fits, notes, buttons."""

from collections.abc import Sequence
from dataclasses import replace

from bot.blocks import TABLE_ROWS, Bold, actions, button, context, paragraph
from bot.conversation import Block, Reply
from bot.i18n import Language
from bot.people import Viewer
from bot.views import sentences
from bot.views.chart import alt_text, picture
from bot.views.native import forms
from bot.views.notes import left_out_sentences, note_sentences
from bot.views.question import BY, DIMENSION, title
from bot.views.state import encode
from kpi.catalog import kpi
from kpi.formulas import Acquisition, Lifetime, Mean, Rate, Retention, Total
from kpi.period import Grain, buckets, previous, shift, until_today
from kpi.query import KpiQuery, KpiResult

_GROUPS = ("rep", "source", "team", "segment", "stage")
"""What the group button offers: the first of these that the KPI has."""
_TREND = {Grain.DAY: 14, Grain.WEEK: 12, Grain.MONTH: 12, Grain.QUARTER: 8, Grain.YEAR: 5}
"""Points of a trend, the asked one included."""
_MOST_POINTS = 20


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for a marked text
    """Marks a text for the catalogs."""
    return message


GRAIN = {
    Grain.DAY: N_("day"),
    Grain.WEEK: N_("week"),
    Grain.MONTH: N_("month"),
    Grain.QUARTER: N_("quarter"),
    Grain.YEAR: N_("year"),
}


def answer_reply(result: KpiResult, viewer: Viewer, *, shareable: bool) -> Reply:
    """The answer as Slack shows it; `shareable` offers to share it in the channel where it was asked."""
    language, fiscal = viewer.language, viewer.workspace.fiscal_start_month
    headline = sentences.headline(result, language, fiscal)
    details, small = told(result, language, fiscal)
    small.append(sentences.as_of(result, viewer.workspace, language))
    top: list[Block] = [paragraph(Bold(headline))]
    if details:
        top.append(paragraph("\n".join(details)))
    end: list[Block] = [context(" ".join(small)), *_buttons(result, viewer, shareable=shareable)]
    shapes = _shapes(result, language, fiscal)
    ladder = [[*top, *shape, *end] for shape in shapes] or [[*top, *end]]
    return Reply("\n".join([headline, *details, *small]), ladder[0], ladder[1:])


def told(result: KpiResult, language: Language, fiscal_start_month: int) -> tuple[list[str], list[str]]:
    """The lines under the headline, and the small print: how sure the number is, then what must be known about it."""
    lines = [
        sentences.comparison(result, language, fiscal_start_month),
        *(sentences.beside(other, result, language) for other in result.beside),
        sentences.target(result, language),
        sentences.interval(result, language),
        sentences.few(result, language),
    ]
    notes = [*note_sentences(result, language), *left_out_sentences(result, language)]
    return [line for line in lines if line], notes


def _shapes(result: KpiResult, language: Language, fiscal_start_month: int) -> Sequence[Sequence[Block]]:
    """The charts or tables of groups and of a series, the richest first: Slack's charts, then a plain table."""
    asked = pictured(result)
    found = [shape for each in asked if (shape := _shape(each, language, fiscal_start_month))]
    if len(found) < 2:
        return found[0] if found else []
    # Slack takes one plain table in a message: the groups are then read out.
    series, groups = found
    return [[*series[0], *groups[0]], [*series[-1], *read_out(asked[1], language, fiscal_start_month)]]


def read_out(result: KpiResult, language: Language, fiscal_start_month: int) -> list[Block]:
    """A picture's values in words, where there is no place for the picture itself."""
    drawn = picture(result, language, fiscal_start_month, most=TABLE_ROWS)
    return [] if drawn is None else [paragraph(alt_text(drawn, language))]


def pictured(result: KpiResult) -> Sequence[KpiResult]:
    """What takes a picture each: a question asked by week and by team has two."""
    query = result.query
    if query.grain is None or query.group_by is None:
        return [result]
    return [
        replace(result, query=replace(query, group_by=None), groups=()),
        replace(result, query=replace(query, grain=None), series=()),
    ]


def _shape(result: KpiResult, language: Language, fiscal_start_month: int) -> list[list[Block]]:
    """The forms of one picture, the richest first; none for a single number."""
    chart, query = picture(result, language, fiscal_start_month, most=TABLE_ROWS), result.query
    if chart is None:
        return []
    first = language._(DIMENSION[query.group_by] if query.group_by else GRAIN[query.grain or Grain.DAY])
    head = (first[:1].upper() + first[1:], title(query, language))
    found = forms(chart, head, language, len(result.groups or result.series))
    # Three posts of a response_url at most: the richest, the plainest, and the bare text.
    return found if len(found) < 3 else [found[0], found[-1]]


def _buttons(result: KpiResult, viewer: Viewer, *, shareable: bool) -> list[Block]:
    query, _ = result.query, viewer.language._
    state = encode(query)
    if state is None:
        return []
    dimensions = kpi(query.metric).dimensions
    group = next((each for each in _GROUPS if each in dimensions and each != query.group_by), None)
    elements = []
    if query.grain is None:
        elements.append(button(_("Trend"), "answer.trend", state))
    if group is not None:
        label = _(BY[group])
        elements.append(button(label[:1].upper() + label[1:], f"answer.group.{group}", state))
    elements += [
        button(_("Previous period"), "answer.previous", state),
        button(_(_behind(query)), "answer.deals", state),
        button(_("How it is computed"), "answer.how", state),
        button(_("Share here") if shareable else _("Share…"), "answer.share", state),
    ]
    return [actions(elements)]


def _behind(query: KpiQuery) -> str:
    """What the number counts, as the button calls it."""
    formula = kpi(query.metric).reading(query.reading).formula
    if isinstance(formula, Retention | Acquisition | Lifetime):
        return N_("The customers")
    counted = formula.measures if isinstance(formula, Rate | Mean | Total) else ()
    return N_("The leads") if any(measure.population.table == "lead" for measure in counted) else N_("The deals")


def trend_of(query: KpiQuery) -> KpiQuery:
    """The same KPI over the units up to the one asked about; a period that is no unit is cut into weeks or days."""
    period, unit = query.period, query.period.unit or query.period.span
    alone = replace(query, group_by=None, comparison=None)
    if query.period.unit is not None and unit is not None:
        start = shift(period.start, unit, 1 - _TREND[unit])
        return replace(alone, grain=unit, period=replace(period, start=start, unit=None, span=unit))
    for grain in (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER):
        if len(buckets(period, grain)) <= _MOST_POINTS:
            return replace(alone, grain=grain)
    return replace(alone, grain=Grain.YEAR)


def before(query: KpiQuery) -> KpiQuery:
    """The same question about the whole unit before, or about as many days before."""
    earlier = previous(query.period, query.today)
    if query.period.unit is not None:
        start = shift(query.period.start, query.period.unit, -1)
        earlier = until_today(replace(query.period, start=start).whole(), query.today)
    return replace(query, period=earlier)
