"""Writes the tables of docs/files.md from the code: `make docs`. The tests check that the page is fresh."""

from collections.abc import Callable
from pathlib import Path

from bot.i18n import Language, language
from bot.views.files import field_name, object_name
from bot.views.problems import sentence
from storage.connectors.files.fields import OBJECTS
from storage.problems import Reason

PAGE = Path(__file__).with_name("files.md")

KEPT = {
    Reason.AMOUNT_ROUNDED,
    Reason.AMOUNT_NEGATIVE,
    Reason.ID_MISSING,
    Reason.NAME_MISSING,
    Reason.REFERENCE_AMBIGUOUS,
    Reason.CLOSED_BEFORE_CREATED,
    Reason.CLOSED_MISSING,
    Reason.CLOSED_IN_FUTURE,
}
"""Reasons that never cost a row its place: it is loaded, with a remark."""

_TOLD = {
    "said": "…",
    "column": "…",
    "id": "…",
    "winner": "deals.csv, row 9",
    "cells": "6",
    "headers": "5",
    "status": "won",
    "created": "2026-01-20",
    "closed": "2026-01-10",
    "starts": "2026-01-20",
    "ends": "2026-01-10",
}


def page(text: str) -> str:
    """The page `text` with its made parts made anew."""
    return _put(_put(text, "headers", headers()), "reasons", reasons())


def headers() -> str:
    """Every header that is recognised, field by field."""
    french = language("fr")
    lines: list[str] = []
    for object_, fields in OBJECTS.items():
        lines += [f"### {_both(object_name, object_, french)}", "", "| field | | headers |", "|---|---|---|"]
        for field in fields:
            words = ", ".join(field.words)
            lines.append(f"| `{field.name}` | {_both(field_name, field.name, french)} | {words} |")
        lines.append("")
    return "\n".join(lines)


def reasons() -> str:
    """Every reason of the quarantine with its sentence in both languages."""
    english, french = language("en"), language("fr")
    lines = ["| code | the row is | sentence | phrase |", "|---|---|---|---|"]
    for reason in Reason:
        fate = "loaded" if reason in KEPT else "set aside"
        lines.append(
            f"| `{reason.value}` | {fate} | {sentence(reason, _TOLD, english)} | {sentence(reason, _TOLD, french)} |"
        )
    return "\n".join([*lines, ""])


def _both(name: Callable[[str, Language], str], word: str, french: Language) -> str:
    english_said, french_said = name(word, language("en")), name(word, french)
    return english_said if english_said == french_said else f"{english_said} · {french_said}"


def _put(text: str, part: str, made: str) -> str:
    begin, end = f"<!-- made: {part} -->\n", f"<!-- end: {part} -->"
    head, _, rest = text.partition(begin)
    return head + begin + "\n" + made + "\n" + rest[rest.index(end) :]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
