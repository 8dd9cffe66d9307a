"""`/kpi <question>`: the number, privately. Every question that names no other command comes here."""

from collections.abc import Sequence

from bot import commands
from bot.conversation import Asked, Asker, Command, Context, Reply
from bot.i18n import Language
from bot.people import Viewer, known
from bot.views.answer import answer_reply
from bot.views.help import EXAMPLES, help_reply
from kpi.engine import answer as compute
from kpi.query import KpiQuery
from kpi.vocabulary import read_vocabulary
from kpi.words import understand
from storage.database import reading


def run(asked: Asked, context: Context) -> Reply:
    return answer(asked, asked.text, context)


def answer(asker: Asker, text: str, context: Context) -> Reply:
    """The answer to a question in words, as far as the asker may see."""
    viewer = known(asker, context)
    if not text:
        return help_reply(asker.language, commands.commands())
    with reading(context.engine) as connection:
        vocabulary = read_vocabulary(connection, viewer.scope, today=viewer.today, asker=viewer.person_id)
        query = understand(
            text,
            vocabulary,
            today=viewer.today,
            scope=viewer.scope,
            language=asker.language.code,
            fiscal_start_month=viewer.workspace.fiscal_start_month,
        )
        result = compute(connection, query)
    return answer_reply(result, viewer, shareable=_is_channel(asker))


def answer_query(asker: Asker, query: KpiQuery, viewer: Viewer, context: Context) -> Reply:
    """The answer to a question that a button carried."""
    with reading(context.engine) as connection:
        result = compute(connection, query)
    return answer_reply(result, viewer, shareable=_is_channel(asker))


def _is_channel(asker: Asker) -> bool:
    """Whether "here" is a place where others read."""
    return asker.channel_id[:1] in {"C", "G"}


def _lines(language: Language) -> Sequence[tuple[str, str]]:
    return ((EXAMPLES[language.code][0], language._("a figure, with its comparison and its sample, only for you")),)


COMMAND = Command(words=("ask", "question"), help=_lines, run=run)
