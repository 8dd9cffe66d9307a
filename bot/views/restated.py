"""The note in a digest's thread: which of its figures have moved since it was posted, and the deals that moved them."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from bot.blocks import Bold, Run, bullets, name, paragraph, spoken
from bot.i18n import Language
from bot.views.deals import STATUS
from kpi import format as written
from kpi.behind import Row
from kpi.catalog import kpi
from kpi.query import Unit
from kpi.restated import Moved
from kpi.told import value_of

MOST = 5
"""Deals that are named; the others are counted."""

Json = Mapping[str, Any]


def write_restated(
    figures: Sequence[tuple[str, Json, Json]], rows: Sequence[Moved], language: Language
) -> Mapping[str, Any]:
    """`figures`: (metric, as told, as it is now) of those that moved; where there is none, they hold again as told."""
    _ = language._
    if not figures:
        sentence = _("The figures of this digest hold again as they were told.")
        return {"text": spoken(sentence), "blocks": [paragraph(sentence)]}
    title = _("Correction: the data behind this digest has been edited since.")
    lines = [_figure(*each, language) for each in figures]
    runs: list[Run] = [Bold(title)]
    for line in lines:
        runs += ["\n", line]
    currency = figures[0][2]["currency"]
    named = [_row(each, currency, language) for each in rows[:MOST]]
    why = (
        _("What changed:") if named else _("No single deal explains it: an exchange rate, a team or a setting changed.")
    )
    blocks = [paragraph(*runs), paragraph(why)]
    if len(rows) > MOST:
        named.append(language.n("{count} more", "{count} more", len(rows) - MOST))
    if named:
        blocks.append(bullets([[each] for each in named]))
    return {"text": spoken("\n".join([title, *lines, why, *named])), "blocks": blocks}


def _figure(metric: str, told: Json, now: Json, language: Language) -> str:
    _ = language._

    def shown(said: Json) -> str:
        value = written.amount(value_of(said), Unit(said["unit"]), said["currency"], language.locale)
        return value or _("no data")

    return _("{kpi}: told {before}, now {after}", kpi=_(kpi(metric).name), before=shown(told), after=shown(now))


def _row(moved: Moved, currency: str, language: Language) -> str:
    _ = language._
    called = name(moved.row.name, _("(none)"))
    if moved.before is None:
        return _("{name}: counted now, {what}", name=called, what=_state(moved.row, currency, language))
    if moved.now is None:
        return _("{name}: no longer counted, was {what}", name=called, what=_state(moved.before, currency, language))
    before, after = _state(moved.before, currency, language), _state(moved.now, currency, language)
    return _("{name}: {before}, now {after}", name=called, before=before, after=after)


def _state(row: Row, currency: str, language: Language) -> str:
    """`won, €1,000.00, 20 November 2026`."""
    said = [language._(STATUS[row.kind].get(row.status, row.status))]
    if row.value_minor is not None:
        said.append(written.money(Fraction(row.value_minor), currency, language.locale) or "")
    if row.closed_on is not None:
        said.append(written.day(row.closed_on, language.locale, short=True))
    return ", ".join(part for part in said if part)
