"""chat.*: posting, editing, deleting; what may stand in a message."""

import json

from bot.playground.blocks_check import check_message_blocks, fill_block_ids, picture_files
from bot.playground.records import Channel, Json, Message
from bot.playground.shapes import message_shape
from bot.playground.web_api.method import ApiError, Asked, Method, invalid, words
from bot.playground.world import World

POST_TEXT_MAX = 40_000
UPDATE_TEXT_MAX = 4_000
METADATA_BYTES_MAX = 8_000


def post_message(asked: Asked) -> Json:
    world = asked.world
    channel = place(asked, "channel")
    text, blocks = content(asked, POST_TEXT_MAX)
    message = Message(world.next_ts(), channel.id, text, blocks, world.bot_user, from_app=True, subtype=None)
    message.username = asked.text("username")
    message.thread_ts = thread(asked, channel)
    message.broadcast = asked.flag("reply_broadcast")
    message.metadata = metadata_of(asked)
    world.post(message)
    announce(asked, message)
    shape = message_shape(world, message)
    return {"channel": channel.id, "ts": message.ts, "message": shape}


def post_ephemeral(asked: Asked) -> Json:
    world = asked.world
    channel = place(asked, "channel")
    reader = world.people.get(asked.text("user"))
    if reader is None or reader.id not in channel.members:
        raise ApiError("user_not_in_channel")
    text, blocks = content(asked, POST_TEXT_MAX)
    message = Message(world.next_ts(), channel.id, text, blocks, world.bot_user, from_app=True, only_for=reader.id)
    message.username = asked.text("username")
    message.thread_ts = thread(asked, channel)
    world.post(message)
    return {"message_ts": message.ts}


def update(asked: Asked) -> Json:
    world = asked.world
    message = own_message(asked, "cant_update_message")
    given = {name for name in ("text", "blocks", "markdown_text", "attachments") if asked.args.get(name) is not None}
    if not given and asked.args.get("metadata") is None:
        raise ApiError("no_text")
    if given:
        text, blocks = content(asked, UPDATE_TEXT_MAX)
        if "blocks" not in given and "markdown_text" not in given and message.blocks:
            # Text alone replaces the blocks, which then are no longer there.
            blocks = []
        world.edit(message, text, blocks)
    if asked.args.get("metadata") is not None:
        message.metadata = metadata_of(asked)
    shape = message_shape(world, message)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shape}


def delete(asked: Asked) -> Json:
    message = own_message(asked, "cant_delete_message")
    asked.world.delete(message)
    return {"channel": message.channel, "ts": message.ts}


def get_permalink(asked: Asked) -> Json:
    channel = asked.channel()
    message = asked.world.find_message(channel.id, asked.text("message_ts"))
    if message is None or message.only_for:
        raise ApiError("message_not_found")
    address = f"https://{asked.world.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        address += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": address}


def place(asked: Asked, name: str) -> Channel:
    """Where a post goes: a channel that the bot is in, also by `#name`, or a person's direct message by their id."""
    given = asked.text(name)
    if given.startswith("#"):
        named = (each for each in asked.world.channels.values() if each.name == given[1:] and not each.is_private)
        asked.args[name] = next((each.id for each in named), given)
    person = asked.world.people.get(asked.text(name))
    if person is not None and person.id != asked.world.bot_user:
        return asked.world.open_im(person)
    channel = asked.channel(name)
    if asked.world.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    if channel.is_archived:
        raise ApiError("is_archived")
    return channel


def content(asked: Asked, longest: int) -> tuple[str, list[Json]]:
    """The text and the checked blocks of a message. Raises what Slack says of bad ones."""
    args, text = asked.args, asked.text("text")
    blocks = args.get("blocks")
    markdown = args.get("markdown_text")
    if markdown is not None:
        if text or blocks:
            raise ApiError("markdown_text_conflict")
        blocks = [{"type": "markdown", "text": markdown}]
        text = str(markdown)
    if not text and not blocks and not args.get("attachments"):
        raise ApiError("no_text")
    if len(text) > longest:
        raise ApiError("msg_too_long")
    checked = checked_blocks(asked.world, blocks)
    if checked and not text:
        asked.warnings.append("missing_text_in_message")
    return text, checked


