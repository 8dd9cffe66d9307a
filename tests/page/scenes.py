"""What stands in a channel before the page is opened."""

from typing import Any

from slack_sdk import WebClient

from bot.playground.records import Message
from bot.playground.server import Playground
from bot.playground.world import World


def ids(world: World) -> tuple[str, str, str]:
    """Anna's id, Ben's, and that of #ventes."""
    return world.find_user("anna").id, world.find_user("ben").id, world.find_channel("ventes").id


def say(world: World, who: str, text: str) -> None:
    """A person's message in #ventes."""
    channel = world.find_channel("ventes").id
    world.post(Message(world.next_ts(), channel, text, [], world.find_user(who).id))


def post(playground: Playground, *blocks: dict[str, Any], text: str = "Un message") -> str:
    """The app's message in #ventes, through the Web API; its ts."""
    client = WebClient(playground.bot_token, base_url=playground.api_url, retry_handlers=[])
    channel = playground.world.find_channel("ventes").id
    return str(client.chat_postMessage(channel=channel, text=text, blocks=list(blocks))["ts"])
