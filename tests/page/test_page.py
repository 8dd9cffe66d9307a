"""The playground's page, used in a browser as a person would."""

from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from bot.playground.server import Playground
from bot.playground.world import World
from tests.page.browser import Browser
from tests.page.little_app import CHART, CONTROLS, ESCAPED, EVIL, TABLE
from tests.page.scenes import ids, post, say

pytestmark = pytest.mark.page


def test_messages_show_who_said_what(browser: Browser, playground: Playground, world: World) -> None:
    anna, _, ventes = ids(world)
    say(world, "ben", "Qui a le *taux* ?")
    browser.open_page(playground.url, anna, ventes)
    message = browser.message_with("Qui a le taux ?")
    assert "Ben Leroy" in message.text
    assert "Les chiffres" in browser.text(".head")
    say(world, "anna", "Moi, <@" + world.find_user("ben").id + ">")
    browser.wait_for_text("Moi, @Ben Leroy", ".list")


def test_a_typed_command_reaches_the_app_and_its_answer_is_private(
    browser: Browser, little_app: Playground, world: World
) -> None:
    anna, ben, ventes = ids(world)
    browser.open_page(little_app.url, anna, ventes)
    browser.type_command("/kpi taux de transformation")
    answer = browser.message_with("Entendu : taux de transformation")
    assert "Visible par vous uniquement" in answer.text
    browser.become(ben)
    browser.wait_for_text("Nothing here yet.", ".list")
    browser.become(anna)
    browser.message_with("Entendu : taux de transformation")


def test_the_message_field_proposes_commands_and_people(browser: Browser, little_app: Playground, world: World) -> None:
    anna, _, ventes = ids(world)
    browser.open_page(little_app.url, anna, ventes)
    field = browser.wait_for('textarea[data-composer="channel"]')
    field.send_keys("/k")
    browser.wait_for_text("Ask for a number", ".suggestions")
    field.send_keys(Keys.TAB, "taux @be")
    browser.wait_for_text("Ben Leroy", ".suggestions")
    field.send_keys(Keys.ENTER, Keys.ENTER)
    browser.message_with("Entendu : taux @Ben Leroy")


def test_a_failing_command_is_told_in_slacks_own_words(browser: Browser, playground: Playground, world: World) -> None:
    anna, ben, ventes = ids(world)
    browser.open_page(playground.url, anna, ventes)
    browser.wait_for_text("Vigie n’est pas connectée", ".side")
    browser.type_command("/kpi taux")
    browser.wait_for_text("/kpi a échoué avec l’erreur « no_app »", ".toasts")
    assert browser.wait_for('textarea[data-composer="channel"]').get_attribute("value") == "/kpi taux"
    browser.open_page(playground.url, ben, ventes)
    browser.type_command("/kip taux")
    browser.wait_for_text("/kip failed with the error “unknown_command”", ".toasts")


def test_a_mention_is_answered_in_a_thread(browser: Browser, little_app: Playground, world: World) -> None:
    anna, _, ventes = ids(world)
    browser.open_page(little_app.url, anna, ventes)
    browser.type_message("@Vigie tu es là ?")
    browser.wait_for_text("1 réponse", ".list")
    browser.open_thread("tu es là ?")
    browser.wait_for_text("Présente !", ".thread")
    browser.type_message("Merci", thread=True)
    browser.wait_for_text("2 réponses", ".main")
    browser.wait_for_text("Merci", ".thread")
    browser.type_message("/kpi taux", thread=True)
    browser.wait_for_text("not_supported_in_threads", ".toasts")


def test_foreign_text_is_never_taken_for_html(browser: Browser, playground: Playground, world: World) -> None:
    anna, _, ventes = ids(world)
    world.find_user("ben").real_name = EVIL
    say(world, "ben", ESCAPED)
    say(world, "anna", "<javascript:document.title='owned'|ici> " + EVIL)
    name = {"type": "section", "text": {"type": "plain_text", "text": "*Martin* & <@U1> `x`"}}
    header = {"type": "header", "text": {"type": "plain_text", "text": EVIL}}
    section = {"type": "section", "text": {"type": "mrkdwn", "text": f"*{ESCAPED}*"}}
    markdown = {"type": "markdown", "text": f"**gras** {EVIL}"}
    button = {"type": "button", "action_id": "x", "text": {"type": "plain_text", "text": EVIL[:75]}}
    post(playground, name, header, section, markdown, TABLE, {"type": "actions", "elements": [button]})
    browser.open_page(playground.url, anna, ventes)
    browser.wait_for_text("Classement", ".list")
    title = browser.driver.title
    browser.wait_for_text("<img src=x", ".data-table")
    assert (
        browser.driver.execute_script("return document.querySelectorAll('img[src=x], [onerror], .list script').length")
        == 0
    )
    assert (
        browser.driver.execute_script(
            "return [...document.querySelectorAll('a')].filter(a => !/^https?:/.test(a.href)).length"
        )
        == 0
    )
    assert browser.text(".list").count("<b>Dupont</b> & Cie") >= 5
    assert "*Martin* & <@U1> `x`" in browser.text(".list")
    assert browser.driver.title == title


