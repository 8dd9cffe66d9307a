"""An alert as a message: what fired and on how much evidence; later, in the same place, how it recovered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from bot.blocks import Block, Bold, actions, button, context, header, name, paragraph, spoken
from bot.i18n import Language
from bot.views.chart import N_, alt_text, picture
from bot.views.digest import SEPARATOR, Written
from bot.views.notes import counted_only, unconverted
from bot.views.question import BY, filter_words, metric_name, reading_name
from bot.views.sentences import sample
from bot.views.state import encode
from kpi import format as written
from kpi.catalog import kpi
from kpi.charts.chart import Level
from kpi.findings import in_unit
from kpi.query import Filter, Group, KpiQuery, KpiResult, Measured, Unit
from storage.rules import Episode, Rule
from storage.workspaces import Workspace

_LOOK = {
    "team": N_("Look first at the team {group}: {value}."),
    "source": N_("Look first at the source {group}: {value}."),
    "product": N_("Look first at the product {group}: {value}."),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen when an alert fired or recovered; kept with the episode as JSON."""

    measured: Measured
    at: datetime

    def to_json(self) -> dict[str, Any]:
        measured = self.measured
        exact = {"value": measured.value, "numerator": measured.numerator, "denominator": measured.denominator}
        kept: dict[str, Any] = {key: None if number is None else str(number) for key, number in exact.items()}
        return kept | {"interval": measured.interval, "at": self.at.isoformat()}

    @staticmethod
    def from_json(kept: Mapping[str, Any]) -> "Evidence":
        value, numerator, denominator = (
            None if kept[key] is None else Fraction(kept[key]) for key in ("value", "numerator", "denominator")
        )
        interval = None if kept["interval"] is None else (kept["interval"][0], kept["interval"][1])
        return Evidence(Measured(value, numerator, denominator, interval), datetime.fromisoformat(kept["at"]))


@dataclass(frozen=True, slots=True)
class Alert:
    """Everything a message about one episode says; `query` asks for the number again."""

    rule: Rule
    query: KpiQuery
    result: KpiResult
    """Of the rule's question: its unit, currency and freshness count here."""
    fired: Evidence
    recovered: Evidence | None
    look: tuple[str, Group] | None
    """The dimension and group to look at first."""
    trend: KpiResult | None


def write_alert(alert: Alert, workspace: Workspace, language: Language) -> Written:
    """The message of an episode that fires, or, with `recovered`, of one that is over."""
    lines = _fired(alert, language) if alert.recovered is None else _recovered(alert, workspace, language)
    title, *rest = lines
    small = SEPARATOR.join(_small(alert, workspace, language))
    blocks: list[Block] = [header(title), paragraph(Bold(rest[0]))]
    place = len(blocks)
    if rest[1:]:
        blocks.append(paragraph("\n".join(rest[1:])))
    blocks.append(context(small))
    buttons = _buttons(alert, language)
    if buttons:
        blocks.append(actions(buttons))
    chart = _chart(alert, language)
    payload = {"text": spoken("\n".join([*lines, small])), "blocks": blocks}
    return Written(payload, None if chart is None else {"at": place, **chart})


def _fired(alert: Alert, language: Language) -> list[str]:
    _ = language._
    bound = _amount(in_unit(alert.rule.threshold, alert.result), alert.result, language)
    values = {"kpi": _subject(alert, language), "threshold": bound}
    below = alert.rule.direction == "below"
    title = _("Alert: {kpi} below {threshold}", **values) if below else _("Alert: {kpi} above {threshold}", **values)
    lines = [title, evidence_sentence(alert.fired.measured, alert.result, language)]
    if alert.look is not None:
        dimension, group = alert.look
        value = evidence_sentence(group.measured, alert.result, language).rstrip(".")
        lines.append(_(_LOOK[dimension], group=name(group.name, _("(none)")), value=value))
    return lines


def _recovered(alert: Alert, workspace: Workspace, language: Language) -> list[str]:
    _ = language._
    assert alert.recovered is not None  # noqa: S101 - only called for an episode that is over
    recovery = _amount(in_unit(alert.rule.recovery, alert.result), alert.result, language)
    title = _("Recovered: {kpi}", kpi=_subject(alert, language))
    if alert.rule.direction == "below":
        back = _("Back at {recovery} or more.", recovery=recovery)
    else:
        back = _("Back at {recovery} or less.", recovery=recovery)
    days = (alert.recovered.at - alert.fired.at).days
    return [
        title,
        evidence_sentence(alert.recovered.measured, alert.result, language),
        back,
        _(
            "It had fired on {when}: {value}",
            when=written.moment(alert.fired.at, workspace.zone, language.locale),
            value=evidence_sentence(alert.fired.measured, alert.result, language),
        ),
        language.n("It lasted {count} day.", "It lasted {count} days.", days)
        if days
        else _("It lasted less than a day."),
    ]


