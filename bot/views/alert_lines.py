"""What an alert says: what fired, on how much evidence, and why it is over."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.blocks import name
from bot.i18n import Language
from bot.views.chart import N_
from bot.views.evidence import Evidence, amount, evidence_sentence
from bot.views.question import BY, filter_words
from bot.views.rule import share_of
from kpi import format as written
from kpi.catalog import kpi
from kpi.findings import in_unit
from kpi.query import Filter, Group, KpiQuery, KpiResult
from storage.rules import Rule
from storage.workspaces import Workspace

MOST_GROUPS = 10

_LOOK = {
    "team": N_("Look first at the team {group}: {value}."),
    "source": N_("Look first at the source {group}: {value}."),
    "product": N_("Look first at the product {group}: {value}."),
}

CLOSED = {
    "rule_stopped": N_("The rule was stopped: nobody watches this any more."),
    "group_gone": N_("What it watched is no longer in the CRM."),
    "closed": N_("It is no longer watched."),
}
"""Why an episode ends for a reason that is not in its numbers."""


@dataclass(frozen=True, slots=True)
class Case:
    """One watched number of a message: what narrows the rule's question to it, what fired, what ended it."""

    narrowed: Filter | None
    """The value of the rule's `each`; None for a rule that watches one number."""
    fired: Evidence
    recovered: Evidence | None = None
    closed: str | None = None
    """Why it is over without having recovered: one of `CLOSED`."""

    @property
    def over(self) -> bool:
        return self.recovered is not None or self.closed is not None


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


def headline(alert: Alert, language: Language, *, several: int = 1) -> str:
    """What fired, in one line: `Alert: win rate, team Lyon below 30%`."""
    _ = language._
    below = alert.rule.direction == "below"
    subject = subject_of(alert, language)
    if several > 1 and alert.rule.each is not None:
        subject = f"{subject} ({_(BY[alert.rule.each])})"
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


def fired_lines(alert: Alert, case: Case, language: Language) -> list[str]:
    _ = language._
    lines = [headline(alert, language), evidence_sentence(case.fired.measured, alert.result, language)]
    if usual := usual_sentence(alert, case.fired, language):
        lines.append(usual)
    if alert.look is not None:
        dimension, group = alert.look
        value = evidence_sentence(group.measured, alert.result, language).rstrip(".")
        lines.append(_(_LOOK[dimension], group=name(group.name, _("(none)")), value=value))
    return lines


def over_lines(alert: Alert, case: Case, workspace: Workspace, language: Language) -> list[str]:
    """The value that recovered, then the value that had fired; why it is over, where it has not recovered."""
    _ = language._
    had_fired = _(
        "It had fired on {when}: {value}",
        when=written.moment(case.fired.at, workspace.zone, language.locale),
        value=evidence_sentence(case.fired.measured, alert.result, language),
    )
    if case.recovered is None:
        title = _("Closed: {kpi}", kpi=subject_of(alert, language))
        why = CLOSED[case.closed or "closed"]
        return [title, _(why), had_fired]
    title = _("Recovered: {kpi}", kpi=subject_of(alert, language))
    days = (case.recovered.at - case.fired.at).days
    return [
        title,
        evidence_sentence(case.recovered.measured, alert.result, language),
        back_sentence(alert, case.recovered, language),
        had_fired,
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


def several_lines(alert: Alert, cases: Sequence[Case], language: Language) -> tuple[str, list[str], list[str]]:
    """Title, first lines and list of a message that several groups share: those still open first."""
    _, n = language._, language.n
    ended = sum(case.recovered is not None for case in cases)
    closed = sum(case.over for case in cases) - ended
    still = len(cases) - ended - closed
    counted = [n("{count} is concerned.", "{count} are concerned.", still)] if still else []
    counted += [n("{count} has recovered.", "{count} have recovered.", ended)] if ended else []
    counted += [n("{count} is closed.", "{count} are closed.", closed)] if closed else []
    title = headline(alert, language, several=len(cases))
    if not still:
        subject = f"{subject_of(alert, language)} ({_(BY[alert.rule.each or 'team'])})"
        title = _("Recovered: {kpi}", kpi=subject) if ended else _("Closed: {kpi}", kpi=subject)
    ordered = sorted(cases, key=lambda case: case.over)
    listed = [case_line(alert, case, language) for case in ordered[:MOST_GROUPS]]
    if len(ordered) > MOST_GROUPS:
        listed.append(_("+{count} more", count=len(ordered) - MOST_GROUPS))
    return title, [" ".join(counted)], listed


def case_line(alert: Alert, case: Case, language: Language) -> str:
    """`team Lyon: 9.5% (4 of 42, …).`; once it is over, what it is now and what had fired."""
    _ = language._
    called = case_name(case, language) or subject_of(alert, language)
    fired = evidence_sentence(case.fired.measured, alert.result, language)
    if case.recovered is None:
        if case.closed is not None:
            return _(
                "{name}, closed: {why} It had fired at {value}", name=called, why=_(CLOSED[case.closed]), value=fired
            )
        return _("{name}: {value}", name=called, value=fired)
    now = evidence_sentence(case.recovered.measured, alert.result, language)
    if case.recovered.corrected:
        return _("{name}, data corrected: {now} It had fired at {value}", name=called, now=now, value=fired)
    return _("{name}, recovered: {now} It had fired at {value}", name=called, now=now, value=fired)
