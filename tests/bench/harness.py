"""`make bench`: how long Vigie takes beside the barest way to do the same, as ratios, which other machines repeat.

One file, one bench: it ends with `BENCH` (see `tests.bench.ratios`). Both sides of a pair run in turn in one process,
so that a busy machine slows both. `BENCH=full make bench` also runs what takes minutes. Names of benches after
`python -m tests.bench.harness` run those alone; `--keep` writes what was found into `docs/performance.md`.
"""

import gc
import json
import os
import pkgutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import page
from tests.bench.ratios import Bench, Measure, Ratios

FULL = os.environ.get("BENCH") == "full"
RESULT = Path("bench.json")


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


def main(wanted: list[str], *, keep: bool) -> None:
    console = Console()
    known, found = page.read(), []
    declared = {name: ratios for _, bench in benches() for ratios in bench.ratios for name in ratios.names}
    for name, bench in benches():
        if wanted and name not in wanted:
            continue
        began = time.monotonic()
        with console.status(name):
            measures = list(bench.run())
        expected = {each for ratios in bench.ratios for each in ratios.names}
        if {measure.name for measure in measures} != expected:
            raise AssertionError(f"{name} declares {sorted(expected)}, found {[each.name for each in measures]}")
        found += measures
        console.print(f"{name}: {time.monotonic() - began:.0f} s", style="dim")
    console.print(_table(found, declared, known))
    ratios = {each.name: None if each.ratio is None else round(each.ratio, 3) for each in found}
    RESULT.write_text(json.dumps(ratios, indent=2, sort_keys=True) + "\n")
    console.print(f"written to {RESULT}")
    if keep:
        page.keep(found, [bench for _, bench in benches()])
        console.print(f"written to {page.PAGE}")


def _table(found: list[Measure], declared: Mapping[str, Ratios], known: Mapping[str, float | None]) -> Table:
    table = Table(title="Vigie beside the bare way")
    for heading in ("ratio of", "Vigie", "beside", "ratio", "held to", "last kept", ""):
        table.add_column(heading, justify="right" if heading in {"Vigie", "beside", "ratio", "last kept"} else "left")
    for each in found:
        said, before = declared[each.name], known.get(each.name)
        marks = []
        if each.ratio is not None and not said.holds(each.ratio):
            marks.append("[red]misses[/red]")
        if each.ratio is not None and before is not None and said.worse_by_half(each.ratio, before):
            marks.append("[bold red]worse by half[/bold red]")
        ratio, last = page.figure(each.ratio), page.figure(before) if each.name in known else "new"
        table.add_row(each.name, each.ours, each.theirs, ratio, said.limit, last, " ".join(marks))
    return table


if __name__ == "__main__":
    names = [name for name in sys.argv[1:] if name != "--keep"]
    main(names, keep="--keep" in sys.argv[1:])
