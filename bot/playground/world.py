"""The state of the small Slack. One lock, one condition: any thread may read, change or wait for it."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from bot.playground.faults import Faults
from bot.playground.records import (
    Call,
    Channel,
    Delivery,
    Json,
    Message,
    Person,
    ResponseUrl,
    StoredFile,
    Trigger,
    Version,
    View,
)

Found = TypeVar("Found")

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 1800.0
ALL_SCOPES = """
    app_mentions:read channels:history channels:join channels:read chat:write commands files:read files:write
    groups:history groups:read im:history im:read im:write metadata.message:read mpim:read reactions:write team:read
    users:read users:read.email
"""
_COLORS = ("3f7cac", "c1553b", "5b8c5a", "8e5ea2", "b8860b", "2f8f83", "a23e48", "4b5fa5")


class World:
    """A workspace with one app in it. `clock` gives seconds since 1970; a test may put its own in."""

    def __init__(
        self,
        *,
        team_name: str = "Playground",
        domain: str = "playground",
        app_name: str = "Vigie",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lock = threading.RLock()
        self.condition = threading.Condition(self.lock)
        self.clock = clock
        self.team_id, self.team_name, self.domain = "T000000001", team_name, domain
        self.app_id, self.app_name, self.bot_id = "A000000001", app_name, "B000000001"
        self.bot_token = "xoxb-playground-000000001"  # noqa: S105
        self.app_token = "xapp-1-playground-000000001"  # noqa: S105
        self.signing_secret = "playground-signing-secret"  # noqa: S105
        self.revoked = False
        self.scopes: set[str] = set(ALL_SCOPES.split())
        self.subscriptions: set[str] | None = None
        """Event names that the app hears; None for all of them."""
        self.metadata_subscriptions: set[str] | None = None
        """Metadata event types that the app hears `message_metadata_*` for; None for all of them."""
        self.commands: list[Json] = []
        """Slash commands as in the manifest; an empty list takes every command."""
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, list[Message]] = {}
        self.files: dict[str, StoredFile] = {}
        self.modals: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.triggers: dict[str, Trigger] = {}
        self.tickets: set[str] = set()
        """Socket Mode addresses given out and not used yet."""
        self.calls: list[Call] = []
        self.deliveries: list[Delivery] = []
        self.faults = Faults(self.lock)
        self.listeners: list[Callable[[Json], None]] = []
        self._last_micros = 0
        self._count = 0
        self.bot_user = self.add_user(app_name.lower(), app_name, "", tz="UTC", locale="en-US", role="", is_bot=True).id

    def install(self, manifest: Mapping[str, Any]) -> None:
        """Give the app only what its manifest asks for: commands, bot scopes, events, metadata subscriptions."""
        settings = manifest.get("settings", {}).get("event_subscriptions", {})
        subscribed = settings.get("metadata_subscriptions", ())
        with self.lock:
            self.commands = list(manifest.get("features", {}).get("slash_commands", ()))
            self.scopes = set(manifest["oauth_config"]["scopes"]["bot"])
            self.subscriptions = set(settings.get("bot_events", ()))
            self.metadata_subscriptions = {one["event_type"] for one in subscribed}

    # People and places

    def add_user(
        self,
        name: str,
        real_name: str,
        email: str,
        tz: str = "Europe/Paris",
        locale: str = "fr-FR",
        *,
        role: str = "rep",
        is_bot: bool = False,
        team_id: str | None = None,
    ) -> Person:
        """A new person. `role` is for the page; `guest` makes a restricted account, another `team_id` a stranger."""
        with self.condition:
            color = _COLORS[len(self.people) % len(_COLORS)]
            home = team_id or self.team_id
            person = Person(
                self.next_id("U"), name, real_name, email, tz, locale, home, role, is_bot=is_bot, color=color
            )
            self.people[person.id] = person
            return person

    def add_channel(
        self,
        name: str,
        members: Sequence[str | Person] = (),
        *,
        is_private: bool = False,
        is_ext_shared: bool = False,
        topic: str = "",
        bot: bool = True,
    ) -> Channel:
        """A new channel with these people (or their ids) in it, and the bot unless `bot` is False."""
        with self.condition:
            ids = [member if isinstance(member, str) else member.id for member in members]
            if bot and self.bot_user not in ids:
                ids.append(self.bot_user)
            channel = Channel(self.next_id("C"), name, ids, is_private=is_private, is_ext_shared=is_ext_shared)
            channel.topic, channel.created = topic, int(self.clock())
            self.channels[channel.id] = channel
            self.messages[channel.id] = []
            return channel

    def open_im(self, user: str | Person) -> Channel:
        """The direct message between this person and the bot, made where it does not exist."""
        person = user if isinstance(user, str) else user.id
        with self.condition:
            for channel in self.channels.values():
                if channel.is_im and person in channel.members:
                    return channel
            channel = Channel(self.next_id("D"), "", [person, self.bot_user], is_im=True, is_private=True)
            channel.created = int(self.clock())
            self.channels[channel.id] = channel
            self.messages[channel.id] = []
            return channel

    def find_user(self, who: str | Person) -> Person:
        """By id, name or e-mail. Raises `LookupError`."""
        if isinstance(who, Person):
            return who
        for person in self.people.values():
            if who in {person.id, person.name, person.email}:
                return person
        raise LookupError(f"nobody here is called {who!r}")

    def find_channel(self, where: str | Channel) -> Channel:
        """By id or name, with or without `#`. Raises `LookupError`."""
        if isinstance(where, Channel):
            return where
        for channel in self.channels.values():
            if where == channel.id or (channel.name and where.removeprefix("#") == channel.name):
                return channel
        raise LookupError(f"no channel here is called {where!r}")

    # Time and names

    def next_ts(self) -> str:
        """A message time that no other message has, later than all before it."""
        with self.lock:
            self._last_micros = max(self._last_micros + 1, int(self.clock() * 1_000_000))
            return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"

    def next_id(self, letter: str) -> str:
        """An id of Slack's shape, the same in every run."""
        with self.lock:
            self._count += 1
            return f"{letter}{self._count:09d}"

    # Messages

    def post(self, message: Message) -> Message:
        with self.condition:
            self.messages[message.channel].append(message)
            self.changed("ephemeral" if message.only_for else "message", message)
            return message

    def find_message(self, channel: str, ts: str) -> Message | None:
        """A message that still stands, ephemeral ones included."""
        with self.lock:
            found = (message for message in self.messages.get(channel, ()) if message.ts == ts and not message.deleted)
            return next(found, None)

    def edit(self, message: Message, text: str, blocks: list[Json]) -> None:
        with self.condition:
            message.history.append(Version(message.text, message.blocks, self.next_ts()))
            message.text, message.blocks, message.edited, message.inputs = text, blocks, self.next_ts(), {}
            self.changed("message_changed", message)

    def delete(self, message: Message) -> None:
        with self.condition:
            message.deleted = True
            self.changed("message_deleted", message)

    # Single-use things

    def new_trigger(self, user: str, view: str | None = None) -> str:
        with self.lock:
            trigger = Trigger(
                f"{self.next_id('')}.{self.team_id[1:]}.trigger", user, self.clock() + TRIGGER_SECONDS, view
            )
            self.triggers[trigger.id] = trigger
            return trigger.id

    def new_response_url(
        self, base: str, user: str, channel: str, kind: str, origin: str | None = None, thread_ts: str | None = None
    ) -> str:
        """`kind` is `commands` or `actions`, as in Slack's own addresses."""
        with self.lock:
            token = f"{kind}/{self.team_id}/{self.next_id('')}"
            expires = self.clock() + RESPONSE_URL_SECONDS
            self.response_urls[token] = ResponseUrl(token, user, channel, expires, origin, thread_ts)
            return f"{base}/{token}"

    # Looking on

    def changed(self, what: str, message: Message | None = None, **more: object) -> None:
        """Tell the live listeners, and wake whoever waits."""
        event: Json = {"type": what, **more}
        if message is not None:
            event |= {"channel": message.channel, "ts": message.ts}
            if message.only_for:
                event["user"] = message.only_for
        with self.condition:
            for listener in list(self.listeners):
                listener(event)
            self.condition.notify_all()

    def record(self, call: Call) -> None:
        with self.condition:
            self.calls.append(call)
            self.condition.notify_all()

    def calls_of(self, method: str) -> list[Call]:
        with self.lock:
            return [call for call in self.calls if call.method == method]

    def wait_until(self, look: Callable[[], Found | None], timeout: float = 10.0) -> Found:
        """The first thing `look` finds (anything true), looked for at every change. Raises `TimeoutError`."""
        deadline = time.monotonic() + timeout
        with self.condition:
            while True:
                found = look()
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"nothing of the kind within {timeout:g} s")
                self.condition.wait(left)
