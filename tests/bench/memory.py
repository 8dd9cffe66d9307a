"""Peak memory of a process that loads ten times as many deals: it must not grow with them."""

import resource
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.databases import sqlite
from tests.bench.harness import FULL
from tests.bench.loading import load
from tests.bench.ratios import Bench, Measure, Ratios

FEW, MANY = (100_000, 1_000_000) if FULL else (10_000, 100_000)


def peak(deals: int) -> int:
    """Bytes, of a process of its own."""
    told = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "tests.bench.memory", str(deals)], check=True, capture_output=True, text=True
    )
    return int(told.stdout)


def bench() -> Iterator[Measure]:
    few, many = peak(FEW), peak(MANY)
    yield Measure(
        "sync_memory_ten_times_deals",
        f"{many / 2**20:.0f} MB ({MANY:,})",
        f"{few / 2**20:.0f} MB ({FEW:,})",
        many / few,
    )


BENCH = Bench(
    (
        Ratios(
            ("sync_memory_ten_times_deals",),
            "Peak memory of a process that loads ten times as many deals (100,000; 1,000,000 with `BENCH=full`), over "
            "that of one that loads a tenth of them.",
            "something of each deal is kept until the sync is over.",
            most=1.1,
        ),
    ),
    bench,
)

if __name__ == "__main__":
    with sqlite() as fresh:
        load(fresh(), int(sys.argv[1]))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
