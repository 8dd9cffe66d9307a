"""An alert as a message: what fired and on how much evidence, who has it in hand; later, in the same place, how it
recovered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from bot.blocks import (
    Block,
    Bold,
    Run,
    actions,
    bullets,
    button,
    context,
    header,
    name,
    paragraph,
    spoken,
    users_select,
)
from bot.i18n import Language
from bot.views.chart import N_, alt_text, picture
from bot.views.digest import SEPARATOR, Written
from bot.views.evidence import Evidence, amount, evidence_sentence
from bot.views.notes import counted_only, unconverted
from bot.views.pinged import aloud, naming
from bot.views.question import BY, filter_words
from bot.views.rule import share_of
from bot.views.state import encode
from kpi import format as written
from kpi.catalog import kpi
from kpi.charts.chart import Level
from kpi.findings import in_unit
from kpi.query import Filter, Group, KpiQuery, KpiResult
from storage.rules import Rule
from storage.workspaces import Workspace

MOST_GROUPS = 10
ACKNOWLEDGE, ASSIGN, SNOOZE, WHY, DEALS = "alert.ack", "alert.assign", "alert.snooze", "alert.why", "alert.deals"
USEFUL, NOISE = "alert.useful", "alert.noise"

_LOOK = {
    "team": N_("Look first at the team {group}: {value}."),
    "source": N_("Look first at the source {group}: {value}."),
    "product": N_("Look first at the product {group}: {value}."),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One watched number of a message: what narrows the rule's question to it, what fired, what ended it."""

    narrowed: Filter | None
    """The value of the rule's `each`; None for a rule that watches one number."""
    fired: Evidence
    recovered: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """Everything a message about one rule's episodes says; `query` asks for the number again."""

    rule: Rule
    query: KpiQuery
    """Narrowed to the one number that fired; the rule's own question where several did."""
    result: KpiResult
    """Of the rule's question: its unit, currency and freshness count here."""
    fired: Evidence
    recovered: Evidence | None
    look: tuple[str, Group] | None
    """The dimension and group to look at first."""
    trend: KpiResult | None


def write_alert(
    alert: Alert,
    workspace: Workspace,
    language: Language,
    *,
    letter_id: str | None = None,
    groups: Sequence[Case] = (),
    acked_by: str | None = None,
    assigned_to: str | None = None,
    snoozed_until: datetime | None = None,
    remind_at: datetime | None = None,
    reminders: int = 0,
    corrected: bool = False,
) -> Written:
    """The message of an alert that is open, or, once all of it has recovered, of one that is over.

    `letter_id` is the letter that carries the message: what its buttons act on. `groups` are the episodes that share
    it, in the order they are shown; where there are none or one, the alert's own `fired` and `recovered` count.
    `corrected`: the end came with a late edit of the data.
    """
    cases = list(groups) or [Case(None, alert.fired, alert.recovered)]
    if corrected:
        cases = [
            case if case.recovered is None else replace(case, recovered=replace(case.recovered, corrected=True))
            for case in cases
        ]
    is_open = any(case.recovered is None for case in cases)
    if len(cases) > 1:
        title, rest, listed = _several(alert, cases, language)
    else:
        case, listed = cases[0], []
        title, *rest = _fired(alert, case, language) if is_open else _recovered(alert, case, workspace, language)
    blocks: list[Block] = [header(title), paragraph(Bold(rest[0]))]
    place = len(blocks)
    if listed:
        blocks.append(bullets([[line] for line in listed]))
    if rest[1:]:
        blocks.append(paragraph("\n".join(rest[1:])))
    hands = _hands(acked_by, assigned_to, snoozed_until, workspace, language) if is_open else []
    if hands:
        blocks.append(paragraph(*_lines(hands)))
    small = SEPARATOR.join(_small(alert, cases, workspace, language, remind_at=remind_at, reminders=reminders))
    blocks.append(context(small))
    blocks += _buttons(alert, cases, letter_id, language, acked=acked_by is not None)
    said = [spoken("\n".join([title, rest[0], *listed, *rest[1:]])), *map(aloud, hands), spoken(small)]
    chart = _chart(alert, language)
    payload = {"text": "\n".join(said), "blocks": blocks}
    return Written(payload, None if chart is None else {"at": place, **chart})


def headline(alert: Alert, language: Language, *, several: int = 1) -> str:
    """What fired, in one line: `Alert: win rate, team Lyon below 30%`."""
    _ = language._
    below = alert.rule.direction == "below"
    subject = subject_of(alert, language)
    if several > 1 and alert.rule.each is not None:
        subject = f"{subject}, {_(BY[alert.rule.each])}"
    if alert.rule.against is not None:
        values = {"kpi": subject, "threshold": share_of(alert.rule.threshold, language)}
        if below:
            return _("Alert: {kpi} down by more than {threshold}", **values)
        return _("Alert: {kpi} up by more than {threshold}", **values)
    values = {"kpi": subject, "threshold": bound_of(alert, language)}
    return _("Alert: {kpi} below {threshold}", **values) if below else _("Alert: {kpi} above {threshold}", **values)


