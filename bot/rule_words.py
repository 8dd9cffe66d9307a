"""What a rule's words say besides the KPI and its threshold: window, days in a row, sample, quiet hours, holidays,
reminders, delay, and whether a number is held against its own past. In French and English.

As in `bot.phrases`, what is understood is cut out, and the rest is given back.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from typing import Any

from babel.core import get_global

from bot.conversation import Asker, Refusal
from bot.phrases import Bound, cut_bound, cut_recovery, cut_time
from kpi.words.folding import fold

MOST_WINDOW, MOST_HOLD, MOST_SAMPLE, MOST_REMIND, MOST_DELAY = 366, 31, 100_000, 24 * 31, 24 * 60

_DAYS = r"(?:days?|jours?|j)\b"
_WEEKS = r"(?:weeks?|semaines?)\b"
_LENGTH = rf"(?P<count>\d{{1,4}})\s*-?\s*(?:(?P<days>{_DAYS})|(?P<weeks>{_WEEKS}))"
_ROLLING = r"(?:\s*(?:glissants|glissantes|rolling))?"
_WINDOW = (
    rf"\b(?:sur|over|in|dans)\s+(?:an?\s+|une?\s+)?(?:window|fenetre)\s+(?:of|de)\s+{_LENGTH}{_ROLLING}",
    rf"\b(?:window|fenetre)\s*(?:of|de|:)?\s*{_LENGTH}{_ROLLING}",
    rf"\b(?:over|on)\s+(?:the\s+)?(?:last|past)\s+{_LENGTH}",
    rf"\b(?:over\s+)?rolling\s+{_LENGTH}",
    rf"\bsur\s+(?:les\s+)?(?P<count>\d{{1,4}})\s+dernier(?:e?s)\s+(?:(?P<days>{_DAYS})|(?P<weeks>{_WEEKS}))",
    rf"\bsur\s+(?:les\s+)?{_LENGTH}{_ROLLING}",
    rf"\bover\s+{_LENGTH}{_ROLLING}",
)
"""`over 28 days`; the last one is also how a threshold of days is said ("sales cycle over 60 days")."""
_HOLD = (
    rf"\b(?:for|pendant)?\s*(?P<count>\d{{1,3}})\s*{_DAYS}\s+(?:in\s+a\s+row|running|de\s+suite|d\W?affilee)",
    r"\b(?:for|pendant)?\s*(?P<count>\d{1,3})\s+(?:consecutive\s+days?|jours?\s+consecutifs?)",
    rf"\b(?:for|pendant|durant)\s+(?P<count>\d{{1,3}})\s*{_DAYS}",
)
_SAMPLE = (
    r"\b(?:min(?:imum)?\s+)?(?:sample|echantillon)\s*(?:minimum|minimal|min)?\s*(?:of|de|d\W?au\s+moins|:|>=)?\s*(?P<count>\d{1,6})",
    r"\b(?:on\s+|sur\s+)?(?:at\s+least|au\s+moins)\s+(?P<count>\d{1,6})\s+(?:[^\W\d_]+)",
    r"\bn\s*>=\s*(?P<count>\d{1,6})",
)
_CLOCK = r"\d{1,2}(?:\s*[:h]\s*(?:\d{2})?|\s*[ap]m)"
_QUIET = (
    rf"\b(?:quiet|silence|silencieux|silencieuse|calme|muet|muette)\s*(?:hours|time)?\s*(?:from|between|de|entre|:)?\s*"
    rf"(?P<from>{_CLOCK})\s*(?:-|–|—|to|until|and|a|et|jusqu\W?a)\s*(?P<to>{_CLOCK})",
)
_HOLIDAYS = (
    r"\b(?:no|not\s+on|without|except|outside)\s+(?:public\s+|bank\s+)?holidays?(?:\s+(?:of|in|for)?\s*(?P<country>[A-Z]{2})\b)?",
    r"\b(?:sans|hors|sauf)\s+(?:les\s+)?jours?\s+feries?(?:\s+(?:de|en|pour)?\s*(?P<country>[A-Z]{2})\b)?",
    r"\b(?:working|business|week)\s*days\s+only(?:\s+(?:of|in|for)?\s*(?P<country>[A-Z]{2})\b)?",
    r"\bjours?\s+ouvr(?:e|able)s?(?:\s+(?:seulement|uniquement))?(?:\s+(?:de|en|pour)?\s*(?P<country>[A-Z]{2})\b)?",
)
_REMIND = (
    r"\b(?:remind(?:er)?s?(?:\s+me)?|rappel(?:er|s)?)\s*:?\s*(?:every|each|toutes?\s+les|tous\s+les|chaque)?\s*"
    rf"(?P<count>\d{{1,4}})?\s*(?:(?P<hours>(?:hours?|heures?|h)\b)|(?P<days>{_DAYS}))",
)
_NO_REMIND = (r"\b(?:no|without|sans|aucun)\s+(?:reminders?|rappels?)\b",)
_DELAY = (
    r"\b(?:evaluation\s+delay|delay|evaluated|delai(?:\s+d\W?evaluation)?|evaluee?)\s*(?:of|de|:)?\s*(?P<count>\d{1,4})\s*"
    r"(?:(?P<hours>(?:hours?|heures?|h)\b)|(?P<minutes>(?:minutes?|min|mn)\b))(?:\s+(?:after\s+midnight|apres\s+minuit))?",
)
_FALL = r"(?:falls?|drops?|is\s+down|down|decreases?|baisse|chute|recule|diminue|en\s+baisse)"
_RISE = r"(?:rises?|is\s+up|up|increases?|climbs?|grows?|hausse|monte|augmente|progresse|en\s+hausse)"
_PAST = (
    rf"\b(?:(?P<fall>{_FALL})|(?P<rise>{_RISE}))\s+(?:by\s+|de\s+)?(?:more\s+than\s+|over\s+|plus\s+de\s+|>\s*)?"
    r"(?P<share>\d{1,3}(?:[.,]\d{1,2})?)\s*(?:%|percent|pour\s*cent|pourcents?)\s*"
    r"(?:against|compared\s+(?:to|with)|versus|vs\.?|below|above|from|on|than|par\s+rapport\s+(?:a|aux)|contre|face\s+a(?:ux)?)\s+"
    r"(?:(?:the\s+|la\s+)?(?:mean|average|moyenne)\s+(?:of|de|des)\s+)?(?:its|their|the|ses|leurs|les)?\s*"
    rf"(?:(?:own|last|past|previous)\s+)*(?P<count>\d{{1,2}})\s+(?:dernier(?:e)?s\s+|precedent(?:e)?s\s+|last\s+)?"
    rf"(?:(?P<weeks>{_WEEKS})|(?P<windows>(?:windows?|periods?|fenetres?|periodes?)\b))(?:\s+(?:precedent(?:e)?s|dernier(?:e)?s))?",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a rule's words said. What they did not say is None, or left out of `options`."""

    bound: Bound | None
    recovery: Decimal | None
    options: Mapping[str, Any] = field(default_factory=dict)
    """Fields of a rule."""


