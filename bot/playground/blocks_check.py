"""Block Kit limits and shapes, as Slack would refuse them: with the places, and stricter where sources disagree.

Blocks that Vigie has no use for (video, call, card, carousel, plan, task cards) are refused as unknown.
"""

import copy
import json
from collections.abc import Callable, Iterator

from bot.playground.checking import ANY_TEXT, Findings
from bot.playground.data_check import check_chart, check_data_table, check_table
from bot.playground.elements_check import IN_ACTIONS, IN_INPUT, IN_SECTION, check_element, check_image
from bot.playground.records import Json
from bot.playground.rich_text_check import check_rich_text

MESSAGE_BLOCKS_MAX, VIEW_BLOCKS_MAX = 50, 100
MARKDOWN_MAX = 12_000
CHARTS_MAX = 2
CHILDREN_MAX = 10
MESSAGE_CHARACTERS_MAX = 100_000
_NOT_IN_MESSAGES = {"alert"}
_ONLY_IN_MESSAGES = {"markdown", "table", "data_table", "data_visualization", "context_actions"}
_IN_CONTAINER = {"actions", "context", "divider", "header", "image", "input", "rich_text", "section", "table"}

Check = Callable[[Findings, Json, str], None]


def check_message_blocks(blocks: list[Json]) -> list[str]:
    """What Slack would say against these blocks in a message; nothing when it takes them."""
    findings = Findings("message")
    _check_all(findings, blocks, "/blocks", MESSAGE_BLOCKS_MAX)
    flat = [block for block in _flat(blocks) if isinstance(block, dict)]
    if len([block for block in flat if block.get("type") == "table"]) > 1:
        findings.add("only one table allowed", "/blocks")
    if len([block for block in flat if block.get("type") == "data_visualization"]) > CHARTS_MAX:
        findings.add(f"no more than {CHARTS_MAX} data_visualization blocks allowed", "/blocks")
    written = sum(len(str(block.get("text", ""))) for block in flat if block.get("type") == "markdown")
    if written > MARKDOWN_MAX:
        findings.add(f"no more than {MARKDOWN_MAX} characters of markdown allowed", "/blocks")
    if not findings.errors and len(json.dumps(blocks, ensure_ascii=False)) > MESSAGE_CHARACTERS_MAX:
        findings.add("the blocks together are too long", "/blocks")
    return findings.errors


def check_view(view: Json) -> list[str]:
    """What Slack would say against a modal or a Home tab."""
    kind = str(view.get("type"))
    findings = Findings(kind)
    titles = "title submit close clear_on_close notify_on_close submit_disabled" if kind == "modal" else ""
    required = "title blocks" if kind == "modal" else "blocks"
    findings.fields(view, "/view", required, f"{titles} private_metadata callback_id external_id")
    if kind == "modal":
        for name in ("title", "submit", "close"):
            if view.get(name) is not None:
                findings.text(view[name], f"/view/{name}", 24)
    for name, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        if view.get(name) is not None:
            findings.length(view[name], f"/view/{name}", most, least=0)
    blocks = view.get("blocks")
    _check_all(findings, blocks, "/view/blocks", VIEW_BLOCKS_MAX)
    inputs = [block for block in _flat(blocks) if isinstance(block, dict) and block.get("type") == "input"]
    if kind == "modal" and inputs and view.get("submit") is None:
        findings.add("missing required field: submit", "/view")
    return findings.errors


def picture_files(blocks: list[Json], path: str = "/blocks") -> Iterator[tuple[str, str]]:
    """The place and the id of every uploaded file shown, wherever an image may stand."""
    for index, block in enumerate(blocks):
        if not isinstance(block, dict):
            continue
        place = f"{path}/{index}"
        source = block.get("slack_file")
        if block.get("type") == "image" and isinstance(source, dict):
            yield f"{place}/slack_file", str(source.get("id", ""))
        for name in ("elements", "child_blocks"):
            if isinstance(block.get(name), list):
                yield from picture_files(block[name], f"{place}/{name}")
        if isinstance(block.get("accessory"), dict):
            yield from ((f"{place}/accessory{end[2:]}", file) for end, file in picture_files([block["accessory"]], ""))


def fill_block_ids(next_id: Callable[[str], str], blocks: list[Json]) -> list[Json]:
    """A copy in which every block has a block_id and every element an action_id, as Slack gives them."""
    filled = copy.deepcopy(blocks)
    for block in _flat(filled):
        block.setdefault("block_id", next_id("b"))
        inner = [block.get("element"), block.get("accessory")]
        inner += block["elements"] if block["type"] in {"actions", "context_actions"} else []
        for element in inner:
            if isinstance(element, dict) and element["type"] != "image":
                element.setdefault("action_id", next_id("a"))
    return filled


def _flat(blocks: object) -> Iterator[Json]:
    for block in blocks if isinstance(blocks, list) else ():
        yield block
        if isinstance(block, dict):
            yield from _flat(block.get("child_blocks"))


def _check_all(findings: Findings, blocks: object, path: str, most: int) -> None:
    least = 0 if findings.surface == "home" else 1
    for place, block in findings.objects(blocks, path, most, least):
        _check_block(findings, block, place)
    names = [str(block["block_id"]) for block in _flat(blocks) if isinstance(block, dict) and block.get("block_id")]
    for name in sorted({name for name in names if names.count(name) > 1}):
        findings.add(f"block_id is not unique: {name}", path)