def checked_blocks(world: World, blocks: object) -> list[Json]:
    """Blocks as the message keeps them: every limit held, every picture ready, a block_id on each."""
    if not blocks:
        return []
    if not isinstance(blocks, list):
        raise ApiError("invalid_blocks_format")
    errors = check_message_blocks(blocks)
    for path, file_id in picture_files(blocks):
        file = world.files.get(file_id)
        if file is None or not file.completed or world.faults.take("files.processing") is not None:
            errors.append(f"invalid slack file [json-pointer:{path}]")
    if errors:
        raise invalid("invalid_blocks", *errors)
    return fill_block_ids(world.next_id, blocks)


def thread(asked: Asked, channel: Channel) -> str | None:
    """The parent's ts of a reply; replying to a reply lands in the same thread."""
    ts = asked.text("thread_ts")
    if not ts:
        return None
    parent = asked.world.find_message(channel.id, ts)
    if parent is None or parent.only_for:
        raise ApiError("cannot_reply_to_message")
    return parent.thread_ts or parent.ts


def metadata_of(asked: Asked) -> Json | None:
    metadata = asked.args.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_payload"), dict):
        raise ApiError("invalid_metadata_format")
    kind = metadata.get("event_type")
    if not isinstance(kind, str) or not kind or not kind.replace("_", "").isalnum():
        raise ApiError("invalid_metadata_schema")
    if len(json.dumps(metadata).encode()) > METADATA_BYTES_MAX:
        raise ApiError("metadata_too_large")
    return {"event_type": kind, "event_payload": metadata["event_payload"]}


def own_message(asked: Asked, refusal: str) -> Message:
    """A message of the app's own in a channel that it knows. Ephemeral ones are not found, as in Slack."""
    channel = asked.channel()
    message = asked.world.find_message(channel.id, asked.text("ts"))
    if message is None or message.only_for:
        raise ApiError("message_not_found")
    if not message.from_app:
        raise ApiError(refusal)
    return message


def announce(asked: Asked, message: Message) -> None:
    """The events that Slack sends to the app about its own message."""
    world = asked.world
    channel = world.channels[message.channel]
    asked.events.append(message_event(world, message, channel))
    if message.metadata is not None:
        asked.events.append(
            {
                "type": "message_metadata_posted",
                "app_id": world.app_id,
                "bot_id": world.bot_id,
                "user_id": message.user,
                "team_id": world.team_id,
                "channel_id": message.channel,
                "metadata": message.metadata,
                "message_ts": message.ts,
                "event_ts": message.ts,
            }
        )


def message_event(world: World, message: Message, channel: Channel) -> Json:
    kind = "im" if channel.is_im else "group" if channel.is_private else "channel"
    shape = message_shape(world, message, metadata=False)
    return shape | {"channel": channel.id, "channel_type": kind, "event_ts": message.ts}


_CONTENT = "attachments blocks markdown_text text parse link_names"
_LOOKS = "icon_emoji icon_url username thread_ts as_user"
METHODS = {
    "chat.postMessage": Method(
        post_message,
        ("channel",),
        words(f"{_CONTENT} {_LOOKS} metadata mrkdwn reply_broadcast unfurl_links unfurl_media"),
        ("chat:write",),
    ),
    "chat.postEphemeral": Method(post_ephemeral, ("channel", "user"), words(f"{_CONTENT} {_LOOKS}"), ("chat:write",)),
    "chat.update": Method(
        update, ("channel", "ts"), words(f"{_CONTENT} metadata as_user file_ids reply_broadcast"), ("chat:write",)
    ),
    "chat.delete": Method(delete, ("channel", "ts"), ("as_user",), ("chat:write",)),
    "chat.getPermalink": Method(get_permalink, ("channel", "message_ts"), json=False),
}
