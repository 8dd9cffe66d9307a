"""Names from the CRM, through the whole of Vigie: they ping, link and format nothing, and break nothing."""

import json

import pytest

from bot.playground.person import shown
from storage.sync import load
from storage.workspaces import SINGLE
from tests.bot.company import NOW, Company
from tests.bot.conftest import Stage
from tests.bot.hostile import NAMES
from tests.bot.test_answers import Json, after, ask, kinds
from tests.bot.test_share import deliver, in_channel

ACTIVE = ("<!", "<@", "<#", "<http", "mrkdwn")
INVISIBLE = ("\u202e", "\u2066", "\u200b", "\ufeff", "\x00", "\x1b")


@pytest.fixture
def hostile(vigie: Stage) -> Stage:
    """The company after a sync in which every customer, segment and source got a hostile name."""
    load(vigie.engine, SINGLE, Company(NAMES), now=NOW)
    return vigie


def harmless(message: Json) -> None:
    written = json.dumps([message["text"], message["blocks"]], ensure_ascii=False)
    for bad in (*ACTIVE, *INVISIBLE):
        assert bad not in written
    for element in ("user", "usergroup", "broadcast", "link", "emoji"):
        assert f'{{"type": "{element}"' not in written


def test_groups_with_hostile_names_are_shown_harmlessly(hostile: Stage) -> None:
    ada = hostile.as_user("ada")
    for dimension in ("customer", "segment", "source"):
        answer = ask(ada, f"/kpi revenue November 2026 by {dimension}")
        harmless(answer)
        assert {"table", "data_table", "data_visualization"} & set(kinds(answer))
        assert "Something went wrong" not in answer["text"]


def test_every_page_of_deals_with_hostile_names_is_shown_harmlessly(hostile: Stage) -> None:
    ada = hostile.as_user("ada")
    page = ask(ada, "/kpi deals created November 2026")
    pages = 0
    action = "answer.deals"
    while action:
        page = after(ada, lambda: ada.click(page, action))  # noqa: B023 - clicked at once
        harmless(page)
        pages += 1
        buttons = [element for block in page["blocks"] if block["type"] == "actions" for element in block["elements"]]
        action = buttons[0]["action_id"] if buttons else ""
    assert pages > len(NAMES) // 25


def test_a_shared_answer_with_hostile_names_has_its_picture(hostile: Stage) -> None:
    ada = hostile.as_user("ada")
    answer = ask(ada, "/kpi revenue November 2026 by customer")
    asked = after(ada, lambda: ada.click(answer, "answer.share"))
    ada.click(asked, "share.yes")
    ada.wait_for("sales", lambda message: "Shared in" in shown(message))
    deliver(hostile)
    [letter] = in_channel(hostile)
    assert "image" in kinds(letter)
    written = json.dumps([letter["text"], letter["blocks"]], ensure_ascii=False)
    assert not [bad for bad in (*ACTIVE, *INVISIBLE) if bad in written]


def test_whatever_is_typed_is_answered_harmlessly(hostile: Stage) -> None:
    ada = hostile.as_user("ada")
    for text in NAMES[::9]:
        answer = ask(ada, f"/kpi revenue {text} October 2026")
        harmless(answer)
        assert "Something went wrong" not in answer["text"], text
