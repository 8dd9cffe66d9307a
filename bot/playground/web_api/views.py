"""views.*: modals and Home tabs. A trigger opens one view, within three seconds."""

import json

from bot.playground.blocks_check import check_view, fill_block_ids
from bot.playground.records import Json, Trigger, View
from bot.playground.shapes import view_shape
from bot.playground.web_api.method import ApiError, Asked, Method, invalid, words
from bot.playground.world import World

STACK_MAX = 3
VIEW_BYTES_MAX = 250_000


def open_(asked: Asked) -> Json:
    body = checked_view(asked.world, asked.args["view"], "modal")
    trigger = _trigger(asked)
    view = new_view(asked.world, trigger.user, body)
    asked.world.modals[trigger.user] = [view]
    asked.world.changed("view", user=trigger.user)
    return {"view": view_shape(asked.world, view)}


def push(asked: Asked) -> Json:
    world = asked.world
    body = checked_view(world, asked.args["view"], "modal")
    trigger = _trigger(asked)
    stack = world.modals.get(trigger.user, [])
    if not stack or trigger.view is None:
        raise ApiError("not_found")
    if len(stack) >= STACK_MAX:
        raise ApiError("push_limit_reached")
    view = push_view(world, trigger.user, body)
    return {"view": view_shape(world, view)}


def update(asked: Asked) -> Json:
    world = asked.world
    wanted, external = asked.text("view_id"), asked.text("external_id")
    if not wanted and not external:
        raise invalid("invalid_arguments", "missing required field: view_id")
    every = [*world.homes.values(), *(view for stack in world.modals.values() for view in stack)]
    view = next((view for view in every if wanted == view.id or (external and external == _external(view))), None)
    if view is None:
        raise ApiError("not_found")
    body = checked_view(world, asked.args["view"], view.body["type"], but=view)
    _same_hash(asked, view)
    replace_view(world, view, body)
    return {"view": view_shape(world, view)}


def publish(asked: Asked) -> Json:
    world, user = asked.world, asked.text("user_id")
    if user not in world.people or user == world.bot_user:
        raise invalid("invalid_arguments", "invalid `user_id` [json-pointer:/user_id]")
    old = world.homes.get(user)
    body = checked_view(world, asked.args["view"], "home", but=old)
    if old is None:
        old = world.homes[user] = new_view(world, user, body)
        world.changed("home", user=user)
    else:
        _same_hash(asked, old)
        replace_view(world, old, body)
    return {"view": view_shape(world, old)}


def checked_view(world: World, view: object, kind: str, but: View | None = None) -> Json:
    """The view as Slack keeps it. Raises what Slack says of a bad one; `but` may keep its own external_id."""
    if not isinstance(view, dict):
        raise invalid("invalid_arguments", "must provide an object [json-pointer:/view]")
    if view.get("type") != kind:
        raise invalid("invalid_arguments", f"must be of type {kind} [json-pointer:/view/type]")
    errors = check_view(view)
    if errors:
        raise invalid("invalid_arguments", *errors)
    if len(json.dumps(view).encode()) > VIEW_BYTES_MAX:
        raise ApiError("view_too_large")
    external = view.get("external_id")
    others = [*world.homes.values(), *(other for stack in world.modals.values() for other in stack)]
    if external and any(_external(other) == external for other in others if other is not but):
        raise ApiError("duplicate_external_id")
    return {**view, "blocks": fill_block_ids(world.next_id, view["blocks"])}


def new_view(world: World, user: str, body: Json) -> View:
    view_id = world.next_id("V")
    return View(view_id, user, body, _hash(world), view_id, inputs=first_inputs(body["blocks"]))


def push_view(world: World, user: str, body: Json) -> View:
    """Put a view on top of the stack that is open."""
    stack = world.modals[user]
    view = new_view(world, user, body)
    view.previous, view.root = stack[-1].id, stack[0].id
    stack.append(view)
    world.changed("view", user=user)
    return view


def replace_view(world: World, view: View, body: Json) -> None:
    """New contents for a view; inputs with the same block_id and action_id keep what was typed."""
    fresh = first_inputs(body["blocks"])
    for block_id, actions in fresh.items():
        for action_id in actions:
            kept = view.inputs.get(block_id, {}).get(action_id)
            if kept is not None and kept.get("type") == actions[action_id].get("type"):
                actions[action_id] = kept
    view.body, view.inputs, view.hash, view.errors = body, fresh, _hash(world), {}
    world.changed("home" if body["type"] == "home" else "view", user=view.user)


_VALUE_OF = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
}
"""Element type -> where `state.values` holds its value, and where the element holds its first one."""


def value_key(element_type: str) -> str | None:
    """Where `state.values` holds the value of such an element; None where it has no state (buttons, overflow)."""
    names = _VALUE_OF.get(element_type)
    return names[0] if names else None


def first_inputs(blocks: list[Json]) -> Json:
    """`state.values` before anybody touched anything."""
    values: Json = {}
    for block, element in elements_of(blocks):
        names = _VALUE_OF.get(element.get("type", ""))
        if names is None or not element.get("action_id"):
            continue
        many = names[0].startswith("selected_") and names[0].endswith("s")
        first = element.get(names[1], [] if many else None)
        values.setdefault(block["block_id"], {})[element["action_id"]] = {"type": element["type"], names[0]: first}
    return values


def elements_of(blocks: list[Json]) -> list[tuple[Json, Json]]:
    """Every interactive element with the block that holds it, containers' children included."""
    found: list[tuple[Json, Json]] = []
    for block in blocks:
        inner = [block.get("element"), block.get("accessory")]
        for key in ("elements", "actions"):
            listed = block.get(key)
            inner += listed if isinstance(listed, list) else []
        found += [(block, element) for element in inner if isinstance(element, dict) and element.get("action_id")]
        for key in ("child_blocks", "blocks"):
            if isinstance(block.get(key), list):
                found += elements_of(block[key])
    return found


def _trigger(asked: Asked) -> Trigger:
    """The trigger given, used up by this. Raises what Slack says of an unknown, used or late one."""
    trigger = asked.world.triggers.get(asked.text("trigger_id") or asked.text("interactivity_pointer"))
    if trigger is None:
        raise ApiError("invalid_trigger_id")
    if trigger.used:
        raise ApiError("exchanged_trigger_id")
    if asked.world.clock() > trigger.expires:
        raise ApiError("expired_trigger_id")
    trigger.used = True
    return trigger


def _same_hash(asked: Asked, view: View) -> None:
    given = asked.text("hash")
    if given and given != view.hash:
        raise ApiError("hash_conflict")


def _external(view: View) -> str:
    return str(view.body.get("external_id") or "")


def _hash(world: World) -> str:
    return f"{world.next_ts().partition('.')[0]}.{world.next_id('h')}"


METHODS = {
    "views.open": Method(open_, ("view",), words("interactivity_pointer trigger_id")),
    "views.push": Method(push, ("view",), words("interactivity_pointer trigger_id")),
    "views.update": Method(update, ("view",), words("external_id hash view_id")),
    "views.publish": Method(publish, words("user_id view"), ("hash",)),
}