def _check_block(findings: Findings, block: Json, path: str) -> None:
    kind = block.get("type")
    check = _BLOCKS.get(str(kind))
    forbidden = _NOT_IN_MESSAGES if findings.surface == "message" else _ONLY_IN_MESSAGES
    if check is None or kind in forbidden:
        findings.add(f"unsupported type: {kind}", f"{path}/type")
        return
    if block.get("block_id") is not None:
        findings.length(block["block_id"], f"{path}/block_id", 255)
    check(findings, block, path)


def _section(findings: Findings, block: Json, path: str) -> None:
    findings.fields(block, path, "", "text fields accessory block_id expand")
    if block.get("text") is None and not block.get("fields"):
        findings.add("missing required field: text", path)
    if block.get("text") is not None:
        findings.text(block["text"], f"{path}/text", 3000, ANY_TEXT)
    if block.get("fields") is not None:
        for place, text in findings.objects(block["fields"], f"{path}/fields", 10):
            findings.text(text, place, 2000, ANY_TEXT)
    if block.get("accessory") is not None:
        _elements(findings, [block["accessory"]], f"{path}/accessory", 1, IN_SECTION)


def _header(findings: Findings, block: Json, path: str) -> None:
    if findings.fields(block, path, "text", "block_id level"):
        findings.text(block["text"], f"{path}/text", 150)
    findings.number(block, path, "level", 1, 4)


def _divider(findings: Findings, block: Json, path: str) -> None:
    findings.fields(block, path, "", "block_id")


def _image(findings: Findings, block: Json, path: str) -> None:
    check_image(findings, block, path, "title block_id")
    if block.get("title") is not None:
        findings.text(block["title"], f"{path}/title", 2000)


def _actions(findings: Findings, block: Json, path: str) -> None:
    if findings.fields(block, path, "elements", "block_id"):
        _elements(findings, block["elements"], f"{path}/elements", 25, IN_ACTIONS)


def _context_actions(findings: Findings, block: Json, path: str) -> None:
    if findings.fields(block, path, "elements", "block_id"):
        _elements(findings, block["elements"], f"{path}/elements", 5, {"feedback_buttons", "icon_button"})


def _context(findings: Findings, block: Json, path: str) -> None:
    if not findings.fields(block, path, "elements", "block_id"):
        return
    for place, element in findings.objects(block["elements"], f"{path}/elements", 10):
        if element.get("type") == "image":
            check_image(findings, element, place)
        else:
            findings.text(element, place, 3000, ANY_TEXT)


def _input(findings: Findings, block: Json, path: str) -> None:
    if findings.fields(block, path, "label element", "block_id hint optional dispatch_action"):
        findings.text(block["label"], f"{path}/label", 2000)
        _elements(findings, [block["element"]], f"{path}/element", 1, IN_INPUT)
    if block.get("hint") is not None:
        findings.text(block["hint"], f"{path}/hint", 2000)
    findings.flag(block, path, "optional", "dispatch_action")


def _markdown(findings: Findings, block: Json, path: str) -> None:
    if findings.fields(block, path, "text", "block_id"):
        findings.length(block["text"], f"{path}/text", MARKDOWN_MAX)


def _container(findings: Findings, block: Json, path: str) -> None:
    known = "block_id title rich_text_title subtitle width icon is_collapsible default_collapsed has_header_divider"
    if not findings.fields(block, path, "child_blocks", known):
        return
    if block.get("title") is None and block.get("rich_text_title") is None:
        findings.add("missing required field: title", path)
    for name, kinds in (("title", ("plain_text",)), ("subtitle", ANY_TEXT)):
        if block.get(name) is not None:
            findings.text(block[name], f"{path}/{name}", 150, kinds)
    findings.one_of(block, path, "width", ("narrow", "standard", "wide", "full"))
    findings.flag(block, path, "is_collapsible", "default_collapsed", "has_header_divider")
    if block.get("default_collapsed") and not block.get("is_collapsible"):
        findings.add("requires is_collapsible", f"{path}/default_collapsed")
    for place, child in findings.objects(block["child_blocks"], f"{path}/child_blocks", CHILDREN_MAX):
        if child.get("type") not in _IN_CONTAINER:
            findings.add(f"unsupported type: {child.get('type')}", f"{place}/type")
        else:
            _check_block(findings, child, place)


def _alert(findings: Findings, block: Json, path: str) -> None:
    if findings.fields(block, path, "text", "block_id level"):
        findings.text(block["text"], f"{path}/text", 200, ANY_TEXT)


def _elements(findings: Findings, value: object, path: str, most: int, allowed: set[str]) -> None:
    """Elements with action_ids that are unique in their block."""
    names: list[str] = []
    single = path.endswith(("/accessory", "/element"))
    for place, element in findings.objects(value, path, most):
        check_element(findings, element, path if single else place, allowed)
        if element.get("action_id"):
            names.append(str(element["action_id"]))
    for name in sorted({name for name in names if names.count(name) > 1}):
        findings.add(f"action_id is not unique: {name}", path)


_BLOCKS: dict[str, Check] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "image": _image,
    "actions": _actions,
    "context_actions": _context_actions,
    "context": _context,
    "input": _input,
    "markdown": _markdown,
    "rich_text": check_rich_text,
    "table": check_table,
    "data_table": check_data_table,
    "data_visualization": check_chart,
    "container": _container,
    "alert": _alert,
}
