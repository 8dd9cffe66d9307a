"""The parts of a question: every word is given to exactly one of them, or is reported as not understood.

Of all the ways to cut a question into known parts, the one that leaves the fewest words over is taken, then the one
with the fewest parts, then the most usual one. The same words in another order give the same parts.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kpi.words.folding import Token
from kpi.words.phrases import skippable


class Kind(StrEnum):
    METRIC = "metric"
    READING = "reading"
    GRAIN = "grain"
    GROUP = "group"
    COMPARISON = "comparison"
    PERIOD = "period"
    KNOWN = "known"
    """As the data was known at a moment."""
    NAME = "name"
    POLITE = "polite"


@dataclass(frozen=True, slots=True)
class Part:
    """Some words of the question and what they may mean; `end` is the place after the last."""

    kind: Kind
    value: object
    start: int
    end: int
    doubt: int = 0
    """Of two ways to cut a question that are otherwise as good, the one with less of this is taken."""


Finder = Callable[[Sequence[Token], int], Iterable[Part]]


@dataclass(frozen=True, slots=True)
class Cover:
    """The question cut into parts."""

    parts: tuple[tuple[Part, ...], ...]
    """For each stretch of words in turn, everything that it may mean."""
    unknown: tuple[int, ...]
    """The places of the words that mean nothing."""


def cover(tokens: Sequence[Token], find: Finder) -> Cover:
    """The best way to give each word a meaning."""
    found = [tuple(find(tokens, at)) for at in range(len(tokens))]
    # best[at] = (words left over, parts, doubt) from `at` to the end; step[at] = where the first part ends.
    best: list[tuple[int, int, int]] = [(0, 0, 0)] * (len(tokens) + 1)
    step: list[int] = [0] * len(tokens)
    for at in range(len(tokens) - 1, -1, -1):
        over, count, doubt = best[at + 1]
        best[at], step[at] = (over if skippable(tokens[at]) else over + 1, count, doubt), at
        for part in found[at]:
            over, count, doubt = best[part.end]
            cost = (over, count + (part.kind is not Kind.POLITE), doubt + part.doubt)
            if cost < best[at] or (cost == best[at] and part.end > step[at]):
                best[at], step[at] = cost, part.end
    parts: list[tuple[Part, ...]] = []
    unknown: list[int] = []
    at = 0
    while at < len(tokens):
        if step[at] == at:
            if not skippable(tokens[at]):
                unknown.append(at)
            at += 1
            continue
        parts.append(tuple(part for part in found[at] if part.end == step[at]))
        at = step[at]
    return Cover(tuple(parts), tuple(unknown))
