"""Law `delivery`: whatever befalls three processes, their database's commits and their calls, each letter that was put
is seen exactly once where it belongs, or is dead where Slack refused it for good."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from itertools import pairwise
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine

from bot.conversation import Context
from bot.inbox import Heard
from bot.jobs import postman
from bot.performing import performer
from bot.settings import Settings
from storage import outbox
from storage.database import reading, writing
from storage.schema import letter
from storage.workspaces import SINGLE, ensure_workspace
from tests.laws.channels import Message, Side, SimulatedSlack, door
from tests.laws.stage import Stage
from tests.laws.virtual import START, Killed, Process, Stopping, World

LETTERS = 12
PROCESSES = 3
ROUGH_SECONDS = 420.0
"""For so long things go wrong."""
QUIET_SECONDS = 4 * 3600.0
"""So long after, everything has come to its end: longer than any clock was off, and any letter rests."""
EACH = {
    "statement": (0.0012, 0.0012, 0.002),
    "commit": (0.004, 0.004, 0.005),
    "committed": (0.004, 0.004, 0.005),
    "call": (0.012, 0.03, 0.02),
    "answer": (0.012, 0.01, 0.004),
}
"""At each place, how probable it is that the process dies, that it freezes, and that somebody moves its clock."""
LOST_COMMITS = 0.012
LEAST_GAP = 0.999


@dataclass(frozen=True)
class Intent:
    """A letter that somebody wants to be seen, by its name."""

    name: str
    kind: str
    channel: str
    at: float
    edits: str | None = None
    thread: str | None = None
    refused: str | None = None
    owner: str | None = None
    late: float = 0.0
    """Seconds after it was due."""
    twice: bool = False
    """Two processes come to put it."""

    @property
    def id(self) -> str:
        return outbox.letter_id(SINGLE, self.name)


OVER = ("in memory", "over HTTP")
"""How Slack is reached: in place of the SDK's client, or by it."""


def over() -> tuple[str, ...]:
    """HTTP takes its time: of some seeds only."""
    return (OVER[1], *[OVER[0]] * 9)


def delivery_law(engine: Engine, how: str, seed: int) -> None:
    """One scenario; raises `AssertionError` with what is wrong."""
    stage = _stage(engine.url.render_as_string(hide_password=False))
    if how == OVER[0]:
        wrong = Scenario(stage, _clients(), seed).play()
    else:
        with door() as address:
            clients = [SimulatedSlack(address) for _ in range(PROCESSES)]
            wrong = Scenario(stage, clients, seed).play()
            for each in clients:
                each.close()
    assert not wrong, "\n".join(wrong)


@lru_cache(maxsize=4)
def _stage(url: str) -> Stage:
    return Stage(url, PROCESSES)


def strike(engine: Engine) -> None:
    """Nobody plays on this database any more."""
    _stage(engine.url.render_as_string(hide_password=False)).close()
    _stage.cache_clear()


@lru_cache(maxsize=1)
def _clients() -> list[SimulatedSlack]:
    return [SimulatedSlack() for _ in range(PROCESSES)]


