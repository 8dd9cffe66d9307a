"""The one composition root: settings and a clock go in, a running Vigie comes out. Importing it does nothing.

Everything runs behind one ASGI application: `/healthz`, `/hooks/…` for the CRMs, `/slack/events` for HTTP, and in its
lifespan the Socket Mode connection and the clock of the jobs. A SIGTERM ends the lifespan: what was accepted is
finished, the rest released.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import sqlalchemy as sa
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot import gate
from bot.clock import Clock, SystemClock
from bot.conversation import Context
from bot.database import open_database
from bot.hearing import build_app
from bot.hooks import Hooks
from bot.inbox import Inbox, vault_of
from bot.jobs import jobs as all_jobs
from bot.jobs import postman
from bot.jobs.clock import Ticks
from bot.performing import performer
from bot.settings import Settings
from bot.slack import Slack
from bot.threads import Threads
from storage import sources
from storage.database import reading, writing
from storage.replica import Replica
from storage.vault import Vault, VaultError
from storage.workspaces import SINGLE

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Vigie:
    """A whole Vigie, not yet started: `asgi` starts and stops it."""

    context: Context
    threads: Threads
    bolt: AsyncApp
    asgi: Starlette


def open_vigie(settings: Settings, clock: Clock | None = None, *, jobs: bool = True) -> Vigie:
    """Open the database, ask Slack who the bot is, and put everything together.

    Raises `SettingsError` with one sentence for settings that are not enough, `SlackError` where Slack does not know
    the token. `jobs` false leaves the ticking to the caller, as tests do.
    """
    settings.for_slack()
    clock = clock or SystemClock()
    engine = open_database(settings, clock)
    _turn_keys(engine, settings)
    slack = Slack(settings.bot_token, settings.slack_api_url)
    url = settings.read_database_url
    replica = None if url is None else Replica(url.get_secret_value())
    threads = Threads()
    inbox = Inbox(engine, vault_of(settings), threads)
    context = Context(engine=engine, clock=clock, slack=slack, settings=settings, replica=replica, inbox=inbox)
    inbox.perform = performer(context)
    bolt = build_app(context, inbox, threads, SINGLE)
    hooks = Hooks(context, SINGLE)
    ticks = Ticks(context, all_jobs() if jobs else ())
    routes = [*_routes(context, bolt, ticks), *hooks.routes]
    vigie = Vigie(context, threads, bolt, Starlette(routes=routes, lifespan=lambda _: life()))

    @contextlib.asynccontextmanager
    async def life() -> AsyncIterator[None]:
        inbox.start()
        async with _listening(vigie):
            ticks.start()
            context.postman.listener = lambda: ticks.at_once(postman.JOB.name)
            log.info("started socket_mode=%s", settings.socket_mode)
            yield
            log.info("stopping")
            await asyncio.to_thread(ticks.stop)
        await asyncio.to_thread(threads.drain)
        await asyncio.to_thread(inbox.stop)
        await asyncio.to_thread(hooks.close)
        slack.close()
        if replica is not None:
            replica.close()
        engine.dispose()
        log.info("stopped")

    return vigie


def _routes(context: Context, bolt: AsyncApp, ticks: Ticks) -> list[Route]:
    secrets = context.settings.signing_secrets

    async def events(request: Request) -> Response:
        body = await gate.read_body(request)
        if body is None:
            return Response(status_code=413)
        headers = request.headers
        timestamp, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
        now = context.clock.now().timestamp()
        if not gate.is_signed(secrets, timestamp, signature, body, now):
            log.warning("request_refused reason=signature")
            return Response(status_code=401)
        try:
            return to_starlette_response(await bolt.async_dispatch(to_async_bolt_request(request, body)))
        except Exception as error:
            # Signed, but nothing that Bolt can read: neither an object in JSON nor a form. It stays out of the log.
            log.error("request_unreadable reason=%s", type(error).__name__)
            return Response(status_code=400)

    async def health(_: Request) -> Response:
        try:
            await asyncio.to_thread(_answers, context.engine)
        except sa.exc.SQLAlchemyError as error:
            log.error("unhealthy reason=%s", type(error).__name__)
            return JSONResponse({"ok": False}, status_code=503)
        if hanging := ticks.hanging():
            log.error("unhealthy reason=hanging jobs=%s", ",".join(hanging))
            return JSONResponse({"ok": False, "hanging": hanging}, status_code=503)
        return JSONResponse({"ok": True})

    return [Route("/slack/events", events, methods=["POST"]), Route("/healthz", health, methods=["GET"])]


def _turn_keys(engine: Engine, settings: Settings) -> None:
    """Seal every secret with the first key, so that the ones after it can be taken out of the settings."""
    try:
        with writing(engine) as connection:
            sources.reseal(connection, SINGLE, Vault(settings.vault_keys))
    except VaultError as error:
        # The sources concerned fail with a sentence of their own; everything else goes on.
        log.error("secrets_unreadable reason=%s", error.code)


def _answers(engine: Engine) -> None:
    with reading(engine) as connection:
        connection.execute(sa.select(1))


@contextlib.asynccontextmanager
async def _listening(vigie: Vigie) -> AsyncIterator[None]:
    """The Socket Mode connection, where there is an app token."""
    token = vigie.context.settings.slack_app_token
    if token is None:
        yield
        return
    sockets = AsyncSocketModeHandler(vigie.bolt, token.get_secret_value())
    await sockets.connect_async()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        await sockets.close_async()  # type: ignore[no-untyped-call]
