"""What each stage means, in a person's word: `--stage "Signed=won"`, or a number and a word when asked."""

import re
from collections.abc import Mapping, Sequence

import typer
from rapidfuzz import fuzz, process
from rich.console import Console

from bot.cli.preview import Seen, show_stages
from bot.cli.starting import say
from bot.i18n import Language
from bot.views.sources import status_name
from storage.connectors.files.headers import fold
from storage.records import Stage
from storage.sources import STATUSES

WORDS = {
    "open": ("open", "ouvert", "ouverte", "en cours"),
    "won": ("won", "gagne", "gagnee", "signe", "signee"),
    "lost": ("lost", "perdu", "perdue"),
    "dormant": ("dormant", "dormante", "en sommeil", "sommeil", "sleep"),
}
"""What people say for each meaning, without accents, in both languages."""


class StageError(Exception):
    """One sentence: which stage or which meaning is not known, and what would do."""


def meaning(word: str, words: Language) -> str:
    """The status that a word says. Raises `StageError`."""
    folded = fold(word)
    for status, said in WORDS.items():
        if folded in said:
            return status
    known = ", ".join(status_name(status, words) for status in STATUSES)
    raise StageError(words._("“{said}” is not a meaning of a stage; there are: {known}.", said=word, known=known))


def decided(said: Sequence[str], seen: Seen, words: Language) -> dict[str, str]:
    """Ext ids of stages to their status, from `name=status`, `id=status` or `pipeline/name=status`.

    Raises `StageError`.
    """
    found: dict[str, str] = {}
    for text in said:
        name, equals, word = text.rpartition("=")
        if not equals:
            raise StageError(words._("“{said}”: say it like --stage “Signed=won”.", said=text))
        found[_stage(name.strip(), seen, words).ext_id] = meaning(word, words)
    return found


def edited(console: Console, seen: Seen, decisions: Mapping[str, str], source: str, words: Language) -> dict[str, str]:
    """Ask for stages to change, by number, until the person is content. Raises `typer.Abort` where nobody answers."""
    _, chosen, stages = words._, dict(decisions), seen.stages
    prompt = _(
        "A stage to change, like “{example}” (Enter when all is right)", example=f"2 {status_name('won', words)}"
    )
    while True:
        console.print()
        said: str = typer.prompt(prompt, default="", show_default=False, prompt_suffix=_(": "))
        if not said.strip():
            return chosen
        match = re.fullmatch(r"(\d{1,4})[\s=:]+(.+)", said.strip())
        if match is None or not 1 <= int(match[1]) <= len(stages):
            say(console, _("Give the number of a stage, 1 to {last}, and a meaning.", last=len(stages)), "red")
            continue
        try:
            status = meaning(match[2], words)
        except StageError as error:
            say(console, str(error), "red")
            continue
        chosen[stages[int(match[1]) - 1].ext_id] = status
        show_stages(console, seen, chosen, source, words)


def _stage(name: str, seen: Seen, words: Language) -> Stage:
    _, stages = words._, seen.stages
    for stage in stages:
        if stage.ext_id == name:
            return stage
    whole = {stage.ext_id: f"{seen.name('pipeline', stage.pipeline) or ''}/{stage.name}" for stage in stages}
    alike = [stage for stage in stages if fold(name) in (fold(stage.name), fold(whole[stage.ext_id]))]
    if len(alike) == 1:
        return alike[0]
    if alike:
        several = ", ".join(f"{whole[stage.ext_id]} ({stage.ext_id})" for stage in alike)
        raise StageError(_("Several stages are called “{said}”: {several}. Give the id.", said=name, several=several))
    nearest = process.extractOne(name, [stage.name for stage in stages], scorer=fuzz.ratio, score_cutoff=60)
    if nearest is not None:
        raise StageError(_("There is no stage “{said}”: did you mean “{nearest}”?", said=name, nearest=nearest[0]))
    known = ", ".join(stage.name for stage in stages) or "–"
    raise StageError(_("There is no stage “{said}”; there are: {known}.", said=name, known=known))
