"""Known phrases, found in a question wherever they start; small words and punctuation may stand inside them."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from kpi.words.folding import Token, folded_words
from kpi.words.lexicon import ALL_STOPS

T = TypeVar("T", bound=Hashable)


class Phrases(Generic[T]):
    """Phrases with what each means. `plural` makes "leads" and "lead" the same word."""

    def __init__(self, *, plural: bool = False) -> None:
        self._plural = plural
        self._by_first: dict[str, dict[tuple[tuple[str, ...], T], None]] = defaultdict(dict)

    def add(self, phrase: str, value: T, *, whole: bool = False) -> None:
        """The phrase with and without its small words, unless `whole`; one of small words only is kept whole."""
        words = tuple(self._same(word) for word in folded_words(phrase))
        plain = tuple(word for word in words if word not in ALL_STOPS)
        for variant in {words, words if whole else plain or words}:
            if variant:
                self._by_first[variant[0]][variant, value] = None

    def add_all(self, phrases: Iterable[str], value: T, *, whole: bool = False) -> None:
        for phrase in phrases:
            self.add(phrase, value, whole=whole)

    def find(self, tokens: Sequence[Token], at: int) -> Iterator[tuple[int, T]]:
        """Every phrase that starts at `at`: the place after its last word, and what it means."""
        for words, value in self._by_first.get(self._same(tokens[at].folded), ()):
            end = self._end(tokens, at, words)
            if end is not None:
                yield end, value

    def _end(self, tokens: Sequence[Token], at: int, words: tuple[str, ...]) -> int | None:
        place = at
        for position, word in enumerate(words):
            while place < len(tokens) and self._same(tokens[place].folded) != word:
                if position == 0 or not skippable(tokens[place]):
                    return None
                place += 1
            if place >= len(tokens):
                return None
            place += 1
        return place

    def _same(self, word: str) -> str:
        return word[:-1] if self._plural and len(word) > 4 and word.endswith("s") else word


def skippable(token: Token) -> bool:
    """A small word or punctuation: it may be left out without changing the meaning."""
    return token.kind in {"mark", "quoted"} or (token.kind == "word" and token.folded in ALL_STOPS)
