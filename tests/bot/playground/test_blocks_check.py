"""Block Kit: what Slack takes, and what it refuses and where."""

import pytest

from bot.playground.blocks_check import check_message_blocks, check_view, fill_block_ids, picture_files


def plain(text: str = "x") -> dict:
    return {"type": "plain_text", "text": text}


def button(**more) -> dict:
    return {"type": "button", "action_id": "go", "text": plain(), **more}


def options(count: int) -> list[dict]:
    return [{"text": plain(str(number)), "value": str(number)} for number in range(count)]


def select(**more) -> dict:
    return {"type": "static_select", "action_id": "pick", "options": options(2), **more}


def chart(**more) -> dict:
    data = [{"label": "jan", "value": 1.5}, {"label": "feb", "value": -2}]
    drawn = {"type": "line", "series": [{"name": "won", "data": data}], "axis_config": {"categories": ["jan", "feb"]}}
    return {"type": "data_visualization", "title": "Won", "chart": {**drawn, **more}}


def table(rows: int = 2, kind: str = "data_table") -> dict:
    cells = [
        [{"type": "raw_text", "text": "rep"}, {"type": "raw_number", "value": 3, "text": "3"}] for _ in range(rows)
    ]
    return {"type": kind, "rows": cells, **({"caption": "Deals"} if kind == "data_table" else {})}


def text_of(block_type: str, text: str) -> dict:
    return {"type": block_type, "text": plain(text)}


def row(*elements: dict) -> dict:
    return {"type": "actions", "elements": list(elements)}


