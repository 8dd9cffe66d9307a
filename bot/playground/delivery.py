"""The line to the app: signed HTTP or Socket Mode, three seconds for an ack, events again as Slack repeats them."""

import asyncio
import json
import time
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import httpx
from slack_sdk.signature import SignatureVerifier

from bot.playground.records import Delivery, Json
from bot.playground.sockets import Sockets
from bot.playground.world import World

Answer = TypeVar("Answer")

ACK_SECONDS = 3.0
DEFAULT_PATH = "/slack/events"


class Line:
    """Sends envelopes to the app, over its WebSockets where there are any, else to `app_url`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tasks: set[asyncio.Task[Any]] = set()
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.app_url: str | None = None
        """Where signed HTTP goes; a bare host gets Bolt's own path."""
        self.retry_seconds: tuple[float, ...] = (0.0, 60.0, 300.0)
        self.ack_seconds = ACK_SECONDS
        self.sockets = Sockets(world, self.tell_connected)

    @property
    def connected(self) -> bool:
        return bool(self.sockets.count or self.app_url)

    def tell_connected(self) -> None:
        self._world.changed("app", connected=self.connected)

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(30))

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do it in the background of the server's loop, from whatever thread."""
        if self._loop is None:
            work.close()
            raise RuntimeError("the playground is not running")
        self._loop.call_soon_threadsafe(self._start_task, work)

    def ask(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Do it in the server's loop, from another thread, and wait for its answer."""
        if self._loop is None:
            work.close()
            raise RuntimeError("the playground is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def announce(self, events: Sequence[Json]) -> None:
        """Send events to the app, those that it subscribes to, each by itself and again if it does not ack."""
        for event in events:
            if self.connected and self._wanted(event):
                self.run(self._with_retries(event))

    async def send(self, kind: str, payload: Json, attempt: int = 0, reason: str = "") -> Delivery:
        """One envelope, one answer; what came of it is also kept in `world.deliveries`."""
        begun = time.monotonic()
        body: Json = {}
        try:
            if self.sockets.count:
                body = await self.sockets.send(kind, payload, self.ack_seconds, attempt, reason) or {}
                outcome = "ok"
            elif self.app_url:
                outcome, body = await self._post(kind, payload, attempt, reason)
            else:
                outcome = "no_app"
        except (TimeoutError, httpx.TimeoutException):
            outcome = "timeout"
        except (ConnectionError, httpx.HTTPError):
            outcome = "failed"
        spent = (time.monotonic() - begun) * 1000
        delivery = Delivery(kind, payload, attempt, outcome, body, spent)
        with self._world.condition:
            self._world.deliveries.append(delivery)
            self._world.condition.notify_all()
        return delivery

    async def _post(self, kind: str, payload: Json, attempt: int, reason: str) -> tuple[str, Json]:
        if self._client is None or self.app_url is None:
            raise RuntimeError("the playground is not running")
        if kind == "slash_commands":
            content, media = urlencode(payload), "application/x-www-form-urlencoded"
        elif kind == "interactive":
            content, media = urlencode({"payload": json.dumps(payload)}), "application/x-www-form-urlencoded"
        else:
            content, media = json.dumps(payload), "application/json"
        stamp = str(int(self._world.clock()))
        signature = SignatureVerifier(self._world.signing_secret).generate_signature(timestamp=stamp, body=content)
        headers = {"content-type": media, "x-slack-request-timestamp": stamp, "x-slack-signature": signature or ""}
        headers["user-agent"] = "Slackbot 1.0 (+https://api.slack.com/robots)"
        if attempt:
            headers |= {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": reason}
        url = self.app_url if urlsplit(self.app_url).path.strip("/") else self.app_url.rstrip("/") + DEFAULT_PATH
        async with asyncio.timeout(self.ack_seconds):
            answer = await self._client.post(url, content=content.encode(), headers=headers)
        body = _read(answer.text)
        if answer.status_code != 200:
            body = {"no_retry": answer.headers.get("x-slack-no-retry") == "1", "status": answer.status_code}
            return "failed", body
        return "ok", body

    async def verify_url(self) -> bool:
        """The handshake of a new request address: the app must give the challenge back."""
        challenge = self._world.next_id("challenge")
        payload = {"type": "url_verification", "token": "playground", "challenge": challenge}
        delivery = await self.send("url_verification", payload)
        return challenge in {delivery.body.get("challenge"), delivery.body.get("text")}

    async def _with_retries(self, event: Json) -> None:
        payload = self._wrapped(event)
        reason = ""
        for attempt, wait in enumerate((0.0, *self.retry_seconds)):
            if wait:
                await asyncio.sleep(wait)
            delivery = await self.send("events_api", payload, attempt, reason)
            if delivery.outcome == "ok" or delivery.body.get("no_retry"):
                return
            status = delivery.body.get("status")
            reason = (
                "http_timeout" if delivery.outcome == "timeout" else "http_error" if status else "connection_failed"
            )

    def _wrapped(self, event: Json) -> Json:
        world = self._world
        authorization = {"team_id": world.team_id, "user_id": world.bot_user, "is_bot": True, "enterprise_id": None}
        return {
            "token": "playground",
            "team_id": world.team_id,
            "api_app_id": world.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": world.next_id("Ev"),
            "event_time": int(world.clock()),
            "authorizations": [authorization | {"is_enterprise_install": False}],
            "is_ext_shared_channel": False,
        }

    def _wanted(self, event: Json) -> bool:
        name = event["type"]
        if name.startswith("message_metadata_"):
            wanted = self._world.metadata_subscriptions
            if "metadata.message:read" not in self._world.scopes:
                return False
            if wanted is not None and event["metadata"]["event_type"] not in wanted:
                return False
        if name == "message":
            name = f"message.{_SURFACES[event['channel_type']]}"
        return self._world.subscriptions is None or name in self._world.subscriptions

    def _start_task(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_SURFACES = {"channel": "channels", "group": "groups", "im": "im"}


def _read(text: str) -> Json:
    """An ack's body: JSON as it is, other words as the text of a message."""
    if not text.strip():
        return {}
    try:
        read = json.loads(text)
    except ValueError:
        return {"text": text}
    return read if isinstance(read, dict) else {"text": text}
