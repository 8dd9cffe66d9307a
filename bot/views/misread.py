"""Why a question has no answer, in a sentence that says what to type instead. Words quoted in it are foreign text."""

from collections.abc import Sequence

from bot.blocks import clean
from bot.i18n import Language
from bot.views.question import DIMENSION, N_, metric_name
from kpi.catalog import CATALOG, kpi
from kpi.query import DIMENSIONS
from kpi.refusals import NoSuchDimensionError, OutOfScopeError, RefusedError, TooManyBucketsError, UnknownMetricError
from kpi.words.errors import (
    AmbiguousError,
    BadPeriodError,
    Choice,
    NoMetricError,
    NoSuchComparisonError,
    NoSuchReadingError,
    NotUnderstoodError,
    QuestionError,
    SaidTwiceError,
    TooManyFiltersError,
    Unknown,
    WhoIsAskingError,
    Wrong,
)

MOST_CHOICES = 6
WORD = 60

TWICE = {
    "metric": N_("Two KPIs at once: {first} and {second}. Ask for one at a time."),
    "reading": N_("Two readings at once: {first} and {second}. Choose one."),
    "period": N_("Two periods at once: {first} and {second}. Choose one, or say “from … to …”."),
    "grain": N_("Two rhythms at once: {first} and {second}. Choose one."),
    "group": N_("Two groupings at once: {first} and {second}. Choose one."),
    "known": N_("Two moments at once: {first} and {second}. Choose one."),
    "comparison": N_("Two comparisons at once: {first} and {second}. Choose one."),
}
SAME_DIMENSION = N_("Two names of the same kind: {first} and {second}. Choose one, or group by that instead.")
WRONG = {
    Wrong.NO_SUCH_DATE: N_("There is no such date: {words}."),
    Wrong.BACKWARDS: N_("The period ends before it starts: {words}."),
    Wrong.TO_COME: N_("That is still to come: {words}."),
    Wrong.FROM_WITHOUT_TO: N_("{words}: until when? Say “from … to …”, or “since …” for up to today."),
}


def misread(error: RefusedError, language: Language) -> str:
    """The sentence of a question that was not understood or has no answer."""
    _ = language._
    match error:
        case QuestionError():
            return _question(error, language)
        case UnknownMetricError():
            return _no_metric(language)
        case NoSuchDimensionError():
            return _no_dimension(error, language)
        case OutOfScopeError() if error.values["dimension"] == "metric":
            return _(
                "{kpi} is counted for the whole company only: an administrator of Vigie may see it.",
                kpi=metric_name(str(error.values["name"]), language),
            )
        case OutOfScopeError() if error.values["dimension"] == "nothing":
            return _("You are linked to no rep and no team, so you see no figures: ask an administrator of Vigie.")
        case OutOfScopeError():
            return _("You may not see that: {name}.", name=_quoted(str(error.values["name"]), language))
        case TooManyBucketsError():
            return _(
                "That would be {count} points, more than the {most} that can be shown. Take a longer rhythm or a "
                "shorter period.",
                count=error.values["count"],
                most=error.values["most"],
            )
    return _("This question has no answer ({code}).", code=error.code)


