"""A whole Vigie over the playground, in this process: what the tests of bot/ talk to as people would."""

import shutil
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import uvicorn
from sqlalchemy import Engine

from bot.app import Vigie, open_vigie
from bot.clock import FixedClock
from bot.conversation import Context
from bot.playground.person import User
from bot.playground.server import Playground
from bot.playground.world import World
from bot.settings import Settings, read_settings
from kpi import buckets
from storage.database import open_engine, writing
from storage.migrate import upgrade
from storage.people import link
from storage.sync import load
from storage.workspaces import SINGLE, ensure_workspace
from tests.bot.company import NOW, Company
from tests.shared_clock import SharedClock


@dataclass
class Stage:
    """A running Vigie, the playground it talks to, and the time, which stands still until it is moved."""

    vigie: Vigie
    playground: Playground
    clock: FixedClock
    url: str

    @property
    def context(self) -> Context:
        return self.vigie.context

    @property
    def engine(self) -> Engine:
        return self.vigie.context.engine

    def as_user(self, name: str) -> User:
        return self.playground.as_user(name)

    def confirm(self, name: str, person: str | None, role: str | None = None) -> User:
        """Make this Slack person the CRM person (an ext id of the company), as if confirmed before."""
        user = self.as_user(name)
        with writing(self.engine) as connection:
            link(
                connection,
                workspace_id=SINGLE,
                slack_user_id=user.id,
                person_id=None if person is None else f"sample:{person}",
                role=role,
                actor=user.id,
                now=self.clock.now(),
            )
        return user


def fill(engine: Engine, company: Company) -> None:
    upgrade(engine)
    buckets.ensure(engine)
    ensure_workspace(engine, now=NOW, time_zone="Europe/Paris", currency="EUR", language="en")
    load(engine, SINGLE, company, now=NOW)


@pytest.fixture(scope="session")
def company_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small company in SQLite, made once."""
    path = tmp_path_factory.mktemp("company") / "company.sqlite3"
    engine = open_engine(f"sqlite:///{path}")
    fill(engine, Company())
    with engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def company_template(postgres_url: str) -> str:
    """The small company in PostgreSQL, made once: the name of the database to clone."""
    base = sa.make_url(postgres_url)
    name = f"company_{uuid.uuid4().hex}"
    _run(base, f"CREATE DATABASE {name}")
    engine = open_engine(base.set(database=name).render_as_string(hide_password=False))
    fill(engine, Company())
    engine.dispose()
    return name


@pytest.fixture(params=["sqlite"])
def company_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh copy of the small company. Ask for both databases with `@both_databases`."""
    if request.param == "sqlite":
        path = tmp_path / "vigie.sqlite3"
        shutil.copy(request.getfixturevalue("company_file"), path)
        yield f"sqlite:///{path}"
        return
    base = sa.make_url(request.getfixturevalue("postgres_url"))
    name = f"vigie_{uuid.uuid4().hex}"
    _run(base, f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('company_template')}")
    yield base.set(database=name).render_as_string(hide_password=False)
    _run(base, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def clock() -> Iterator[FixedClock]:
    """Its time passes in the database too, of each Vigie that is served."""
    clock = SharedClock(NOW)
    yield clock
    for engine in clock.databases:
        engine.dispose()


@pytest.fixture
def playground(clock: FixedClock) -> Iterator[Playground]:
    """A small Slack with the company's people, a guest, and four channels."""
    world = World(clock=lambda: clock.now().timestamp())
    people = [
        world.add_user("ada", "Ada Admin", "ada@example.com", locale="en-GB", role="admin"),
        world.add_user("marion", "Marion Chef", "Marion@Example.com", locale="fr-FR", role="manager"),
        world.add_user("anna", "Anna Vente", "anna@example.com", locale="en-US"),
        world.add_user("bruno", "Bruno Vente", "bruno@example.com", locale="en-US"),
        world.add_user("chloe", "Chloé Vente", "chloe@example.com", locale="fr-FR"),
        world.add_user("nobody", "No Body", "nobody@example.com", locale="en-US"),
    ]
    guest = world.add_user("gus", "Gus Guest", "gus@example.com", locale="en-US", role="guest")
    world.add_channel("sales", people)
    world.add_channel("visitors", [*people, guest])
    world.add_channel("quiet", people, bot=False)
    world.add_channel("partners", people, is_ext_shared=True)
    with Playground(world) as running:
        yield running


@pytest.fixture
def settings(playground: Playground, company_url: str) -> Settings:
    """Socket Mode; for signed HTTP use `http_settings`."""
    return read_settings(None, slack_app_token=playground.app_token, **_common(playground, company_url))


@pytest.fixture
def http_settings(playground: Playground, company_url: str) -> Settings:
    return read_settings(None, slack_signing_secret=playground.signing_secret, **_common(playground, company_url))


@pytest.fixture
def vigie(playground: Playground, settings: Settings, clock: FixedClock) -> Iterator[Stage]:
    """Vigie in Socket Mode over the playground; its jobs tick only when a test runs them."""
    with serving(playground, settings, clock) as stage:
        yield stage


@pytest.fixture
def http_vigie(playground: Playground, http_settings: Settings, clock: FixedClock) -> Iterator[Stage]:
    """The same by signed HTTP."""
    with serving(playground, http_settings, clock) as stage:
        yield stage


both_databases = pytest.mark.parametrize("company_url", ["sqlite", "postgresql"], indirect=True)


class serving:  # noqa: N801 - reads as a verb: `with serving(...) as stage`
    """Run Vigie's ASGI application in a thread, with its lifespan."""

    def __init__(self, playground: Playground, settings: Settings, clock: FixedClock) -> None:
        self._playground = playground
        vigie = open_vigie(settings, clock, jobs=False)
        if isinstance(clock, SharedClock):
            clock.databases.append(vigie.context.engine)
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)
        config = uvicorn.Config(vigie.asgi, http="h11", log_config=None, access_log=False, timeout_graceful_shutdown=5)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self.stage = Stage(vigie, playground, clock, f"http://127.0.0.1:{self._socket.getsockname()[1]}")

    def __enter__(self) -> Stage:
        self._thread.start()
        if not self.stage.context.settings.socket_mode:
            self._playground.app_url = self.stage.url
        self._playground.wait_for_app()
        return self.stage

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(15)
        assert not self._thread.is_alive()
        self._socket.close()


@pytest.fixture
def signed_post(http_vigie: Stage) -> Callable[..., httpx.Response]:
    """Post to /slack/events by hand, to see what the gate lets in."""

    def post(body: bytes = b"", headers: dict[str, Any] | None = None) -> httpx.Response:
        return httpx.post(f"{http_vigie.url}/slack/events", content=body, headers=headers or {}, trust_env=False)

    return post


def _common(playground: Playground, url: str) -> dict[str, Any]:
    return {
        "slack_bot_token": playground.bot_token,
        "slack_api_url": playground.api_url,
        "database_url": url,
        "admin": "ada@example.com",
        "port": 0,
    }


def _run(base: sa.URL, statement: str) -> None:
    admin = sa.create_engine(base, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(statement))
    admin.dispose()
