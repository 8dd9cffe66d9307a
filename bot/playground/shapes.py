"""Slack's own shapes: people, channels, messages, files and views as the Web API and the events spell them."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.playground.records import Channel, Json, Message, Person, StoredFile, View
from bot.playground.world import World


def user_shape(world: World, person: Person, *, locale: bool = False) -> Json:
    moment = datetime.fromtimestamp(world.clock(), ZoneInfo(person.tz))
    offset = moment.utcoffset()
    profile: Json = {
        "real_name": person.real_name,
        "real_name_normalized": person.real_name,
        "display_name": person.name,
        "display_name_normalized": person.name,
        "team": person.team_id,
    }
    if person.is_bot:
        profile |= {"api_app_id": world.app_id, "bot_id": world.bot_id}
    elif "users:read.email" in world.scopes and person.team_id == world.team_id:
        profile["email"] = person.email
    shape: Json = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": person.deleted,
        "color": person.color,
        "real_name": person.real_name,
        "tz": person.tz,
        "tz_label": moment.tzname(),
        "tz_offset": int(offset.total_seconds()) if offset else 0,
        "profile": profile,
        "is_admin": person.role == "admin",
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": person.guest,
        "is_ultra_restricted": False,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "updated": int(world.clock()),
        "is_email_confirmed": not person.is_bot,
    }
    if person.team_id != world.team_id:
        shape["is_stranger"] = True
    if locale:
        shape["locale"] = person.locale
    return shape


def channel_shape(world: World, channel: Channel, *, members: bool = False, locale: bool = False) -> Json:
    shape: Json = {"id": channel.id, "created": channel.created, "is_archived": channel.is_archived}
    shape |= {"is_im": channel.is_im, "is_mpim": False, "is_org_shared": False, "context_team_id": world.team_id}
    if channel.is_im:
        return shape | {"user": next(user for user in channel.members if user != world.bot_user), "is_open": True}
    shape |= {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_private": channel.is_private,
        "is_general": False,
        "is_shared": channel.is_ext_shared,
        "is_ext_shared": channel.is_ext_shared,
        "is_pending_ext_shared": False,
        "is_member": world.bot_user in channel.members,
        "creator": next(iter(channel.members), ""),
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "previous_names": [],
        "shared_team_ids": [world.team_id],
    }
    if members:
        shape["num_members"] = len([user for user in channel.members if user != world.bot_user])
    if locale:
        shape["locale"] = "en-US"
    return shape


def bot_profile(world: World) -> Json:
    return {
        "id": world.bot_id,
        "app_id": world.app_id,
        "name": world.app_name,
        "team_id": world.team_id,
        "deleted": False,
    }


def message_shape(world: World, message: Message, *, metadata: bool = True) -> Json:
    """A message as history, events and payloads carry it; `metadata` off leaves only its type, as Slack does."""
    shape: Json = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.text,
        "team": world.team_id,
    }
    if message.subtype:
        shape["subtype"] = message.subtype
    if message.from_app:
        shape |= {"bot_id": world.bot_id, "app_id": world.app_id, "bot_profile": bot_profile(world)}
    if message.username:
        shape["username"] = message.username
    if message.blocks:
        shape["blocks"] = message.blocks
    if message.files:
        shape["files"] = [file_shape(world, world.files[file_id]) for file_id in message.files]
    if message.edited:
        shape["edited"] = {"user": message.user, "ts": message.edited}
    if message.metadata is not None:
        shape["metadata"] = message.metadata if metadata else {"event_type": message.metadata["event_type"]}
    if message.reactions:
        shape["reactions"] = [
            {"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()
        ]
    replies = replies_to(world, message)
    if message.thread_ts:
        shape["thread_ts"] = message.thread_ts
    elif replies:
        shape |= {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "latest_reply": replies[-1].ts,
            "reply_users": sorted({reply.user for reply in replies}),
        }
    return shape


def replies_to(world: World, message: Message) -> list[Message]:
    """The standing replies of a thread that everybody sees, oldest first."""
    return [
        reply
        for reply in world.messages[message.channel]
        if reply.thread_ts == message.ts and not reply.deleted and reply.only_for is None
    ]


def file_shape(world: World, file: StoredFile) -> Json:
    shape: Json = {"id": file.id, "name": file.name, "title": file.title, "user": world.bot_user}
    shape |= {"created": file.created, "timestamp": file.created, "size": len(file.content or b"")}
    kind = file.name.rpartition(".")[2].lower()
    mimetype = f"image/{kind}" if kind in {"png", "gif", "jpeg"} else "application/octet-stream"
    return shape | {
        "filetype": kind,
        "mimetype": mimetype,
        "mode": "hosted",
        "is_external": False,
        "is_public": bool(file.channels),
        "alt_txt": file.alt_text,
        "channels": file.channels,
        "url_private": f"/files/{file.id}/{file.name}",
        "permalink": f"https://{world.domain}.slack.com/files/{world.bot_user}/{file.id}/{file.name}",
    }


def view_shape(world: World, view: View) -> Json:
    body = view.body
    shape: Json = {
        "id": view.id,
        "team_id": world.team_id,
        "type": body["type"],
        "blocks": body["blocks"],
        "private_metadata": body.get("private_metadata", ""),
        "callback_id": body.get("callback_id", ""),
        "external_id": body.get("external_id", ""),
        "state": {"values": view.inputs},
        "hash": view.hash,
        "title": body.get("title") or _plain("View Title"),
        "close": body.get("close"),
        "submit": body.get("submit"),
        "clear_on_close": bool(body.get("clear_on_close")),
        "notify_on_close": bool(body.get("notify_on_close")),
        "submit_disabled": bool(body.get("submit_disabled")),
        "previous_view_id": view.previous,
        "root_view_id": view.root,
        "app_id": world.app_id,
        "app_installed_team_id": world.team_id,
        "bot_id": world.bot_id,
    }
    return shape


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}
