"""`/kpi help`: what can be asked; `/kpi help win rate`: how one KPI is computed."""

from collections.abc import Sequence

from bot import commands
from bot.conversation import Asked, Command, Context, NotThere, Reply
from bot.i18n import Language
from bot.views.help import definition_blocks, help_reply
from kpi.catalog import CATALOG
from kpi.declaration import Kpi
from kpi.words.folding import fold


def run(asked: Asked, _context: Context) -> Reply:
    _ = asked.language._
    if not asked.text:
        return help_reply(asked.language, commands.commands())
    found = named(asked.text)
    if found is None:
        names = ", ".join(_(kpi.name) for kpi in CATALOG)
        raise NotThere(_("I know no KPI called “{name}”. I know: {names}.", name=asked.text, names=names))
    reading = found.reading(found.asked)
    return Reply(f"{_(found.name)}{_(': ')}{_(found.description)}", definition_blocks(found, reading, asked.language))


def named(text: str) -> Kpi | None:
    """The KPI that these words name, in either language."""
    wanted = fold(text)
    for kpi in CATALOG:
        if wanted == kpi.metric or wanted in {fold(word) for word in (*kpi.words.en, *kpi.words.fr)}:
            return kpi
    return None


def _lines(language: Language) -> Sequence[tuple[str, str]]:
    return ((language._("help"), language._("this page; with a KPI's name, how it is computed")),)


COMMAND = Command(words=("help", "aide", "?"), help=_lines, run=run)
