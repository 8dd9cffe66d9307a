"""From an answer to its picture, with every word in the reader's language."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from fractions import Fraction

from bot.blocks import clean
from bot.i18n import Language
from kpi import format as written
from kpi.catalog import kpi
from kpi.charts.chart import MOST_BARS, Chart, Kind, Level, Mark
from kpi.charts.ticks import ticks
from kpi.period import Grain
from kpi.query import Group, KpiResult, Measured, Point, Unit

ALT = 2000
NOTE = 68
"""About as many letters as fit on one line under a picture."""


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for a marked text
    """Marks a text for the catalogs."""
    return message


BY = {
    "rep": N_("{kpi} by rep"),
    "team": N_("{kpi} by team"),
    "customer": N_("{kpi} by customer"),
    "segment": N_("{kpi} by segment"),
    "source": N_("{kpi} by source"),
    "product": N_("{kpi} by product"),
    "pipeline": N_("{kpi} by pipeline"),
    "region": N_("{kpi} by region"),
    "stage": N_("{kpi} by stage"),
    "day": N_("{kpi} by day"),
    "week": N_("{kpi} by week"),
    "month": N_("{kpi} by month"),
    "quarter": N_("{kpi} by quarter"),
    "year": N_("{kpi} by year"),
}


def picture(
    result: KpiResult,
    language: Language,
    fiscal_start_month: int = 1,
    before: KpiResult | None = None,
    most: int = MOST_BARS,
) -> Chart | None:
    """A line for a series, bars for groups; None for a single number, or a series or groups that have none.

    `before` answers the same question for the period compared with; its series becomes the light line.
    Of the groups, which the engine has ranked, only the first `most` are in it, and a note counts the others; no more
    than 15 can be drawn.
    """
    query = result.query
    where = _subtitle(result, language, fiscal_start_month)
    if query.grain and len([point for point in result.series if point.measured.value is not None]) > 1:
        marks = _points(result, language, fiscal_start_month, before)
        return Chart(
            Kind.LINE,
            _line_title(result, query.grain, language),
            where,
            marks,
            unit=_unit(result, language),
            ticks=_ticks(result, marks, language),
            target=_target(result, language),
            before_label=language._("before") if before is not None else "",
            notes=_packed(_marked(marks, Kind.LINE, language)),
        )
    if query.group_by and any(group.measured.value is not None for group in result.groups):
        marks = tuple(_bar(group, result, language) for group in result.groups[:most])
        left = len(result.groups) - len(marks)
        more = [language.n("+ {count} other, not drawn.", "+ {count} others, not drawn.", left)] if left else []
        return Chart(
            Kind.BARS,
            language._(BY[query.group_by], kpi=language._(kpi(query.metric).name)),
            where,
            marks,
            unit=_unit(result, language),
            target=_target(result, language),
            notes=_packed([*more, *_marked(marks, Kind.BARS, language)]),
        )
    return None


def _line_title(result: KpiResult, grain: Grain, language: Language) -> str:
    what = language._(kpi(result.query.metric).name)
    if result.window is None:
        return language._(BY[grain.value], kpi=what)
    return language._("{kpi} over {days} days", kpi=what, days=result.window)


def panel(result: KpiResult, change: str, language: Language, fiscal_start_month: int = 1) -> Chart:
    """One number of the digest over the small line of its series; `change` is said as it is given."""
    return Chart(
        Kind.PANELS,
        language._(kpi(result.query.metric).name),
        marks=_points(result, language, fiscal_start_month, None),
        target=_target(result, language),
        value=_short(result, result.measured, language) or language._("no data"),
        change=change,
    )


def panels(title: str, subtitle: str, parts: Sequence[Chart], language: Language) -> Chart:
    """The digest's picture, made of what `panel` gives; it says what its hollow and dashed marks mean."""
    marks = [mark for part in parts for mark in part.marks]
    notes = _packed(_marked(marks, Kind.PANELS, language))
    return Chart(Kind.PANELS, title, subtitle, panels=tuple(parts), notes=notes)


