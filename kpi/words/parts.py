"""Everything that words of a question may mean: KPIs, readings, grains, groupings, comparisons, periods, names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from kpi.catalog import CATALOG
from kpi.query import Comparison
from kpi.words.calendar import UNITS
from kpi.words.cover import Kind, Part
from kpi.words.errors import BadPeriodError, NoSuchComparisonError
from kpi.words.folding import Token
from kpi.words.known import known
from kpi.words.lexicon import COMPARED, COMPARISONS, GRAINS, GROUPING, POLITE, TREND, VERSUS
from kpi.words.names import DIMENSIONS, NameIndex
from kpi.words.periods import Said, periods
from kpi.words.phrases import Phrases, skippable
from kpi.words.points import Almanac

AUTOMATIC = "automatic"
"""The grain of "trend": the one that suits the period."""


@dataclass(frozen=True, slots=True)
class Against:
    """Compared with a period that was named: it must be one of the two that a value can be compared with."""

    period: Said


@dataclass(frozen=True, slots=True)
class ReadingOf:
    metric: str
    reading: str


def _fixed() -> Phrases[tuple[Kind, object]]:
    phrases: Phrases[tuple[Kind, object]] = Phrases(plural=True)
    for kpi in CATALOG:
        phrases.add_all((*kpi.words.en, *kpi.words.fr), (Kind.METRIC, kpi.metric))
        for reading in kpi.readings:
            words = (*reading.words.en, *reading.words.fr)
            phrases.add_all(words, (Kind.READING, ReadingOf(kpi.metric, reading.key)))
    for grain, words in GRAINS.items():
        phrases.add_all(words, (Kind.GRAIN, grain))
    phrases.add_all(TREND, (Kind.GRAIN, AUTOMATIC))
    for comparison, words in COMPARISONS.items():
        phrases.add_all(words, (Kind.COMPARISON, comparison))
    # "Show me" without its small word would be "me", which is somebody.
    phrases.add_all(POLITE, (Kind.POLITE, None), whole=True)
    return phrases


FIXED = _fixed()
_GROUPING: Phrases[None] = Phrases()
_GROUPING.add_all(GROUPING, None)
_VERSUS: Phrases[None] = Phrases()
_VERSUS.add_all(VERSUS, None)
_COMPARED: Phrases[Comparison] = Phrases()
for _comparison, _words in COMPARED.items():
    _COMPARED.add_all(_words, _comparison)


class PartFinder:
    """Finds every part that starts at one place of a question."""

    def __init__(self, names: NameIndex, almanac: Almanac, zone: tzinfo | None = None) -> None:
        """Without a `zone`, no moment is understood."""
        self._names = names
        self._almanac = almanac
        self._zone = zone

    def __call__(self, tokens: Sequence[Token], at: int) -> Iterator[Part]:
        for end, (kind, value) in FIXED.find(tokens, at):
            yield Part(kind, value, at, end)
        yield from _groups(tokens, at)
        yield from self._comparisons(tokens, at)
        for end, period in periods(tokens, at, self._almanac):
            yield Part(Kind.PERIOD, period, at, end, doubt=2 if isinstance(period, BadPeriodError) else 0)
        if self._zone is not None:
            for end, moment in known(tokens, at, self._almanac, self._zone):
                yield Part(Kind.KNOWN, moment, at, end, doubt=2 if isinstance(moment, BadPeriodError) else 0)
        for end, name in self._names.find(tokens, at):
            yield Part(Kind.NAME, name, at, end)

    def _comparisons(self, tokens: Sequence[Token], at: int) -> Iterator[Part]:
        for place, _ in _VERSUS.find(tokens, at):
            text = " ".join(token.text for token in tokens[at : place + 1])
            yield Part(Kind.COMPARISON, NoSuchComparisonError(text), at, place, doubt=2)
            start = _content(tokens, place)
            for begin in range(place, min(start + 1, len(tokens))):
                for end, comparison in _COMPARED.find(tokens, begin):
                    yield Part(Kind.COMPARISON, comparison, at, end)
                for end, period in periods(tokens, begin, self._almanac):
                    yield Part(Kind.COMPARISON, Against(period), at, end, doubt=1)


def _groups(tokens: Sequence[Token], at: int) -> Iterator[Part]:
    for place, _ in _GROUPING.find(tokens, at):
        start = _content(tokens, place)
        if start >= len(tokens):
            continue
        for end, dimension in DIMENSIONS.find(tokens, start):
            yield Part(Kind.GROUP, dimension, at, end)
        if grain := UNITS.get(tokens[start].folded):
            yield Part(Kind.GRAIN, grain, at, start + 1)


def _content(tokens: Sequence[Token], at: int) -> int:
    """The first place from `at` on that holds more than a small word."""
    while at < len(tokens) and skippable(tokens[at]):
        at += 1
    return at
