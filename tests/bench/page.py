"""`docs/performance.md`: the ratios that were last kept, and what each means, written from what the benches declare."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.bench.ratios import Bench, Measure

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
_TABLE = ("<!-- made by `make bench` from here -->\n", "<!-- to here -->\n")
_MEANINGS = ("<!-- made from tests/bench/ from here -->\n", "<!-- to there -->\n")
_ROW = re.compile(r"^\| `(\w+)` \| (.*) \| (.*) \| (.*) \| (.*) \|$", re.MULTILINE)


def read() -> dict[str, float | None]:
    """The ratios that were last kept; None = not measured then."""
    return {name: None if ratio == "–" else float(ratio) for name, (_, _, ratio) in rows().items()}


def rows() -> dict[str, tuple[str, str, str]]:
    """By name: Vigie, beside, ratio, as the page writes them."""
    table = _between(PAGE.read_text(encoding="utf-8"), _TABLE)
    return {name: (ours, theirs, ratio) for name, ours, theirs, ratio, _ in _ROW.findall(table)}


def figure(ratio: float | None) -> str:
    """A ratio as it is shown: three digits that say something."""
    if ratio is None:
        return "–"
    return f"{ratio:.0f}" if abs(ratio) >= 100 else f"{ratio:.3g}"


def keep(found: Sequence[Measure], benches: Sequence[Bench]) -> None:
    """Put what was found in the place of what was; a ratio that was not measured now stays as it was."""
    new = {each.name: (each.ours, each.theirs, figure(each.ratio)) for each in found if each.ratio is not None}
    told = {each.name: (each.ours, each.theirs, figure(each.ratio)) for each in found} | rows() | new
    text = _put(PAGE.read_text(encoding="utf-8"), _TABLE, _table(told, benches))
    PAGE.write_text(_put(text, _MEANINGS, meanings(benches)), encoding="utf-8")


def meanings(benches: Iterable[Bench]) -> str:
    """What each ratio means, what makes it worse and what it is held to, in Markdown."""
    told = []
    for ratios in (each for bench in benches for each in bench.ratios):
        names = ", ".join(f"`{name}`" for name in ratios.names)
        held = f" Held to {ratios.limit}." if ratios.limit else ""
        told.append(f"- {names}: {ratios.meaning}{held} Worse when {ratios.worse}\n")
    return "".join(told)


def told_meanings() -> str:
    return _between(PAGE.read_text(encoding="utf-8"), _MEANINGS)


def _table(told: Mapping[str, tuple[str, str, str]], benches: Iterable[Bench]) -> str:
    lines = ["| ratio of | Vigie | beside | ratio | held to |\n", "|---|---:|---:|---:|---|\n"]
    for ratios in (each for bench in benches for each in bench.ratios):
        for name in ratios.names:
            ours, theirs, ratio = told.get(name, ("", "", "–"))
            lines.append(f"| `{name}` | {ours} | {theirs} | {ratio} | {ratios.limit} |\n")
    return "".join(lines)


def _between(text: str, marks: tuple[str, str]) -> str:
    return text.split(marks[0], 1)[1].split(marks[1], 1)[0]


def _put(text: str, marks: tuple[str, str], part: str) -> str:
    start, rest = text.split(marks[0], 1)
    return f"{start}{marks[0]}{part}{marks[1]}{rest.split(marks[1], 1)[1]}"


if __name__ == "__main__":
    # Nothing is measured: a ratio that a bench has come to declare gets its line.
    from tests.bench.harness import benches

    keep([], [bench for _, bench in benches()])
