"""Block Kit as Slack would refuse it."""

import copy
from collections.abc import Callable, Iterator

from bot.playground.records import Json


def check_message_blocks(blocks: list[Json]) -> list[str]:
    return ["no more than 50 items allowed [json-pointer:/blocks]"] if len(blocks) > 50 else []


def picture_files(blocks: list[Json]) -> Iterator[tuple[str, str]]:
    for index, block in enumerate(blocks):
        if block.get("type") == "image" and isinstance(block.get("slack_file"), dict):
            yield f"/blocks/{index}/slack_file", str(block["slack_file"].get("id", ""))


def fill_block_ids(next_id: Callable[[str], str], blocks: list[Json]) -> list[Json]:
    """A copy in which every block has a block_id, as Slack gives one."""
    filled = copy.deepcopy(blocks)
    for block in filled:
        block.setdefault("block_id", next_id("b"))
    return filled


def check_view(view: Json) -> list[str]:
    if not isinstance(view.get("blocks"), list):
        return ["missing required field: blocks [json-pointer:/view]"]
    return []
