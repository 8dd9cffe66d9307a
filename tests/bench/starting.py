"""How long it takes until `vigie` is there: its help, beside a Python that does nothing."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from tests.bench.harness import FULL, in_turn, seconds
from tests.bench.ratios import Bench, Measure, Ratios

ROUNDS = 31 if FULL else 11


def run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)  # noqa: S603 - ourselves


def bench() -> Iterator[Measure]:
    helped, nothing = partial(run, "-m", "bot", "--help"), partial(run, "-c", "pass")
    ours, theirs, ratio = in_turn(partial(seconds, helped), partial(seconds, nothing), rounds=ROUNDS)
    yield Measure("help_over_bare_python", f"{ours * 1000:.0f} ms", f"{theirs * 1000:.0f} ms", ratio)


BENCH = Bench(
    (
        Ratios(
            ("help_over_bare_python",),
            "`vigie --help` from start to end, over `python -c pass`.",
            "a command's room, or the command line, imports at the top what only a command needs.",
        ),
    ),
    bench,
)
