"""`/kpi <question>`: the number, privately. Every question that names no other command comes here."""

import re
from collections.abc import Sequence

from sqlalchemy import Connection

from bot import commands
from bot.blocks import actions, button, paragraph
from bot.conversation import Action, Asked, Asker, Click, Command, Context, Refusal, Reply
from bot.i18n import Language
from bot.people import Viewer, known
from bot.phrases import nearest
from bot.views.answer import answer_reply
from bot.views.help import EXAMPLES, help_reply
from bot.views.misread import choice_words, misread
from kpi.engine import answer as compute
from kpi.query import KpiQuery
from kpi.vocabulary import Vocabulary, read_vocabulary
from kpi.words import understand
from kpi.words.errors import AmbiguousError, NotUnderstoodError
from storage import people

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_CHOICES = 3
_LONGEST = 300
"""Characters of a question that is offered again with another word in it."""


def run(asked: Asked, context: Context) -> Reply:
    return answer(asked, asked.text, context)


def answer(asker: Asker, text: str, context: Context) -> Reply:
    """The answer to a question in words, as far as the asker may see."""
    viewer = known(asker, context)
    if not text:
        return help_reply(asker.language, commands.commands())
    result = context.ask(lambda connection: compute(connection, _query(connection, asker, text, viewer)))
    return answer_reply(result, viewer, shareable=_is_channel(asker))


def _query(connection: Connection, asker: Asker, text: str, viewer: Viewer) -> KpiQuery:
    """The question that the words mean, as far as the asker may ask. Raises `Refusal` where they mean none."""
    vocabulary = read_vocabulary(connection, viewer.scope, today=viewer.today, asker=viewer.person_id)
    text = _MENTION.sub(lambda found: _rep(found.group(1), asker, vocabulary, connection), text)
    try:
        return understand(
            text,
            vocabulary,
            today=viewer.today,
            scope=viewer.scope,
            language=asker.language.code,
            fiscal_start_month=viewer.workspace.fiscal_start_month,
            zone=viewer.workspace.zone,
        )
    except (NotUnderstoodError, AmbiguousError) as error:
        raise _meant(error, text, asker.language) from error


def _rep(user_id: str, asker: Asker, vocabulary: Vocabulary, connection: Connection) -> str:
    """A mentioned person as a name of the CRM. Raises `Refusal` for one who is not linked or may not be seen."""
    link = people.read_link(connection, asker.workspace_id, user_id)
    mine = (name for name in vocabulary.names if link and (name.dimension, name.key) == ("rep", link.person_id))
    found = next(mine, None)
    if found is None:
        raise Refusal(asker.language._("The person you mention is no rep whose figures you may see."))
    return found.email or f'"{found.name}"'


def answer_query(asker: Asker, query: KpiQuery, viewer: Viewer, context: Context) -> Reply:
    """The answer to a question that a button carried."""
    result = context.ask(lambda connection: compute(connection, query))
    return answer_reply(result, viewer, shareable=_is_channel(asker))


def on_meant(click: Click, context: Context) -> Reply:
    """One of the nearest words was clicked: the question with it in the place of what was not understood."""
    return answer(click, click.value, context)


def _meant(error: NotUnderstoodError | AmbiguousError, text: str, language: Language) -> Refusal:
    """The sentence that names the word, with a button for each question that may have been meant."""
    _ = language._
    sentence, unclear = misread(error, language), ""
    others: Sequence[str] = ()
    match error:
        case NotUnderstoodError(unknown=[unknown]):
            unclear, others = unknown.text, unknown.nearest
        case AmbiguousError():
            unclear = error.text
            others = [words for choice in error.choices if (words := choice_words(choice, language)) is not None]
    if isinstance(error, NotUnderstoodError) and (command := _command(error, text)) is not None:
        sentence = _("I do not know “{word}”. Did you mean “{meant}”?", word=text.split()[0], meant=f"/kpi {command}")
        return Refusal(sentence, [paragraph(sentence)])
    if isinstance(error, NotUnderstoodError) and not any(unknown.nearest for unknown in error.unknown):
        sentence = _("{sentence} “{command}” says all that I know.", sentence=sentence, command=_("/kpi help"))
    if not others or len(text) > _LONGEST or text.count(unclear) != 1:
        return Refusal(sentence, [paragraph(sentence)])
    meant = [text.replace(unclear, words) for words in list(dict.fromkeys(others))[:_CHOICES]]
    buttons = [button(question, f"answer.meant.{at}", question) for at, question in enumerate(meant)]
    return Refusal(sentence, [paragraph(sentence), actions(buttons)])


def _command(error: NotUnderstoodError, text: str) -> str | None:
    """The command that an unknown first word was most likely meant to be."""
    first = text.split()[0]
    if error.unknown[0].text.split()[:1] != [first]:
        return None
    return nearest(first, tuple(word for command in commands.commands() for word in command.words))


def _is_channel(asker: Asker) -> bool:
    """Whether "here" is a place where others read."""
    return asker.channel_id[:1] in {"C", "G"}


def _lines(language: Language) -> Sequence[tuple[str, str]]:
    return ((EXAMPLES[language.code][0], language._("a figure, with its comparison and its sample, only for you")),)


COMMAND = Command(words=("ask", "question"), help=_lines, run=run)
ACTIONS = (Action(re.compile(r"answer\.meant\.[0-9]"), on_meant),)
