"""Block Kit, built as plain dicts by small functions that clean foreign text and keep Slack's limits.

Names from a CRM go only into `plain_text`, `raw_text` and rich text elements: there nothing pings, links or formats.
No function here makes `mrkdwn`. The one place where Slack formats text all the same is a message's own `text`:
`spoken` makes that safe.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Block = dict[str, Any]

MESSAGE_BLOCKS = 50
TEXT = 3000
HEADER = 150
BUTTON_LABEL = 75
BUTTON_VALUE = 2000
OPTION = 75
TABLE_ROWS = 100
TABLE_COLUMNS = 20
TABLE_CHARACTERS = 10_000
CELL = 120
NAME = 60
"""Longest name shown in a sentence or a cell."""

_MARKS_IN_A_ROW = 3
_FORMATTING = re.compile(r"([*_~`|])")
_LINKS = re.compile(
    r"(?i)(?<=[a-z0-9])(?:\.(?=[a-z]{2})|:(?=[a-z/])|@(?=[a-z0-9]))|(?<!\w)[#@](?=\w)|:(?=[\w+'-]*[a-z][\w+'-]*:)"
)
_COMMANDS = re.compile(r"<(?=[!@#]|\w+:)")
"""What would be a ping or a link if Slack formatted the text after all."""
_JOINER = "\u2060"
"""WORD JOINER: invisible, and Slack's formatter no longer sees a link, a mention, a format or an emoji code."""


def clean(text: object, limit: int = TEXT, *, lines: bool = False) -> str:
    """Foreign text without control, bidirectional and zero-width characters, cut to `limit` with an ellipsis.

    `lines` keeps line breaks. A cut never splits what a reader sees as one character.
    """
    kept: list[str] = []
    marks = 0
    for char in str(text):
        category = unicodedata.category(char)
        if char == "\n" and lines:
            kept.append(char)
        elif category in {"Zl", "Zp", "Cc"}:
            kept.append(" ")
        elif category in {"Cf", "Cs", "Co"}:
            continue
        elif category in {"Mn", "Me"}:
            marks += 1
            if marks <= _MARKS_IN_A_ROW:
                kept.append(char)
            continue
        else:
            kept.append(char)
        marks = 0
    whole = "".join(kept)
    whole = re.sub(r"[ \t]+", " ", whole).strip()
    whole = _COMMANDS.sub("<" + _JOINER, whole)
    return whole if len(whole) <= limit else whole[: _boundary(whole, limit - 1)].rstrip() + "…"


def name(text: str | None, absent: str) -> str:
    """A name short enough for a sentence; `absent` where there is none."""
    return clean(text, NAME) or absent if text is not None else absent


def spoken(text: str, limit: int = TEXT) -> str:
    """A message's own `text`: what notifications and screen readers say, and all there is when blocks are refused."""
    safe = clean(text, limit, lines=True)
    safe = _FORMATTING.sub(_JOINER + r"\1", safe)
    safe = _LINKS.sub(lambda found: found.group(0) + _JOINER, safe)
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(text: object, limit: int = TEXT) -> Block:
    return {"type": "plain_text", "text": clean(text, limit, lines=True) or " ", "emoji": False}


def header(text: object) -> Block:
    return {"type": "header", "text": plain(text, HEADER)}


@dataclass(frozen=True, slots=True)
class Bold:
    text: str


@dataclass(frozen=True, slots=True)
class Ping:
    """A Slack user or channel by its id, the only way in which something Vigie writes names one."""

    id: str


Run = str | Bold | Ping


def paragraph(*runs: Run) -> Block:
    """Sentences as rich text: never formatted, pinged or linked by what they say."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": _elements(runs)}]}


def bullets(items: Iterable[Sequence[Run]]) -> Block:
    """A list; every item is a sequence of runs."""
    sections = [{"type": "rich_text_section", "elements": _elements(runs)} for runs in items]
    return {"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "bullet", "elements": sections}]}


def context(*texts: str) -> Block:
    """Small grey print, at most ten pieces."""
    return {"type": "context", "elements": [plain(text, 2000) for text in texts[:10]]}


def divider() -> Block:
    return {"type": "divider"}


def button(label: str, action_id: str, value: str = "", *, style: str | None = None) -> Block:
    """A button; raises `ValueError` when the value is longer than Slack keeps, since a cut value would be another."""
    if len(value) > BUTTON_VALUE:
        raise ValueError(f"the value of {action_id} has {len(value)} characters, more than {BUTTON_VALUE}")
    element: Block = {"type": "button", "action_id": action_id, "text": plain(label, BUTTON_LABEL)}
    if value:
        element["value"] = value
    if style:
        element["style"] = style
    return element


def link_button(label: str, action_id: str, url: str) -> Block:
    """A button that opens an address; only for addresses Vigie made itself."""
    return {"type": "button", "action_id": action_id, "text": plain(label, BUTTON_LABEL), "url": url}


def conversations_select(placeholder: str, action_id: str) -> Block:
    """Slack's own picker of channels the person can see; ids come back, never names."""
    return {
        "type": "conversations_select",
        "action_id": action_id,
        "placeholder": plain(placeholder, 150),
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }


