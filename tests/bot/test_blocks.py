"""Blocks that hold foreign text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import blocks
from bot.blocks import Bold, Ping
from tests.bot.hostile import HOSTILE


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_in_a_message_text_cannot_ping_link_or_format(name: str) -> None:
    said = blocks.spoken(f"Won by {name}.")
    assert "<" not in said
    assert ">" not in said
    assert "&" not in said.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    for active in ("@channel", "@everyone", "://", "*bold*", "_italic_", "`code`", ":rotating_light:", "l.example"):
        assert active not in said
    assert len(blocks.clean(name)) <= 3000


@pytest.mark.parametrize("name", HOSTILE)
def test_no_block_formats_a_name(name: str) -> None:
    built = [
        blocks.header(name),
        blocks.paragraph("Won by ", Bold(name)),
        blocks.bullets([[name]]),
        blocks.context(name),
        blocks.table([name, "n"], [[name, "1"]]),
        blocks.data_table(name, [name, "n"], [[name, (1.0, "1")]]),
        blocks.actions([blocks.button(name, "a.b", "1")]),
    ]
    text = json.dumps(built)
    assert "mrkdwn" not in text
    for invisible in ("\u202e", "\u2066", "\u200b", "\x00", "\x1b"):
        assert invisible not in text
    for element in _texts(built):
        assert element["type"] in {"plain_text", "raw_text", "raw_number", "text"}


def _texts(value: object) -> list[dict[str, object]]:
    if isinstance(value, dict):
        own = [value] if isinstance(value.get("text"), str) else []
        return own + [each for part in value.values() for each in _texts(part)]
    if isinstance(value, list):
        return [each for part in value for each in _texts(part)]
    return []


@given(st.text(max_size=400), st.integers(2, 80))
def test_a_text_is_never_longer_than_its_limit_and_cleaning_twice_changes_nothing(text: str, limit: int) -> None:
    once = blocks.clean(text, limit)
    assert len(once) <= limit
    assert blocks.clean(once, limit) == once


def test_a_cut_splits_neither_an_accent_nor_a_flag() -> None:
    assert blocks.clean("abe\u0301xyz", 4) == "ab…"
    assert blocks.clean("🇫🇷🇫🇷🇫🇷", 4) == "🇫🇷…"


def test_french_typography_survives() -> None:
    sentence = "« 1\u202f234,56\u00a0€ », soit 40,0\u202f% : T4 2017"
    assert blocks.clean(sentence) == sentence
    assert blocks.spoken(sentence) == sentence
    assert blocks.spoken("on 23 Nov 2026 at 12:45: 9.3%") == "on 23 Nov 2026 at 12:45: 9.3%"


def test_only_an_id_names_somebody() -> None:
    assert blocks.paragraph("by ", Ping("U1"), " in ", Ping("C1"))["elements"][0]["elements"] == [
        {"type": "text", "text": "by "},
        {"type": "user", "user_id": "U1"},
        {"type": "text", "text": " in "},
        {"type": "channel", "channel_id": "C1"},
    ]


def test_a_table_keeps_to_what_one_table_may_hold() -> None:
    rows = [["a" * 119, str(number)] for number in range(300)]
    built = blocks.table(["Name", "Number"], rows)
    assert len(built["rows"]) <= 100
    assert sum(len(cell["text"]) for row in built["rows"] for cell in row) <= 10_000


def test_a_value_too_long_for_a_button_is_refused_not_cut() -> None:
    with pytest.raises(ValueError, match="more than 2000"):
        blocks.button("Trend", "answer.trend", "x" * 2001)


def test_the_space_before_a_french_colon_stands_after_a_name_that_slack_writes() -> None:
    elements = blocks.paragraph(Ping("C1"), "\u00a0: ", "fermé")["elements"][0]["elements"]
    assert elements == [
        {"type": "channel", "channel_id": "C1"},
        {"type": "text", "text": "\u00a0: "},
        {"type": "text", "text": "fermé"},
    ]
