"""The pieces of `/kpi digest`, `alert` and `target` that are not about a KPI: channels, days, hours, thresholds.

Each function cuts what it understands out of the words and gives back the rest, so that nothing is ever ignored: what
nobody understands is left over, and refused with the nearest known words.
"""

import html
import re
from dataclasses import dataclass, replace
from datetime import time
from decimal import Decimal
from zoneinfo import available_timezones

from babel.dates import get_day_names
from rapidfuzz import fuzz, process
from sqlalchemy import Connection

from bot.conversation import Asker, Refusal
from bot.people import Viewer
from kpi.catalog import kpi
from kpi.formulas import Rate
from kpi.query import KpiQuery
from kpi.vocabulary import read_vocabulary
from kpi.words import understand
from kpi.words.folding import fold

_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)(?:\|[^>]*)?>")
_SELF_TIME = re.compile(r"(?<![\w,.])(\d{1,2})\s*(?:[:h]\s*(\d{2})?|(?=\s*[ap]m\b))\s*([ap]m)?(?![\w%])", re.IGNORECASE)
_LINKING = (
    "every",
    "each",
    "on",
    "at",
    "in",
    "to",
    "the",
    "for",
    "le",
    "la",
    "les",
    "a",
    "dans",
    "sur",
    "chaque",
    "tous",
)
"""Small words that may stand around a channel, a day or an hour."""
_NUMBER = r"(?P<number>(?:\d{1,3}(?:[ \u00a0\u202f]\d{3})+|[1-9]\d{0,2}(?:,\d{3})+(?!\d)|\d+)(?:[.,]\d+)?)"
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
"""6,000: nobody sets a threshold to the thousandth."""
_UNIT = r"\s*(?P<unit>%|pourcents?|percent|€|eur|euros?|jours?|days?|j\b)?"
_BELOW = ("<=", "<", "below", "under", "less than", "sous", "en dessous de", "inferieur a", "moins de")
_ABOVE = (">=", ">", "above", "over", "more than", "au-dessus de", "superieur a", "plus de")
_LANGUAGES = {"en": ("english", "anglais"), "fr": ("french", "francais")}
_CLOSE = 75
"""Likeness, out of 100, from which a word is offered."""


def cut_channel(text: str) -> tuple[str | None, str]:
    """The channel that Slack escaped as `<#C123|name>`, and the words without it; typed entities are unescaped."""
    found = _CHANNEL.search(text)
    rest = text if found is None else _around(text, found)
    return (None if found is None else found.group(1)), html.unescape(rest).strip()


def _around(text: str, found: re.Match[str]) -> str:
    """The text without a match and the small word that leads to it ("in <#C1>")."""
    before = text[: found.start()].rstrip()
    words = before.split()
    if words and fold(words[-1]) in _LINKING:
        before = before[: -len(words[-1])]
    return f"{before} {text[found.end() :]}"


def cut_weekday(text: str) -> tuple[int | None, str]:
    """An ISO weekday named in French or English ("lundi", "Mondays"), and the rest."""
    for word in re.finditer(r"[^\W\d_]+", text):
        day = _weekdays().get(fold(word.group()).rstrip("s")) or _weekdays().get(fold(word.group()))
        if day is not None:
            return day, _around(text, word)
    return None, text


def cut_time(text: str) -> tuple[time | None, str]:
    """An hour: `09:00`, `9h`, `9h30`, `9 am`; and the rest."""
    found = _SELF_TIME.search(text)
    if found is None:
        return None, text
    hour, minute = int(found.group(1)), int(found.group(2) or 0)
    half = (found.group(3) or "").lower()
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59:
        return None, text
    return time(hour, minute), _around(text, found)


def cut_language(text: str) -> tuple[str | None, str]:
    """The language to write in: "in English", "en français"; and the rest."""
    for found in re.finditer(r"\b(?:in|en)\s+([^\W\d_]+)", text, re.IGNORECASE):
        for code, words in _LANGUAGES.items():
            if fold(found.group(1)) in words:
                return code, f"{text[: found.start()]} {text[found.end() :]}"
    return None, text


def cut_zone(text: str) -> tuple[str | None, str]:
    """A time zone by its IANA name, `Europe/London`; and the rest."""
    for word in re.finditer(r"[A-Za-z]+(?:/[A-Za-z_+-]+)+", text):
        zone = next((name for name in available_timezones() if name.lower() == word.group().lower()), None)
        if zone is not None:
            return zone, _around(text, word)
    return None, text


