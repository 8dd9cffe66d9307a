"""POST /api/{method}: the token, the arguments, the planned fault, the method, the record of it all."""

import asyncio
import json
from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.playground.faults import Fault
from bot.playground.hang_up import hang_up
from bot.playground.records import Call, Json
from bot.playground.web_api import chat, conversations, files, people, views
from bot.playground.web_api.method import ApiError, Asked, Method, invalid
from bot.playground.world import World

METHODS: dict[str, Method] = {
    name: method for family in (chat, conversations, files, people, views) for name, method in family.METHODS.items()
}
_STRUCTURED = {"attachments", "blocks", "files", "message", "metadata", "view"}
_BROKEN = {"blocks": "invalid_blocks_format", "metadata": "invalid_metadata_format"}

Announce = Callable[[Sequence[Json]], None]


class Entry:
    """Takes the Web API's requests; `announce` sends the events that follow from them."""

    def __init__(self, world: World, announce: Announce) -> None:
        self._world = world
        self._announce = announce

    async def call(self, request: Request) -> Response:
        world, name = self._world, request.path_params["method"]
        given, token, warnings = await _arguments(request, METHODS.get(name))
        fault = world.faults.take(name)
        kept = {key: value for key, value in given.items() if value is not None}
        if fault is not None:
            if fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
            before = _before(fault)
            if before is not None or fault.kind == "lost_request":
                world.record(Call(name, kept, None, fault.kind))
                return before if before is not None else await hang_up(request)
        base = f"{request.url.scheme}://{request.headers['host']}"
        answer, events = self._answer(name, kept, token, base, warnings)
        world.record(Call(name, kept, answer, fault.kind if fault else None, _unknown(name, kept)))
        self._announce(events)
        if fault is not None and fault.kind == "lost_reply":
            return await hang_up(request)
        if fault is not None and fault.kind == "server_error_after":
            return Response("Internal Server Error", 500)
        headers = {"x-oauth-scopes": ",".join(sorted(world.scopes)), "x-slack-req-id": world.next_id("")}
        return JSONResponse(answer, headers=headers)

    def _answer(self, name: str, args: Json, token: str, base: str, warnings: list[str]) -> tuple[Json, Sequence[Json]]:
        world = self._world
        asked = Asked(world, args, base, warnings)
        try:
            method = METHODS.get(name)
            if method is None:
                raise ApiError("unknown_method", req_method=name)
            _check_token(world, token, method)
            asked.need(*method.scopes)
            _read_structures(args)
            missing = [key for key in method.required if args.get(key) in (None, "")] if method.required else []
            if missing:
                raise invalid("invalid_arguments", *(f"missing required field: {key}" for key in missing))
            with world.condition:
                answer: Json = {"ok": True, **method.run(asked)}
        except ApiError as error:
            return {"ok": False, "error": error.code, **error.more}, ()
        if asked.warnings:
            answer["warning"] = ",".join(asked.warnings)
            answer.setdefault("response_metadata", {})["warnings"] = list(asked.warnings)
        return answer, asked.events


def _unknown(name: str, args: Json) -> tuple[str, ...]:
    method = METHODS.get(name)
    return tuple(sorted(args.keys() - {*method.required, *method.optional})) if method else ()


def _before(fault: Fault) -> Response | None:
    """The answer of a fault that stops the call before it does anything."""
    if fault.kind == "rate_limited":
        return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"retry-after": str(fault.retry_after)})
    if fault.kind == "server_error":
        return Response("Internal Server Error", 500)
    if fault.kind == "error":
        return JSONResponse({"ok": False, "error": fault.error})
    return None


def _check_token(world: World, token: str, method: Method) -> None:
    if not token:
        raise ApiError("not_authed")
    if token not in {world.bot_token, world.app_token}:
        raise ApiError("invalid_auth")
    if world.revoked:
        raise ApiError("account_inactive")
    if not token.startswith(method.token):
        raise ApiError("not_allowed_token_type")


async def _arguments(request: Request, method: Method | None) -> tuple[Json, str, list[str]]:
    """Query, form or JSON arguments, the token taken out of them, and Slack's warnings about their form."""
    body = await request.body()
    kind, _, more = request.headers.get("content-type", "").partition(";")
    args: Json = dict(request.query_params)
    warnings: list[str] = []
    if kind == "application/json" and (method is None or method.json):
        if "charset" not in more:
            warnings.append("missing_charset")
        try:
            read = json.loads(body or b"{}")
        except ValueError:
            read = {}
        args |= read if isinstance(read, dict) else {}
        args.pop("token", None)
    elif kind == "application/x-www-form-urlencoded":
        args |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    bearer = request.headers.get("authorization", "")
    token = bearer.removeprefix("Bearer ") if bearer.startswith("Bearer ") else str(args.get("token", ""))
    args.pop("token", None)
    return args, token, warnings


def _read_structures(args: Json) -> None:
    for name in _STRUCTURED & args.keys():
        if isinstance(args[name], str) and args[name]:
            try:
                args[name] = json.loads(args[name])
            except ValueError:
                raise ApiError(_BROKEN.get(name, "invalid_arguments")) from None