def cut_rule(text: str, asker: Asker, zone: str) -> tuple[Wanted, str]:
    """Everything but the KPI, the filters and the channel; `zone` says in which country holidays are, where the words
    do not. Raises `Refusal` for what cannot be."""
    options: dict[str, Any] = {}
    text = _flatten_spaces(text)
    text = _cut_quiet(text, asker, options)
    text = _cut_holidays(text, asker, zone, options)
    text = _cut_reminders(text, asker, options)
    text = _cut_delay(text, asker, options)
    text = _cut_count(text, asker, _HOLD, "hold", MOST_HOLD, options)
    text = _cut_count(text, asker, _SAMPLE, "min_sample", MOST_SAMPLE, options)
    past, text = _cut_past(text)
    if past is not None:
        window, text = _cut_window(text, _WINDOW)
        recovery, text = cut_recovery(text)
        _against(asker, past, window, options)
        return Wanted(Bound(past.share, past.direction), recovery, options), text
    recovery, text = cut_recovery(text)
    window, text = _cut_window(text, _WINDOW[:-1])
    bound, rest = cut_bound(text)
    if window is None:
        # "over 28 days" is a window where another threshold is said, and is itself the threshold where none is.
        other, without = _cut_window(text, _WINDOW[-1:], last=True)
        if other is not None and (cut := cut_bound(without))[0] is not None:
            window, (bound, rest) = other, cut
    if window is not None:
        options["window_days"] = _within(asker, window, MOST_WINDOW)
    return Wanted(bound, recovery, options), rest


@dataclass(frozen=True, slots=True)
class _Past:
    share: Decimal
    direction: str
    count: int
    weeks: bool


def _cut_past(text: str) -> tuple[_Past | None, str]:
    found, rest = _cut(text, _PAST)
    if found is None:
        return None, text
    direction = "below" if found.group("fall") else "above"
    share = Decimal(found.group("share").replace(",", "."))
    return _Past(share, direction, int(found.group("count")), bool(found.group("weeks"))), rest


