"""The digest as one screen of a telephone: the KPIs, one picture, what is worth saying, who did well, as of when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from bot.blocks import Block, Bold, Run, context, header, name, paragraph, spoken
from bot.i18n import Language
from bot.views.chart import alt_text, panel, panels
from bot.views.notes import counted_only, late, unconverted
from bot.views.question import filter_words
from kpi import format as written
from kpi.catalog import kpi
from kpi.digest import Digest
from kpi.findings import Change, Contribution, Finding, Gap, change_of, in_unit
from kpi.period import Grain, Period
from kpi.query import KpiResult, Unit
from storage.workspaces import Workspace

SEPARATOR = " · "


@dataclass(frozen=True, slots=True)
class Written:
    """A message ready for the outbox: `text` and `blocks`, and the chart that the postman draws, or None."""

    payload: Mapping[str, Any]
    chart: Mapping[str, Any] | None


def write_digest(digest: Digest, workspace: Workspace, language: Language, late: datetime | None = None) -> Written:
    """The digest in the channel's language; `late` is when it was due, where that is long ago."""
    _ = language._
    title = _title(digest, language)
    lines = [kpi_line(result, _sample(result, digest), language) for result in digest.results]
    found = [finding_sentence(finding, language) for finding in digest.findings]
    found = found or [_usual(digest, language)]
    blocks: list[Block] = [header(title)]
    if late is not None:
        due = written.moment(late, workspace.zone, language.locale)
        blocks.append(context(_("Late: this digest was due on {due}.", due=due)))
    if lines:
        blocks.append(paragraph(*_joined(lines)))
    chart = _chart(digest, language)
    place = len(blocks)
    blocks.append(paragraph(*_joined([[sentence] for sentence in found])))
    praise = _praise(digest, language)
    if praise is not None:
        blocks.append(paragraph(Bold(_("Well done:")), " ", praise))
    whose = [said.rstrip(".") for result in digest.results[:1] for said in counted_only(result, language)]
    small = [*whose, *_absent(digest, language), _periods(digest, language), _as_of(digest, workspace, language)]
    blocks.append(context(SEPARATOR.join(sentence for sentence in small if sentence)))
    said = [title, *("".join(_plain(run) for run in line) for line in lines), *found, praise or "", *small]
    payload = {"text": spoken("\n".join(sentence for sentence in said if sentence)), "blocks": blocks}
    return Written(payload, None if chart is None else {"at": place, **chart})


def _title(digest: Digest, language: Language) -> str:
    over = written.period_label(digest.about, language.locale)
    names = [filter_words(chosen, language) for chosen in digest.filters]
    return SEPARATOR.join([language._("Sales digest"), over, *names])


def _usual(digest: Digest, language: Language) -> str:
    _ = language._
    match digest.about.unit:
        case Grain.DAY:
            return _("Nothing unusual.")
        case Grain.MONTH:
            return _("Nothing unusual this month.")
        case _:
            return _("Nothing unusual this week.")


def _joined(lines: Sequence[Sequence[Run]]) -> list[Run]:
    """Lines of one paragraph: closer to each other than blocks are."""
    runs: list[Run] = []
    for line in lines:
        runs += ["\n", *line] if runs else line
    return runs


def _plain(run: Run) -> str:
    return run.text if isinstance(run, Bold) else str(run)


def kpi_line(result: KpiResult, sample: Fraction | None, language: Language) -> list[Run]:
    """`Win rate 31.2% ▲ +3.2 pts, better · target 30% · n = 154`."""
    _, locale = language._, language.locale
    declared = kpi(result.query.metric)
    value = written.value(result.measured, result.unit, result.currency, locale, compact=result.unit is Unit.MONEY)
    parts = [change_words(result, language)]
    if result.target is not None:
        aim = written.amount(in_unit(result.target, result), result.unit, result.currency, locale, compact=True)
        parts.append(_("target {value}", value=aim))
    if sample is not None:
        count = written.count(sample, locale)
        parts.append(_("n = {count}, few", count=count) if result.measured.few else _("n = {count}", count=count))
    if lacking := unconverted(result, language):
        parts.append(lacking)
    # Each part stays in one piece at the end of a line, but for the change, which may be long.
    rest = SEPARATOR.join([parts[0], *(part.replace(" ", "\u00a0") for part in parts[1:])])
    return [_(declared.name), " ", Bold(value or _("no data")), f" {rest}"]


def change_words(result: KpiResult, language: Language) -> str:
    """The change against the period before: an arrow and how far.

    Only a change that is more than chance explains is called better or worse.
    """
    _ = language._
    now = result.measured.value
    before = None if result.previous is None else result.previous.measured.value
    if now is None or before is None:
        return _("no data before")
    if now == before:
        return _("unchanged")
    change = change_of(result)
    if change is None or change.good is None:
        return _arrow(result, language)
    if change.good:
        return _("{change}, better", change=_arrow(result, language))
    return _("{change}, worse", change=_arrow(result, language))