class Scenario:
    def __init__(self, stage: Stage, clients: list[SimulatedSlack], seed: int) -> None:
        self.random = Random(f"delivery {seed}")  # noqa: S311 - a scenario must be played again from its seed
        self.stage, self.clients = stage, clients
        self.world = World(self.random)
        self.side = Side(self.world, self._echo)
        self.processes: list[Process] = []
        self.contexts: dict[Process, Context] = {}
        self.faulty = True
        self.forward = self.random.choice([-1, 1])
        """Clocks are moved one way: two are at most an hour apart."""
        self.to_hear = 0
        self.happened: Counter[str] = Counter()
        self.put_within: dict[str, tuple[float, float]] = {}
        """Letter to when somebody first began to put it, and when it was certainly there."""
        self.intents = self._intents()
        self.side.refused = {each.name: each.refused for each in self.intents if each.refused}

    def play(self) -> list[str]:
        stage, world = self.stage, self.world
        stage.clear()
        ensure_workspace(stage.truth, now=START, time_zone="Europe/Paris", currency="EUR", language="en")
        stage.step, stage.commit_is_lost = self._step, self._commit_is_lost
        with stage.playing(world):
            for place in range(PROCESSES):
                self.processes.append(self._born(place))
            for intent in self.intents:
                for _ in range(2 if intent.twice else 1):
                    world.after(intent.at, partial(self._somebody, partial(self._put, intent)))
            world.pause(ROUGH_SECONDS)
            self.faulty = self.side.faulty = False
            for process in self.processes:
                process.ahead = 0.0
            while not self._quiet() and world.now < ROUGH_SECONDS + QUIET_SECONDS:
                world.pause(30)
            self.happened["minutes"] += int(world.now / 60)
            wrong = self._wrong()
            world.end(self.processes)
        return wrong

    def _intents(self) -> list[Intent]:
        random = self.random
        channels = [f"C{number}" for number in range(random.choice([1, 2, 4]))]
        found: list[Intent] = []
        for number in range(LETTERS):
            at = random.uniform(0, 150)
            roots = [each for each in found if not each.edits and not each.thread]
            root = random.choice(roots) if roots and random.random() < 0.45 else None
            kind = random.choice(["alert", "alert", "digest", "share"])
            if root is not None:
                at = root.at + random.uniform(1, 200)
                follows = {"edits": root.name} if random.random() < 0.6 else {"thread": root.name}
                found.append(Intent(f"{root.name}/{number}", "alert", root.channel, at, **follows))
                continue
            refused = random.choice(["msg_too_long", "restricted_action"]) if random.random() < 0.06 else None
            more: dict[str, Any] = {"refused": refused, "owner": "U9" if refused else None}
            more |= {"late": random.choice([0, 0, 0, 0, 400]), "twice": random.random() < 0.2}
            found.append(Intent(f"L{number}", kind, random.choice(channels), at, **more))
        return found

    def _born(self, place: int) -> Process:
        process, slack = Process(self.world, f"P{place}"), self.clients[place]
        if self.faulty:
            process.ahead = self._wrong_clock()
        slack.born(process, self.side, self._step)
        context = Context(engine=self.stage.engines[place], clock=process, slack=slack, settings=_settings())
        self.contexts[process] = context
        self.world.spawn(process, lambda: self._tick(context), self.random.uniform(0, 5))
        return process

    def _tick(self, context: Context) -> None:
        """As the clock of the jobs does."""
        stopping: Any = Stopping(self.world)
        while True:
            try:
                postman.JOB.run(context, stopping)
            except Exception as error:
                self.happened[f"tick: {type(error).__name__}"] += 1
            self.world.pause(self.random.choice([1, 5, 20]) if self.faulty else 15)

    def _somebody(self, work: Callable[[Context], None]) -> None:
        """Some process does it; where that dies or fails on the way, another does it again."""
        living = [each for each in self.processes if not each.dead]
        if not living:
            self.world.after(1, lambda: self._somebody(work))
            return
        process = self.random.choice(living)

        def attempt() -> None:
            try:
                work(self.contexts[process])
            except (Exception, Killed):
                self.world.after(self.random.uniform(1, 30), lambda: self._somebody(work))
                raise

        self.world.spawn(process, attempt, self.random.uniform(0, 0.2))

    def _put(self, intent: Intent, context: Context) -> None:
        now = context.clock.now()
        root = intent.edits or intent.thread
        first, _ = self.put_within.get(intent.name, (self.world.now, 0))
        self.put_within[intent.name] = first, float("inf")
        with writing(context.engine) as connection:
            if root is not None and not _is_there(connection, root):
                raise LookupError("what comes first is not put yet")
            outbox.put(
                connection,
                workspace_id=SINGLE,
                dedupe=intent.name,
                kind=intent.kind,
                channel_id=intent.channel,
                payload={"text": intent.name, "blocks": [{"type": "divider"}]},
                now=now,
                due_at=now - timedelta(seconds=intent.late),
                edits=None if intent.edits is None else outbox.letter_id(SINGLE, intent.edits),
                thread=None if intent.thread is None else outbox.letter_id(SINGLE, intent.thread),
                owner=intent.owner,
            )
        self.put_within[intent.name] = first, self.world.now

    def _echo(self, message: Message) -> None:
        """Slack says that it has posted it: soon, late, or twice."""
        random = self.random
        for _ in range(2 if self.faulty and random.random() < 0.1 else 1):
            delay = random.uniform(3, 150) if self.faulty and random.random() < 0.3 else random.uniform(0.2, 3)
            self.to_hear += 1
            body = {"letter_id": message.letter, "channel_id": message.channel, "ts": message.ts}
            heard = Heard(SINGLE, f"echo:{message.ts}", "echo", body)
            self.world.after(delay, partial(self._somebody, partial(self._hear, heard)))

    def _hear(self, heard: Heard, context: Context) -> None:
        performer(context)(heard)
        self.to_hear -= 1

    def _step(self, place: str) -> None:
        world, random = self.world, self.random
        process = world.current.process
        if process is None:
            return
        if process.dead:
            raise Killed
        if self.faulty:
            kill, freeze, clock = EACH[place]
            chance = random.random()
            if chance < kill:
                self.happened[f"killed at {place}"] += 1
                process.kill()
                world.after(random.uniform(0.5, 20), lambda: self._revive(process))
                raise Killed
            if chance < kill + freeze:
                self.happened[f"frozen at {place}"] += 1
                process.freeze(random.uniform(1, 200), suspended=random.random() < 0.3)
            elif chance < kill + freeze + clock:
                process.ahead = self._wrong_clock()
        world.pause(random.uniform(0.0002, 0.004))

    def _wrong_clock(self) -> float:
        return self.random.choice([0.0, self.forward * self.random.uniform(1, 3600)])

    def _revive(self, process: Process) -> None:
        place = self.processes.index(process)
        self.processes[place] = self._born(place)

    def _commit_is_lost(self) -> bool:
        lost = self.faulty and self.world.current.process is not None and self.random.random() < LOST_COMMITS
        self.happened["lost commit"] += lost
        return lost

    def _rows(self) -> dict[str, Any]:
        with reading(self.stage.truth) as connection:
            return {row.id: row for row in connection.execute(sa.select(letter))}

    def _quiet(self) -> bool:
        rows = self._rows()
        done = {"sent", "dead", "skipped"}
        return (
            not self.to_hear
            and {each.id for each in self.intents} <= rows.keys()
            and all(row.state in done for row in rows.values())
        )

    def _wrong(self) -> list[str]:
        rows, standing = self._rows(), self.side.standing()
        by_name = {each.name: each for each in self.intents}
        wrong = []
        for intent in self.intents:
            row = rows.get(intent.id)
            told = f"{intent.name} ({intent.kind}, {None if row is None else (row.state, row.error)})"
            if row is None or row.state not in {"sent", "dead", "skipped"}:
                wrong.append(f"{told} came to no end")
                continue
            seen = standing.get(intent.id, [])
            root = by_name.get(intent.edits or intent.thread or "")
            refused = intent.refused or (root is not None and root.refused)
            if intent.edits is not None:
                if seen:
                    wrong.append(f"{told} was posted, not edited")
                if not refused and row.state != "sent":
                    wrong.append(f"{told} was not applied")
                continue
            if len(seen) != (0 if refused else 1):
                wrong.append(f"{told} is seen {len(seen)} times")
            elif not refused and row.state != "sent":
                wrong.append(f"{told} is seen, and not said to be sent")
            elif refused and row.state != ("dead" if intent.refused else "skipped"):
                wrong.append(f"{told} was refused")
            for message in seen:
                wrong.extend(self._wrong_of(intent, message, rows))
        notices = [row for row in rows.values() if row.kind == "notice"]
        wrong.extend(
            f"notice {row.dedupe} is seen {len(standing.get(row.id, []))} times"
            for row in notices
            if len(standing.get(row.id, [])) != 1
        )
        return wrong + self._doubled() + self._hasty()

    def _wrong_of(self, intent: Intent, message: Message, rows: dict[str, Any]) -> list[str]:
        wrong = []
        if message.channel != intent.channel:
            wrong.append(f"{intent.name} is in {message.channel}")
        if message.ts != rows[intent.id].ts:
            wrong.append(f"{intent.name} has another receipt")
        expected = None if intent.thread is None else rows[outbox.letter_id(SINGLE, intent.thread)].ts
        if message.thread != expected:
            wrong.append(f"{intent.name} is in thread {message.thread}, not {expected}")
        shown = message.texts[-1]
        edits = [each.name for each in self.intents if each.edits == intent.name]
        if edits and shown not in edits:
            wrong.append(f"{intent.name} says {message.texts}, and there are edits")
        overtaken = [each for each in edits if shown in edits and self.put_within[each][0] > self.put_within[shown][1]]
        if overtaken:
            wrong.append(f"{intent.name} says {message.texts}, but {overtaken} was put later")
        return wrong

    def _doubled(self) -> list[str]:
        """A second message, even one that is deleted soon, can only come from a process that was frozen meanwhile."""
        posted: dict[str, list[Message]] = {}
        for message in self.side.messages:
            posted.setdefault(message.letter, []).append(message)
        doubled = [each for each in posted.values() if len(each) > 1]
        self.happened["doubled, then deleted"] += len(doubled)
        return [
            f"{each[0].texts[0]} was posted {len(each)} times, and no process had been frozen"
            for each in doubled
            if not any(message.stalled for message in each)
        ]

    def _hasty(self) -> list[str]:
        """Two messages that set out for a channel within a second. (How long they are on their way, nobody can say.)"""
        brisk = sorted((each for each in self.side.messages if not each.stalled), key=lambda each: each.begun)
        found = []
        for channel in {each.channel for each in brisk}:
            mine = [each for each in brisk if each.channel == channel]
            found += [
                f"{one.texts[0]} and {other.texts[0]} are {other.begun - one.begun:.3f} s apart"
                for one, other in pairwise(mine)
                if other.begun - one.begun < LEAST_GAP
            ]
        return found


def _is_there(connection: sa.Connection, name: str) -> bool:
    mine = (letter.c.workspace_id == SINGLE, letter.c.id == outbox.letter_id(SINGLE, name))
    return connection.execute(sa.select(letter.c.id).where(*mine)).first() is not None


@lru_cache(maxsize=1)
def _settings() -> Settings:
    return Settings(_env_file=None)  # type: ignore[call-arg]
