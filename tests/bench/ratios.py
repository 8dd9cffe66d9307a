"""What a bench declares and what it finds: ratios, each said once with its meaning and what it is held to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratios:
    """Ratios of one meaning. `docs/performance.md` tells each as it is told here."""

    names: tuple[str, ...]
    """Flat, stable, in lower case with underscores: `ack_over_bare_bolt`. The first thing is divided by the second."""
    meaning: str
    """What is divided by what; an English sentence or two."""
    worse: str
    """What makes it worse."""
    most: float | None = None
    """What it is held to, where less is better."""
    least: float | None = None
    """What it is held to, where more is better."""
    more_is_better: bool = False

    @property
    def rises(self) -> bool:
        """Whether more is better."""
        return self.more_is_better or self.least is not None

    @property
    def limit(self) -> str:
        """What it is held to, in words; empty where nothing is."""
        bound = self.least if self.rises else self.most
        return "" if bound is None else f"{'at least' if self.rises else 'at most'} {bound:g}"

    def holds(self, ratio: float) -> bool:
        above = self.least is None or ratio >= self.least
        return above and (self.most is None or ratio <= self.most)

    def worse_by_half(self, ratio: float, before: float) -> bool:
        """Whether it is worse than before by half or more; a little above nothing is not."""
        return ratio * 1.5 <= before if self.rises else ratio >= before * 1.5 and ratio - before >= 0.05


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table: what Vigie takes beside what it is held to."""

    name: str
    ours: str
    theirs: str
    ratio: float | None
    """None = not measured this time (`BENCH=full` measures everything)."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One room of `tests/bench/`: the ratios it finds, and how; it finds every one that it declares."""

    ratios: tuple[Ratios, ...]
    run: Callable[[], Iterator[Measure]]
