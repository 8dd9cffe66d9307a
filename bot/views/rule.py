"""Rules in sentences: what is watched, and where it stands."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from bot.blocks import Run
from bot.i18n import Language
from bot.views.chart import N_
from bot.views.pinged import naming
from bot.views.question import BY, filter_words, metric_name, reading_name
from kpi import format as written
from kpi.catalog import kpi
from kpi.declaration import Window
from kpi.formulas import Median
from kpi.judged import TWENTY_EIGHT
from kpi.query import Filter, Unit
from kpi.watch import UNCOUNTED
from storage.rules import Episode, Rule
from storage.votes import Votes

MOST_STATES = 10
STATES = {
    "ok": N_("quiet."),
    "pending": N_("bad since {since}, day {day} of {hold} that it takes."),
    "firing": N_("firing since {since}."),
    "recovering": N_("firing, but good again since {since}, day {day} of {hold} that it takes."),
    "no_data": N_("not enough data to judge."),
    "stale": N_("frozen since {since}, because the data is late; before that {beneath}."),
    "paused": N_("paused since {since}; before that {beneath}."),
}
"""The seven states of a rule's group, each with what its reader wants to know."""
BENEATH = {
    "ok": N_("quiet"),
    "pending": N_("bad, but not yet for long enough"),
    "firing": N_("firing"),
    "recovering": N_("firing, but good again"),
    "no_data": N_("without enough data"),
}
_ORDER = ("firing", "recovering", "pending", "no_data", "ok", "stale", "paused")


def amount_of(value: Decimal, unit: Unit, currency: str, language: Language) -> str:
    """A target or threshold (major currency units) as it is written."""
    exact = Fraction(value)
    if unit is Unit.MONEY:
        exact /= written.major(Fraction(1), currency)
    whole = exact.denominator == 1
    return written.amount(exact, unit, currency, language.locale, compact=whole and unit is not Unit.MONEY) or ""


def share_of(percent: Decimal, language: Language) -> str:
    """By how many percent a rule lets a number move against its own past."""
    exact = Fraction(percent)
    return written.percent(exact, language.locale, digits=0 if exact.denominator == 1 else 1) or ""


def rule_sentence(rule: Rule, narrowed: Sequence[Filter], currency: str, language: Language) -> str:
    """`Win rate (by closing date), team Lyon: alert below 25%, over at 30%.`"""
    _ = language._
    unit = kpi(rule.metric).reading(rule.reading).unit
    reading = reading_name(rule.metric, rule.reading, language)
    about = [metric_name(rule.metric, language) + (f" ({reading})" if reading else "")]
    about += [filter_words(each, language) for each in narrowed]
    if rule.each is not None:
        about.append(_(BY[rule.each]))
    below = rule.direction == "below"
    if rule.against is not None:
        shares = {"threshold": share_of(rule.threshold, language), "recovery": share_of(rule.recovery, language)}
        said = {"kpi": ", ".join(about), "count": rule.against, **shares}
        if below:
            return _(
                "{kpi}: alert when {threshold} below the mean of the {count} windows before, over at {recovery} below "
                "or less.",
                **said,
            )
        return _(
            "{kpi}: alert when {threshold} above the mean of the {count} windows before, over at {recovery} above or "
            "less.",
            **said,
        )
    values = {
        "kpi": ", ".join(about),
        "threshold": amount_of(rule.threshold, unit, currency, language),
        "recovery": amount_of(rule.recovery, unit, currency, language),
    }
    if below:
        return _("{kpi}: alert below {threshold}, over at {recovery} or more.", **values)
    return _("{kpi}: alert above {threshold}, over at {recovery} or less.", **values)


def sample_things(rule: Rule, language: Language) -> str | None:
    """What a rule's minimum sample counts ("deals won or lost"); None where there is no sample to be small."""
    declared = kpi(rule.metric)
    used = declared.reading(rule.reading)
    things = declared.readings[0].denominator if isinstance(used.formula, Median) else used.denominator
    if things is None or (rule.metric, rule.reading) in UNCOUNTED:
        return None
    return language._(things)