def bound_of(alert: Alert, language: Language) -> str:
    """The rule's threshold as it is written; for a rule against the past, in percent of it."""
    if alert.rule.against is not None:
        return share_of(alert.rule.threshold, language)
    return amount(in_unit(alert.rule.threshold, alert.result), alert.result, language) or ""


def subject_of(alert: Alert, language: Language) -> str:
    """The KPI and what it is narrowed to: `win rate, team Lyon`."""
    return ", ".join(
        [language._(kpi(alert.query.metric).name), *(filter_words(each, language) for each in alert.query.filters)]
    )


def case_name(case: Case, language: Language) -> str:
    """What one of several numbers is called: `team Lyon`."""
    return "" if case.narrowed is None else filter_words(case.narrowed, language)


def usual_sentence(alert: Alert, evidence: Evidence, language: Language) -> str | None:
    """What a number was held against, where that is its own past."""
    if alert.rule.against is None or evidence.usual is None:
        return None
    usual = amount(evidence.usual, alert.result, language)
    return language._("Usual: {value}, the mean of the {count} windows before.", value=usual, count=alert.rule.against)


def _fired(alert: Alert, case: Case, language: Language) -> list[str]:
    _ = language._
    lines = [headline(alert, language), evidence_sentence(case.fired.measured, alert.result, language)]
    if usual := usual_sentence(alert, case.fired, language):
        lines.append(usual)
    if alert.look is not None:
        dimension, group = alert.look
        value = evidence_sentence(group.measured, alert.result, language).rstrip(".")
        lines.append(_(_LOOK[dimension], group=name(group.name, _("(none)")), value=value))
    return lines


def _recovered(alert: Alert, case: Case, workspace: Workspace, language: Language) -> list[str]:
    """The value that recovered, then the value that had fired."""
    _ = language._
    assert case.recovered is not None  # noqa: S101 - only called for an episode that is over
    title = _("Recovered: {kpi}", kpi=subject_of(alert, language))
    days = (case.recovered.at - case.fired.at).days
    return [
        title,
        evidence_sentence(case.recovered.measured, alert.result, language),
        back_sentence(alert, case.recovered, language),
        _(
            "It had fired on {when}: {value}",
            when=written.moment(case.fired.at, workspace.zone, language.locale),
            value=evidence_sentence(case.fired.measured, alert.result, language),
        ),
        language.n("It lasted {count} day.", "It lasted {count} days.", days)
        if days
        else _("It lasted less than a day."),
    ]


def back_sentence(alert: Alert, recovered: Evidence, language: Language) -> str:
    """Why it is over: the data was corrected, or the value is back."""
    _ = language._
    if recovered.corrected:
        return _("The data was corrected: by what it says now, this is over.")
    below = alert.rule.direction == "below"
    if alert.rule.against is not None:
        within = share_of(alert.rule.recovery, language)
        if below:
            return _("Back at no more than {recovery} below its usual value.", recovery=within)
        return _("Back at no more than {recovery} above its usual value.", recovery=within)
    recovery = amount(in_unit(alert.rule.recovery, alert.result), alert.result, language)
    if below:
        return _("Back at {recovery} or more.", recovery=recovery)
    return _("Back at {recovery} or less.", recovery=recovery)


def _several(alert: Alert, cases: Sequence[Case], language: Language) -> tuple[str, list[str], list[str]]:
    """Title, first lines and list of a message that several groups share: those still open first."""
    _, n = language._, language.n
    ended = sum(case.recovered is not None for case in cases)
    still = len(cases) - ended
    if still:
        title = headline(alert, language, several=len(cases))
        first = n("{count} is concerned.", "{count} are concerned.", still)
        if ended:
            first += " " + n("{count} has recovered.", "{count} have recovered.", ended)
    else:
        subject = f"{subject_of(alert, language)}, {_(BY[alert.rule.each or 'team'])}"
        title = _("Recovered: {kpi}", kpi=subject)
        first = n("{count} has recovered.", "{count} have recovered.", ended)
    ordered = sorted(cases, key=lambda case: case.recovered is not None)
    listed = [_case_line(alert, case, language) for case in ordered[:MOST_GROUPS]]
    if len(ordered) > MOST_GROUPS:
        listed.append(_("+{count} more", count=len(ordered) - MOST_GROUPS))
    return title, [first], listed


