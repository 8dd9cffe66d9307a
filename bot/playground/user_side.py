"""The person's side: typing, clicking, choosing. JSON routes that the page and the tests speak."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.playground.delivery import Line
from bot.playground.faults import KINDS
from bot.playground.hooks import answer_message
from bot.playground.looks import messages_look, view_look, world_look
from bot.playground.payloads import action_payload, command_payload, suggestion_payload, typed
from bot.playground.records import Channel, Json, Message, Person, ResponseUrl, View
from bot.playground.shapes import view_shape
from bot.playground.web_api.chat import POST_TEXT_MAX, announce, content, message_event
from bot.playground.web_api.conversations import member_event
from bot.playground.web_api.method import ApiError, Asked
from bot.playground.web_api.views import elements_of
from bot.playground.world import World

Source = Message | View
FAILURES = {"timeout": "operation_timeout", "failed": "dispatch_failed", "no_app": "no_app"}


class RefusalError(Exception):
    """What a person asked cannot be done; the word says why."""


class UserSide:
    def __init__(self, world: World, line: Line) -> None:
        self.world = world
        self.line = line
        self._suggested: dict[tuple[str, str], list[Json]] = {}

    def routes(self) -> list[Route]:
        gets = {
            "world": self.read_world,
            "messages": self.read_messages,
            "home": self.read_home,
            "view": self.read_stack,
        }
        posts = {
            "command": self.command,
            "message": self.message,
            "action": self.action,
            "options": self.options,
            "open_home": self.open_home,
            "invite": self.invite,
            "remove": self.remove,
            "faults": self.plan_fault,
        }
        found = [Route(f"/playground/{name}", answering(do), methods=["GET"]) for name, do in gets.items()]
        found += [Route(f"/playground/{name}", answering(do), methods=["POST"]) for name, do in posts.items()]
        return [*found, Route("/playground/faults", answering(self.clear_faults), methods=["DELETE"])]

    async def read_world(self, _: Request) -> Json:
        with self.world.lock:
            return world_look(self.world, connected=self.line.connected)

    async def read_messages(self, request: Request) -> Json:
        asked = request.query_params
        with self.world.lock:
            channel = self.place(asked)
            return {"messages": messages_look(self.world, channel, self.person(asked).id, asked.get("thread_ts"))}

    async def read_home(self, request: Request) -> Json:
        with self.world.lock:
            view = self.world.homes.get(self.person(request.query_params).id)
            return {"view": view_look(self.world, view) if view else None}

    async def read_stack(self, request: Request) -> Json:
        with self.world.lock:
            stack = self.world.modals.get(self.person(request.query_params).id, [])
            return {"stack": [view_look(self.world, view) for view in stack]}

    async def command(self, request: Request) -> Json:
        asked = await request.json()
        world, person, channel = self.world, self.person(asked), self.place(asked, member=True)
        name = asked["text"].strip().partition(" ")[0]
        if world.commands and name not in {command["command"] for command in world.commands}:
            raise RefusalError("unknown_command")
        payload = command_payload(world, _hooks(request), person, channel.id, asked["text"])
        delivery = await self.line.send("slash_commands", payload)
        if delivery.outcome != "ok":
            raise RefusalError(FAILURES[delivery.outcome])
        if delivery.body.get("text") or delivery.body.get("blocks"):
            self._show_ack(delivery.body, world.response_urls[payload["response_url"].partition("/hooks/")[2]])
        return {"ok": True, "ack_ms": delivery.milliseconds}

    async def message(self, request: Request) -> Json:
        asked = await request.json()
        world, person, channel = self.world, self.person(asked), self.place(asked, member=True)
        text = typed(world, asked["text"], labels=False)
        message = Message(world.next_ts(), channel.id, text, [], person.id)
        message.thread_ts = asked.get("thread_ts") or None
        world.post(message)
        if world.bot_user in channel.members:
            event = message_event(world, message, channel)
            mentioned = f"<@{world.bot_user}>" in text and not channel.is_im
            mention = {key: value for key, value in event.items() if key != "channel_type"} | {"type": "app_mention"}
            self.line.announce([event, mention] if mentioned else [event])
        return {"ok": True, "ts": message.ts}

    async def action(self, request: Request) -> Json:
        asked = await request.json()
        person, source = self.person(asked), self.source(asked)
        with self.world.lock:
            for block_id, actions in (asked.get("values") or {}).items():
                source.inputs.setdefault(block_id, {}).update(actions)
            element = self.element(source, asked)
            value = asked.get("value")
            base = _hooks(request)
            try:
                payload = action_payload(self.world, base, person, source, asked["block_id"], element, value)
            except LookupError as error:
                raise RefusalError(str(error)) from None
        delivery = await self.line.send("interactive", payload)
        if delivery.outcome != "ok":
            raise RefusalError(FAILURES[delivery.outcome])
        return {"ok": True, "ack_ms": delivery.milliseconds}

    async def options(self, request: Request) -> Json:
        asked = await request.json()
        source, block_id, action_id = self.source(asked), asked["block_id"], asked["action_id"]
        with self.world.lock:
            self.element(source, asked)
            payload = suggestion_payload(
                self.world, self.person(asked), source, block_id, action_id, asked.get("value") or ""
            )
        delivery = await self.line.send("interactive", payload)
        if delivery.outcome != "ok":
            raise RefusalError(FAILURES[delivery.outcome])
        groups = delivery.body.get("option_groups")
        options = [option for group in groups for option in group["options"]] if groups else None
        options = options if options is not None else delivery.body.get("options", [])
        self._suggested[block_id, action_id] = options
        return {"options": options} | ({"option_groups": groups} if groups else {})

    async def open_home(self, request: Request) -> Json:
        world, person = self.world, self.person(await request.json())
        channel = world.open_im(person)
        event: Json = {"type": "app_home_opened", "user": person.id, "channel": channel.id, "tab": "home"}
        event["event_ts"] = world.next_ts()
        home = world.homes.get(person.id)
        if home is not None:
            event["view"] = view_shape(world, home)
        self.line.announce([event])
        return {"ok": True}

    async def invite(self, request: Request) -> Json:
        asked = await request.json()
        world, person, channel = self.world, self.person(asked), self.place(asked)
        if channel.is_im or person.id in channel.members:
            raise RefusalError("already_in_channel")
        with world.lock:
            channel.members.append(person.id)
            world.changed("channel", channel=channel.id)
        if world.bot_user in channel.members:
            event = member_event(world.team_id, channel, person.id, "member_joined_channel", world.next_ts())
            self.line.announce([event | ({"inviter": asked["by"]} if asked.get("by") else {})])
        return {"ok": True}

    async def remove(self, request: Request) -> Json:
        asked = await request.json()
        world, person, channel = self.world, self.person(asked), self.place(asked, member=True)
        if channel.is_im:
            raise RefusalError("not_in_channel")
        with world.lock:
            channel.members.remove(person.id)
            world.changed("channel", channel=channel.id)
        if person.id == world.bot_user:
            kind = "group_left" if channel.is_private else "channel_left"
            self.line.announce([{"type": kind, "channel": channel.id, "event_ts": world.next_ts()}])
        elif world.bot_user in channel.members:
            event = member_event(world.team_id, channel, person.id, "member_left_channel", world.next_ts())
            self.line.announce([event])
        return {"ok": True}

    async def plan_fault(self, request: Request) -> Json:
        asked = await request.json()
        if asked.get("fault") not in KINDS:
            raise RefusalError(f"unknown_fault: one of {', '.join(KINDS)}")
        more = {key: asked[key] for key in ("retry_after", "seconds", "error") if key in asked}
        self.world.faults.add(asked["method"], asked["fault"], int(asked.get("times", 1)), **more)
        return {"ok": True}

    async def clear_faults(self, _: Request) -> Json:
        self.world.faults.clear()
        return {"ok": True}

    def person(self, asked: Any) -> Person:
        person = self.world.people.get(asked.get("user") or "")
        if person is None:
            raise RefusalError("user_not_found")
        return person

    def place(self, asked: Any, *, member: bool = False) -> Channel:
        """The channel named; `member`: only where the person is in it, as in Slack's own client."""
        channel = self.world.channels.get(asked.get("channel") or "")
        if channel is None:
            raise RefusalError("channel_not_found")
        if member and self.person(asked).id not in channel.members:
            raise RefusalError("not_in_channel")
        return channel

    def source(self, asked: Json) -> Source:
        """The message or the view that holds the element used."""
        person = self.person(asked)
        if asked.get("view_id"):
            home = self.world.homes.get(person.id)
            views: list[View] = [*self.world.modals.get(person.id, ()), *([home] if home else ())]
            for view in views:
                if view.id == asked["view_id"]:
                    return view
            raise RefusalError("view_not_found")
        channel = self.place(asked)
        message: Message | None = self.world.find_message(channel.id, str(asked.get("message_ts")))
        if message is None or message.only_for not in {None, person.id}:
            raise RefusalError("message_not_found")
        return message

    def element(self, source: Source, asked: Json) -> Json:
        """The element as the app sent it, with what the app last suggested for it."""
        blocks = source.body["blocks"] if isinstance(source, View) else source.blocks
        wanted = asked["block_id"], asked["action_id"]
        for block, element in elements_of(blocks):
            if (block["block_id"], element["action_id"]) == wanted:
                return {**element, "suggested": self._suggested.get(wanted, [])}
        raise RefusalError("element_not_found")

    def _show_ack(self, body: Json, url: ResponseUrl) -> None:
        """An ack with words in it is a message, private unless it says otherwise."""
        asked = Asked(self.world, body, "")
        try:
            text, blocks = content(asked, POST_TEXT_MAX)
        except ApiError as error:
            raise RefusalError("dispatch_failed") from error
        public = body.get("response_type") == "in_channel"
        message = self.world.post(answer_message(self.world, url, text, blocks, public=public))
        if public:
            announce(asked, message)
            self.line.announce(asked.events)


def answering(do: Callable[[Request], Awaitable[Json]]) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def route(request: Request) -> JSONResponse:
        try:
            return JSONResponse(await do(request))
        except RefusalError as refusal:
            return JSONResponse({"ok": False, "error": str(refusal)})

    return route


def _hooks(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers['host']}/hooks"
