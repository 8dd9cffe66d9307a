"""users.*, team.info, bots.info, auth.test, reactions.add, blocks.validate and apps.connections.open."""

from bot.playground.blocks_check import check_message_blocks, check_view
from bot.playground.records import Json
from bot.playground.shapes import bot_profile, user_shape
from bot.playground.web_api.method import ApiError, Asked, Method, invalid, words


def user_info(asked: Asked) -> Json:
    person = asked.world.people.get(asked.text("user"))
    if person is None:
        raise ApiError("user_not_found")
    return {"user": user_shape(asked.world, person, locale=asked.flag("include_locale"))}


def lookup_by_email(asked: Asked) -> Json:
    wanted = asked.text("email").casefold()
    for person in asked.world.people.values():
        if person.email and person.email.casefold() == wanted and not person.deleted:
            return {"user": user_shape(asked.world, person)}
    raise ApiError("users_not_found")


def list_users(asked: Asked) -> Json:
    world = asked.world
    page, cursor = asked.page(list(world.people.values()), default=1000, most=1000)
    members = [user_shape(world, person, locale=asked.flag("include_locale")) for person in page]
    return {"members": members, "cache_ts": int(world.clock()), "response_metadata": {"next_cursor": cursor}}


def auth_test(asked: Asked) -> Json:
    world = asked.world
    return {
        "url": f"https://{world.domain}.slack.com/",
        "team": world.team_name,
        "user": world.people[world.bot_user].name,
        "team_id": world.team_id,
        "user_id": world.bot_user,
        "bot_id": world.bot_id,
        "is_enterprise_install": False,
    }


def team_info(asked: Asked) -> Json:
    world = asked.world
    if asked.text("team") not in {"", world.team_id}:
        raise ApiError("team_not_found")
    address = f"https://{world.domain}.slack.com/"
    return {"team": {"id": world.team_id, "name": world.team_name, "domain": world.domain, "url": address}}


def bot_info(asked: Asked) -> Json:
    world = asked.world
    if asked.text("bot") not in {"", world.bot_id}:
        raise ApiError("bot_not_found")
    return {"bot": bot_profile(world) | {"user_id": world.bot_user, "updated": int(world.clock())}}


def add_reaction(asked: Asked) -> Json:
    world, channel, name = asked.world, asked.channel(), asked.text("name").strip(":")
    if not name or not all(letter.isalnum() or letter in "_-+':" for letter in name):
        raise ApiError("invalid_name")
    message = world.find_message(channel.id, asked.text("timestamp"))
    if message is None or message.only_for:
        raise ApiError("message_not_found")
    fans = message.reactions.setdefault(name, [])
    if world.bot_user in fans:
        raise ApiError("already_reacted")
    fans.append(world.bot_user)
    world.changed("message_changed", message)
    return {}


def open_connection(asked: Asked) -> Json:
    ticket = asked.world.next_id("ticket")
    asked.world.tickets.add(ticket)
    return {"url": f"{asked.address.replace('http', 'ws', 1)}/link?ticket={ticket}"}


def validate_blocks(asked: Asked) -> Json:
    """blocks.validate, for the `blocks` of a message and for a `view`."""
    blocks, view = asked.args.get("blocks"), asked.args.get("view")
    if isinstance(blocks, list):
        errors, code = check_message_blocks(blocks), "invalid_blocks"
    elif isinstance(view, dict):
        errors, code = check_view(view), "invalid_view"
    else:
        raise ApiError("invalid_arguments")
    if errors:
        raise invalid(code, *errors)
    return {}


METHODS = {
    "blocks.validate": Method(validate_blocks, (), words("blocks message view")),
    "apps.connections.open": Method(open_connection, token="xapp-"),  # noqa: S106
    "users.info": Method(user_info, ("user",), ("include_locale",), ("users:read",), json=False),
    "users.lookupByEmail": Method(lookup_by_email, ("email",), (), ("users:read.email",), json=False),
    "users.list": Method(list_users, (), words("cursor include_locale limit team_id"), ("users:read",), json=False),
    "auth.test": Method(auth_test),
    "team.info": Method(team_info, (), words("domain team"), ("team:read",), json=False),
    "bots.info": Method(bot_info, (), words("bot team_id"), ("users:read",), json=False),
    "reactions.add": Method(add_reaction, words("channel name timestamp"), (), ("reactions:write",)),
}
