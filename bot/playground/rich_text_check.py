"""Rich text, as Slack would refuse it."""

from bot.playground.checking import Findings
from bot.playground.records import Json

_PARTS = {
    "rich_text_section": ("elements", ""),
    "rich_text_quote": ("elements", "border"),
    "rich_text_preformatted": ("elements", "border language"),
    "rich_text_list": ("elements style", "indent offset border"),
}
_LEAVES = {
    "text": ("text", "style"),
    "link": ("url", "text style unsafe"),
    "emoji": ("name", "unicode style skin_tone url display_team_id display_url"),
    "user": ("user_id", "style"),
    "usergroup": ("usergroup_id", "style"),
    "channel": ("channel_id", "style"),
    "broadcast": ("range", "style"),
    "date": ("timestamp format", "url fallback style"),
    "color": ("value", "style"),
    "team": ("team_id", "style"),
}
_STYLES = "bold italic strike code underline highlight client_highlight unlink"


def check_rich_text(findings: Findings, block: Json, path: str) -> None:
    if not findings.fields(block, path, "elements", "block_id"):
        return
    for place, part in findings.objects(block["elements"], f"{path}/elements", 1000):
        _part(findings, part, place)


def _part(findings: Findings, part: Json, path: str) -> None:
    kind = part.get("type")
    if kind not in _PARTS:
        findings.add(f"unsupported type: {kind}", f"{path}/type")
        return
    if not findings.fields(part, path, *_PARTS[kind]):
        return
    findings.one_of(part, path, "style", ("bullet", "ordered"))
    for place, inner in findings.objects(part["elements"], f"{path}/elements", 1000, least=0):
        if kind == "rich_text_list":
            if inner.get("type") != "rich_text_section":
                findings.add(f"unsupported type: {inner.get('type')}", f"{place}/type")
            else:
                _part(findings, inner, place)
        else:
            _leaf(findings, inner, place)


def _leaf(findings: Findings, leaf: Json, path: str) -> None:
    kind = leaf.get("type")
    if kind not in _LEAVES:
        findings.add(f"unsupported type: {kind}", f"{path}/type")
        return
    if not findings.fields(leaf, path, *_LEAVES[kind]):
        return
    if kind == "text":
        findings.length(leaf["text"], f"{path}/text", 40_000)
    style = leaf.get("style")
    if style is not None:
        if isinstance(style, dict):
            findings.fields(style, f"{path}/style", "", _STYLES)
        else:
            findings.add("must provide an object", f"{path}/style")
