"""Every sentence that a person may read exists in French, with the same places to fill in."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from bot.i18n import LANGUAGES, LOCALES
from storage.connectors.base import declarations

ROOT = Path(__file__).parents[2]
KEYWORDS = {"_": None, "n": (1, 2), "N_": None}
PLACE = re.compile(r"\{(\w+)")


def sentences() -> set[str | tuple[str, ...]]:
    """Every message of the code: singular texts, and (singular, plural) pairs."""
    found: set[str | tuple[str, ...]] = set()
    for floor in ("bot", "kpi", "storage"):
        for _, _, message, _, _ in extract_from_dir(
            ROOT / floor,
            method_map=[("**.py", "python")],
            keywords=KEYWORDS,
            directory_filter=lambda p: "page" not in p,
        ):
            found.add(message)
    # What `vigie connect` asks for is said where the connector is declared.
    for each in declarations():
        found |= {(field.description or "").rstrip(".") for field in each.options.model_fields.values()}
    return found


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_sentence_is_translated(code: str) -> None:
    translated = set()
    for path in (LOCALES / code).glob("*.po"):
        with path.open("rb") as file:
            translated |= {message.id for message in read_po(file) if message.id and all(_strings(message.string))}
    missing = {message for message in sentences() if message not in translated and message}
    assert not missing


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_translations_keep_the_places_of_their_sentence(code: str) -> None:
    for path in (LOCALES / code).glob("*.po"):
        with path.open("rb") as file:
            for message in read_po(file):
                places = {place for text in _strings(message.id) for place in PLACE.findall(text)}
                for text in _strings(message.string):
                    assert set(PLACE.findall(text)) <= places, (path.name, message.id)


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_no_translation_is_left_over(code: str) -> None:
    known = sentences()
    for path in (LOCALES / code).glob("*.po"):
        with path.open("rb") as file:
            left = [message.id for message in read_po(file) if message.id and message.id not in known]
        assert not left, path.name


def _strings(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)