def _arrow(result: KpiResult, language: Language) -> str:
    """`▲ +3.2 pts`, kept in one piece; empty where nothing changed or nothing was before."""
    now = result.measured.value
    before = None if result.previous is None else result.previous.measured.value
    change = written.change(now, before, result.unit, result.currency, language.locale)
    if now is None or before is None or change is None or now == before:
        return ""
    return f"{'▲' if now > before else '▼'}\u00a0{change}".replace(" ", "\u00a0")


def _sample(result: KpiResult, digest: Digest) -> Fraction | None:
    """What the value rests on: its denominator; for revenue, the deals whose amounts it adds; a count is its own n."""
    if result.measured.denominator is not None:
        return result.measured.denominator
    if result.query.metric == "revenue_won":
        deals = next((other for other in digest.results if other.query.metric == "average_deal"), None)
        return None if deals is None else deals.measured.denominator
    beside = next((other.measured.value for other in result.beside if other.unit is Unit.COUNT), None)
    return beside if result.unit is Unit.MONEY else None


def finding_sentence(finding: Finding, language: Language) -> str:
    _, locale = language._, language.locale
    result = finding.result
    what = _(kpi(result.query.metric).name)
    match finding:
        case Change():
            before = result.previous.measured if result.previous is not None else None
            values = {
                "kpi": what,
                "now": written.value(result.measured, result.unit, result.currency, locale),
                "before": None if before is None else written.value(before, result.unit, result.currency, locale),
            }
            if before is not None and (result.measured.value or 0) > (before.value or 0):
                return _("{kpi} rose from {before} to {now}, more than chance explains.", **values)
            return _("{kpi} fell from {before} to {now}, more than chance explains.", **values)
        case Gap():
            return _(
                "{kpi}: {value} for a target of {target}, the widest gap.",
                kpi=what,
                value=written.value(result.measured, result.unit, result.currency, locale),
                target=written.amount(in_unit(finding.target, result), result.unit, result.currency, locale),
            )
        case Contribution():
            return _(
                "{kpi}: {whole} in all, mostly {group} ({part}).",
                group=name(finding.group.name, _("(none)")),
                part=_difference(finding.part, result, language),
                whole=_difference(finding.whole, result, language),
                kpi=what,
            )


def _difference(number: Fraction, result: KpiResult, language: Language) -> str:
    """A signed difference in the unit of the result."""
    if result.unit is Unit.PERCENT:
        return written.points_change(number, language.locale) or ""
    compact = result.unit is Unit.MONEY
    amount = written.amount(number, result.unit, result.currency, language.locale, compact=compact) or ""
    return f"+{amount}" if number > 0 else amount


def _praise(digest: Digest, language: Language) -> str | None:
    if digest.by_rep is None or not digest.praised:
        return None
    by_rep = digest.by_rep
    said = [
        language._(
            "{name} {value} ({won} of {closed})",
            name=name(group.name, ""),
            value=written.value(group.measured, by_rep.unit, by_rep.currency, language.locale),
            won=written.count(group.measured.numerator, language.locale),
            closed=written.count(group.measured.denominator, language.locale),
        )
        for group in digest.praised
    ]
    return language._("win rate {names}", names=", ".join(said))


def _absent(digest: Digest, language: Language) -> list[str]:
    names = [language._(kpi(metric).name) for metric in digest.absent]
    return [language._("No data for: {names}.", names=", ".join(names))] if names else []


def _periods(digest: Digest, language: Language) -> str:
    """Which days the numbers are about: most of them the same, the others by name."""
    if not digest.results:
        return ""
    _ = language._
    names: dict[Period, list[str]] = {}
    for result in digest.results:
        names.setdefault(result.query.period, []).append(_(kpi(result.query.metric).name))
    labels = {period: written.period_label(period, language.locale) for period in names}
    most = max(names, key=lambda period: len(names[period]))
    others = [
        _("{kpi}: {period}", kpi=", ".join(whose), period=labels[period])
        for period, whose in names.items()
        if labels[period] != labels[most]
    ]
    if most.unit is Grain.MONTH:
        return SEPARATOR.join([_("Over {period}, compared with the month before", period=labels[most]), *others])
    return SEPARATOR.join([_("Over {period}, compared with as long before", period=labels[most]), *others])


def _as_of(digest: Digest, workspace: Workspace, language: Language) -> str:
    if digest.as_of is None:
        return language._("No data has been loaded yet.")
    said = language._("Data as of {when}.", when=written.moment(digest.as_of, workspace.zone, language.locale))
    older = late(digest.results, language)
    return f"{said} {older}" if older else said


def _chart(digest: Digest, language: Language) -> dict[str, Any] | None:
    drawn = [result for result in digest.trends if any(point.measured.value is not None for point in result.series)]
    if not drawn:
        return None
    parts = [panel(result, _arrow(result, language), language) for result in drawn]
    picture = panels(_over_time(drawn, language), _title(digest, language), parts, language)
    return {"chart": picture.to_json(), "title": picture.title, "alt": alt_text(picture, language)}


def _over_time(drawn: Sequence[KpiResult], language: Language) -> str:
    """What each point of the lines is about."""
    if all(result.query.grain is Grain.MONTH for result in drawn):
        return language._("Month after month")
    return language._("Over 28 days, week after week")
