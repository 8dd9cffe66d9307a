"""Whatever can be pressed, chosen or typed in on the page reaches the app, and its answer is seen."""

import pytest
from selenium.webdriver.common.keys import Keys

from bot.playground.server import Playground
from bot.playground.world import World
from tests.page.browser import Browser
from tests.page.little_app import CHART, CONTROLS, TABLE
from tests.page.scenes import ids, post

pytestmark = pytest.mark.page


def test_a_click_on_a_button_edits_the_message(browser: Browser, little_app: Playground, world: World) -> None:
    anna, _, ventes = ids(world)
    post(little_app, *CONTROLS)
    browser.open_page(little_app.url, anna, ventes)
    browser.click_button("Compter")
    browser.wait_for_text("Compté une fois", ".list")
    assert "(modifié)" in browser.message_with("Compté").text


def test_a_button_may_ask_first(browser: Browser, little_app: Playground, world: World) -> None:
    anna, _, ventes = ids(world)
    post(little_app, *CONTROLS)
    browser.open_page(little_app.url, anna, ventes)
    browser.click_button("Effacer")
    browser.click_button("Non", "dialog")
    browser.wait_gone("dialog")
    browser.click_button("Effacer")
    browser.click_button("Oui", "dialog")
    browser.wait_for_text("Reçu erase = rien", ".list")
    assert browser.text(".list").count("Reçu erase") == 1


@pytest.mark.parametrize(
    ("control", "choice", "told"),
    [
        ("Choisir", "Année", "period = y"),
        ("Une personne", "Ben Leroy", "who = {ben}"),
        ("Une affaire", "Affaire 2", "deal = 2"),
    ],
)
def test_what_is_chosen_in_a_menu_reaches_the_app(
    browser: Browser, little_app: Playground, world: World, control: str, choice: str, told: str
) -> None:
    anna, ben, ventes = ids(world)
    post(little_app, *CONTROLS)
    browser.open_page(little_app.url, anna, ventes)
    browser.choose(control, choice)
    browser.wait_for_text("Reçu " + told.format(ben=ben), ".list")


def test_an_overflow_menu_opens_and_reports_its_option(browser: Browser, little_app: Playground, world: World) -> None:
    anna, _, ventes = ids(world)
    post(little_app, *CONTROLS)
    browser.open_page(little_app.url, anna, ventes)
    browser.click_button("Plus d’actions")
    browser.click_button("Exporter", ".menu")
    browser.wait_for_text("Reçu more = csv", ".list")


def test_a_modal_shows_an_error_next_to_its_field_and_closes_when_all_is_well(
    browser: Browser, little_app: Playground, world: World
) -> None:
    anna, _, ventes = ids(world)
    post(little_app, *CONTROLS)
    browser.open_page(little_app.url, anna, ventes)
    browser.click_button("Formulaire")
    browser.wait_for_text("Une règle", "dialog")
    browser.click_button("Créer", "dialog")
    browser.wait_for_text("Ce champ est obligatoire.", '[data-block-id="name"]')
    browser.fill("Nom", "ab")
    browser.fill("Seuil", "12,5")
    browser.click_button("Créer", "dialog")
    browser.wait_for_text("Trois lettres au moins.", '[data-block-id="name"]')
    assert "Trois lettres" not in browser.text('[data-block-id="limit"]')
    browser.fill("Nom", "abc")
    browser.click_button("Créer", "dialog")
    browser.wait_gone("dialog")
    browser.open_channel(world.open_im(anna).id)
    browser.wait_for_text("Règle abc, seuil 12.5", ".list")


def test_escape_closes_a_modal(browser: Browser, little_app: Playground, world: World) -> None:
    anna, _, ventes = ids(world)
    post(little_app, *CONTROLS)
    browser.open_page(little_app.url, anna, ventes)
    browser.click_button("Formulaire")
    browser.wait_for("dialog .field").send_keys(Keys.ESCAPE)
    browser.wait_gone("dialog")
    assert little_app.as_user("anna").view() is None


def test_the_home_tab_is_asked_for_and_shown(browser: Browser, little_app: Playground, world: World) -> None:
    anna, _, _ = ids(world)
    browser.open_page(little_app.url, anna)
    browser.open_channel("home")
    browser.wait_for_text("Bonjour", ".home")
    browser.click_button("Formulaire", ".home")
    browser.wait_for_text("Une règle", "dialog")
    browser.click_button("Annuler", "dialog")
    browser.wait_gone("dialog")


def test_a_table_is_sorted_by_the_numbers_behind_its_cells(
    browser: Browser, playground: Playground, world: World
) -> None:
    anna, _, ventes = ids(world)
    post(playground, TABLE)
    browser.open_page(playground.url, anna, ventes)
    browser.click_button("Signées", ".data-table")
    assert [line.split()[0] for line in browser.text(".data-table tbody").splitlines()][:2] == ["Zoé", "Bob"]
    browser.click_button("Signées", ".data-table")
    assert browser.text(".data-table tbody").splitlines()[-1].startswith("Zoé")


def test_a_chart_says_its_numbers_in_the_readers_language(
    browser: Browser, playground: Playground, world: World
) -> None:
    anna, ben, ventes = ids(world)
    post(playground, CHART)
    browser.open_page(playground.url, anna, ventes)
    browser.wait_for(".chart svg")
    browser.click_button("Afficher le tableau", ".chart")
    assert "1\u202f234,5" in browser.text(".chart")
    browser.become(ben)
    browser.click_button("Show as a table", ".chart")
    assert "1,234.5" in browser.text(".chart")
