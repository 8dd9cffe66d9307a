"""What a reader must know about an answer, and what was left out of it and why: the codes of `kpi.reasons` in words."""

from collections.abc import Iterable, Iterator
from datetime import date
from fractions import Fraction
from typing import Any

from bot.blocks import name
from bot.i18n import Language
from kpi import format as written
from kpi.labels import day
from kpi.query import KpiResult, LeftOut, Note
from kpi.reasons import Reason, Said


def note_sentences(result: KpiResult, language: Language) -> Iterator[str]:
    """One sentence for each note of the answer."""
    for note in result.notes:
        yield note_sentence(note, result, language)


def note_sentence(note: Note, result: KpiResult, language: Language) -> str:
    """What a note says. Raises `ValueError` for a code without a sentence."""
    values: Any = note.values
    code = Said(note.code)
    return (
        _of_period(code, values, language)
        or _of_rate(code, values, language)
        or _of_data(code, values, result, language)
    )


def _of_period(code: Said, values: Any, language: Language) -> str:
    _, n = language._, language.n
    match code:
        case Said.UNFINISHED if values["total"] is None:
            return n("The period is not over: {count} day so far.", "The period is not over: {count} days so far.",
                     values["elapsed"])  # fmt: skip
        case Said.UNFINISHED:
            return n("The period is not over: day {elapsed} of {count}.", "The period is not over: day {elapsed} of "
                     "{count}.", values["total"], elapsed=values["elapsed"])  # fmt: skip
        case Said.NOT_BEGUN:
            return _("The period has not begun: it starts on {day}.", day=day(values["start"], language.locale))
        case Said.STILL_OPEN:
            return n(
                "{count} of them is still open: the rate may rise.",
                "{count} of them are still open: the rate may rise.",
                values["count"],
            )
        case Said.SAME_AGE if values["days"] == 0:
            return _("Both periods are taken at the same age: as they stood on their last day.")
        case Said.SAME_AGE:
            return n(
                "Both periods are taken at the same age: {count} day after their end.",
                "Both periods are taken at the same age: {count} days after their end.",
                values["days"],
            )
        case Said.BEFORE_DATA if isinstance(values["first"], date):
            return _("There is no data for this period: it begins on {day}.", day=day(values["first"], language.locale))
        case Said.BEFORE_DATA:
            return _("There is no data yet for this KPI.")
    return ""


def _of_rate(code: Said, values: Any, language: Language) -> str:
    _, n = language._, language.n
    match code:
        case Said.OVER_100:
            return _(
                "More than 100%, and not capped: {numerator} in the period against {denominator} created in it; some "
                "were created earlier.",
                numerator=written.count(values["numerator"], language.locale),
                denominator=written.count(values["denominator"], language.locale),
            )
        case Said.WIN_BACKS:
            return n(
                "{count} former customer came back in the period and counts as kept.",
                "{count} former customers came back in the period and count as kept.",
                values["count"],
            )
        case Said.UPSELL_KINDS:
            return _(
                "Additional sales: {upsell} upsell, {cross_sell} cross-sell, {additional} of unknown kind.",
                **{
                    kind: written.count(values[kind], language.locale)
                    for kind in ("upsell", "cross_sell", "additional")
                },
            )
        case Said.LOWER_BOUND:
            years = written.count(Fraction(round(10 * float(values["years"])), 10), language.locale)
            return _(
                "A lower bound: no loss of customers is known, so it counts the {years} years they have stayed so far.",
                years=years,
            )
    return ""


