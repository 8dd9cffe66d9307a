"""How an answer was come by, in words: what `vigie ask --explain` says."""

from bot.i18n import Language
from kpi.buckets.routes import Why
from kpi.engine import Answer


def plan_words(answer: Answer, statements: int, language: Language) -> str:
    """From the buckets or from the facts, and why; how many cells were added up; how many statements it took."""
    took = language.n("{count} statement", "{count} statements", statements)
    if answer.plan.reason is None:
        read = language.n("{count} cell added up", "{count} cells added up", answer.cells or 0)
        return language._("From the buckets: {read}, {took}.", read=read, took=took)
    why = _why(answer.plan.reason, language)
    return language._("From the facts, {took}: {why}.", took=took, why=why)


def _why(reason: Why, language: Language) -> str:
    _ = language._
    match reason:
        case Why.AS_KNOWN:
            return _("the question is asked as known on a past day")
        case Why.MEDIAN:
            return _("a median cannot be added up")
        case Why.KEYS:
            return _("no buckets keep these groups and filters together")
        case Why.WINDOW:
            return _("the buckets know retention over 12 months only")
        case Why.NOT_READY:
            return _("the buckets are not ready")
        case Why.ANOTHER_DAY:
            return _("on that day, open deals may belong to other teams than in the buckets")
        case Why.BOTH_SIDES:
            return _("rows that are left out may belong to both sides of the rate")
        case Why.ELSEWHERE:
            return _("some of the asker's own rows lie outside the teams seen")
