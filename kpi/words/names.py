"""Names in a question: "team Lyon", "Salon source", "« Paris »", a bare name, a first name, "me", "sans source"."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kpi.query import Filter
from kpi.vocabulary import Name, Vocabulary
from kpi.words.errors import WhoIsAskingError
from kpi.words.folding import Token, folded_words
from kpi.words.lexicon import ALL_STOPS, DIMENSION_WORDS, ME, MY_TEAM, WITHOUT
from kpi.words.phrases import Phrases, skippable

NONE_NAME = "(none)"
"""The name of a filter on an absent value."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What some words may name; `whole` when they are its whole name."""

    name: Name
    whole: bool

    @property
    def filter(self) -> Filter:
        return Filter(self.name.dimension, self.name.key, self.name.name)


Named = Candidate | Filter | WhoIsAskingError

DIMENSIONS: Phrases[str] = Phrases()
for _dimension, _words in DIMENSION_WORDS.items():
    DIMENSIONS.add_all(_words, _dimension)

_MY_TEAM: Phrases[None] = Phrases()
_MY_TEAM.add_all(MY_TEAM, None)
_WITHOUT: Phrases[None] = Phrases()
_WITHOUT.add_all(WITHOUT, None)


class NameIndex:
    """The names of one vocabulary, found in the words of a question."""

    def __init__(self, vocabulary: Vocabulary, customers: Iterable[Name] = ()) -> None:
        self.vocabulary = vocabulary
        customers = tuple(customers)
        self.names = (*vocabulary.names, *customers)
        self._phrases = (_same_as_before(vocabulary.names), _phrases(customers))

    def find(self, tokens: Sequence[Token], at: int) -> Iterator[tuple[int, Named]]:
        """Every name, with or without its dimension's word, whose words start at `at`; "from" may stand before it."""
        if tokens[at].folded == "from" and at + 1 < len(tokens):
            yield from self.find(tokens, at + 1)
            return
        yield from self._asker(tokens, at)
        yield from self._bare(tokens, at)
        for place, dimension in DIMENSIONS.find(tokens, at):
            start = place
            while start < len(tokens) and skippable(tokens[start]) and tokens[start].kind != "quoted":
                for end, found in self._bare(tokens, start):
                    if found.name.dimension == dimension:
                        yield end, found
                start += 1
            if start < len(tokens):
                for end, found in self._bare(tokens, start):
                    if found.name.dimension == dimension:
                        yield end, found
        for place, found in tuple(self._bare(tokens, at)):
            if place < len(tokens):
                for end, dimension in DIMENSIONS.find(tokens, place):
                    if found.name.dimension == dimension:
                        yield end, found
        for place, _ in _WITHOUT.find(tokens, at):
            if place < len(tokens):
                for end, dimension in DIMENSIONS.find(tokens, place):
                    yield end, Filter(dimension, None, NONE_NAME)

    def _bare(self, tokens: Sequence[Token], at: int) -> Iterator[tuple[int, Candidate]]:
        """A name on its own, or between quotation marks, where only whole names count."""
        yield from self._of_phrases(tokens, at)
        if tokens[at].kind == "quoted" and at + 1 < len(tokens):
            for end, found in self._of_phrases(tokens, at + 1):
                if found.whole and end < len(tokens) and tokens[end].kind == "quoted":
                    yield end + 1, found

    def _of_phrases(self, tokens: Sequence[Token], at: int) -> Iterator[tuple[int, Candidate]]:
        for phrases in self._phrases:
            yield from phrases.find(tokens, at)

    def _asker(self, tokens: Sequence[Token], at: int) -> Iterator[tuple[int, Named]]:
        for end, _ in _MY_TEAM.find(tokens, at):
            yield end, self._or_nobody(self.vocabulary.my_team, tokens, at, end)
        if tokens[at].folded in ME:
            yield at + 1, self._or_nobody(self.vocabulary.me, tokens, at, at + 1)

    @staticmethod
    def _or_nobody(name: Name | None, tokens: Sequence[Token], at: int, end: int) -> Named:
        if name is None:
            return WhoIsAskingError(" ".join(token.text for token in tokens[at:end]))
        return Candidate(name, whole=True)


def _phrases(names: Iterable[Name]) -> Phrases[Candidate]:
    found: Phrases[Candidate] = Phrases()
    for name in names:
        for phrase, whole in spoken(name):
            found.add(phrase, Candidate(name, whole))
    return found


@lru_cache(maxsize=32)
def _same_as_before(names: tuple[Name, ...]) -> Phrases[Candidate]:
    """Of the names of a workspace, which are the same from question to question: hundreds, not thousands as customers.

    To take them apart is most of what it takes to understand a question.
    """
    return _phrases(names)


def spoken(name: Name) -> Iterator[tuple[str, bool]]:
    """The ways to say a name, and whether each is the whole of it: first and last names, "Lyon" for "Équipe Lyon"."""
    yield name.name, True
    if name.email:
        yield name.email, True
    parts = name.name.split()
    if name.dimension == "rep":
        shorter = {" ".join(parts[:count]) for count in range(1, len(parts))}
        shorter |= {" ".join(parts[count:]) for count in range(1, len(parts))}
    elif name.dimension == "customer":
        shorter = {" ".join(parts[:count]) for count in range(1, len(parts))}
    else:
        own = {word for words in DIMENSION_WORDS[name.dimension] for word in folded_words(words)}
        shorter = {" ".join(part for part in parts if not own.issuperset(folded_words(part)))} - {name.name}
    for phrase in sorted(shorter):
        words = folded_words(phrase)
        if any(len(word) > 1 and word not in ALL_STOPS for word in words):
            yield phrase, False