def _of_data(code: Said, values: Any, result: KpiResult, language: Language) -> str:
    _, n = language._, language.n
    match code:
        case Said.LATE:
            return _("The data is older than expected: “/kpi status” says why.")
        case Said.NARROWED:
            who = _names((*values["people"], *values["teams"]), language)
            return _("Only what you may see was counted: {names}.", names=who)
        case Said.TODAYS_TEAMS:
            return _("The source keeps no history of teams: everyone is counted in today's team.")
        case Said.TODAYS_STAGES:
            return _("Deals are counted in the stage they are in today: stages are not compared with the past.")
        case Said.RETENTION_BASIS:
            return _(
                "Customers judged by their contracts: {by_contract}; by a purchase in the last {window} days: "
                "{by_purchase}.",
                by_contract=written.count(values["by_contract"], language.locale),
                by_purchase=written.count(values["by_purchase"], language.locale),
                window=written.count(values["window"], language.locale),
            )
        case Said.CRM_FLAG:
            return n(
                "{count} lead is counted by the CRM's own flag, because it is linked to no deal.",
                "{count} leads are counted by the CRM's own flag, because they are linked to no deal.",
                values["count"],
            )
        case Said.FIRST_SEEN:
            return n(
                "The CRM gives no creation date: for {count} deal of the number it is the day it was first seen.",
                "The CRM gives no creation date: for {count} deals of the number it is the day they were first seen.",
                values["count"],
            )
        case Said.UNCONVERTED_AMOUNTS:
            return n(
                "{count} amount in another currency is not added up: no rate is known for its day.",
                "{count} amounts in other currencies are not added up: no rate is known for their days.",
                values["count"],
            )
        case Said.ALL_QUALIFIED:
            return _("The source tells neither qualified nor inbound leads: all count.")
        case Said.LTV_PARTS:
            none = _("no data")
            return _(
                "Average basket {basket} × {frequency} purchases per buyer and year; strict retention {retention}.",
                basket=written.money(values["basket"], result.currency, language.locale) or none,
                frequency=_two_digits(values["frequency"], language) or none,
                retention=written.percent(values["retention"], language.locale) or none,
            )
    raise ValueError(f"no sentence for {code}")


def _two_digits(number: Fraction | None, language: Language) -> str | None:
    if number is None:
        return None
    text = str(written.rounded(number, 2))
    return text.replace(".", ",") if language.code == "fr" else text


def _names(names: Iterable[str], language: Language) -> str:
    shown = [name(each, language._("(no name)")) for each in names]
    return ", ".join(shown) if shown else language._("nothing")


def late(results: Iterable[KpiResult], language: Language) -> str | None:
    """That the data of any of these answers is older than it should be."""
    found = ((note, result) for result in results for note in result.notes if note.code == Said.LATE)
    return next((note_sentence(note, result, language) for note, result in found), None)


def counted_only(result: KpiResult, language: Language) -> Iterator[str]:
    """Whose numbers they are, as it is said to a whole channel; nothing where everything was counted."""
    for note in result.notes:
        if Said(note.code) is Said.NARROWED:
            values: Any = note.values
            yield language._("Counted only: {names}.", names=_names((*values["people"], *values["teams"]), language))


def unconverted(result: KpiResult, language: Language) -> str | None:
    """How many amounts the number lacks for want of a rate, where there is little room to say so; None without any."""
    lacking = sum(left.count for left in result.left_out if left.reason == Reason.UNCONVERTED)
    lacking += sum(int(str(note.values["count"])) for note in result.notes if note.code == Said.UNCONVERTED_AMOUNTS)
    return language.n("{count} amount not converted", "{count} amounts not converted", lacking) if lacking else None


def left_out_sentences(result: KpiResult, language: Language) -> Iterator[str]:
    """One sentence for each reason why rows are not in the number."""
    for left_out in result.left_out:
        yield left_out_sentence(left_out, language)


def left_out_sentence(left_out: LeftOut, language: Language) -> str:
    """How many were left out, and why. Raises `ValueError` for a reason without a sentence."""
    n, count = language.n, left_out.count
    match Reason(left_out.reason):
        case Reason.DELETED:
            return n("{count} left out: deleted in the source.", "{count} left out: deleted in the source.", count)
        case Reason.NO_CREATION_DATE:
            return n("{count} left out: no creation date.", "{count} left out: no creation date.", count)
        case Reason.NO_CLOSING_DATE:
            return n("{count} left out: no closing date.", "{count} left out: no closing date.", count)
        case Reason.NO_DATE:
            return n("{count} left out: no date at all.", "{count} left out: no date at all.", count)
        case Reason.CLOSED_BEFORE_CREATED:
            return n(
                "{count} left out: closed before it was created.",
                "{count} left out: closed before they were created.",
                count,
            )
        case Reason.DORMANT:
            return n("{count} left out: dormant.", "{count} left out: dormant.", count)
        case Reason.NO_AMOUNT:
            return n("{count} left out: no amount.", "{count} left out: no amount.", count)
        case Reason.UNCONVERTED:
            return n(
                "{count} left out: not converted, in another currency without a rate for that day.",
                "{count} left out: not converted, in other currencies without a rate for those days.",
                count,
            )
        case Reason.NO_CUSTOMER:
            return n("{count} left out: no customer.", "{count} left out: no customer.", count)
        case Reason.NOT_QUALIFIED:
            return n("{count} left out: not qualified.", "{count} left out: not qualified.", count)
        case Reason.NOT_INBOUND:
            return n("{count} left out: not inbound.", "{count} left out: not inbound.", count)
