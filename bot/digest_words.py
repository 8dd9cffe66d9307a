"""What the words of a digest say: to whom, how often, when, which KPIs in which order, about what; in both languages.

As in `bot.phrases`, what is understood is cut out, and whatever is left over must name KPIs, or one team, segment,
source or region.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

from sqlalchemy import Connection

from bot.conversation import Asker, Refusal
from bot.people import Viewer
from bot.phrases import (
    ask_in_words,
    cut_channel,
    cut_language,
    cut_time,
    cut_weekday,
    cut_zone,
    nearest,
    weekday_names,
)
from kpi.catalog import CATALOG
from kpi.digest import Choice
from kpi.engine import answer
from kpi.query import Filter, KpiQuery
from kpi.words.errors import NoMetricError
from kpi.words.folding import fold
from storage.dates import DAILY, LAST_MONTH_DAY, MONTHLY, WEEKLY, Rhythm
from storage.schedules import CHANNEL, MANAGERS, PERSON

MONDAY = 1

_MANAGERS = (
    r"\b(?:to\s+|for\s+)?(?:each|every)\s+(?:team\s+)?manager(?:\s*,?\s*their\s+own\s+team)?",
    r"\b(?:to|for)\s+(?:the\s+|all\s+|all\s+the\s+)?managers\b",
    r"\b(?:a|pour)?\s*chaque\s+(?:responsable|manager)(?:\s*,?\s*(?:pour\s+)?son\s+equipe)?",
    r"\b(?:aux|pour\s+les)\s+(?:responsables|managers)\b",
)
_PERSON = (
    r"\b(?:by|as\s+a|in\s+a|via)?\s*(?:direct\s+messages?|dm)\b",
    r"\b(?:to|for)\s+me\b",
    r"\b(?:en|par)?\s*messages?\s+(?:prives?|directs?)\b",
    r"\b(?:a|pour)\s+moi\b",
)
_CHANGED = (
    r"\b(?:only\s+)?(?:if|when)\s+(?:something|anything|a\s+figure|it)?\s*(?:has\s+)?change[sd]?\b",
    r"\bskip(?:\s+(?:if|when))?\s+(?:unchanged|nothing\s+(?:has\s+)?changed)\b",
    r"\b(?:seulement\s+)?si\s+(?:ca|un\s+chiffre|quelque\s+chose)\s+(?:a\s+)?change\b",
    r"\bsauf\s+si\s+rien\s+(?:ne|n.a)\s*change\b",
)
_DAY = r"(?P<day>\d{1,2})(?:(?:st|nd|rd|th|er|e)\b|\b(?!\s*[:h])(?!\s*[ap]m\b))"
_MONTHLY = (
    rf"\b(?:monthly|mensuel(?:le)?(?:ment)?)\s*,?\s*(?:on\s+)?(?:the\s+|le\s+|day\s+)?{_DAY}",
    rf"\ble\s+{_DAY}\s+(?:de\s+chaque|du|tous\s+les|chaque)\s+mois\b",
    rf"\b(?:on\s+)?(?:the\s+)?(?:day\s+)?{_DAY}\s+(?:of|de|du)\s+(?:every\s+|each\s+|the\s+|chaque\s+)?(?:month|mois)\b",
    rf"\b(?:every|each)\s+month\s+(?:on\s+)?(?:the\s+|day\s+)?{_DAY}",
    rf"\b(?:tous\s+les|chaque)\s+mois\s+(?:le\s+)?{_DAY}",
    r"\b(?:monthly|mensuel(?:le)?(?:ment)?|(?:every|each)\s+month|(?:tous\s+les|chaque)\s+mois)\b",
)
_DAILY = (r"\b(?:daily|every\s+day|each\s+day|quotidien(?:ne)?(?:ment)?|tous\s+les\s+jours|chaque\s+jour)\b",)
_WEEKLY = (
    r"\b(?:weekly|every\s+week|each\s+week|hebdomadaire(?:ment)?|hebdo|toutes\s+les\s+semaines|chaque\s+semaine)\b",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the words said; None where they said nothing."""

    channel_id: str | None
    audience: str
    rhythm: Rhythm | None
    at: time | None
    time_zone: str | None
    language: str | None
    skip_unchanged: bool
    rest: str
    """KPIs and what it is narrowed to, as they were typed."""


@dataclass(frozen=True, slots=True)
class About:
    """What a digest tells, and of what."""

    choices: tuple[Choice, ...]
    """Empty: the KPIs of every digest."""
    filters: tuple[Filter, ...]


