"""`vigie serve` in a process of its own over the playground, on a company of today: what people in Slack talk with."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from sqlalchemy import Engine

from bot.playground.records import Person
from bot.playground.server import Playground
from bot.playground.world import World
from storage.database import writing
from storage.people import link
from storage.workspaces import SINGLE
from tests.bench.stock import Company, stocked

DEALS = 100_000
ROOT = Path(__file__).parents[2]
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Served:
    """A running program that answers Slack at `url`."""

    url: str
    pid: int
    log: Path


def today() -> datetime:
    """This moment; a company for `vigie serve`, which goes by the real clock, ends on its day."""
    return datetime.now(ZoneInfo("Europe/Paris"))


def company_of_today(kind: str) -> Company:
    return stocked(kind, DEALS, today().date())


def seated(world: World, engine: Engine) -> Person:
    """An admin who may see everything, linked already."""
    person = world.add_user("ada", "Ada Admin", "ada@example.com", locale="fr-FR", role="admin")
    now = datetime.now(UTC)
    with writing(engine) as connection:
        link(
            connection,
            workspace_id=SINGLE,
            slack_user_id=person.id,
            person_id=None,
            role="admin",
            actor="bench",
            now=now,
        )
    return person


@contextmanager
def vigie(playground: Playground, engine: Engine) -> Iterator[Served]:
    """Signed HTTP, every job ticking, as an operator starts it."""
    port = free_port()
    environment = {
        "SLACK_BOT_TOKEN": playground.bot_token,
        "SLACK_SIGNING_SECRET": playground.signing_secret,
        "VIGIE_SLACK_API_URL": playground.api_url,
        "VIGIE_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "VIGIE_TIMEZONE": "Europe/Paris",
        "VIGIE_CURRENCY": "EUR",
        "VIGIE_LANGUAGE": "fr",
    }
    with process([sys.executable, "-m", "bot", "serve", "--port", str(port)], port, environment) as served:
        playground.app_url = served.url
        yield served


@contextmanager
def process(command: list[str], port: int, environment: Mapping[str, str]) -> Iterator[Served]:
    """A program, from its first answer at `/healthz` to its end."""
    with tempfile.TemporaryDirectory() as folder:
        log, url = Path(folder) / "log", f"http://127.0.0.1:{port}"
        with log.open("wb") as out:
            kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": folder}
            running = subprocess.Popen(  # noqa: S603 - ourselves
                command, env=kept | dict(environment), stdout=out, stderr=out, cwd=folder
            )
        try:
            _await(url, running, log)
            yield Served(url, running.pid, log)
        finally:
            running.terminate()
            try:
                running.wait(60)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def resident(pid: int) -> int:
    """Bytes of memory that a process and its children hold, as the system counts them."""
    total = 0
    for each in (pid, *_children(pid)):
        pages = int(Path(f"/proc/{each}/statm").read_text().split()[1])
        total += pages * os.sysconf("SC_PAGE_SIZE")
    return total


def _children(pid: int) -> Iterator[int]:
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield int(child)
        yield from _children(int(child))


def _await(url: str, running: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if running.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/healthz", trust_env=False, timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(f"it did not start: {log.read_text(errors='replace')[-2000:]}")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
