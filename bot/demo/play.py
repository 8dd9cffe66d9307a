"""Vigie beside the playground, in one process: builds the sample company, starts both, stops both."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from pydantic import SecretStr

from bot.app import Vigie, open_vigie
from bot.clock import Clock, SystemClock
from bot.database import open_database
from bot.demo.stage import Seats, arrange, load_company, seat
from bot.playground.server import Playground
from bot.playground.world import World
from bot.settings import Settings, read_settings
from storage.database import writing
from storage.sync import Progress
from storage.workspaces import SINGLE, read_workspace

START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Play:
    playground: Playground
    seats: Seats
    vigie: Vigie
    clock: Clock

    def correct(self) -> None:
        """Sync again after somebody put the struggling team's deals right: its alert can end."""
        now = self.clock.now()
        with writing(self.vigie.context.engine) as connection:
            zone = read_workspace(connection, SINGLE).zone
        load_company(self.vigie.context.engine, now.astimezone(zone).date(), now, corrected=True)


@contextlib.contextmanager
def play(folder: Path, port: int = 0, progress: Progress | None = None) -> Iterator[Play]:
    """A company built anew in `folder`, on stage until the block ends. Raises `OSError` when `port` is taken."""
    clock = SystemClock()
    world = World(team_name="Exemple", domain="exemple")
    with Playground(world, port) as playground:
        seats = seat(world)
        settings = _settings(playground, seats, _fresh(folder, playground.port))
        engine = open_database(settings, clock)
        now = clock.now()
        with writing(engine) as connection:
            zone = read_workspace(connection, SINGLE).zone
        load_company(engine, now.astimezone(zone).date(), now, progress=progress)
        arrange(engine, seats, now)
        engine.dispose()
        vigie = open_vigie(settings, clock)
        with _served(vigie):
            yield Play(playground, seats, vigie, clock)


def _settings(playground: Playground, seats: Seats, database: Path) -> Settings:
    # Said in full, so that nobody's .env or environment reaches the demo.
    return read_settings(
        env_file=None,
        slack_bot_token=SecretStr(playground.bot_token),
        slack_app_token=SecretStr(playground.app_token),
        slack_signing_secret=None,
        database_url=SecretStr(f"sqlite:///{database}"),
        timezone="Europe/Paris",
        currency="EUR",
        language="fr",
        slack_api_url=playground.api_url,
        fiscal_start_month=1,
        visibility="team",
        admin=seats.director.email,
    )


def _fresh(folder: Path, port: int) -> Path:
    """The path of a database that does not exist yet; named by the port, so that two demos at once keep apart."""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / f"vigie-{port}.sqlite3"
    for leftover in folder.glob(f"{database.name}*"):
        leftover.unlink()
    return database


@contextlib.contextmanager
def _served(vigie: Vigie) -> Iterator[None]:
    """The running application, in a thread of its own."""
    config = uvicorn.Config(vigie.asgi, host="127.0.0.1", port=0, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="vigie")
    thread.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("Vigie did not start; the log says why")
            thread.join(0.05)
        yield
    finally:
        server.should_exit = True
        thread.join()