def _question(error: QuestionError, language: Language) -> str:
    _ = language._
    match error:
        case NotUnderstoodError(unknown=unknown):
            shown = " ".join(_unknown(word, language) for word in unknown[:MOST_CHOICES])
            if len(unknown) <= MOST_CHOICES:
                return shown
            more = language.n("And {count} more.", "And {count} more.", len(unknown) - MOST_CHOICES)
            return f"{shown} {more}"
        case AmbiguousError(text=text, choices=choices):
            return _(
                "{words} may mean several things: {choices}. Say which.",
                words=_quoted(text, language),
                choices=_listed([_choice(choice, language) for choice in choices], language),
            )
        case NoMetricError():
            return _no_metric(language)
        case SaidTwiceError(part=part, first=first, second=second):
            sentence = TWICE.get(part, SAME_DIMENSION)
            return _(sentence, first=_quoted(first, language), second=_quoted(second, language))
        case TooManyFiltersError(names=names, most=most):
            said = _listed([_quoted(name, language) for name in names], language)
            return _("A question can be narrowed to {most} names at once, not to {names}.", most=most, names=said)
        case NoSuchReadingError(word=word, metric=metric):
            return _no_reading(word, metric, language)
        case NoSuchComparisonError(word=word):
            return _(
                "I cannot compare with that: {words}. I can compare with the period before (“vs previous”) or the same "
                "period last year (“vs last year”); to see names side by side, group by them.",
                words=_quoted(word, language),
            )
        case WhoIsAskingError(word=word):
            return _(
                "I do not know which rep or team {words} is: you are not linked to one.", words=_quoted(word, language)
            )
        case BadPeriodError(text=text, wrong=wrong):
            return _(WRONG[wrong], words=_quoted(text, language))
    return _("I did not understand the question.")


def _unknown(word: Unknown, language: Language) -> str:
    words = _quoted(word.text, language)
    if not word.nearest:
        return language._("I do not know {words}.", words=words)
    nearest = _listed([_quoted(near, language) for near in word.nearest], language)
    return language._("I do not know {words}; did you mean {nearest}?", words=words, nearest=nearest)


def _no_metric(language: Language) -> str:
    names = ", ".join(language._(declared.name) for declared in CATALOG)
    return language._("Which KPI? I know: {names}.", names=names)


def _no_reading(word: str, metric: str, language: Language) -> str:
    _ = language._
    declared = kpi(metric)
    if len(declared.readings) == 1:
        return _("{kpi} has no reading {words}.", kpi=metric_name(metric, language), words=_quoted(word, language))
    names = _listed([_(reading.name) for reading in declared.readings], language)
    return _(
        "{kpi} has no reading {words}; it has: {readings}.",
        kpi=metric_name(metric, language),
        words=_quoted(word, language),
        readings=names,
    )


def _no_dimension(error: RefusedError, language: Language) -> str:
    _ = language._
    allowed = error.values["allowed"]
    names = [_(DIMENSION[each]) for each in DIMENSIONS if isinstance(allowed, tuple) and each in allowed]
    return _(
        "{kpi} cannot be counted by {dimension}; it can be by: {allowed}.",
        kpi=metric_name(str(error.values["metric"]), language),
        dimension=_(DIMENSION[str(error.values["dimension"])]),
        allowed=", ".join(names),
    )


def _choice(choice: Choice, language: Language) -> str:
    """One meaning, in words that mean only it."""
    _ = language._
    if choice.kind == "metric":
        return metric_name(choice.name, language)
    if choice.kind == "period":
        return _("the period {words}", words=_quoted(choice.name, language))
    return _quoted(f"{_(DIMENSION[choice.kind])} {clean(choice.name, WORD)}", language)


def choice_words(choice: Choice, language: Language) -> str | None:
    """Words to type for one meaning, that mean only it; None where there are none that are as they look."""
    if choice.kind == "period" or clean(choice.name, WORD) != choice.name or "<" in choice.name:
        return None
    if choice.kind == "metric":
        return metric_name(choice.name, language)
    return f"{language._(DIMENSION[choice.kind])} {choice.name}"


def _quoted(words: str, language: Language) -> str:
    return language._("“{words}”", words=clean(words, WORD))


def _listed(items: Sequence[str], language: Language) -> str:
    """ "a, b or c"; what does not fit is counted."""
    _ = language._
    if len(items) > MOST_CHOICES:
        shown = ", ".join(items[:MOST_CHOICES])
        more = len(items) - MOST_CHOICES
        return language.n("{items} and {count} more", "{items} and {count} more", more, items=shown)
    if len(items) < 2:
        return "".join(items)
    return _("{items} or {last}", items=", ".join(items[:-1]), last=items[-1])
