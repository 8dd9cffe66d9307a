"""What one Web API method is: its arguments, its scopes, and the function that does it."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.playground.records import Channel, Json
from bot.playground.world import World


class ApiError(Exception):
    """`ok: false` with Slack's own word, and what else Slack says beside it."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code, self.more = code, more


def invalid(code: str, *messages: str) -> ApiError:
    """An error with the sentences that Slack gives in `response_metadata.messages`."""
    return ApiError(code, response_metadata={"messages": [f"[ERROR] {message}" for message in messages]})


@dataclass(slots=True)
class Asked:
    """One call under way. `after` collects what is to be sent to the app once the answer stands (events)."""

    world: World
    args: Json
    address: str
    """Where this server answers, without a slash at the end."""
    warnings: list[str] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)

    def text(self, name: str) -> str:
        value = self.args.get(name)
        return "" if value is None else str(value)

    def flag(self, name: str) -> bool:
        return self.args.get(name) in {True, "true", "1"}

    def channel(self, name: str = "channel") -> Channel:
        """The channel named, if the bot may know of it. Raises `channel_not_found`."""
        channel = self.world.channels.get(self.text(name))
        if channel is None or ((channel.is_private or channel.is_im) and self.world.bot_user not in channel.members):
            raise ApiError("channel_not_found")
        return channel

    def channel_scopes(self, channel: Channel, verb: str) -> None:
        """`channels:read`, `groups:read` or `im:read` (or `:history`), whichever this channel asks for."""
        kind = "im" if channel.is_im else "groups" if channel.is_private else "channels"
        self.need(f"{kind}:{verb}")

    def need(self, *scopes: str) -> None:
        """At least one of these scopes. Raises `missing_scope`."""
        if scopes and not self.world.scopes.intersection(scopes):
            raise ApiError("missing_scope", needed=",".join(scopes), provided=",".join(sorted(self.world.scopes)))

    def page(self, items: Sequence[Any], default: int, most: int) -> tuple[list[Any], str]:
        """One page of `items` and the cursor of the next ("" on the last)."""
        try:
            limit = int(self.args.get("limit") or default)
        except (TypeError, ValueError):
            raise ApiError("invalid_limit") from None
        if limit < 1:
            raise ApiError("invalid_limit")
        limit = min(limit, most)
        start = _read_cursor(self.text("cursor"))
        if start > len(items):
            raise ApiError("invalid_cursor")
        end = start + limit
        return list(items[start:end]), _write_cursor(end) if end < len(items) else ""


@dataclass(frozen=True, slots=True)
class Method:
    run: Callable[[Asked], Json]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    """Any one of them will do; none: the method asks for none, or checks by itself."""
    json: bool = True
    """False: Slack reads only form arguments here, and does not see a JSON body at all."""
    token: str = "xoxb-"  # noqa: S105


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _write_cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"next:{position}".encode()).decode()


def _read_cursor(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        word, _, position = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
        if word != "next":
            raise ApiError("invalid_cursor")
        return int(position)
    except (binascii.Error, ValueError):
        raise ApiError("invalid_cursor") from None