def read_words(text: str, asker: Asker) -> Wanted:
    """Raises `Refusal` for a day that not every month has."""
    channel_id, rest = cut_channel(text)
    zone, rest = cut_zone(rest)
    language, rest = cut_language(rest)
    managers, rest = _cut(rest, _MANAGERS)
    person, rest = _cut(rest, _PERSON)
    changed, rest = _cut(rest, _CHANGED)
    rhythm, rest = _cut_rhythm(rest, asker)
    at, rest = cut_time(rest)
    return Wanted(
        channel_id=channel_id,
        audience=MANAGERS if managers else PERSON if person else CHANNEL,
        rhythm=rhythm,
        at=at,
        time_zone=zone,
        language=language,
        skip_unchanged=changed is not None,
        rest=rest.strip(" ,;"),
    )


def _cut_rhythm(text: str, asker: Asker) -> tuple[Rhythm | None, str]:
    monthly, rest = _cut(text, _MONTHLY)
    if monthly is not None:
        day = int(monthly.groupdict().get("day") or 1)
        if not 1 <= day <= LAST_MONTH_DAY:
            raise Refusal(asker.language._("Choose a day of the month from 1 to 28: not every month has the others."))
        return Rhythm(MONTHLY, MONDAY, day), rest
    daily, rest = _cut(text, _DAILY)
    if daily is not None:
        return Rhythm(DAILY), rest
    weekly, rest = _cut(text, _WEEKLY)
    weekday, rest = cut_weekday(rest)
    if weekly is None and weekday is None:
        return None, text
    return Rhythm(WEEKLY, weekday or MONDAY), rest


def _cut(text: str, patterns: Sequence[str]) -> tuple[re.Match[str] | None, str]:
    # Folding keeps the length of every text this is used for but ligatures', so places are those of what was typed.
    plain = "".join(fold(char)[:1] or " " if not char.isspace() else " " for char in text)
    plain = "".join(char if char in ",:'’" else flat for char, flat in zip(text, plain, strict=True))
    for pattern in patterns:
        found = re.search(pattern, plain)
        if found is not None:
            return found, f"{text[: found.start()]} {text[found.end() :]}"
    return None, text


def read_about(connection: Connection, asker: Asker, viewer: Viewer, text: str) -> About:
    """The KPIs that the words name, in their order, and the one team (segment, region…).

    Raises `Refusal`, a `QuestionError` or a `RefusedError` for what is not understood or may not be seen.
    """
    _ = asker.language._
    words = text.split()
    if len(words) == 1 and (day := nearest(words[0], weekday_names())) is not None and not _known(words[0]):
        raise Refusal(_("I do not know “{word}”. Did you mean “{day}”?", word=words[0], day=day))
    choices: list[Choice] = []
    filters: list[Filter] = []
    for piece in _pieces(text):
        named, query = _read(connection, asker, viewer, piece)
        if query.group_by is not None:
            raise Refusal(_("A digest is about everything, or about one team, segment, source or region."))
        if named:
            choices.append((query.metric, query.reading))
        filters += [each for each in query.filters if each not in filters]
    if len(filters) > 1:
        raise Refusal(_("A digest is about everything, or about one team, segment, source or region."))
    return About(tuple(dict.fromkeys(choices)), tuple(filters))


def _known(word: str) -> bool:
    """A word of some KPI is no misspelt day."""
    return any(fold(word) in {fold(each) for each in (*one.words.en, *one.words.fr)} for one in CATALOG)


def _pieces(text: str) -> list[str]:
    """What commas separate; « et » and "and" only between two KPIs, as names may hold them."""
    pieces: list[str] = []
    for piece in re.split(r"[,;]", text):
        parts = re.split(r"\s+(?:et|and|puis|then)\s+", f" {piece.strip()} ")
        pieces += [part.strip() for part in parts] if all(_known(part.strip()) for part in parts) else [piece.strip()]
    return [re.sub(r"^(?:et|and)\s+", "", piece) for piece in pieces if piece]


def _read(connection: Connection, asker: Asker, viewer: Viewer, piece: str) -> tuple[bool, KpiQuery]:
    """Whether the words name a KPI, and the question that they are; without one, they narrow any."""
    named = True
    try:
        query = ask_in_words(connection, asker, viewer, piece)
    except NoMetricError:
        # The names are those of any question: a KPI that has every dimension stands in for all.
        named, query = False, ask_in_words(connection, asker, viewer, f"win rate {piece}")
    answer(connection, query)  # refuses now what the asker may not see
    return named, query
