"""The whole of Vigie in the page, as the demo shows it: a newcomer looks, types a command, clicks a button.

With VIGIE_SCREENSHOTS=folder the pictures of the README are taken on the way (`make screenshots`).
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.demo.cast import cast
from bot.demo.play import Play, play
from tests.page.browser import Browser

pytestmark = pytest.mark.page
PHONE = 390


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with play(tmp_path_factory.mktemp("demo")) as stage:
        yield stage


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots go."""
    folder = os.environ.get("VIGIE_SCREENSHOTS")
    return Path(folder) if folder else tmp_path_factory.mktemp("pictures")


@pytest.fixture
def page(chromium: Browser) -> Iterator[Browser]:
    """A desktop window; Chromium must have complained about nothing."""
    chromium.resize(1280)
    chromium.errors()
    yield chromium
    errors = chromium.errors()
    chromium.driver.get("about:blank")
    assert errors == []


def user(stage: Play, email: str | None) -> str:
    return stage.seats.users[email or ""].id


def test_a_newcomer_sees_the_digest_and_the_alert_without_typing(page: Browser, stage: Play, pictures: Path) -> None:
    page.open_page(stage.playground.url, user(stage, stage.seats.director.email))
    page.open_channel(stage.seats.channels["ventes"].id)
    page.wait_for_text("Synthèse des ventes")
    page.wait_for_text("Alerte")
    page.wait_for("main img")
    page.screenshot(pictures / "digest-phone-fr.png", width=PHONE, height=1240)
    page.screenshot(pictures / "digest-phone-dark-fr.png", width=PHONE, height=1240, dark=True)
    page.open_page(stage.playground.url, user(stage, cast().managers["London"].email))
    page.open_channel(stage.seats.channels["sales"].id)
    page.wait_for_text("Sales digest")
    page.wait_for_text("Alert: Win rate")
    page.wait_for("main img")
    page.dark(False)
    page.resize(1280, 1500)
    page.message_with("Alert: Win rate").screenshot(str(pictures / "alert-en.png"))


def test_a_manager_asks_and_clicks(page: Browser, stage: Play, pictures: Path) -> None:
    manager = user(stage, cast().managers["London"].email)
    page.open_page(stage.playground.url, manager)
    page.open_channel(stage.seats.channels["sales"].id)
    page.type_command("/kpi win rate last quarter by rep")
    page.wait_for_text("Q3 2026" if stage.clock.now().year == 2026 else "Win rate")
    page.screenshot(pictures / "answer-en.png")
    page.click_button("Trend")
    page.wait_for_text("month")
    page.screenshot(pictures / "trend-en.png")


def test_a_rep_asks_in_french(page: Browser, stage: Play, pictures: Path) -> None:
    rep = user(stage, cast().reps["Paris"][0].email)
    page.open_page(stage.playground.url, rep)
    page.open_channel(stage.seats.channels["ventes"].id)
    page.type_command("/kpi panier moyen trimestre dernier par commercial")
    page.wait_for_text("Panier moyen")
    page.screenshot(pictures / "answer-phone-fr.png", width=PHONE)
    page.screenshot(pictures / "answer-dark-fr.png", dark=True)


def test_an_alert_is_taken_in_hand_where_it_stands(page: Browser, stage: Play, pictures: Path) -> None:
    readers = {"sales": cast().managers["London"], "ventes": stage.seats.director}
    for channel, words in (
        (
            "sales",
            ("Alert: Win rate", "Acknowledge", "Acknowledged by", "Assign to", "Assigned to", "Snooze…", "3 days"),
        ),
        (
            "ventes",
            (
                "Alerte",
                "Prendre en compte",
                "Prise en compte par",
                "Confier",
                "Confiée à",
                "Mettre en sommeil…",
                "3 jours",
            ),
        ),
    ):
        alert, acknowledge, acknowledged, assign, assigned, snooze, days = words
        page.open_page(stage.playground.url, user(stage, readers[channel].email))
        page.open_channel(stage.seats.channels[channel].id)
        page.wait_for_text(alert)
        page.click_button(acknowledge)
        page.wait_for_text(acknowledged)
        page.choose(assign, cast().managers["London"].name)
        page.wait_for_text(assigned)
        page.click_button(snooze)
        page.wait_for_text(days)
        page.screenshot(pictures / f"alert-in-hand-{channel}.png")
        page.screenshot(pictures / f"alert-in-hand-phone-{channel}.png", width=PHONE, dark=True)
