"""Sentences in the reader's language: gettext catalogs read straight from their `.po` files, no build step.

`language("fr")` gives an object whose `_` and `n` translate, and whose `locale` Babel formats with. English is the
source language; an unknown code falls back to English.
"""

import gettext
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LOCALES = Path(__file__).parent / "locales"
LANGUAGES = ("en", "fr")


@dataclass(frozen=True)
class Language:
    code: str
    locale: Locale
    translations: gettext.NullTranslations

    def _(self, message: str, /, **values: object) -> str:
        """The sentence in this language, with `{name}` places filled in."""
        text = self.translations.gettext(message)
        return text.format(**values) if values else text

    def n(self, one: str, many: str, count: int, /, **values: object) -> str:
        """The singular or plural sentence for `count`, which is also the value `{count}`, grouped as readers do."""
        number = format_decimal(count, locale=self.locale)
        return self.translations.ngettext(one, many, count).format(**{"count": number, **values})


@cache
def language(code: str | None) -> Language:
    """The language for a code or a Slack locale (`fr`, `fr-FR`, `fr_CA`); English for anything else."""
    short = (code or "en").replace("_", "-").split("-")[0].lower()
    if short not in LANGUAGES:
        short = "en"
    return Language(short, Locale(short, "FR" if short == "fr" else "GB"), _read(short))


def _read(code: str) -> gettext.NullTranslations:
    catalog = Catalog(locale=code)
    for path in sorted((LOCALES / code).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=code):
                if message.id and message.string:
                    catalog.add(message.id, message.string)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
