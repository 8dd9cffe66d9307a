"""Rules in sentences: what is watched, and where it stands."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from bot.i18n import Language
from bot.views.question import BY, filter_words, metric_name, reading_name
from kpi import format as written
from kpi.catalog import kpi
from kpi.formulas import Median
from kpi.query import Filter, Unit
from kpi.watch import UNCOUNTED
from storage.rules import Episode, Rule
from storage.votes import Votes


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


def votes_sentence(counted: Votes, language: Language) -> str:
    """What people thought of a rule's alerts so far."""
    return language._("This rule so far: useful {useful}, noise {noise}.", useful=counted.useful, noise=counted.noise)
