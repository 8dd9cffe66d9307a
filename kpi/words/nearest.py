"""What a word that means nothing might have meant: the nearest known words, closest first."""

from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz import fuzz, process

from kpi.catalog import CATALOG
from kpi.words.calendar import LAST, MONTHS, UNITS
from kpi.words.errors import Unknown
from kpi.words.folding import Token, fold, folded_words
from kpi.words.lexicon import COMPARISONS, DIMENSION_WORDS, GRAINS, GROUPING, TREND, VERSUS
from kpi.words.names import DIMENSIONS, NameIndex, spoken
from kpi.words.phrases import skippable

CLOSE = 72.0
"""Similarity from which a word is offered, of 100: one wrong letter in four is 75."""
MOST = 4


def unknown_words(
    tokens: Sequence[Token], places: Sequence[int], names: NameIndex, language: str
) -> tuple[Unknown, ...]:
    """The words that mean nothing, those in a row together, each with what it might have meant."""
    choices = dict(_choices(names, language))
    found: list[Unknown] = []
    for group in _in_a_row(tokens, places):
        words = tokens[group[0] : group[-1] + 1]
        text = " ".join(token.text for token in words if token.kind != "mark")
        nearest = _of_dimension(words, names, language) or _near(" ".join(token.folded for token in words), choices)
        if nearest or len(group) == 1:
            found.append(Unknown(text, nearest))
        else:
            found.extend(Unknown(tokens[at].text, _near(tokens[at].folded, choices)) for at in group)
    return tuple(found)


def _in_a_row(tokens: Sequence[Token], places: Sequence[int]) -> Iterator[list[int]]:
    group: list[int] = []
    for at in places:
        if group and not all(skippable(token) for token in tokens[group[-1] + 1 : at]):
            yield group
            group = []
        group.append(at)
    if group:
        yield group


def _near(folded: str, choices: dict[str, str]) -> tuple[str, ...]:
    """The shown forms of the closest choices; `choices` goes from folded to shown."""
    if len(folded) < 2 or len(folded) > 80:
        return ()
    close = process.extract(folded, choices.keys(), scorer=fuzz.ratio, score_cutoff=CLOSE, limit=3 * MOST)
    return tuple(dict.fromkeys(choices[choice] for choice, _, _ in close))[:MOST]


def _of_dimension(words: Sequence[Token], names: NameIndex, language: str) -> tuple[str, ...]:
    """After a dimension's word, the names of that dimension; for such a word alone, how to group by it."""
    for end, dimension in DIMENSIONS.find(words, 0):
        own = DIMENSION_WORDS[dimension]
        if end == len(words):
            by = "par" if language == "fr" else "by"
            said = next((word for word in own if word == words[0].folded), own[0])
            return (f"{by} {said}",)
        said = words[0].text
        choices = {
            fold(phrase): f"{said} {name.name}"
            for name in names.names
            if name.dimension == dimension
            for phrase, _ in spoken(name)
        }
        return _near(" ".join(token.folded for token in words[end:]), choices)
    return ()


def _choices(names: NameIndex, language: str) -> Iterator[tuple[str, str]]:
    """Everything that could have been said, folded and as shown; the asker's language last, so that it wins."""
    phrases: list[Iterable[str]] = [VERSUS, TREND, GROUPING, *GRAINS.values(), *COMPARISONS.values()]
    phrases += DIMENSION_WORDS.values()
    phrases += [UNITS, LAST, MONTHS]
    for group in phrases:
        for phrase in group:
            if len(phrase) > 2:
                yield phrase, phrase
    for name in names.names:
        for phrase, _ in spoken(name):
            yield " ".join(folded_words(phrase)), name.name
    for kpi in CATALOG:
        for words in (kpi.words, *(reading.words for reading in kpi.readings)):
            for phrase in (*words.en, *words.fr) if language == "fr" else (*words.fr, *words.en):
                yield " ".join(folded_words(phrase)), phrase