def how_long(minutes: int, language: Language) -> str:
    """`90 minutes`, `1 hour`, `2 days`."""
    n = language.n
    if minutes and minutes % 1440 == 0:
        return n("{count} day", "{count} days", minutes // 1440)
    if minutes and minutes % 60 == 0:
        return n("{count} hour", "{count} hours", minutes // 60)
    return n("{count} minute", "{count} minutes", minutes)


def settings_sentence(rule: Rule, language: Language) -> str:
    """Window, days in a row, sample, quiet hours, holidays, reminders: `Over 28 days · 3 days in a row · …`."""
    _, n = language._, language.n
    said = []
    if rule.window_days is None and kpi(rule.metric).judged_window is Window.TWELVE_MONTHS:
        said.append(_("over 12 months"))
    else:
        said.append(n("over {count} day", "over {count} days", rule.window_days or TWENTY_EIGHT))
    said.append(n("{count} day in a row", "{count} days in a row", rule.hold))
    things = sample_things(rule, language)
    if things is not None:
        said.append(_("at least {count} {things}", count=rule.min_sample, things=things))
    said.append(
        _("judged {delay} after midnight ({zone})", delay=how_long(rule.delay_minutes, language), zone=rule.time_zone)
    )
    if rule.quiet_from is not None and rule.quiet_to is not None:
        hours = {"first": rule.quiet_from.strftime("%H:%M"), "last": rule.quiet_to.strftime("%H:%M")}
        said.append(_("quiet from {first} to {last}", **hours))
    if rule.holidays is not None:
        country = language.locale.territories.get(rule.holidays, rule.holidays)
        said.append(_("nothing on weekends and public holidays ({country})", country=country))
    if rule.remind_hours is not None:
        said.append(_("a reminder every {length}", length=how_long(rule.remind_hours * 60, language)))
    line = " · ".join(said)
    return line[:1].upper() + line[1:]


def state_lines(
    rule: Rule, episodes: Sequence[Episode], names: Mapping[str, str], zone: ZoneInfo, language: Language
) -> list[list[Run]]:
    """Where each group of a rule stands, the worst first; `names` by group key, empty for one number."""
    if not episodes:
        return [[language._("Not judged yet: it is judged within a minute, once its data is complete.")]]
    ordered = sorted(episodes, key=lambda each: (_ORDER.index(each.beneath_it), each.group_key))
    lines = [_state_line(rule, each, names.get(each.group_key, ""), zone, language) for each in ordered[:MOST_STATES]]
    if len(ordered) > MOST_STATES:
        lines.append([language._("+{count} more", count=len(ordered) - MOST_STATES)])
    return lines


def _state_line(rule: Rule, each: Episode, called: str, zone: ZoneInfo, language: Language) -> list[Run]:
    _, locale = language._, language.locale
    since = written.moment(each.since, zone, locale)
    values = {"since": since, "day": each.streak, "hold": rule.hold}
    said = _(STATES[each.state], **values, beneath=_(BENEATH[each.beneath_it]))
    runs: list[Run] = [_("{name}: {value}", name=called, value=said) if called else said[:1].upper() + said[1:]]
    if each.open:
        if each.acked_by is not None:
            runs += [" ", *naming(N_("Acknowledged by {person}."), language, {"person": each.acked_by})]
        if each.assigned_to is not None:
            runs += [" ", *naming(N_("Assigned to {person}."), language, {"person": each.assigned_to})]
        if each.snoozed_until is not None:
            runs += [" ", _("Snoozed until {when}.", when=written.moment(each.snoozed_until, zone, locale))]
        elif each.remind_at is not None:
            runs += [" ", _("Next reminder {when}.", when=written.moment(each.remind_at, zone, locale))]
    return runs


def votes_sentence(counted: Votes, language: Language) -> str:
    """What people thought of a rule's alerts so far."""
    return language._("This rule so far: useful {useful}, noise {noise}.", useful=counted.useful, noise=counted.noise)
