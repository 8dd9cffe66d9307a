"""What a word that means nothing might have meant: the nearest known words, closest first."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from rapidfuzz import process
from rapidfuzz.distance import OSA, Indel

from kpi.catalog import CATALOG
from kpi.words.calendar import MONTH_NAMES, UNITS
from kpi.words.errors import Unknown
from kpi.words.folding import Token, folded_words
from kpi.words.lexicon import COMPARISONS, DIMENSION_WORDS, GRAINS, TREND, VERSUS
from kpi.words.names import DIMENSIONS, NameIndex, spoken
from kpi.words.phrases import skippable

CLOSE = 0.66
"""Similarity from which a word is offered, of 1: two wrong letters in six are 0.67."""
MOST = 4
LONGEST = 80
IN_A_ROW = 6
"""Most words that are looked up together."""
LOOKED_UP = 12
"""Most stretches that are looked up; the words after them are only named."""


def unknown_words(
    tokens: Sequence[Token], places: Sequence[int], names: NameIndex, language: str
) -> tuple[Unknown, ...]:
    """The words that mean nothing, each or some in a row with what they might have meant."""
    choices = dict(_choices(names, language))
    found: list[Unknown] = []
    for group in _in_a_row(tokens, places):
        while group:
            known = choices if len(found) < LOOKED_UP else {}
            unknown, count = _first(tokens, group[:IN_A_ROW], known, names, language)
            found.append(unknown)
            group = group[count:]
    return tuple(found)


def _first(
    tokens: Sequence[Token], group: Sequence[int], choices: dict[str, str], names: NameIndex, language: str
) -> tuple[Unknown, int]:
    """The first of the words in a row, with as many of its followers as make it most like something known."""
    best: tuple[float, int, tuple[str, ...]] = (0.0, 1, ())
    for count in range(1, len(group) + 1):
        words = tokens[group[0] : group[count - 1] + 1]
        score, nearest = _of_dimension(words, names, language) or _near(_folded(words), choices)
        if nearest and score >= best[0]:
            best = (score, count, nearest)
    _, count, nearest = best
    words = tokens[group[0] : group[count - 1] + 1]
    return Unknown(" ".join(token.text for token in words if token.kind != "mark"), nearest), count


def _folded(words: Sequence[Token]) -> str:
    return " ".join(token.folded for token in words if token.kind != "mark")


def _in_a_row(tokens: Sequence[Token], places: Sequence[int]) -> Iterator[list[int]]:
    group: list[int] = []
    for at in places:
        if group and not all(skippable(token) for token in tokens[group[-1] + 1 : at]):
            yield group
            group = []
        group.append(at)
    if group:
        yield group


def _near(folded: str, choices: dict[str, str]) -> tuple[float, tuple[str, ...]]:
    """How close the closest choice is, and the shown forms of the closest; `choices` goes from folded to shown."""
    if len(folded) < 2 or len(folded) > LONGEST:
        return 0.0, ()
    scores: dict[str, float] = {}
    for scorer in (Indel.normalized_similarity, OSA.normalized_similarity):
        for choice, score, _ in process.extract(folded, list(choices), scorer=scorer, score_cutoff=CLOSE, limit=20):
            scores[choice] = max(score, scores.get(choice, 0.0))
    close = sorted(scores, key=lambda choice: (-scores[choice], choice))
    best = scores[close[0]] if close else 0.0
    # What is far less like it than the best is noise.
    shown = list(dict.fromkeys(choices[choice] for choice in close if scores[choice] > best - 0.15))
    return best, tuple(word for word in shown if word.removesuffix("s") not in shown or word[-1] != "s")[:MOST]


def _of_dimension(words: Sequence[Token], names: NameIndex, language: str) -> tuple[float, tuple[str, ...]] | None:
    """After a dimension's word, the names of that dimension; for such a word alone, how to group by it."""
    for end, dimension in DIMENSIONS.find(words, 0):
        said = words[0].text
        if end == len(words):
            return CLOSE, (f"{'par' if language == 'fr' else 'by'} {said}",)
        choices = {
            " ".join(folded_words(phrase)): f"{said} {name.name}" if whole else name.name
            for name in names.names
            if name.dimension == dimension
            for phrase, whole in spoken(name)
        }
        score, nearest = _near(_folded(words[end:]), choices)
        return (1.0, nearest) if score else None
    return None


def _choices(names: NameIndex, language: str) -> Iterator[tuple[str, str]]:
    """Everything that could have been said, folded and as shown; the asker's language last, so that it wins."""
    phrases: list[Iterable[str]] = [VERSUS, TREND, *GRAINS.values(), *COMPARISONS.values(), PERIODS, MONTH_NAMES]
    for by in ("by", "par"):
        phrases.append([f"{by} {word}" for words in DIMENSION_WORDS.values() for word in words])
        phrases.append([f"{by} {unit}" for unit in UNITS])
    phrases += DIMENSION_WORDS.values()
    for phrase in chain.from_iterable(phrases):
        yield " ".join(folded_words(phrase)), phrase
    for name in names.names:
        for phrase, _ in spoken(name):
            yield " ".join(folded_words(phrase)), name.name
    for kpi in CATALOG:
        for words in (kpi.words, *(reading.words for reading in kpi.readings)):
            for phrase in (*words.en, *words.fr) if language == "fr" else (*words.fr, *words.en):
                yield " ".join(folded_words(phrase)), phrase


PERIODS = (
    "this week", "this month", "this quarter", "this year", "last week", "last month", "last quarter", "last year",
    "today", "yesterday", "since", "last 12 months", "last 30 days", "year to date", "month to date",
    "cette semaine", "ce mois", "ce trimestre", "cette année", "semaine dernière", "mois dernier", "trimestre dernier",
    "année dernière", "aujourd'hui", "hier", "depuis", "12 derniers mois", "30 derniers jours",
)  # fmt: skip
"""Periods worth suggesting."""
