"""What can be said about an error that was foreseen; the wrapper gives any other a reference number."""

from bot.blocks import paragraph
from bot.conversation import Reply
from bot.i18n import Language
from bot.slack import SlackError
from bot.views.misread import misread
from kpi.refusals import RefusedError


def explain(error: Exception, language: Language) -> Reply | None:
    """The sentence for a typed error in the asker's language, or None for one that nobody foresaw."""
    if isinstance(error, RefusedError):
        sentence = misread(error, language)
        return Reply(sentence, [paragraph(sentence)])
    if isinstance(error, SlackError):
        _ = language._
        sentence = _("Slack does not answer as it should just now ({code}). Please try again.", code=error.code)
        return Reply(sentence, [paragraph(sentence)])
    return None