def alt_text(chart: Chart, language: Language) -> str:
    """The picture in words, at most 2,000 characters; what does not fit is counted, never just missing."""
    start = [chart.title, chart.subtitle, chart.target.text if chart.target is not None else ""]
    told: list[tuple[str, str]] = []
    for part in chart.panels:
        target = part.target.text if part.target is not None else ""
        told.append((part.title, ", ".join(filter(None, (part.value, part.change, target)))))
        told += [(mark.label, mark.text) for mark in part.marks]
    told += [(mark.label, mark.text) for mark in chart.marks]
    said = [language._("{name}: {value}", name=clean(name, 80), value=value) for name, value in told]
    for shown in range(min(len(said), ALT // 3), -1, -1):
        left = len(said) - shown
        more = [language.n("{count} more, not read out", "{count} more, not read out", left)] if left else []
        whole = ". ".join(filter(None, [*start, "; ".join([*said[:shown], *more]), " ".join(chart.notes)]))
        if len(whole) <= ALT:
            return clean(whole, ALT)
    return clean(chart.title, ALT)


def _unit(result: KpiResult, language: Language) -> str:
    match result.unit:
        case Unit.PERCENT:
            return "%"
        case Unit.MONEY:
            return result.currency
        case Unit.DAYS:
            return language._("days")
        case Unit.COUNT:
            return ""


def _subtitle(result: KpiResult, language: Language, fiscal_start_month: int) -> str:
    """The period, what it is narrowed to, and the reading where there are several."""
    query, declared = result.query, kpi(result.query.metric)
    parts = [written.period_label(query.period, language.locale, fiscal_start_month)]
    parts += [clean(chosen.name, 40) for chosen in query.filters]
    if len(declared.readings) > 1:
        parts.append(language._(declared.reading(query.reading).name))
    return " · ".join(parts)


def _points(
    result: KpiResult, language: Language, fiscal_start_month: int, before: KpiResult | None
) -> tuple[Mark, ...]:
    grain = result.query.grain
    if grain is None:
        return ()
    befores: tuple[Point | None, ...] = before.series if before is not None else ()
    befores += (None,) * (len(result.series) - len(befores))
    return tuple(
        Mark(
            label=_when(point, result, grain, language, fiscal_start_month),
            value=_place(result, point.measured.value),
            text=_text(result, point.measured, language),
            short=_short(result, point.measured, language),
            low=point.measured.interval[0] if point.measured.interval else None,
            high=point.measured.interval[1] if point.measured.interval else None,
            few=point.measured.few,
            complete=point.complete,
            before=_place(result, earlier.measured.value) if earlier is not None else None,
        )
        for point, earlier in zip(result.series, befores, strict=False)
    )


def _when(point: Point, result: KpiResult, grain: Grain, language: Language, fiscal_start_month: int) -> str:
    """A bucket by its name; a window that overlaps the others by its last day."""
    if result.window is None:
        return written.bucket_label(point.start, grain, language.locale, fiscal_start_month)
    return written.bucket_label(point.end - timedelta(days=1), Grain.DAY, language.locale)


def _bar(group: Group, result: KpiResult, language: Language) -> Mark:
    measured = group.measured
    text = _text(result, measured, language)
    of = measured.denominator
    if of is not None and of.denominator == 1:
        text = f"{text} · n = {written.count(of, language.locale)}"
    return Mark(
        label=group.name if group.name is not None else language._("(none)"),
        value=_place(result, measured.value),
        text=text,
        low=measured.interval[0] if measured.interval else None,
        high=measured.interval[1] if measured.interval else None,
        few=measured.few,
        muted=group.name is None,
    )


def _text(result: KpiResult, measured: Measured, language: Language) -> str:
    value = written.value(measured, result.unit, result.currency, language.locale)
    return language._("no data") if value is None else value


def _short(result: KpiResult, measured: Measured, language: Language) -> str:
    """Money in few letters; the rest is short enough."""
    compact = result.unit is Unit.MONEY
    return written.value(measured, result.unit, result.currency, language.locale, compact=compact) or ""


def _place(result: KpiResult, value: Fraction | None) -> float | None:
    """Where the value is drawn: money in units of the currency, all else as it is."""
    if value is None:
        return None
    return float(written.major(value, result.currency) if result.unit is Unit.MONEY else value)


def _minor(result: KpiResult, value: Fraction) -> Fraction:
    return value / written.major(Fraction(1), result.currency) if result.unit is Unit.MONEY else value


def _target(result: KpiResult, language: Language) -> Level | None:
    """Targets are kept in units of the currency."""
    if result.target is None:
        return None
    exact = _minor(result, Fraction(result.target))
    text = written.amount(exact, result.unit, result.currency, language.locale, compact=True)
    return Level(float(result.target), language._("target {value}", value=text))


def _ticks(result: KpiResult, marks: Sequence[Mark], language: Language) -> tuple[Level, ...]:
    """Up to five round values; from 0, but for rates and days that all lie far above it."""
    reached = [end for mark in marks for end in (mark.value, mark.low, mark.high, mark.before) if end is not None]
    if result.target is not None:
        reached.append(float(result.target))
    low, high = Fraction(min(reached)), Fraction(max(reached))
    if low > 0 and (result.unit in (Unit.MONEY, Unit.COUNT) or low < high / 2):
        low = Fraction(0)
    return tuple(
        Level(
            float(tick),
            written.amount(_minor(result, tick), result.unit, result.currency, language.locale, compact=True) or "",
        )
        for tick in ticks(low, max(high, low + 4))
    )


def _marked(marks: Iterable[Mark], kind: Kind, language: Language) -> list[str]:
    """What the unusual marks mean, for those that are there."""
    marks = tuple(marks)
    _ = language._
    said = []
    cut = [mark.label for mark in marks if not mark.complete]
    if cut:
        said.append(_("Dashed: not complete ({buckets}).", buckets=", ".join(dict.fromkeys(cut))))
    if kind is not Kind.PANELS and any(mark.few for mark in marks):
        said.append(_("Hollow: fewer than 12, to be read with care."))
    if kind is not Kind.PANELS and any(mark.low is not None for mark in marks):
        said.append(_("Band: 95% interval.") if kind is Kind.LINE else _("Whiskers: 95% interval."))
    if kind is not Kind.BARS and any(mark.value is None for mark in marks):
        said.append(_("Gap: no data."))
    return said


def _packed(sentences: Iterable[str]) -> tuple[str, ...]:
    """Sentences put on as few lines as they fit on."""
    lines: list[str] = []
    for sentence in sentences:
        if lines and len(lines[-1]) + 1 + len(sentence) <= NOTE:
            lines[-1] += f" {sentence}"
        else:
            lines.append(sentence)
    return tuple(lines)