def test_a_message_that_cannot_be_drawn_leaves_the_rest_of_the_page(
    browser: Browser, playground: Playground, world: World
) -> None:
    anna, _, ventes = ids(world)
    say(world, "ben", "Avant")
    say(world, "ben", "En clair")
    world.messages[ventes][-1].blocks.append({"type": "actions", "block_id": "b"})
    browser.open_page(playground.url, anna, ventes)
    browser.message_with("Avant")
    browser.message_with("En clair")
    assert len(browser.errors()) > 0


def test_a_new_message_elsewhere_marks_its_channel_unread(
    browser: Browser, playground: Playground, world: World
) -> None:
    anna, _, ventes = ids(world)
    browser.open_page(playground.url, anna, world.find_channel("direction").id)
    browser.wait_for_text("Rien ici", ".list")
    say(world, "ben", "Coucou")
    browser.wait_for(f'.side-row.unread[data-channel="{ventes}"]')
    browser.open_channel(ventes)
    browser.wait_gone(".side-row.unread")


def test_the_app_is_added_to_a_channel_by_a_click(browser: Browser, playground: Playground, world: World) -> None:
    anna, _, _ = ids(world)
    channel = world.add_channel("nouveau", [anna], bot=False)
    browser.open_page(playground.url, anna, channel.id)
    browser.click_button("1 membre")
    browser.click_button("Ajouter Vigie", ".menu")
    browser.wait_until(lambda: world.bot_user in channel.members, "the app in the channel")


def test_a_private_channel_is_hidden_from_those_outside(browser: Browser, playground: Playground, world: World) -> None:
    anna, ben, _ = ids(world)
    browser.open_page(playground.url, anna)
    browser.wait_for_text("direction", ".side")
    browser.become(ben)
    browser.wait_for_text("Channels", ".side")
    assert "direction" not in browser.text(".side")


def test_a_phone_shows_one_pane_at_a_time(browser: Browser, playground: Playground, world: World) -> None:
    _, ben, ventes = ids(world)
    say(world, "ben", "Qui a le taux ?")
    browser.resize(390)
    browser.open_page(playground.url)
    browser.wait_for(".side")
    browser.wait_gone(".main")
    browser.open_channel(ventes)
    browser.wait_gone(".side")
    browser.open_thread("Qui a le taux ?")
    browser.wait_gone(".main")
    browser.become(ben)
    browser.open_channel(ventes)
    assert browser.driver.execute_script("return document.documentElement.scrollWidth") <= 390


def test_the_theme_follows_the_system_until_one_is_chosen(
    browser: Browser, playground: Playground, world: World
) -> None:
    anna, _, ventes = ids(world)
    browser.open_page(playground.url, anna, ventes)
    browser.dark(True)
    browser.wait_for('html[data-theme="dark"] body')
    browser.click_button("Thème: Système")
    browser.wait_for('html[data-theme="light"] body')
    browser.driver.refresh()
    browser.click_button("Thème: Clair")
    browser.wait_for('html[data-theme="dark"] body')
    browser.click_button("Thème: Sombre")
    browser.dark(False)
    browser.wait_for('html[data-theme="light"] body')


def test_the_page_asks_nothing_of_any_other_machine(browser: Browser, little_app: Playground, world: World) -> None:
    anna, _, ventes = ids(world)
    post(little_app, *CONTROLS)
    post(little_app, CHART)
    browser.open_page(little_app.url, anna, ventes)
    browser.wait_for(".chart svg")
    asked = browser.driver.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert asked
    assert [name for name in asked if not name.startswith(little_app.url)] == []


def test_a_picture_of_the_page_can_be_taken(
    browser: Browser, playground: Playground, world: World, tmp_path: Path
) -> None:
    anna, _, ventes = ids(world)
    browser.open_page(playground.url, anna, ventes)
    browser.screenshot(tmp_path / "phone.png", width=390, dark=True)
    picture = (tmp_path / "phone.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20], "big") == 390
