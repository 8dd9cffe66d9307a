"""Three real `vigie serve` on one PostgreSQL, one of them killed: each letter once, each command answered once."""

import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from threading import Event
from time import monotonic

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from bot.clock import SystemClock
from bot.keeping import keeper
from bot.playground.faults import Fault
from bot.playground.server import Playground
from bot.playground.world import World
from storage import outbox, records, rules, schedules
from storage.database import moment, open_engine, reading, writing
from storage.people import link
from storage.schema import letter
from storage.sync import load
from storage.workspaces import SINGLE
from tests.bot.company import Company
from tests.bot.test_serve import ROOT, _free_port
from tests.shared_clock import let_pass

SECONDS = 60
"""For everything that is waited for, on however slow a machine."""


class Lately(Company):
    """The company, whose deals of the last weeks were lost."""

    def _deals(self) -> Iterator[records.Deal]:
        day = datetime.now(UTC).date() - timedelta(days=5)
        for number in range(30):
            yield records.Deal(
                ext_id=f"D{number}",
                name="D",
                status="lost",
                customer="c0",
                owner="anna",
                amount_minor=1_000,
                created=day,
                closed=day,
            )


def until(look: Callable[[], object]) -> None:
    """Wait for what can be seen. Raises `TimeoutError`."""
    deadline, pause = monotonic() + SECONDS, Event()
    while not look():
        if monotonic() > deadline:
            raise TimeoutError(look)
        pause.wait(0.05)


@pytest.fixture
def slack() -> Iterator[Playground]:
    """In real time, as the processes are."""
    world = World()
    ada = world.add_user("ada", "Ada Admin", "ada@example.com", locale="en-GB")
    for name in ("sales", "alerts", *(f"team-{number}" for number in range(14))):
        world.add_channel(name, [ada])
    with Playground(world) as running:
        yield running


@pytest.fixture
def url(postgres_url: str) -> Iterator[str]:
    """An empty database, without a table."""
    base = sa.make_url(postgres_url)
    name = f"scale_{uuid.uuid4().hex}"
    admin = open_engine(postgres_url).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield base.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


