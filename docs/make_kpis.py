"""Writes docs/kpis.md from the catalog: `make docs`. The tests check that the page is fresh."""

from pathlib import Path

from bot.i18n import Language, language
from kpi.catalog import CATALOG
from kpi.declaration import Kpi, Target, Words
from kpi.query import Unit

PAGE = Path(__file__).with_name("kpis.md")

HEAD = """\
# The KPIs

Made from `kpi/catalog/` by `make docs`; do not edit by hand. *Asked* is the reading that answers a question, *judged*
the one that digests, targets and alerts use. Rates are in percent, money in the workspace's currency, cycles in days.
Periods are half-open ranges of local days; weeks are ISO weeks. Beside a rate whose numerator is part of its
denominator stand its Wilson 95 % interval and n; under 12 it is marked "few deals". No data is said, never shown as 0.
"""

UNITS = {Unit.PERCENT: "%", Unit.MONEY: "money", Unit.DAYS: "days", Unit.COUNT: "count"}


def page() -> str:
    """The whole page, in Markdown: every KPI in English with its French beside it."""
    french = language("fr")
    return "\n".join([HEAD, *(_section(kpi, french) for kpi in CATALOG)])


def _section(kpi: Kpi, french: Language) -> str:
    _ = french._
    lines = [
        f"## {kpi.name} · {_(kpi.name)}",
        "",
        f"{kpi.description} *{_(kpi.description)}*",
        "",
        f"Say: {_said(kpi.words)}. By: {', '.join(kpi.dimensions)}."
        + (f" Target: {', '.join(_target(target) for target in kpi.recommended)}." if kpi.recommended else ""),
        "",
        "| reading | definition | définition | made of | unit |",
        "|---|---|---|---|---|",
    ]
    for reading in kpi.readings:
        marks = [mark for mark, key in (("asked", kpi.asked), ("judged", kpi.judged)) if key == reading.key]
        made_of = reading.numerator + (f" / {reading.denominator}" if reading.denominator else "")
        name = f"`{reading.key}`" + (f" ({', '.join(marks)})" if marks else "")
        lines.append(
            f"| {name} | {reading.description} | {_(reading.description)} | {made_of} | {UNITS[reading.unit]} |"
        )
    return "\n".join([*lines, ""])


def _said(words: Words) -> str:
    return ", ".join(f"`{word}`" for word in dict.fromkeys((*words.en, *words.fr)))


def _target(target: Target) -> str:
    value = f"{target.low} to {target.high}" if target.high is not None else f"at least {target.low}"
    return f"{value} (`{target.reading}`{', ' + target.segment if target.segment else ''})"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
