"""The words of the calendar in French and English, folded: months and weekdays from CLDR, units, numbers, "last"."""

from collections.abc import Iterable, Mapping

from babel import Locale

from kpi.period import Grain
from kpi.words.folding import fold

_LOCALES = tuple(Locale.parse(code) for code in ("en_GB", "en_US", "fr_FR"))


def _names(kind: str, widths: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for locale in _LOCALES:
        names: Mapping[str, Mapping[str, Mapping[int, str]]] = getattr(locale, kind)
        for width in widths:
            found |= {fold(name).rstrip("."): number for number, name in names["format"][width].items()}
    return found


MONTHS = _names("months", ("wide", "abbreviated")) | {"sept": 9, "sep": 9, "janv": 1, "fev": 2, "avr": 4, "juil": 7}
"""`decembre`, `dec`, `december` … to 1..12."""

MONTH_NAMES = tuple(name for locale in _LOCALES for name in locale.months["format"]["wide"].values())
"""As people write them, for suggestions."""

WEEKDAYS = _names("days", ("wide",))
"""`lundi`, `monday` … to 0 (Monday) .. 6."""

UNITS = {
    "day": Grain.DAY, "days": Grain.DAY, "jour": Grain.DAY, "jours": Grain.DAY,
    "week": Grain.WEEK, "weeks": Grain.WEEK, "semaine": Grain.WEEK, "semaines": Grain.WEEK,
    "month": Grain.MONTH, "months": Grain.MONTH, "mois": Grain.MONTH,
    "quarter": Grain.QUARTER, "quarters": Grain.QUARTER, "trimestre": Grain.QUARTER, "trimestres": Grain.QUARTER,
    "year": Grain.YEAR, "years": Grain.YEAR, "an": Grain.YEAR, "ans": Grain.YEAR,
    "annee": Grain.YEAR, "annees": Grain.YEAR,
}  # fmt: skip

LAST = {
    "last", "previous", "past", "dernier", "derniere", "derniers", "dernieres", "precedent", "precedente",
    "precedents", "precedentes", "passe", "passee", "passes", "passees", "ecoule", "ecoulee", "ecoules", "ecoulees",
}  # fmt: skip
ROLLING = {"rolling", "trailing", "glissant", "glissants", "glissante", "glissantes"}
THIS = {"this", "current", "ce", "cette", "cet"}
RUNNING = {"cours", "courant", "courante", "actuel", "actuelle", "present", "presente"}
"""After the unit: "mois en cours"."""

NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirty": 30, "ninety": 90,
    "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "sept": 7, "huit": 8, "neuf": 9, "dix": 10, "onze": 11,
    "douze": 12, "trente": 30,
}  # fmt: skip

ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4,
    "premier": 1, "deuxieme": 2, "troisieme": 3, "quatrieme": 4, "1er": 1, "2e": 2, "3e": 3, "4e": 4,
    "2eme": 2, "3eme": 3, "4eme": 4, "1ere": 1, "premiere": 1,
}  # fmt: skip
"""For quarters: "4e trimestre", "fourth quarter"."""
