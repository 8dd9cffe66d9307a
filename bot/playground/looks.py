"""What the page is given: people, places, messages and views, drawn from the world."""

from bot.playground.records import Channel, Json, Message, Person, View
from bot.playground.shapes import replies_to, view_shape
from bot.playground.world import World


def world_look(world: World, *, connected: bool) -> Json:
    app = {"name": world.app_name, "bot_user": world.bot_user, "bot_id": world.bot_id, "connected": connected}
    return {
        "team": {"id": world.team_id, "name": world.team_name, "domain": world.domain},
        "app": app | {"commands": world.commands},
        "users": [_person_look(person) for person in world.people.values() if not person.deleted],
        "channels": [_channel_look(channel) for channel in world.channels.values() if not channel.is_archived],
    }


def messages_look(world: World, channel: Channel, user: str, thread_ts: str | None = None) -> list[Json]:
    """What this person sees in a channel (top level) or in one thread, parent first; oldest first."""
    if user not in channel.members and channel.is_private:
        return []
    seen = [
        message
        for message in world.messages[channel.id]
        if not message.deleted and (message.only_for is None or message.only_for == user)
    ]
    if thread_ts:
        seen = [message for message in seen if thread_ts in {message.ts, message.thread_ts}]
    else:
        seen = [message for message in seen if message.thread_ts is None or message.broadcast]
    return [message_look(world, message) for message in seen]


def message_look(world: World, message: Message) -> Json:
    author = world.people[message.user]
    look: Json = {
        "ts": message.ts,
        "channel": message.channel,
        "user": message.user,
        "username": message.username or author.real_name,
        "text": message.text,
        "blocks": [_with_picture(world, block) for block in message.blocks],
        "reply_count": len(replies_to(world, message)),
        "ephemeral": message.only_for is not None,
        "deleted": message.deleted,
        "reactions": [{"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()],
        "state": {"values": message.inputs},
    }
    if message.from_app:
        look["bot_id"] = world.bot_id
    if message.thread_ts:
        look["thread_ts"] = message.thread_ts
    if message.edited:
        look["edited"] = {"ts": message.edited}
    if message.by_response_url:
        look["response_url_origin"] = True
    if message.metadata is not None:
        look["metadata"] = message.metadata
    for file_id in message.files:
        file = world.files[file_id]
        picture = {"type": "image", "block_id": f"file-{file.id}", "slack_file": {"id": file.id}}
        look["blocks"].append(_with_picture(world, picture | {"alt_text": file.alt_text or file.title}))
    return look


def view_look(world: World, view: View) -> Json:
    look = view_shape(world, view)
    look["blocks"] = [_with_picture(world, block) for block in look["blocks"]]
    if view.errors:
        look["errors"] = view.errors
    return look


def _with_picture(world: World, block: Json) -> Json:
    """The block, and for an uploaded picture the address that this server gives it under."""
    shown = dict(block)
    for key in ("child_blocks", "elements"):
        if isinstance(shown.get(key), list):
            shown[key] = [_with_picture(world, child) if isinstance(child, dict) else child for child in shown[key]]
    if isinstance(shown.get("accessory"), dict):
        shown["accessory"] = _with_picture(world, shown["accessory"])
    source = shown.get("slack_file")
    if shown.get("type") == "image" and isinstance(source, dict):
        file = world.files.get(str(source.get("id", "")))
        if file is not None:
            shown["image_url"] = f"/files/{file.id}/{file.name}"
    return shown


def _person_look(person: Person) -> Json:
    initials = "".join(word[0] for word in person.real_name.split()[:2]).upper()
    return {
        "id": person.id,
        "name": person.name,
        "real_name": person.real_name,
        "email": person.email,
        "tz": person.tz,
        "locale": person.locale,
        "is_bot": person.is_bot,
        "color": person.color,
        "initials": initials or "?",
        "role": person.role,
    }


def _channel_look(channel: Channel) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_im": channel.is_im,
        "is_private": channel.is_private,
        "is_ext_shared": channel.is_ext_shared,
        "members": list(channel.members),
        "topic": channel.topic,
    }
