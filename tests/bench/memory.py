"""Peak memory of a process that loads ten times as many deals: it must not grow with them."""

import resource
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.databases import sqlite
from tests.bench.harness import FULL, Measure
from tests.bench.loading import load

FEW, MANY = (100_000, 1_000_000) if FULL else (20_000, 100_000)


def peak(deals: int) -> int:
    """Bytes, of a process of its own."""
    told = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "tests.bench.memory", str(deals)], check=True, capture_output=True, text=True
    )
    return int(told.stdout)


def bench() -> Iterator[Measure]:
    few, many = peak(FEW), peak(MANY)
    yield Measure(
        f"sync.memory.{MANY}", f"{many / 2**20:.0f} MB ({MANY:,})", f"{few / 2**20:.0f} MB ({FEW:,})", many / few
    )


BENCH = bench

if __name__ == "__main__":
    with sqlite() as fresh:
        load(fresh(), int(sys.argv[1]))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
