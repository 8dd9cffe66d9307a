"""response_url: five posts in thirty minutes, private unless said otherwise, bound to one person and one channel."""

import asyncio
import json
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.playground.hang_up import hang_up
from bot.playground.records import Call, Json, Message, ResponseUrl
from bot.playground.web_api.chat import POST_TEXT_MAX, announce, content
from bot.playground.web_api.entry import Announce
from bot.playground.web_api.method import ApiError, Asked
from bot.playground.world import World

POSTS_MAX = 5


class Hooks:
    def __init__(self, world: World, announce_events: Announce) -> None:
        self._world = world
        self._announce = announce_events

    async def post(self, request: Request) -> Response:
        world = self._world
        token = request.url.path.removeprefix("/hooks/")
        args = _arguments(await request.body())
        fault = world.faults.take("response_url")
        if fault is not None:
            if fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
            if fault.kind in {"lost_request", "server_error", "rate_limited", "error"}:
                world.record(Call("response_url", args, None, fault.kind))
                if fault.kind == "lost_request":
                    return await hang_up(request)
                if fault.kind == "error":
                    return JSONResponse({"ok": False, "error": fault.error})
                limited = fault.kind == "rate_limited"
                headers = {"retry-after": str(fault.retry_after)} if limited else {}
                return Response("", 429 if limited else 500, headers)
        asked = Asked(world, args, "")
        answer: Json = {"ok": True}
        try:
            with world.condition:
                self._do(asked, token)
            status = 200
        except ApiError as error:
            answer |= {"ok": False, "error": error.code, **error.more}
            status = 404 if error.code in {"used_url", "expired_url"} else 200
        world.record(Call("response_url", args, answer, fault.kind if fault else None))
        self._announce(asked.events)
        if fault is not None and fault.kind == "lost_reply":
            return await hang_up(request)
        if fault is not None and fault.kind == "server_error_after":
            return Response("", 500)
        return JSONResponse(answer, status)

    def _do(self, asked: Asked, token: str) -> None:
        world, args = self._world, asked.args
        url = world.response_urls.get(token)
        if url is None or world.clock() > url.expires:
            raise ApiError("expired_url")
        if url.uses >= POSTS_MAX:
            raise ApiError("used_url")
        url.uses += 1
        origin = world.find_message(url.channel, url.origin) if url.origin else None
        if asked.flag("delete_original"):
            if origin is None:
                raise ApiError("message_not_found")
            world.delete(origin)
            return
        text, blocks = content(asked, POST_TEXT_MAX)
        # A slash command's response_url has no original: replace_original then posts one more message (bolt-js#2287).
        if asked.flag("replace_original") and url.origin:
            if origin is None:
                raise ApiError("message_not_found")
            world.edit(origin, text, blocks)
            return
        kind = args.get("response_type") or "ephemeral"
        if kind not in {"ephemeral", "in_channel"}:
            raise ApiError("invalid_arguments")
        message = answer_message(world, url, text, blocks, public=kind == "in_channel")
        message.thread_ts = asked.text("thread_ts") or None
        world.post(message)
        if kind == "in_channel" and world.bot_user in world.channels[url.channel].members:
            announce(asked, message)


def answer_message(world: World, url: ResponseUrl, text: str, blocks: list[Json], *, public: bool) -> Message:
    """A message of the app to the person (or the channel) that a response_url is bound to."""
    message = Message(world.next_ts(), url.channel, text, blocks, world.bot_user, from_app=True, by_response_url=True)
    message.only_for = None if public else url.user
    return message


def _arguments(body: bytes) -> Json:
    """JSON, or JSON in a form field called `payload`, as Slack's hooks take both."""
    text = body.decode(errors="replace")
    try:
        read = json.loads(text)
    except ValueError:
        try:
            read = json.loads(parse_qs(text).get("payload", ["{}"])[0])
        except ValueError:
            read = {}
    return read if isinstance(read, dict) else {}