TAKEN = [
    text_of("section", "x" * 3000),
    {"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2000}] * 10, "accessory": button(style="primary")},
    {**text_of("header", "x" * 150), "level": 4},
    {"type": "divider", "block_id": "b" * 255},
    {"type": "context", "elements": [plain()] * 10},
    {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "up 3 %"},
    {"type": "markdown", "text": "x" * 12_000},
    row(*[button(action_id=str(number), value="v" * 2000) for number in range(25)]),
    row({"type": "overflow", "action_id": "o", "options": options(5)}),
    row(select(options=options(100))),
    {"type": "context_actions", "elements": [{"type": "icon_button", "icon": "trash", "text": plain()}]},
    {"type": "input", "label": plain(), "element": {"type": "plain_text_input", "action_id": "a"}},
    {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}]},
    {"type": "container", "title": plain(), "is_collapsible": True, "child_blocks": [{"type": "divider"}] * 10},
    table(101),
    table(100, "table"),
    chart(),
    chart(type="pie", segments=[{"label": "a", "value": 1}]) | {"title": "x" * 50},
]
REFUSED = [
    (text_of("section", "x" * 3001), "/blocks/0/text/text"),
    (text_of("section", ""), "/blocks/0/text/text"),
    ({"type": "section"}, "missing required field: text"),
    ({"type": "section", "fields": [plain()] * 11}, "/blocks/0/fields"),
    ({"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}}, "additional property: emoji"),
    ({"type": "section", "text": plain(), "colour": "red"}, "additional property: colour"),
    (text_of("header", "x" * 151), "/blocks/0/text/text"),
    ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "/blocks/0/text/type"),
    ({**text_of("header", "x"), "level": 5}, "/blocks/0/level"),
    ({"type": "divider", "block_id": "b" * 256}, "/blocks/0/block_id"),
    ({"type": "context", "elements": [plain()] * 11}, "/blocks/0/elements"),
    ({"type": "image", "slack_file": {"id": "F1"}}, "alt_text"),
    ({"type": "image", "alt_text": "x"}, "exactly one of image_url and slack_file"),
    ({"type": "markdown", "text": "x" * 12_001}, "/blocks/0/text"),
    (row(*[button(action_id=str(number)) for number in range(26)]), "/blocks/0/elements"),
    (row(button(), button()), "action_id is not unique"),
    (row(button(text=plain("x" * 76))), "/blocks/0/elements/0/text/text"),
    (row(button(value="v" * 2001)), "/blocks/0/elements/0/value"),
    (row(button(value="")), "/blocks/0/elements/0/value"),
    (row(button(action_id="a" * 256)), "/blocks/0/elements/0/action_id"),
    (row({"type": "overflow", "action_id": "o", "options": options(6)}), "/blocks/0/elements/0/options"),
    (row(select(options=options(101))), "/blocks/0/elements/0/options"),
    (row(select(options=[])), "/blocks/0/elements/0/options"),
    (row(select(options=[{"text": plain("x" * 76), "value": "v"}])), "options/0/text/text"),
    (row(select(options=[{"text": plain(), "value": "v" * 151}])), "options/0/value"),
    (row(select(initial_option={"text": plain("9"), "value": "9"})), "initial_option"),
    (row({"type": "checkboxes", "action_id": "c", "options": options(11)}), "/blocks/0/elements/0/options"),
    (row({"type": "plain_text_input", "action_id": "t"}), "unsupported type: plain_text_input"),
    ({"type": "hologram"}, "unsupported type: hologram"),
    (
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": ""}]}]},
        "text",
    ),
    ({"type": "container", "title": plain(), "child_blocks": [{"type": "divider"}] * 11}, "child_blocks"),
    ({"type": "container", "title": plain(), "child_blocks": [{"type": "container"}]}, "unsupported type: container"),
    ({"type": "container", "title": plain(), "child_blocks": [chart()]}, "unsupported type: data_visualization"),
    (table(102), "/blocks/0/rows"),
    (table(1), "/blocks/0/rows"),
    ({**table(), "caption": None}, "missing required field: caption"),
    (table(101, "table"), "/blocks/0/rows"),
    ({**table(), "rows": [[{"type": "raw_text", "text": "x"}] * 21] * 2}, "/blocks/0/rows/0"),
    ({**table(), "rows": [[{"type": "raw_text", "text": "x" * 5001}]] * 2}, "10000 characters"),
    ({**table(), "rows": [[{"type": "raw_text", "text": ""}]] * 2}, "/blocks/0/rows/0/0/text"),
    ({**table(), "rows": [[{"type": "raw_number", "value": 1}]] * 2}, "missing required field: text"),
    ({**table(), "rows": [[{"type": "rich_text", "elements": []}], [{"type": "raw_text", "text": "x"}]]}, "rich_text"),
    ({**chart(), "title": "x" * 51}, "/blocks/0/title"),
    (chart(axis_config={"categories": ["jan", "mar"]}), "labels must match the categories"),
    (chart(axis_config={"categories": ["j" * 21, "feb"]}), "/chart/axis_config/categories/0"),
    (chart(series=chart()["chart"]["series"] * 7), "/chart/series"),
    (chart(series=chart()["chart"]["series"] * 2), "series names must be unique"),
    (chart(type="radar"), "unsupported type: radar"),
    ({**chart(), "chart": {"type": "pie", "segments": [{"label": "a", "value": 0}]}}, "greater than 0"),
    ({**chart(), "chart": {"type": "pie", "segments": [{"label": "a", "value": 1}] * 7}}, "/chart/segments"),
]


@pytest.mark.parametrize("block", [block for block in TAKEN if block.get("chart", {}).get("type") != "pie"], ids=str)
def test_a_block_within_its_limits_is_taken(block: dict) -> None:
    assert check_message_blocks([block]) == []


def test_a_pie_within_its_limits_is_taken() -> None:
    segments = [{"label": str(number), "value": 0.5} for number in range(6)]
    assert check_message_blocks([{**chart(), "chart": {"type": "pie", "segments": segments}}]) == []


@pytest.mark.parametrize(("block", "where"), REFUSED, ids=[where for _, where in REFUSED])
def test_a_block_beyond_its_limits_is_refused_with_the_place(block: dict, where: str) -> None:
    errors = check_message_blocks([block])
    assert any(where in error for error in errors), errors


def test_a_message_as_a_whole_has_limits_too() -> None:
    assert check_message_blocks([{"type": "divider"}] * 50) == []
    assert check_message_blocks([{"type": "divider"}] * 51)
    assert check_message_blocks([table(2, "table")] * 2)
    assert check_message_blocks([chart()] * 2) == []
    assert check_message_blocks([chart()] * 3)
    assert check_message_blocks([{"type": "markdown", "text": "x" * 6001}] * 2)
    assert check_message_blocks([{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}])


def test_a_modal_has_its_own_limits() -> None:
    modal = {"type": "modal", "title": plain("x" * 24), "blocks": [{"type": "divider"}] * 100}
    assert check_view(modal) == []
    assert check_view({**modal, "title": plain("x" * 25)})
    assert check_view({**modal, "private_metadata": "x" * 3001})
    assert check_view({**modal, "blocks": [{"type": "divider"}] * 101})
    assert check_view({**modal, "blocks": [{"type": "markdown", "text": "x"}]})
    asked = {"type": "input", "label": plain(), "element": {"type": "plain_text_input"}}
    assert check_view({**modal, "blocks": [asked]}) == ["missing required field: submit [json-pointer:/view]"]
    assert check_view({**modal, "blocks": [asked], "submit": plain("Save")}) == []
    assert check_view({"type": "home", "blocks": []}) == []
    assert check_view({"type": "home", "blocks": [], "title": plain()})


def test_every_uploaded_picture_is_found_wherever_it_stands() -> None:
    picture = {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "x"}
    blocks = [
        picture,
        {**text_of("section", "x"), "accessory": picture},
        {"type": "context", "elements": [picture]},
        {"type": "container", "title": plain(), "child_blocks": [picture]},
    ]
    assert [place for place, _ in picture_files(blocks)] == [
        "/blocks/0/slack_file",
        "/blocks/1/accessory/slack_file",
        "/blocks/2/elements/0/slack_file",
        "/blocks/3/child_blocks/0/slack_file",
    ]


def test_ids_are_filled_in_without_touching_what_was_sent() -> None:
    sent = [{"type": "actions", "elements": [{"type": "button", "text": plain()}]}]
    filled = fill_block_ids(lambda letter: f"{letter}1", sent)
    assert (filled[0]["block_id"], filled[0]["elements"][0]["action_id"]) == ("b1", "a1")
    assert "block_id" not in sent[0]
