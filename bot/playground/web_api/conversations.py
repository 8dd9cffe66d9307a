"""conversations.*: what the bot may know of channels, and what was said in them."""

from bot.playground.records import Channel, Json, Message
from bot.playground.shapes import channel_shape, message_shape, replies_to
from bot.playground.web_api.method import ApiError, Asked, Method, words

_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
KINDS = ("public_channel", "private_channel", "mpim", "im")


def info(asked: Asked) -> Json:
    channel = asked.channel()
    asked.channel_scopes(channel, "read")
    members, locale = asked.flag("include_num_members"), asked.flag("include_locale")
    return {"channel": channel_shape(asked.world, channel, members=members, locale=locale)}


def members(asked: Asked) -> Json:
    channel = asked.channel()
    asked.channel_scopes(channel, "read")
    page, cursor = asked.page(channel.members, default=100, most=1000)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def join(asked: Asked) -> Json:
    world, channel = asked.world, asked.channel()
    if channel.is_private or channel.is_im:
        raise ApiError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise ApiError("is_archived")
    if world.bot_user in channel.members:
        asked.warnings.append("already_in_channel")
    else:
        channel.members.append(world.bot_user)
        world.changed("channel", channel=channel.id)
        asked.events.append(
            member_event(world.team_id, channel, world.bot_user, "member_joined_channel", world.next_ts())
        )
    return {"channel": channel_shape(world, channel)}


def open_(asked: Asked) -> Json:
    world = asked.world
    if asked.text("channel"):
        channel = asked.channel()
        if not channel.is_im:
            raise ApiError("method_not_supported_for_channel_type")
        return {"no_op": True, "already_open": True, "channel": {"id": channel.id}}
    users = [user for user in asked.text("users").split(",") if user]
    if not users:
        raise ApiError("users_list_not_supplied")
    if len(users) > 1:
        raise ApiError("invalid_user_combination")
    person = world.people.get(users[0])
    if person is None or person.id == world.bot_user:
        raise ApiError("user_not_found")
    if person.deleted:
        raise ApiError("user_disabled")
    channel = world.open_im(person)
    return {"channel": channel_shape(world, channel) if asked.flag("return_im") else {"id": channel.id}}


def history(asked: Asked) -> Json:
    world, channel = asked.world, asked.channel()
    asked.channel_scopes(channel, "history")
    if world.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    seen = [
        message
        for message in reversed(world.messages[channel.id])
        if message.only_for is None and not message.deleted and (message.thread_ts is None or message.broadcast)
    ]
    return _page_of_messages(asked, seen, pins=True)


def replies(asked: Asked) -> Json:
    world, channel = asked.world, asked.channel()
    asked.channel_scopes(channel, "history")
    if world.bot_user not in channel.members:
        raise ApiError("channel_not_found")
    parent = world.find_message(channel.id, asked.text("ts"))
    if parent is None or parent.only_for:
        raise ApiError("thread_not_found")
    if parent.thread_ts:
        parent = world.find_message(channel.id, parent.thread_ts) or parent
    return _page_of_messages(asked, [parent, *replies_to(world, parent)], pins=False)


def list_(asked: Asked) -> Json:
    world = asked.world
    asked.need(*_READ)
    wanted = _kinds(asked)
    found = [channel for channel in world.channels.values() if _kind(channel) in wanted and _known(asked, channel)]
    if asked.flag("exclude_archived"):
        found = [channel for channel in found if not channel.is_archived]
    page, cursor = asked.page(found, default=100, most=1000)
    shapes = [channel_shape(world, channel, members=True) for channel in page]
    return {"channels": shapes, "response_metadata": {"next_cursor": cursor}}


def member_event(team: str, channel: Channel, user: str, kind: str, ts: str) -> Json:
    """`member_joined_channel` or `member_left_channel`."""
    letter = "G" if channel.is_private else "C"
    return {"type": kind, "user": user, "channel": channel.id, "channel_type": letter, "team": team, "event_ts": ts}


def channels_of(asked: Asked) -> Json:
    """users.conversations: those of one person, the bot's own by default."""
    world = asked.world
    user = asked.text("user") or world.bot_user
    wanted = _kinds(asked)
    found = [
        channel
        for channel in world.channels.values()
        if user in channel.members and _kind(channel) in wanted and _known(asked, channel)
    ]
    page, cursor = asked.page(found, default=100, most=1000)
    return {
        "channels": [channel_shape(world, channel) for channel in page],
        "response_metadata": {"next_cursor": cursor},
    }


def _page_of_messages(asked: Asked, messages: list[Message], *, pins: bool) -> Json:
    oldest, latest = _ts(asked, "oldest", 0.0), _ts(asked, "latest", float("inf"))
    inclusive, everything = asked.flag("inclusive"), asked.flag("include_all_metadata")
    inside = [
        message
        for message in messages
        if oldest < float(message.ts) < latest or (inclusive and float(message.ts) in {oldest, latest})
    ]
    page, cursor = asked.page(inside, default=100 if pins else 1000, most=999 if pins else 1000)
    answer: Json = {
        "messages": [message_shape(asked.world, message, metadata=everything) for message in page],
        "has_more": bool(cursor),
    }
    if pins:
        answer["pin_count"] = 0
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


def _ts(asked: Asked, name: str, default: float) -> float:
    text = asked.text(name)
    if text in {"", "now"}:
        return default
    try:
        return float(text)
    except ValueError:
        raise ApiError(f"invalid_ts_{name}") from None


def _kinds(asked: Asked) -> set[str]:
    wanted = {kind.strip() for kind in (asked.text("types") or "public_channel").split(",")}
    if not wanted <= set(KINDS):
        raise ApiError("invalid_types")
    scopes = {"public_channel": "channels:read", "private_channel": "groups:read", "mpim": "mpim:read", "im": "im:read"}
    for kind in wanted:
        asked.need(scopes[kind])
    return wanted


def _kind(channel: Channel) -> str:
    return "im" if channel.is_im else "private_channel" if channel.is_private else "public_channel"


def _known(asked: Asked, channel: Channel) -> bool:
    return not channel.is_private or asked.world.bot_user in channel.members


_SPAN = "cursor include_all_metadata inclusive latest limit oldest"
METHODS = {
    "conversations.info": Method(info, ("channel",), words("include_locale include_num_members"), _READ, json=False),
    "conversations.members": Method(members, ("channel",), words("cursor limit"), _READ, json=False),
    "conversations.join": Method(join, ("channel",), (), ("channels:join",)),
    "conversations.open": Method(
        open_, (), words("channel prevent_creation return_im users"), ("im:write", "mpim:write")
    ),
    "conversations.history": Method(history, ("channel",), words(_SPAN), _HISTORY),
    "conversations.replies": Method(replies, ("channel", "ts"), words(_SPAN), _HISTORY, json=False),
    "conversations.list": Method(list_, (), words("cursor exclude_archived limit team_id types"), _READ, json=False),
    "users.conversations": Method(
        channels_of, (), words("cursor exclude_archived limit team_id types user"), _READ, json=False
    ),
}
