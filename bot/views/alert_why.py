"""How an alert was judged: the rule, the window, the sample, the interval, the threshold, the days."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction

from bot.blocks import Block, Bold, actions, bullets, button, context, paragraph
from bot.conversation import Reply
from bot.i18n import Language
from bot.views.alert_lines import Alert, Case, bound_of, case_name, headline, usual_sentence
from bot.views.evidence import Evidence, amount, evidence_sentence
from bot.views.rule import how_long, rule_sentence, sample_things
from bot.views.state import encode
from kpi import format as written
from kpi.period import Period
from kpi.query import Filter, Unit
from kpi.threshold import interval
from kpi.watch import threshold_of
from storage.rules import Episode
from storage.workspaces import Workspace


def why_reply(
    alert: Alert,
    cases: Sequence[Case],
    episodes: Sequence[Episode],
    narrowed: Sequence[Filter],
    workspace: Workspace,
    language: Language,
    *,
    hidden: int,
) -> Reply:
    """`cases` are those that the reader may see, `hidden` counts the others; `narrowed` is the rule's own filter."""
    _ = language._
    title = headline(alert, language, several=len(cases) + hidden)
    lines = [
        rule_sentence(alert.rule, narrowed, workspace.currency, language),
        *_days(alert, language),
        *_sample(alert, language),
        _bad(alert, language),
    ]
    seen = [line for case in cases[:5] for line in _case(alert, case, language)]
    if hidden:
        seen.append(
            language.n(
                "{count} number behind it is not yours to see.",
                "{count} numbers behind it are not yours to see.",
                hidden,
            )
        )
    blocks: list[Block] = [paragraph(Bold(title)), bullets([[line] for line in lines])]
    if seen:
        blocks += [paragraph(Bold(_("What was seen"))), bullets([[line] for line in seen])]
    last = max((each.judged_on for each in episodes if each.judged_on is not None), default=None)
    small = []
    if last is not None:
        day = written.day(last - timedelta(days=1), language.locale)
        small.append(_("Last judged on the days up to {day}.", day=day))
        blocks.append(context(*small))
    state = None if hidden and not cases else encode(alert.query)
    if state is not None:
        blocks.append(actions([button(_("How it is computed"), "answer.how", state)]))
    return Reply("\n".join([title, *lines, *seen, *small]), blocks)


def _days(alert: Alert, language: Language) -> list[str]:
    """Which days are looked at, when, and how many of them must agree."""
    _, n, rule = language._, language.n, alert.rule
    window = n(
        "Window: {count} day, once for each local day ({zone}), on data complete {delay} after midnight.",
        "Window: {count} days, once for each local day ({zone}), on data complete {delay} after midnight.",
        alert.query.period.days,
        zone=rule.time_zone,
        delay=how_long(rule.delay_minutes, language),
    )
    held = n(
        "{count} day that is bad is enough to fire, and one that is good to recover.",
        "{count} days in a row must be bad to fire, and as many good to recover.",
        rule.hold,
    )
    return [window, held]


def _sample(alert: Alert, language: Language) -> list[str]:
    things = sample_things(alert.rule, language)
    if things is None:
        return []
    least = alert.rule.min_sample
    return [language._("Sample: at least {count} {things}; with fewer nothing fires.", count=least, things=things)]


def _bad(alert: Alert, language: Language) -> str:
    """What a bad day is."""
    _ = language._
    below, bound = alert.rule.direction == "below", bound_of(alert, language)
    if alert.rule.against is not None:
        return _("Bad: farther from its usual value than that, by more than chance explains.")
    if alert.result.unit is Unit.PERCENT:
        if below:
            return _("Bad: the whole 97% interval lies below {threshold}.", threshold=bound)
        return _("Bad: the whole 97% interval lies above {threshold}.", threshold=bound)
    if alert.result.unit is Unit.COUNT:
        if below:
            return _(
                "Bad: even the upper end of what chance makes of such a count lies below {threshold}.", threshold=bound
            )
        return _(
            "Bad: even the lower end of what chance makes of such a count lies above {threshold}.", threshold=bound
        )
    if below:
        return _("Bad: the value lies below {threshold}.", threshold=bound)
    return _("Bad: the value lies above {threshold}.", threshold=bound)


def _case(alert: Alert, case: Case, language: Language) -> list[str]:
    """What fired, over which days; then what ended it."""
    _ = language._
    called = case_name(case, language)
    lines = [_seen(alert, case.fired, _("Fired"), language)]
    if case.recovered is not None:
        word = _("Data corrected") if case.recovered.corrected else _("Recovered")
        lines.append(_seen(alert, case.recovered, word, language))
    return [_("{name}, {what}", name=called, what=line[:1].lower() + line[1:]) if called else line for line in lines]


def _seen(alert: Alert, seen: Evidence, word: str, language: Language) -> str:
    """`Fired on 26 Oct – 22 Nov 2026: 9.5% (…). 97% interval 3.1% to 24.2%.`"""
    _ = language._
    value = evidence_sentence(seen.measured, alert.result, language)
    if usual := usual_sentence(alert, seen, language):
        value = f"{value} {usual}"
    level = threshold_of(alert.rule, alert.result) if alert.rule.against is None else None
    if level is not None and seen.measured.value is not None:
        ends = interval(level, seen.measured)
        if ends[0] != ends[1]:
            low, high = (amount(Fraction(end), alert.result, language) for end in ends)
            judged = _("97% interval: {low} to {high}.", low=low, high=high)
            value = f"{value} {judged}"
    if seen.on is None:
        return _("{name}: {value}", name=word, value=value)
    after = seen.on + timedelta(days=1)
    period = written.period_label(Period(after - timedelta(days=alert.query.period.days), after), language.locale)
    return _("{what} over {period}: {value}", what=word, period=period, value=value)
