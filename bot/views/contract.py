"""The answer as JSON for other programs: the stable contract of `vigie ask --json`, documented in docs/json.md.

Rates are percent, money is in units of `currency` (not cents), days are days, no data is null. Nothing is rounded.
"""

from fractions import Fraction
from typing import Any

from bot.i18n import Language
from bot.views.notes import note_sentences
from bot.views.question import describe
from bot.views.sentences import MONEY_SHARES
from kpi.format import major
from kpi.labels import period_label
from kpi.period import Period
from kpi.query import KpiResult, Measured, Unit
from storage.workspaces import Workspace

Json = dict[str, Any]


def contract(result: KpiResult, workspace: Workspace, language: Language) -> Json:
    """The answer by the contract; `language` is that of the labels, the question and the notes."""
    query, fiscal = result.query, workspace.fiscal_start_month
    before = result.previous
    return {
        "question": describe(query, language, fiscal),
        "metric": query.metric,
        "reading": query.reading,
        "unit": result.unit.value,
        "currency": result.currency if _amounts(result) else None,
        "period": _period(query.period, language, fiscal),
        **_measured(result.measured, result),
        "interval": _interval(result.measured),
        "few": result.measured.few,
        "target": None if result.target is None else _number(Fraction(result.target)),
        "previous": None
        if before is None
        else {
            "comparison": before.comparison.value,
            "period": _period(before.period, language, fiscal),
            **_measured(before.measured, result),
            "interval": _interval(before.measured),
        },
        "beside": [
            {"reading": other.reading, "unit": other.unit.value, **_measured(other.measured, result, other.reading)}
            for other in result.beside
        ],
        "filters": [
            {"dimension": chosen.dimension, "key": None if chosen.key is None else chosen.name, "id": chosen.key}
            for chosen in query.filters
        ],
        "group_by": query.group_by,
        "groups": [
            {"key": group.name, "id": group.key, **_measured(group.measured, result)} for group in result.groups
        ],
        "grain": None if query.grain is None else query.grain.value,
        "series": [
            {
                "start": point.start.isoformat(),
                "end": point.end.isoformat(),
                "complete": point.complete,
                **_measured(point.measured, result),
            }
            for point in result.series
        ],
        "left_out": [{"reason": left_out.reason, "count": left_out.count} for left_out in result.left_out],
        "notes": list(note_sentences(result, language)),
        "as_known": None if query.as_known is None else query.as_known.astimezone(workspace.zone).isoformat(),
        "as_of": None if result.as_of is None else result.as_of.astimezone(workspace.zone).isoformat(),
    }


def _period(period: Period, language: Language, fiscal_start_month: int) -> Json:
    return {
        "start": period.start.isoformat(),
        "end": period.end.isoformat(),
        "label": period_label(period, language.locale, fiscal_start_month),
    }


def _amounts(result: KpiResult) -> bool:
    """Whether any number of the answer is an amount of money."""
    readings = {result.query.reading, *(other.reading for other in result.beside)}
    shares = any((result.query.metric, reading) in MONEY_SHARES for reading in readings)
    return shares or result.unit is Unit.MONEY or any(other.unit is Unit.MONEY for other in result.beside)


def _measured(measured: Measured, result: KpiResult, reading: str | None = None) -> Json:
    """Value, numerator and denominator, amounts in units of the currency."""
    unit = next((other.unit for other in result.beside if other.reading == reading), result.unit)
    share = (result.query.metric, reading or result.query.reading) in MONEY_SHARES
    money = unit is Unit.MONEY

    def shown(number: Fraction | None, *, amount: bool) -> float | int | None:
        if number is None:
            return None
        return _number(major(number, result.currency) if amount else number)

    return {
        "value": shown(measured.value, amount=money),
        "numerator": shown(measured.numerator, amount=money or share),
        "denominator": shown(measured.denominator, amount=share),
    }


def _interval(measured: Measured) -> list[float] | None:
    return None if measured.interval is None else list(measured.interval)


def _number(number: Fraction) -> float | int:
    return number.numerator if number.denominator == 1 else float(number)