def _against(asker: Asker, past: _Past, window: int | None, options: dict[str, Any]) -> None:
    """Its last 8 weeks are eight windows of a week, or two of 28 days."""
    _ = asker.language._
    if past.direction == "below" and past.share >= 100:
        raise Refusal(_("Nothing falls by 100% or more: say less."))
    count = past.count
    if window is not None:
        options["window_days"] = _within(asker, window, MOST_WINDOW)
    if past.weeks:
        length = options.setdefault("window_days", 7)
        if past.count * 7 % length:
            raise Refusal(
                _("{weeks} weeks are no whole number of windows of {days} days.", weeks=past.count, days=length)
            )
        count = past.count * 7 // length
    options["against"] = _within(asker, count, 52)


def _cut_window(text: str, patterns: tuple[str, ...], *, last: bool = False) -> tuple[int | None, str]:
    """A window in days."""
    found, rest = _cut(text, patterns, last=last)
    if found is None:
        return None, text
    return int(found.group("count")) * (7 if found.group("weeks") else 1), rest


def _cut_count(
    text: str, asker: Asker, patterns: tuple[str, ...], name: str, most: int, options: dict[str, Any]
) -> str:
    found, rest = _cut(text, patterns)
    if found is not None:
        options[name] = _within(asker, int(found.group("count")), most)
    return rest


def _cut_quiet(text: str, asker: Asker, options: dict[str, Any]) -> str:
    found, rest = _cut(text, _QUIET)
    if found is None:
        return text
    begin, end = _clock(found.group("from")), _clock(found.group("to"))
    if begin is None or end is None or begin == end:
        raise Refusal(asker.language._("Say the quiet hours like this: quiet 19:00-08:00"))
    options |= {"quiet_from": begin, "quiet_to": end}
    return rest


def _clock(typed: str) -> time | None:
    return cut_time(re.sub(r"\s", "", typed))[0]


def _cut_holidays(text: str, asker: Asker, zone: str, options: dict[str, Any]) -> str:
    """The country in capital letters, else that of the time zone."""
    found, rest = _cut(text, _HOLIDAYS)
    if found is None:
        return text
    first, end = found.span("country")
    country: str | None = text[first:end] if found.group("country") else None
    if country is None or not country.isupper():
        if country is not None:
            rest = f"{text[: found.start()]} {text[first:]}"  # a word of two letters that is no country
        country = get_global("zone_territories").get(zone)
    from holidays import list_supported_countries  # takes its time, and few rules ask for it

    if country is None or country not in list_supported_countries():
        raise Refusal(asker.language._("Of which country? For example: no holidays FR"))
    options["holidays"] = country
    return rest


def _cut_reminders(text: str, asker: Asker, options: dict[str, Any]) -> str:
    found, rest = _cut(text, _NO_REMIND)
    if found is not None:
        options["remind_hours"] = None
        return rest
    found, rest = _cut(text, _REMIND)
    if found is None:
        return text
    hours = int(found.group("count") or 1) * (24 if found.group("days") else 1)
    options["remind_hours"] = _within(asker, hours, MOST_REMIND)
    return rest


def _cut_delay(text: str, asker: Asker, options: dict[str, Any]) -> str:
    found, rest = _cut(text, _DELAY)
    if found is None:
        return text
    minutes = int(found.group("count")) * (60 if found.group("hours") else 1)
    if minutes > MOST_DELAY:
        raise Refusal(asker.language._("The delay is at most one day."))
    options["delay_minutes"] = minutes
    return rest


def _within(asker: Asker, count: int, most: int) -> int:
    if not 1 <= count <= most:
        raise Refusal(asker.language._("{count} is too small or too large: from 1 to {most}.", count=count, most=most))
    return count


def _cut(text: str, patterns: tuple[str, ...], *, last: bool = False) -> tuple[re.Match[str] | None, str]:
    """Where the first of the patterns that occurs does so (for the first or last time), sought without accents and
    case; and the text without it."""
    plain = "".join(char if char in "%<>=:" else (fold(char)[:1] or " ") for char in text)
    for pattern in patterns:
        found = list(re.finditer(pattern, plain, re.IGNORECASE))
        if found:
            there = found[-1 if last else 0]
            return there, f"{text[: there.start()]} {text[there.end() :]}"
    return None, text


def _flatten_spaces(text: str) -> str:
    return " ".join(text.split())
