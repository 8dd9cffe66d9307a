"""What Slack sends to an app when a person does something: commands, block actions, suggestions, submissions."""

import re
from typing import Any

from bot.playground.records import Json, Message, Person, View
from bot.playground.shapes import message_shape, view_shape
from bot.playground.web_api.views import value_key
from bot.playground.world import World


def escape(text: str) -> str:
    """Slack's three control characters, as they come in everything that people type."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def typed(world: World, text: str, *, labels: bool) -> str:
    """What a person typed, escaped, with @names and #channels turned into Slack's own references.

    Commands carry `labels` (`<@U1|anna>`); messages name people by id alone.
    """
    people = {person.name.casefold(): person for person in world.people.values()}
    channels = {channel.name.casefold(): channel for channel in world.channels.values() if channel.name}

    def refer(match: re.Match[str]) -> str:
        sign, word = match[1], match[2].casefold()
        if sign == "@" and word in people:
            return f"<@{people[word].id}|{people[word].name}>" if labels else f"<@{people[word].id}>"
        if sign == "#" and word in channels:
            return f"<#{channels[word].id}|{channels[word].name}>"
        return match[0]

    return re.sub(r"(?<!\S)([@#])([\w.-]*\w)", refer, escape(text))


def command_payload(world: World, base: str, person: Person, channel_id: str, text: str) -> Json:
    command, _, rest = text.strip().partition(" ")
    channel = world.channels[channel_id]
    declared = next((known for known in world.commands if known.get("command") == command), {})
    words = rest.strip()
    return {
        "token": "playground",
        "team_id": world.team_id,
        "team_domain": world.domain,
        "channel_id": channel.id,
        "channel_name": _channel_name(world, channel_id),
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": typed(world, words, labels=True) if declared.get("should_escape", True) else escape(words),
        "api_app_id": world.app_id,
        "is_enterprise_install": "false",
        "response_url": world.new_response_url(base, person.id, channel.id, "commands"),
        "trigger_id": world.new_trigger(person.id),
    }


def action_payload(
    world: World, base: str, person: Person, source: Message | View, block_id: str, element: Json, value: Any
) -> Json:
    """`block_actions` for one element of a message or a view, after `value` was put into it."""
    action: Json = {"type": element["type"], "action_id": element["action_id"], "block_id": block_id}
    action["action_ts"] = world.next_ts()
    for key in ("text", "value", "style", "url"):
        if element["type"] in {"button", "workflow_button", "icon_button"} and key in element:
            action[key] = element[key]
    if element["type"] == "overflow":
        action["selected_option"] = _option(element, value)
    elif element["type"] == "feedback_buttons":
        chosen = [element.get("positive_button", {}), element.get("negative_button", {})]
        action |= next((button for button in chosen if button.get("value") == value), {})
    state = value_of(element, value)
    if state is not None:
        action |= state
        source.inputs.setdefault(block_id, {})[element["action_id"]] = state
    payload = _interaction(world, person, "block_actions") | {"actions": [action]}
    if isinstance(source, View):
        payload |= {"container": {"type": "view", "view_id": source.id}, "view": view_shape(world, source)}
        return payload | {"trigger_id": world.new_trigger(person.id, source.id)}
    container: Json = {"type": "message", "message_ts": source.ts, "channel_id": source.channel}
    container["is_ephemeral"] = source.only_for is not None
    if source.thread_ts:
        container["thread_ts"] = source.thread_ts
    url = world.new_response_url(base, person.id, source.channel, "actions", source.ts, source.thread_ts)
    payload |= {
        "container": container,
        "channel": {"id": source.channel, "name": _channel_name(world, source.channel)},
        "state": {"values": source.inputs},
        "response_url": url,
        "trigger_id": world.new_trigger(person.id),
    }
    if source.only_for is None:
        # Slack does not give an ephemeral message back.
        payload["message"] = message_shape(world, source)
    return payload


def suggestion_payload(
    world: World, person: Person, source: Message | View, block_id: str, action_id: str, value: str
) -> Json:
    payload = _interaction(world, person, "block_suggestion")
    payload |= {"action_id": action_id, "block_id": block_id, "value": value}
    if isinstance(source, View):
        return payload | {"container": {"type": "view", "view_id": source.id}, "view": view_shape(world, source)}
    channel = {"id": source.channel, "name": _channel_name(world, source.channel)}
    container = {"type": "message", "message_ts": source.ts, "channel_id": source.channel}
    return payload | {"container": container, "channel": channel}


def submission_payload(world: World, person: Person, view: View) -> Json:
    payload = _interaction(world, person, "view_submission")
    return payload | {
        "trigger_id": world.new_trigger(person.id, view.id),
        "view": view_shape(world, view),
        "response_urls": [],
    }


def closing_payload(world: World, person: Person, view: View, *, cleared: bool) -> Json:
    return _interaction(world, person, "view_closed") | {"view": view_shape(world, view), "is_cleared": cleared}


def value_of(element: Json, value: Any) -> Json | None:
    """The entry of `state.values` for an element that holds `value`; None where it has no state."""
    key = value_key(element["type"])
    if key is None:
        return None
    if key == "selected_option":
        value = _option(element, value) if value is not None else None
    elif key == "selected_options":
        value = [_option(element, one) for one in value or []]
    return {"type": element["type"], key: value}


def _option(element: Json, value: Any) -> Json:
    """The whole option for its value; an option that the app suggested comes whole already."""
    if isinstance(value, dict):
        return value
    options = [*element.get("options", ()), *element.get("suggested", ())]
    for group in element.get("option_groups", ()):
        options += group.get("options", ())
    found = next((option for option in options if option.get("value") == value), None)
    if found is None:
        raise LookupError(f"{element['action_id']} has no option {value!r}")
    return dict(found)


def _interaction(world: World, person: Person, kind: str) -> Json:
    return {
        "type": kind,
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team_id},
        "api_app_id": world.app_id,
        "token": "playground",
        "team": {"id": world.team_id, "domain": world.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _channel_name(world: World, channel_id: str) -> str:
    channel = world.channels[channel_id]
    return "directmessage" if channel.is_im else "privategroup" if channel.is_private else channel.name
