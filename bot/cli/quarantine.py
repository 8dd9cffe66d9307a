"""`vigie quarantine`: the rows that were set aside, or kept with a remark, and why."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.text import Text

    from bot.i18n import Language
    from storage.quarantine import Line

_SHOWN = 3
"""Rows of one reason that are shown one by one."""


def quarantine(
    lang: Annotated[str | None, typer.Option(help="fr or en; else VIGIE_LANGUAGE.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, for another program.")] = False,
) -> None:
    """List the rows that were set aside, and those loaded with a remark, each with its reason."""
    import json

    from rich.console import Console
    from rich.text import Text

    from bot.clock import SystemClock
    from bot.database import open_database
    from bot.i18n import language
    from bot.settings import SettingsError, read_settings
    from storage.database import reading
    from storage.quarantine import read_quarantine
    from storage.workspaces import SINGLE

    console = Console()
    try:
        settings = read_settings()
        engine = open_database(settings, SystemClock())
    except SettingsError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    words = language(lang or settings.language)
    with reading(engine) as connection:
        lines = read_quarantine(connection, SINGLE)
    engine.dispose()
    if as_json:
        typer.echo(json.dumps([_as_json(line, words) for line in lines], ensure_ascii=False, indent=2))
        return
    if not lines:
        console.print(words._("The quarantine is empty: every row was loaded."))
    for kept, title in ((False, words._("Set aside, not loaded")), (True, words._("Loaded, with a remark"))):
        some = [line for line in lines if line.kept is kept]
        if some:
            console.print(Text(f"{title} ({len(some)})", style="bold"))
            for alike in _alike(some, words):
                console.print(_as_text(alike, words))


def _alike(lines: "Sequence[Line]", words: "Language") -> "Iterable[list[Line]]":
    """The lines of one table that say the same, together, in the order of their first rows."""
    from bot.views.problems import sentence, told_by_crm

    found: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        told = sentence(line.reason, line.details, words)
        where = line.source if told_by_crm(line) else line.place
        table = (line.details.get("file", where), line.details.get("sheet", ""))
        found.setdefault((line.object, *table, told), []).append(line)
    return found.values()


def _as_text(alike: "Sequence[Line]", words: "Language") -> "Text":
    """The first of these rows, how many more there are and where, and the sentence that holds for all of them."""
    from rich.text import Text

    from bot.views.files import object_name
    from bot.views.problems import other_rows, place, sentence, told_by_crm

    text = Text()
    for line in alike[:_SHOWN]:
        text.append(f"  {place(line, words)}", "cyan")
        if line.ext_id is not None and not line.ext_id.startswith("row-") and not told_by_crm(line):
            text.append(f" · {line.ext_id[:80]}", "cyan")
        text.append(f" ({object_name(line.object, words)})\n")
    if len(alike) > _SHOWN:
        text.append(f"  {other_rows(alike[_SHOWN:], words)}\n", "cyan")
    return text.append(f"    {sentence(alike[0].reason, alike[0].details, words)}")


def _as_json(line: "Line", words: "Language") -> dict[str, object]:
    from bot.views.problems import place, sentence

    return {
        "object": line.object,
        "id": line.ext_id,
        "place": place(line, words),
        "field": line.field,
        "reason": line.reason,
        "sentence": sentence(line.reason, line.details, words),
        "kept": line.kept,
        "row": dict(line.payload),
        "first_seen_at": line.first_seen_at.isoformat(),
    }
