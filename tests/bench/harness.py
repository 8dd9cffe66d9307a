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
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
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


def main(wanted: list[str], *, keep: bool) -> list[str]:
    """Run the benches, all or those wanted; gives back the names of those that failed. What others found is kept."""
    console = Console()
    rooms = {name: bench for name, bench in benches() if not wanted or name in wanted}
    if unknown := set(wanted) - set(rooms):
        raise SystemExit(f"no bench is called {', '.join(sorted(unknown))}")
    known, found, failed = page.read(), [], []
    declared = {name: ratios for _, bench in benches() for ratios in bench.ratios for name in ratios.names}
    bar = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*bar, console=console) as progress:
        task = progress.add_task("", total=len(rooms))
        for name, bench in rooms.items():
            progress.update(task, description=name)
            began = time.monotonic()
            try:
                for measure in _run(bench):
                    found.append(measure)
                    progress.update(task, description=f"{name}: {measure.name}")
            except Exception:
                failed.append(name)
                console.print_exception()
            wall = f"{time.monotonic() - began:.0f} s"
            console.print(f"{name}: {wall}{', failed' if name in failed else ''}", style="dim")
            _write(found, declared, whole=not wanted)
            progress.advance(task)
    console.print(_table(found, declared, known))
    console.print(f"written to {RESULT}")
    if keep:
        page.keep(found, [bench for _, bench in benches()])
        console.print(f"written to {page.PAGE}")
    return failed


def _run(bench: Bench) -> Iterator[Measure]:
    """What a bench finds, as it comes. Raises `AssertionError` where that is not what it declares."""
    expected = {each for ratios in bench.ratios for each in ratios.names}
    for measure in bench.run():
        if measure.name not in expected:
            raise AssertionError(f"{measure.name} is found, but not declared")
        expected.remove(measure.name)
        yield measure
    if expected:
        raise AssertionError(f"{sorted(expected)} are declared, but were not found")


def _write(found: list[Measure], declared: Mapping[str, Ratios], *, whole: bool) -> None:
    """Every ratio by its name, null where it was not measured; a run of some benches leaves the others as they were."""
    before = {} if whole or not RESULT.exists() else json.loads(RESULT.read_text())
    ratios = {name: before.get(name) for name in declared}
    ratios |= {each.name: None if each.ratio is None else round(each.ratio, 3) for each in found}
    RESULT.write_text(json.dumps(ratios, indent=2, sort_keys=True) + "\n")


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
    if not_run := main(names, keep="--keep" in sys.argv[1:]):
        raise SystemExit(f"failed: {', '.join(not_run)}")