def users_select(placeholder: str, action_id: str) -> Block:
    return {"type": "users_select", "action_id": action_id, "placeholder": plain(placeholder, 150)}


def date_picker(placeholder: str, action_id: str) -> Block:
    return {"type": "datepicker", "action_id": action_id, "placeholder": plain(placeholder, 150)}


def static_select(placeholder: str, action_id: str, options: Sequence[tuple[str, str]]) -> Block:
    """A menu of (label, value), at most 100; labels are cut, values must be at most 150."""
    return {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain(placeholder, 150),
        "options": [{"text": plain(label, OPTION), "value": value} for label, value in options[:100]],
    }


def actions(elements: Sequence[Block], block_id: str | None = None) -> Block:
    """A row of at most 25 buttons and selects."""
    block: Block = {"type": "actions", "elements": list(elements[:25])}
    if block_id:
        block["block_id"] = block_id
    return block


def image(file_id: str, alt_text: str) -> Block:
    """A picture uploaded with `Slack.upload`."""
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": clean(alt_text, 2000)}


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numeric: Iterable[int] = ()) -> Block:
    """A table of text; columns in `numeric` are aligned right.

    Slack shows 100 rows of 20 columns and 10,000 characters; the caller says in words when `rows` has more.
    """
    right = set(numeric)
    shown = [[_cell(cell) for cell in row[:TABLE_COLUMNS]] for row in fitting([head, *rows])]
    return {
        "type": "table",
        "column_settings": [
            {"align": "right" if at in right else "left", "is_wrapped": at not in right}
            for at in range(len(head[:TABLE_COLUMNS]))
        ],
        "rows": shown,
    }


def data_table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str | tuple[float, str]]]) -> Block:
    """A table that can be sorted and paged; a cell is text or (number, how it is written)."""
    texts = [[cell if isinstance(cell, str) else cell[1] for cell in row] for row in rows]
    count = len(fitting([head, *texts])) - 1
    return {
        "type": "data_table",
        "caption": clean(caption, 250) or " ",
        "page_size": 10,
        "rows": [
            [_cell(cell) for cell in head[:TABLE_COLUMNS]],
            *(
                [
                    _cell(cell)
                    if isinstance(cell, str)
                    else {"type": "raw_number", "value": cell[0], "text": clean(cell[1], CELL) or " "}
                    for cell in row[:TABLE_COLUMNS]
                ]
                for row in rows[:count]
            ),
        ],
    }


def fitting(rows: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """As many first rows (the head included) as one table of Slack may hold."""
    total = 0
    for count, row in enumerate(rows):
        total += sum(min(len(cell), CELL) for cell in row)
        if count >= TABLE_ROWS or total > TABLE_CHARACTERS:
            return rows[:count]
    return rows


def _cell(text: str) -> Block:
    return {"type": "raw_text", "text": clean(text, CELL) or " "}


def _elements(runs: Sequence[Run]) -> list[Block]:
    elements: list[Block] = []
    for run in runs:
        if isinstance(run, Ping):
            kind = "channel" if run.id[:1] in {"C", "G"} else "user"
            elements.append({"type": kind, f"{kind}_id": run.id})
            continue
        text = run.text if isinstance(run, Bold) else run
        # `clean` trims; a run's own spaces separate it from its neighbours.
        inner = text.strip(" \n\u00a0\u202f")
        before, _, after = text.partition(inner) if inner else (text, "", "")
        element: Block = {"type": "text", "text": before + clean(inner, TEXT, lines=True) + after}
        if isinstance(run, Bold):
            element["style"] = {"bold": True}
        if element["text"]:
            elements.append(element)
    return elements or [{"type": "text", "text": " "}]


def _boundary(text: str, at: int) -> int:
    """The last place at or before `at` that does not split a character as a reader sees it."""
    while at > 0 and _continues(text, at):
        at -= 1
    return at


def _continues(text: str, at: int) -> bool:
    char, before = text[at], text[at - 1]
    if unicodedata.category(char) in {"Mn", "Me", "Mc"} or "\U0001f3fb" <= char <= "\U0001f3ff":
        return True
    flags = "\U0001f1e6" <= char <= "\U0001f1ff" and "\U0001f1e6" <= before <= "\U0001f1ff"
    return flags and (at - len(re.sub("[\U0001f1e6-\U0001f1ff]+$", "", text[:at]))) % 2 == 1
