"""The small Slack as a server: all its routes, and `Playground`, which runs it in a thread of this process."""

import contextlib
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.playground.delivery import Line
from bot.playground.hang_up import KeepTransport, hang_up
from bot.playground.hooks import Hooks
from bot.playground.live import Live
from bot.playground.modals import Modals
from bot.playground.person import User
from bot.playground.records import Json, Person
from bot.playground.user_side import UserSide
from bot.playground.web_api.entry import Entry
from bot.playground.web_api.files import receive_bytes
from bot.playground.world import World

STATIC = Path(__file__).parent / "static"
_LOCAL = {"127.0.0.1", "localhost", "::1"}


def create_app(world: World, line: Line | None = None) -> Starlette:
    """Every route of the small Slack; `line` is the way to the app, one of its own by default."""
    to_app = line or Line(world)
    side = UserSide(world, to_app)

    async def upload(request: Request) -> Response:
        fault = world.faults.take("upload")
        if fault is not None and fault.kind == "lost_request":
            return await hang_up(request)
        if fault is not None and fault.kind == "server_error":
            return PlainTextResponse("Internal Server Error", 500)
        if fault is not None and fault.kind == "rate_limited":
            return PlainTextResponse("Too Many Requests", 429, headers={"retry-after": str(fault.retry_after)})
        content = await request.body()
        taken = receive_bytes(world, request.path_params["ticket"], content)
        if fault is not None and fault.kind == "lost_reply":
            return await hang_up(request)
        return PlainTextResponse(f"OK - {len(content)}") if taken else PlainTextResponse("upload refused", 400)

    async def show_file(request: Request) -> Response:
        file = world.files.get(request.path_params["file_id"])
        if file is None or file.content is None:
            return PlainTextResponse("no such file", 404)
        kind = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "svg": "image/svg+xml"}
        media = kind.get(file.name.rpartition(".")[2].lower(), "application/octet-stream")
        headers = {"x-content-type-options": "nosniff", "content-security-policy": "default-src 'none'; sandbox"}
        return Response(file.content, media_type=media, headers=headers)

    async def page(_: Request) -> Response:
        index = STATIC / "index.html"
        return FileResponse(index) if index.is_file() else PlainTextResponse("The page is not built; run make page")

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await to_app.start()
        try:
            yield
        finally:
            await to_app.stop()

    routes: list[BaseRoute] = [
        Route("/api/{method}", Entry(world, to_app.announce).call, methods=["GET", "POST"]),
        Route("/hooks/{rest:path}", Hooks(world, to_app.announce).post, methods=["POST"]),
        Route("/upload/v1/{ticket}", upload, methods=["POST"]),
        Route("/files/{file_id}/{name}", show_file),
        WebSocketRoute("/link", to_app.sockets.link),
        WebSocketRoute("/playground/live", Live(world).tell),
        *side.routes(),
        *Modals(side).routes(),
        Route("/", page),
        Mount("/assets", StaticFiles(directory=STATIC / "assets", check_dir=False)),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.add_middleware(OnlyHere)
    return app


class OnlyHere:
    """Refuses other hosts' names (DNS rebinding) and requests that another site's page sends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and not _from_here(HTTPConnection(scope)):
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 4003})
                return
            await PlainTextResponse("only for this machine", 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _from_here(connection: HTTPConnection) -> bool:
    host = connection.headers.get("host", "")
    if urlsplit(f"//{host}").hostname not in _LOCAL:
        return False
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == host


class Playground:
    """A running small Slack on 127.0.0.1, for `with`; `port` 0 takes any free one."""

    def __init__(self, world: World | None = None, port: int = 0) -> None:
        self.world = world or World()
        self.line = Line(self.world)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError:
            self._socket.close()
            raise
        self.port = int(self._socket.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(
            KeepTransport(create_app(self.world, self.line)),
            http="h11",
            ws="websockets-sansio",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="playground", daemon=True)
        self._people: dict[str, User] = {}

    @property
    def api_url(self) -> str:
        """What slack_sdk wants as `base_url`."""
        return f"{self.url}/api/"

    @property
    def bot_token(self) -> str:
        return self.world.bot_token

    @property
    def app_token(self) -> str:
        return self.world.app_token

    @property
    def signing_secret(self) -> str:
        return self.world.signing_secret

    @property
    def app_url(self) -> str | None:
        """Where signed HTTP goes while the app holds no WebSocket; `/slack/events` is added to a bare host."""
        return self.line.app_url

    @app_url.setter
    def app_url(self, url: str | None) -> None:
        self.line.app_url = url
        self.line.tell_connected()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        self._socket.listen(128)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close every connection and wait for the thread's end."""
        for user in self._people.values():
            user.leave()
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(10)
        self._socket.close()

    def as_user(self, who: str | Person) -> User:
        """A person to type and click as: by id, name or e-mail. Raises `LookupError`."""
        person = self.world.find_user(who)
        if person.id not in self._people:
            self._people[person.id] = User(self.world, self.url, person)
        return self._people[person.id]

    def send_event(self, event: Json) -> None:
        """Send the app any event of the Events API, wrapped, signed and repeated as Slack does."""
        self.line.announce([event])

    def verify_url(self) -> bool:
        """Whether the app at `app_url` gives Slack's challenge back."""
        return self.line.ask(self.line.verify_url())

    def refresh_connections(self) -> None:
        """Ask every Socket Mode connection to go and come again, as Slack does every few hours."""
        self.line.run(self.line.sockets.refresh())

    def wait_for_app(self, timeout: float = 10.0) -> None:
        """Wait until the app is connected. Raises `TimeoutError`."""
        self.world.wait_until(lambda: self.line.connected, timeout)

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])