@dataclass(frozen=True, slots=True)
class Bound:
    value: Decimal
    direction: str
    """`below` or `above`."""


def cut_bound(text: str) -> tuple[Bound | None, str]:
    """`< 25 %`, `below 25`, `sous 25 %`, `plus de 60 jours`; and the rest."""
    for words, direction in ((_BELOW, "below"), (_ABOVE, "above")):
        found = _cut(text, words)
        if found is not None:
            return Bound(found[0], direction), found[1]
    return None, text


def cut_recovery(text: str) -> tuple[Decimal | None, str]:
    """`recovery 30`, `retour à 30 %`; and the rest."""
    found = _cut(text, ("recovery at", "recovery", "recovers at", "retour a", "retour"))
    return (None, text) if found is None else found


def cut_value(text: str) -> tuple[Decimal | None, str]:
    """The one bare number of a target: `30`, `30 %`, `at 1 200 €`; and the rest."""
    found = _cut(text, ("=", "at", "a", ""))
    return (None, text) if found is None else found


def _cut(text: str, words: tuple[str, ...]) -> tuple[Decimal, str] | None:
    # Folding keeps the length of every text this is used for but ligatures', so places are sought in what was typed.
    plain = "".join(fold(char)[:1] or " " if not char.isspace() else " " for char in text)
    plain = "".join(char if char in "<>=%€" else flat for char, flat in zip(text, plain, strict=True))
    for word in words:
        start = rf"(?<![\w]){re.escape(word)}" if word[:1].isalpha() else re.escape(word)
        found = re.search(rf"{start}\s*[€$£]?\s*(?<![\w.,\-−]){_NUMBER}{_UNIT}(?![\w]|[.,]\d)", plain)
        if found is not None:
            digits = re.sub(r"\s", "", found.group("number"))
            digits = digits.replace(",", "" if _THOUSANDS.fullmatch(digits) else ".")
            return Decimal(digits), f"{text[: found.start()]} {text[found.end() :]}"
    return None


def must_be_possible(asker: Asker, query: KpiQuery, *values: Decimal) -> None:
    """Refuses a target or threshold above 100 % for a share of a whole, which could never be met or missed."""
    formula = kpi(query.metric).reading(query.reading).formula
    if isinstance(formula, Rate) and formula.subset and any(value > 100 for value in values):
        raise Refusal(asker.language._("This rate is a share of a whole: it never passes 100%."))


def nearest(word: str, choices: tuple[str, ...]) -> str | None:
    """The choice that the word was most likely meant to be, or None."""
    found = process.extractOne(fold(word), choices, scorer=fuzz.ratio, score_cutoff=_CLOSE)
    return None if found is None else found[0]


def weekday_names() -> tuple[str, ...]:
    return tuple(_weekdays())


def ask_in_words(connection: Connection, asker: Asker, viewer: Viewer, text: str) -> KpiQuery:
    """The KPI and filters of some words, as the asker may use them, in the reading that is judged.

    Raises a `QuestionError` for what is not understood, `Refusal` for a period or comparison: what is watched has its
    own window.
    """
    _ = asker.language._
    vocabulary = read_vocabulary(connection, viewer.scope, today=viewer.today, asker=viewer.person_id)

    def meaning(words: str) -> KpiQuery:
        return understand(
            words,
            vocabulary,
            today=viewer.today,
            scope=viewer.scope,
            language=asker.language.code,
            fiscal_start_month=viewer.workspace.fiscal_start_month,
        )

    query = meaning(text)
    declared = kpi(query.metric)
    plain = meaning(declared.words.en[0])
    if (query.period, query.grain, query.comparison) != (plain.period, plain.grain, plain.comparison):
        raise Refusal(_("Leave the period out: what is watched is judged over a rolling window of its own."))
    if query.reading == declared.asked and not _says_reading(text, query):
        return replace(query, reading=declared.judged)
    return query


def _says_reading(text: str, query: KpiQuery) -> bool:
    words = kpi(query.metric).reading(query.reading).words
    folded = f" {fold(text)} "
    return any(f" {fold(word)} " in folded for word in (*words.en, *words.fr))


def _weekdays() -> dict[str, int]:
    names: dict[str, int] = {}
    for locale in ("en", "fr"):
        for width in ("wide", "abbreviated"):
            for index, day in get_day_names(width, locale=locale).items():
                names.setdefault(fold(day).rstrip("."), index + 1)
    return names
