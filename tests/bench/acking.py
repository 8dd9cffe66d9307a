"""How soon a command is acknowledged at 50 a second, beside a Bolt app that only acknowledges, each in its process.

Three times: while Vigie only answers; while it draws the pictures of digests besides; while a sync writes into its
database. Every command is a question, so that answers are worked out behind the acknowledgements.
"""

import itertools
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Engine

from bot.playground.payloads import command_payload
from bot.playground.records import Json, Person
from bot.playground.server import Playground
from bot.playground.world import World
from tests.bench.databases import remove
from tests.bench.digests import due_digests
from tests.bench.harness import FULL
from tests.bench.knocking import knock
from tests.bench.ratios import Bench, Measure, Ratios
from tests.bench.serving import company_of_today, free_port, process, resident, seated, vigie
from tests.bench.talking import TEXTS

A_SECOND = 50
SECONDS = 40 if FULL else 12
PICTURES = 400
"""Digests that fall due as the knocking begins: more than are drawn meanwhile."""


def bench() -> Iterator[Measure]:
    engine = company_of_today("sqlite").copy()
    with Playground(World()) as playground:
        person = seated(playground.world, engine)
        channels = [playground.world.add_channel(f"c{at}", [person]) for at in range(PICTURES)]
        port = free_port()
        command = [sys.executable, "-m", "tests.bench.bolt", str(port), playground.signing_secret]
        with process(command, port, {}) as bare, vigie(playground, engine) as served:
            urls = (served.url, bare.url)
            yield Measure(
                "idle_memory_over_bare_bolt",
                f"{resident(served.pid) / 2**20:.0f} MB",
                f"{resident(bare.pid) / 2**20:.0f} MB",
                resident(served.pid) / resident(bare.pid),
            )

            def beside(what: AbstractContextManager[None]) -> list[list[float]]:
                with what:
                    payloads = _payloads(playground, person)
                    database = str(engine.url.database)
                    return knock(urls, playground.signing_secret, A_SECOND, SECONDS, payloads, database)

            ours, theirs, _ = beside(nullcontext())
            yield from _measures("", ours, theirs)
            ours, theirs, inserts = beside(_drawing(engine, [each.id for each in channels], person.id))
            yield from _measures("_drawing", ours, theirs)
            insert = _ninety_ninth(inserts)
            above = _ninety_ninth(ours) - insert
            yield Measure(
                "ack_p99_drawing_above_insert_over_10ms", f"{above:.1f} ms", f"{insert:.1f} ms + 10 ms", above / 10
            )
            ours, theirs, _ = beside(_syncing(engine))
            yield from _measures("_syncing", ours, theirs)
            slowest = _ninety_ninth(ours)
            yield Measure("ack_p99_syncing_over_500ms", f"{slowest:.0f} ms", "500 ms", slowest / 500)
    remove(engine)


def _measures(when: str, ours: list[float], theirs: list[float]) -> Iterator[Measure]:
    for name, at in (("ack", statistics.median), ("ack_p99", _ninety_ninth)):
        mine, bare = at(ours), at(theirs)
        yield Measure(f"{name}{when}_over_bare_bolt", f"{mine:.1f} ms", f"{bare:.1f} ms", mine / bare)


def _ninety_ninth(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[-1]


def _payloads(playground: Playground, person: Person) -> list[Json]:
    world = playground.world
    where = next(each for each in world.channels.values() if person.id in each.members)
    hooks = f"{playground.url}/hooks"
    asked = itertools.islice(itertools.cycle(TEXTS), int(A_SECOND * (SECONDS + 2)))
    return [command_payload(world, hooks, person, where.id, f"/kpi {words}") for words in asked]


@contextmanager
def _drawing(engine: Engine, channels: list[str], owner: str) -> Iterator[None]:
    due_digests(engine, channels, owner)
    yield


@contextmanager
def _syncing(engine: Engine) -> Iterator[None]:
    """`storage.sync.load` from a process of its own, into the same database, until the knocking is over."""
    address = engine.url.render_as_string(hide_password=False)
    running = subprocess.Popen([sys.executable, "-m", "tests.bench.filling", address])  # noqa: S603 - ourselves
    try:
        yield
        if running.poll() is not None:
            raise AssertionError("the sync was over before the knocking")
    finally:
        running.kill()
        running.wait()


_WHEN: tuple[tuple[str, str], ...] = (
    ("", "while it answers"),
    ("_drawing", "while it also draws the pictures of digests"),
    ("_syncing", "while a sync writes into the same SQLite database"),
)

BENCH = Bench(
    (
        Ratios(
            ("idle_memory_over_bare_bolt",),
            "Resident memory of `vigie serve` that has just started, children included, over that of a Bolt app that "
            "only acknowledges.",
            "something heavy (pandas, matplotlib) is imported before it is used.",
        ),
        *(
            ratios
            for when, words in _WHEN
            for ratios in (
                Ratios(
                    (f"ack{when}_over_bare_bolt",),
                    f"From a signed command to its acknowledgement, at 50 a second, {words}, over a Bolt app that only "
                    "acknowledges: medians.",
                    "more than memory is touched before the acknowledgement, or answers keep the event loop waiting.",
                ),
                Ratios(
                    (f"ack_p99{when}_over_bare_bolt",),
                    "The same, of the 99th percentiles.",
                    "the same happens now and then.",
                ),
            )
        ),
        Ratios(
            ("ack_p99_drawing_above_insert_over_10ms",),
            "While pictures are drawn: by how much the 99th percentile of the acknowledgement is longer than that of a "
            "bare durable insert of the same row into the same SQLite database, over 10 ms.",
            "the same happens.",
            most=1,
        ),
        Ratios(
            ("ack_p99_syncing_over_500ms",),
            "While a sync writes: the 99th percentile of the acknowledgement over 500 ms.",
            "the same happens.",
            most=1,
        ),
    ),
    bench,
)
