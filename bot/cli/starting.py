"""What every command begins with: the settings, the database, the language; and how it says things and gives up."""

import logging
import textwrap
from dataclasses import dataclass
from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text
from sqlalchemy import Engine

from bot.clock import Clock, SystemClock
from bot.database import open_database
from bot.i18n import LANGUAGES, Language, language
from bot.settings import Settings, SettingsError, read_settings

REFUSED = 2
"""Exit code: nothing was done, because something given cannot be used."""


@dataclass(frozen=True, slots=True)
class Started:
    """An open database, somebody to talk to, and their language."""

    console: Console
    settings: Settings
    clock: Clock
    engine: Engine
    words: Language


def start(lang: str | None) -> Started:
    """Read the settings and open the database; a wrong setting is one sentence, and the end."""
    console, clock = Console(), SystemClock()
    # What is tried again is shown as a bar that goes on; nobody reads its log lines in between.
    retries = logging.getLogger("stamina")
    if not retries.handlers:
        retries.addHandler(logging.NullHandler())
    settings, words = read(console, lang)
    try:
        return Started(console, settings, clock, open_database(settings, clock), words)
    except SettingsError as error:
        refuse(console, str(error))


def read(console: Console, lang: str | None) -> tuple[Settings, Language]:
    """The settings alone, and the language, for what must not open the database."""
    try:
        settings = read_settings()
    except SettingsError as error:
        refuse(console, str(error))
    words = language(lang or settings.language)
    if lang is not None and lang.lower() not in LANGUAGES:
        refuse(console, words._("I do not speak “{language}”: say fr or en.", language=lang))
    return settings, words


def say(console: Console, sentence: str, style: str = "") -> None:
    """One sentence; what looks like markup in a name is shown as it is, and lines break at plain spaces only."""
    # rich would break French sentences before their colons, at spaces that are there so that nothing breaks.
    lines = textwrap.wrap(sentence, max(20, console.width), break_long_words=False, break_on_hyphens=False)
    console.print(Text("\n".join(lines), style=style), soft_wrap=True)


def agreed(question: str, words: Language) -> bool:
    """Ask for a yes or a no, in either language; Enter is yes. Raises `typer.Abort` where nobody answers."""
    choice = words._("[Y/n]")
    while True:
        said: str = typer.prompt(f"{question} {choice}", default="", show_default=False, prompt_suffix=" ")
        if said.strip().lower() in {"", "y", "yes", "o", "oui"}:
            return True
        if said.strip().lower() in {"n", "no", "non"}:
            return False


def refuse(console: Console, sentence: str) -> NoReturn:
    """Say why nothing was done, and end."""
    console.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(REFUSED)