class Replicas:
    """Three processes, begun at once."""

    def __init__(self, slack: Playground, url: str, folder: Path) -> None:
        self.ports = [_free_port() for _ in range(3)]
        self.logs = [folder / f"log-{number}" for number in range(3)]
        self.processes = [self._start(slack, url, folder, number) for number in range(3)]

    def _start(self, slack: Playground, url: str, folder: Path, number: int) -> subprocess.Popen[bytes]:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "VIGIE_SLACK_API_URL": slack.api_url,
            "VIGIE_DATABASE_URL": url,
            "VIGIE_ADMIN": "ada@example.com",
            "VIGIE_PORT": str(self.ports[number]),
        }
        with self.logs[number].open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "bot", "serve"], env=environment, cwd=folder, stdout=log, stderr=log
            )

    def up(self, number: int) -> bool:
        assert self.processes[number].poll() is None, self.said()
        try:
            return httpx.get(f"http://127.0.0.1:{self.ports[number]}/healthz", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def send(self, number: int, sign: signal.Signals) -> None:
        self.processes[number].send_signal(sign)

    def said(self) -> str:
        return "\n".join(log.read_text() for log in self.logs)

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(SECONDS)


def put_work(engine: Engine, slack: Playground, teams: range, *, shares: int = 0) -> None:
    """Digests that are due for these channels, and letters for as many after them."""
    now = datetime.now(UTC)
    due = now - timedelta(minutes=1)
    ada = slack.as_user("ada").id
    channels = [slack.world.find_channel(f"team-{number}").id for number in range(teams.start, teams.stop + shares)]
    with writing(engine) as connection:
        for channel in channels[: len(teams)]:
            schedules.add(
                connection,
                workspace_id=SINGLE,
                channel_id=channel,
                owner=ada,
                weekday=due.isoweekday(),
                at=due.time().replace(second=0, microsecond=0),
                time_zone="UTC",
                language="en",
                now=now,
                first_on=due.date(),
            )
        for channel in channels[len(teams) :]:
            outbox.put(
                connection,
                workspace_id=SINGLE,
                dedupe=f"share:{channel}",
                kind="share",
                channel_id=channel,
                payload={"text": "A figure", "blocks": []},
                now=now,
            )


def ask(slack: Playground, ports: Iterator[int], times: int) -> None:
    """As many commands, each to the next process, as a load balancer does."""
    for _ in range(times):
        slack.app_url = f"http://127.0.0.1:{next(ports)}"
        slack.as_user("ada").command("/kpi revenue", "sales")


def answers(slack: Playground) -> int:
    return sum(message["ephemeral"] for message in slack.as_user("ada").messages("sales"))


def states(engine: Engine) -> Counter[str]:
    with reading(engine) as connection:
        return Counter(connection.execute(sa.select(letter.c.state)).scalars())


def end_doubts(engine: Engine) -> None:
    """Slack's history has long shown what was posted without a reply."""
    settled = (letter.c.state == "unknown", letter.c.token.is_(None))
    with writing(engine) as connection:
        connection.execute(sa.update(letter).where(*settled).values(lease_until=moment(-1)))


def test_three_replicas_do_what_one_would_and_two_go_on_where_the_third_is_killed(
    slack: Playground, url: str, tmp_path: Path
) -> None:
    replicas = Replicas(slack, url, tmp_path)
    engine = open_engine(url)
    try:
        for number in range(3):
            until(lambda at=number: replicas.up(at))
        load(engine, SINGLE, Lately(), now=datetime.now(UTC), on_page=keeper(engine, SINGLE, SystemClock()))
        ada = slack.as_user("ada").id
        with writing(engine) as connection:
            link(
                connection, workspace_id=SINGLE, slack_user_id=ada, person_id=None, role="admin", actor=ada,
                now=datetime.now(UTC),
            )  # fmt: skip
            rules.add(
                connection,
                workspace_id=SINGLE,
                metric="win_rate",
                reading="closed",
                channel_id=slack.world.find_channel("alerts").id,
                owner=ada,
                language="en",
                threshold=Decimal(30),
                recovery=Decimal(40),
                direction="below",
                hold=1,
                now=datetime.now(UTC),
            )

        put_work(engine, slack, range(2))
        ask(slack, cycle(replicas.ports), 9)
        try:
            until(lambda: answers(slack) == 9 and states(engine) == {"sent": 3})
        except TimeoutError:
            print(replicas.said()[-12000:], answers(slack), states(engine))
            raise

        # The first alone takes what is due, and is killed while Slack reads its third message.
        for number in (1, 2):
            replicas.send(number, signal.SIGSTOP)
        read = []

        def kill(method: str) -> Fault | None:
            if method == "chat.postMessage":
                read.append(method)
                if len(read) == 3:
                    replicas.send(0, signal.SIGKILL)
            return None

        slack.world.faults.choose(kill)
        put_work(engine, slack, range(2, 4), shares=8)
        assert replicas.processes[0].wait(SECONDS) == -signal.SIGKILL
        for _ in range(3):
            # Whatever it had sent has been read by then.
            httpx.get(f"{slack.url}/playground/world", trust_env=False)
        assert states(engine)["sending"] >= 1
        slack.world.faults.clear()
        slack.world.faults.add("chat.postMessage", "lost_reply")
        slack.world.faults.add("chat.postMessage", "rate_limited", retry_after=1)
        let_pass(engine, timedelta(minutes=2))
        for number in (1, 2):
            replicas.send(number, signal.SIGCONT)
        ask(slack, cycle(replicas.ports[1:]), 4)
        until(lambda: end_doubts(engine) or states(engine) == {"sent": 13})
        until(lambda: answers(slack) == 13)
    finally:
        replicas.stop()
        engine.dispose()

    seen = [message for messages in slack.world.messages.values() for message in messages if message.from_app]
    posted = Counter(message.channel for message in seen if message.only_for is None)
    channels = [slack.world.find_channel(name).id for name in ("alerts", *(f"team-{number}" for number in range(12)))]
    assert posted == dict.fromkeys(channels, 1)
    ids = [message.metadata["event_payload"]["id"] for message in seen if message.metadata]
    assert len(set(ids)) == len(ids) == 13
    assert answers(slack) == 13
    assert [process.returncode in {0, -signal.SIGTERM} for process in replicas.processes[1:]] == [True, True]
    assert "Traceback" not in replicas.said()
