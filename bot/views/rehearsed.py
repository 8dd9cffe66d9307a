"""What a rule would have done over the past year, in sentences: how often, when, and whether that is too often."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from bot.blocks import name
from bot.i18n import Language
from bot.views.evidence import evidence_sentence
from kpi import format as written
from kpi.query import KpiResult
from kpi.rehearsal import Rehearsal, Rehearsed

MOST_SHOWN = 5
TOO_MANY = Decimal(4)
"""Messages a month above which nobody reads them any more: about one a week."""


def summary(rehearsal: Rehearsal, language: Language) -> list[str]:
    """How often it would have fired, and how many messages a month that means."""
    _, n = language._, language.n
    if not rehearsal.episodes:
        return [_("Over the past 12 months it would not have fired once.")]
    said = [
        n(
            "Over the past 12 months it would have fired {count} time: {often} messages a month.",
            "Over the past 12 months it would have fired {count} times: {often} messages a month.",
            len(rehearsal.episodes),
            often=written.count(Fraction(rehearsal.messages_a_month), language.locale),
        )
    ]
    if rehearsal.messages_a_month > TOO_MANY:
        said.append(_("That is a lot: a threshold farther out, a longer window or more days in a row make it rarer."))
    return said


def latest(rehearsal: Rehearsal, result: KpiResult, language: Language, most: int = MOST_SHOWN) -> list[str]:
    """The last times, the latest first, and how many came before."""
    shown = [line(each, result, language) for each in reversed(rehearsal.episodes[-most:])]
    left = len(rehearsal.episodes) - len(shown)
    return [*shown, language.n("{count} earlier time", "{count} earlier times", left)] if left else shown


def line(episode: Rehearsed, result: KpiResult, language: Language) -> str:
    """`12 Mar to 3 Apr 2026, Lyon: 9.5% (4 of 42, …).`"""
    _ = language._
    fields = {"when": when(episode, language), "value": evidence_sentence(episode.fired, result, language)}
    if episode.name is None:
        return _("{when}: {value}", **fields)
    return _("{when}, {name}: {value}", name=name(episode.name, _("(none)")), **fields)


def when(episode: Rehearsed, language: Language) -> str:
    _ = language._
    first = written.day(episode.fired_on, language.locale, short=True)
    if episode.recovered_on is None:
        return _("from {first}, still open", first=first)
    return _("{first} to {last}", first=first, last=written.day(episode.recovered_on, language.locale, short=True))


def table(rehearsal: Rehearsal, result: KpiResult, language: Language) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Head and rows of every time, for a terminal; the group only where there are groups."""
    _ = language._
    grouped = any(each.name is not None for each in rehearsal.episodes)
    head = [_("Fired on"), _("Recovered on"), *([_("What")] if grouped else []), _("Value that fired")]
    rows: list[Sequence[str]] = []
    for each in rehearsal.episodes:
        first = written.day(each.fired_on, language.locale, short=True)
        over = each.recovered_on
        last = _("still open") if over is None else written.day(over, language.locale, short=True)
        called = [name(each.name, _("(none)"))] if grouped else []
        rows.append([first, last, *called, evidence_sentence(each.fired, result, language).rstrip(".")])
    return head, rows
