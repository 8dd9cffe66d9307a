"""A running small Slack with a few people, and a ten-line Bolt app on it, over Socket Mode or signed HTTP."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from slack_bolt.adapter.asgi.async_handler import AsyncSlackRequestHandler
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk import WebClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.server import Playground
from bot.playground.world import World


@pytest.fixture
def world() -> World:
    world = World()
    anna = world.add_user("anna", "Anna Martin", "anna@example.test")
    ben = world.add_user("ben", "Ben Leroy", "ben@example.test", tz="Europe/London", locale="en-GB", role="manager")
    world.add_user("guest", "Gil Invité", "gil@example.test", role="guest")
    world.add_channel("sales", [anna, ben])
    world.add_channel("secret", [anna], is_private=True, bot=False)
    world.add_channel("far", [ben], bot=False)
    return world


@pytest.fixture
def playground(world: World) -> Iterator[Playground]:
    with Playground(world) as playground:
        yield playground


@pytest.fixture
def client(playground: Playground) -> WebClient:
    return WebClient(playground.bot_token, base_url=playground.api_url, retry_handlers=[])


@pytest.fixture(params=["socket", "http"])
def with_app(request: pytest.FixtureRequest, playground: Playground) -> Callable:
    """`with with_app(register):` runs a real Bolt app; `register(app)` adds its listeners."""

    @contextmanager
    def run(register: Callable[[AsyncApp], None]) -> Iterator[None]:
        stop, loop = threading.Event(), asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_until_complete, args=(serve(register, stop),), daemon=True)
        thread.start()
        try:
            playground.wait_for_app()
            yield
        finally:
            stop.set()
            thread.join(10)
            loop.close()

    async def serve(register: Callable[[AsyncApp], None], stop: threading.Event) -> None:
        web = AsyncWebClient(playground.bot_token, base_url=playground.api_url)
        app = AsyncApp(client=web, signing_secret=playground.signing_secret, process_before_response=True)
        app.logger.setLevel(logging.ERROR)
        register(app)
        if request.param == "socket":
            await serve_socket(app, stop)
        else:
            await serve_http(app, stop)

    async def serve_socket(app: AsyncApp, stop: threading.Event) -> None:
        handler = AsyncSocketModeHandler(app, playground.app_token, web_client=app.client, ping_interval=1)
        handler.client.web_client.token = playground.bot_token
        await handler.connect_async()
        await asyncio.to_thread(stop.wait)
        await handler.close_async()

    async def serve_http(app: AsyncApp, stop: threading.Event) -> None:
        import uvicorn

        config = uvicorn.Config(AsyncSlackRequestHandler(app), port=0, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        playground.app_url = f"http://127.0.0.1:{port}"
        await asyncio.to_thread(stop.wait)
        server.should_exit = True
        await task

    return run
