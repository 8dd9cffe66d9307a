"""A headless Chromium, a small Slack with three people, and a short Bolt app living in it."""

import asyncio
import logging
import threading
from collections.abc import Iterator

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.server import STATIC, Playground
from bot.playground.world import World
from tests.page.browser import Browser, chromium_is_here
from tests.page.little_app import register


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not chromium_is_here():
        pytest.skip("no chromium and chromedriver on this machine")
    if not (STATIC / "index.html").is_file():
        pytest.skip("the page is not built; run make page")
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium: Browser, playground: Playground) -> Iterator[Browser]:
    """A desktop window in the light theme; at the end, before the playground stops, Chromium must have complained about
    nothing."""
    chromium.resize(1280)
    chromium.dark(False)
    chromium.errors()
    yield chromium
    errors = chromium.errors()
    chromium.driver.get("about:blank")
    assert errors == []


@pytest.fixture
def world() -> World:
    world = World(team_name="Atelier Nord")
    anna = world.add_user("anna", "Anna Martin", "anna@example.test", role="manager")
    ben = world.add_user("ben", "Ben Leroy", "ben@example.test", tz="Europe/London", locale="en-GB")
    world.add_channel("ventes", [anna, ben], topic="Les chiffres")
    world.add_channel("direction", [anna], is_private=True)
    world.commands.append({"command": "/kpi", "description": "Ask for a number", "should_escape": True})
    return world


@pytest.fixture
def playground(world: World) -> Iterator[Playground]:
    with Playground(world) as playground:
        yield playground


@pytest.fixture
def little_app(playground: Playground) -> Iterator[Playground]:
    """The playground with the little app connected to it."""
    stop = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(live_in(playground, stop)), name="little-app")
    thread.start()
    try:
        playground.wait_for_app()
        yield playground
    finally:
        stop.set()
        thread.join(10)


async def live_in(playground: Playground, stop: threading.Event) -> None:
    web = AsyncWebClient(playground.bot_token, base_url=playground.api_url)
    app = AsyncApp(client=web, signing_secret=playground.signing_secret, process_before_response=True)
    app.logger.setLevel(logging.ERROR)
    register(app)
    handler = AsyncSocketModeHandler(app, playground.app_token, web_client=web, ping_interval=1)
    handler.client.web_client.token = playground.bot_token
    await handler.connect_async()
    await asyncio.to_thread(stop.wait)
    await handler.close_async()