def evidence_sentence(measured: Measured, result: KpiResult, language: Language) -> str:
    """`9.5% (4 of 42, 95% interval 3.8% to 22.1%).`, as much of it as there is."""
    _ = language._
    value = _amount(measured.value, result, language) or _("no data")
    of = sample(measured, result, language)
    if not of:
        return _("{value}.", value=value)
    if measured.interval is None:
        return _("{value} ({sample}).", value=value, sample=of)
    low, high = (_amount(Fraction(end), result, language) for end in measured.interval)
    return _("{value} ({sample}, 95% interval {low} to {high}).", value=value, sample=of, low=low, high=high)


def amount_of(value: Decimal, unit: Unit, currency: str, language: Language) -> str:
    """A target or threshold (major currency units) as it is written."""
    exact = Fraction(value)
    if unit is Unit.MONEY:
        exact /= written.major(Fraction(1), currency)
    whole = exact.denominator == 1
    return written.amount(exact, unit, currency, language.locale, compact=whole and unit is not Unit.MONEY) or ""


def rule_sentence(rule: Rule, narrowed: Sequence[Filter], currency: str, language: Language) -> str:
    """`Win rate (by closing date), team Lyon: alert below 25%, over at 30%.`"""
    _ = language._
    unit = kpi(rule.metric).reading(rule.reading).unit
    reading = reading_name(rule.metric, rule.reading, language)
    about = [metric_name(rule.metric, language) + (f" ({reading})" if reading else "")]
    about += [filter_words(each, language) for each in narrowed]
    if rule.each is not None:
        about.append(_(BY[rule.each]))
    values = {
        "kpi": ", ".join(about),
        "threshold": amount_of(rule.threshold, unit, currency, language),
        "recovery": amount_of(rule.recovery, unit, currency, language),
    }
    if rule.direction == "below":
        return _("{kpi}: alert below {threshold}, over at {recovery} or more.", **values)
    return _("{kpi}: alert above {threshold}, over at {recovery} or less.", **values)


def state_sentence(episodes: Sequence[Episode], language: Language) -> str:
    """Where a rule stands, the worst of its groups first."""
    _ = language._
    states = {each.state for each in episodes}
    firing = sum(each.state in {"firing", "recovering"} for each in episodes)
    if firing:
        return language.n("Firing: {count} alert is open.", "Firing: {count} alerts are open.", firing)
    if "pending" in states:
        return _("Bad, but not yet for long enough.")
    if "ok" in states:
        return _("Quiet.")
    return _("Not enough data to judge.") if states else _("Not judged yet: it is after the next sync.")


def _small(alert: Alert, workspace: Workspace, language: Language) -> list[str]:
    """What the number is, over which days, as of when, since when."""
    _ = language._
    declared = kpi(alert.query.metric)
    said = [written.period_label(alert.query.period, language.locale)]
    if len(declared.readings) > 1:
        said.append(_(declared.reading(alert.query.reading).name))
    said += [sentence.rstrip(".") for sentence in counted_only(alert.result, language)]
    if lacking := unconverted(alert.result, language):
        said.append(lacking)
    if alert.recovered is None:
        when = written.moment(alert.fired.at, workspace.zone, language.locale)
        said.append(_("since {when}", when=when))
    if alert.result.as_of is not None:
        when = written.moment(alert.result.as_of, workspace.zone, language.locale)
        said.append(_("data as of {when}", when=when))
    return said


def _subject(alert: Alert, language: Language) -> str:
    """The KPI and what it is narrowed to: `win rate, Lyon`."""
    return ", ".join(
        [language._(kpi(alert.query.metric).name), *(filter_words(each, language) for each in alert.query.filters)]
    )


def _amount(number: Fraction | None, result: KpiResult, language: Language) -> str | None:
    compact = number is not None and number.denominator == 1
    return written.amount(number, result.unit, result.currency, language.locale, compact=compact)


def _buttons(alert: Alert, language: Language) -> list[Block]:
    """The deals and the definition; whoever clicks sees them with their own rights."""
    state = encode(replace(alert.query, comparison=None))
    if state is None:
        return []
    _ = language._
    return [button(_("The deals"), "answer.deals", state), button(_("How it is computed"), "answer.how", state)]


def _chart(alert: Alert, language: Language) -> dict[str, Any] | None:
    """The last weeks with the threshold as a line."""
    drawn = None if alert.trend is None else picture(replace(alert.trend, target=alert.rule.threshold), language)
    if drawn is None:
        return None
    bound = _amount(in_unit(alert.rule.threshold, alert.result), alert.result, language)
    drawn = replace(drawn, target=Level(float(alert.rule.threshold), language._("threshold {value}", value=bound)))
    return {"chart": drawn.to_json(), "title": drawn.title, "alt": alt_text(drawn, language)}
