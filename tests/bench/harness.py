"""`make bench`: how long Vigie takes beside the barest way to do the same, as ratios, which other machines repeat.

One file, one bench: it ends with `BENCH`, a function that yields `Measure`s. Both sides of a pair run in turn in one
process, so that a busy machine slows both. `BENCH=full make bench` also runs what takes minutes.
"""

import gc
import json
import os
import pkgutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

FULL = os.environ.get("BENCH") == "full"
RESULT = Path("bench.json")


@dataclass(frozen=True)
class Measure:
    """One line of the table: what Vigie takes against what it is held to."""

    name: str
    """Flat and stable: `sync.load.sqlite`."""
    ours: str
    theirs: str
    ratio: float
    """Ours over theirs, in time or in memory: 1 = the same, 2 = twice as much."""


Bench = Callable[[], Iterator[Measure]]


def in_turn(ours: Callable[[], float], theirs: Callable[[], float], *, rounds: int = 3) -> tuple[float, float, float]:
    """Seconds of each (medians), and the median of the ratios round by round."""
    pairs = []
    for number in range(rounds):
        both = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        taken = {}
        for side in both:
            gc.collect()
            taken[side] = side()
        pairs.append((taken[ours], taken[theirs]))
    mine, bare = zip(*pairs, strict=True)
    return statistics.median(mine), statistics.median(bare), statistics.median(a / b for a, b in pairs)


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def benches() -> Iterator[tuple[str, Bench]]:
    package = import_module("tests.bench")
    for found in pkgutil.iter_modules(package.__path__):
        room = import_module(f"tests.bench.{found.name}")
        if hasattr(room, "BENCH"):
            yield found.name, room.BENCH


def main(wanted: list[str]) -> None:
    console = Console()
    table = Table(title="Vigie beside the bare way; 1 = the same, less is better")
    for heading in ("bench", "Vigie", "bare", "ratio"):
        table.add_column(heading, justify="left" if heading == "bench" else "right")
    ratios = {}
    for name, bench in benches():
        if wanted and name not in wanted:
            continue
        with console.status(name):
            for measure in bench():
                table.add_row(measure.name, measure.ours, measure.theirs, f"{measure.ratio:.2f}")
                ratios[measure.name] = round(measure.ratio, 3)
    console.print(table)
    RESULT.write_text(json.dumps(ratios, indent=2, sort_keys=True) + "\n")
    console.print(f"written to {RESULT}")


if __name__ == "__main__":
    main(sys.argv[1:])