def _case_line(alert: Alert, case: Case, language: Language) -> str:
    """`team Lyon: 9.5% (4 of 42, …).`; once it is over, what it is now and what had fired."""
    _ = language._
    called = case_name(case, language)
    fired = evidence_sentence(case.fired.measured, alert.result, language)
    if case.recovered is None:
        return _("{name}: {value}", name=called, value=fired)
    now = evidence_sentence(case.recovered.measured, alert.result, language)
    if case.recovered.corrected:
        return _("{name}, data corrected: {now} It had fired at {value}", name=called, now=now, value=fired)
    return _("{name}, recovered: {now} It had fired at {value}", name=called, now=now, value=fired)


def _hands(
    acked_by: str | None,
    assigned_to: str | None,
    snoozed_until: datetime | None,
    workspace: Workspace,
    language: Language,
) -> list[list[Run]]:
    """Who has it in hand, and until when it sleeps."""
    said: list[list[Run]] = []
    if acked_by is not None:
        said.append(naming(N_("Acknowledged by {person}."), language, {"person": acked_by}))
    if assigned_to is not None:
        said.append(naming(N_("Assigned to {person}."), language, {"person": assigned_to}))
    if snoozed_until is not None:
        until = written.moment(snoozed_until, workspace.zone, language.locale)
        said.append([language._("Snoozed until {when}.", when=until)])
    return said


def _lines(lines: Sequence[Sequence[Run]]) -> list[Run]:
    runs: list[Run] = []
    for line in lines:
        runs += ["\n", *line] if runs else line
    return runs


def _small(
    alert: Alert,
    cases: Sequence[Case],
    workspace: Workspace,
    language: Language,
    *,
    remind_at: datetime | None,
    reminders: int,
) -> list[str]:
    """What the number is, over which days, as of when, since when, and when the next reminder comes."""
    _ = language._
    declared = kpi(alert.query.metric)
    said = [written.period_label(alert.query.period, language.locale)]
    if len(declared.readings) > 1:
        said.append(_(declared.reading(alert.query.reading).name))
    said += [sentence.rstrip(".") for sentence in counted_only(alert.result, language)]
    if lacking := unconverted(alert.result, language):
        said.append(lacking)
    if any(case.recovered is None for case in cases):
        since = min(case.fired.at for case in cases if case.recovered is None)
        said.append(_("since {when}", when=written.moment(since, workspace.zone, language.locale)))
        if reminders:
            said.append(language.n("{count} reminder so far", "{count} reminders so far", reminders))
        if remind_at is not None:
            said.append(_("next reminder {when}", when=written.moment(remind_at, workspace.zone, language.locale)))
    if alert.result.as_of is not None:
        when = written.moment(alert.result.as_of, workspace.zone, language.locale)
        said.append(_("data as of {when}", when=when))
    return said


def _buttons(
    alert: Alert, cases: Sequence[Case], letter_id: str | None, language: Language, *, acked: bool
) -> list[Block]:
    """What can be done about it, then what can be seen of it; whoever clicks does and sees what they may."""
    _ = language._
    rows: list[Block] = []
    if letter_id is not None and any(case.recovered is None for case in cases):
        hand = [] if acked else [button(_("Acknowledge"), ACKNOWLEDGE, letter_id, style="primary")]
        hand += [
            button(_("Snooze…"), SNOOZE, letter_id),
            users_select(_("Assign to…"), f"{ASSIGN}.{letter_id}"),
        ]
        rows.append(actions(hand))
    state = encode(replace(alert.query, comparison=None))
    seen: list[Block] = []
    if letter_id is not None:
        seen.append(button(_("Why"), WHY, letter_id))
    if len(cases) > 1 and letter_id is not None:
        seen.append(button(_("The deals"), DEALS, letter_id))
    elif state is not None:
        seen.append(button(_("The deals"), "answer.deals", state))
    if letter_id is None and state is not None:
        seen.append(button(_("How it is computed"), "answer.how", state))
    if letter_id is not None:
        seen += [button(_("Useful"), USEFUL, letter_id), button(_("Noise"), NOISE, letter_id)]
    return [*rows, actions(seen)] if seen else rows


def _chart(alert: Alert, language: Language) -> dict[str, Any] | None:
    """The last weeks with the threshold as a line."""
    bound = _level(alert)
    drawn = None if alert.trend is None else picture(replace(alert.trend, target=None), language)
    if drawn is None:
        return None
    if bound is not None:
        label = language._("threshold {value}", value=amount(bound, alert.result, language))
        plotted = written.major(bound, alert.result.currency) if alert.result.unit == "money" else bound
        drawn = replace(drawn, target=Level(float(plotted), label))
    return {"chart": drawn.to_json(), "title": drawn.title, "alt": alt_text(drawn, language)}


def _level(alert: Alert) -> Fraction | None:
    """The threshold in the number's own unit: of a rule against the past, so far from what is usual."""
    if alert.rule.against is None:
        return in_unit(alert.rule.threshold, alert.result)
    if alert.fired.usual is None:
        return None
    share = Fraction(alert.rule.threshold) / 100
    return alert.fired.usual * (1 - share if alert.rule.direction == "below" else 1 + share)
