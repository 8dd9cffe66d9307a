"""Sources and their syncs, in the reader's language: what stages mean, why a source or an object waits, what a run did.

`storage` gives codes and values; these are the sentences, for the command line and for Slack alike.
"""

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from fractions import Fraction

from bot.i18n import Language
from bot.views.files import failure_sentence as file_sentence
from bot.views.files import object_name
from kpi.format import count, money
from kpi.labels import moment, period_label
from kpi.period import Grain, containing
from storage.connectors.base import declarations
from storage.connectors.files.mapping import MappingProblemError
from storage.connectors.files.reading import FileProblemError
from storage.connectors.files.watched import NO_ROWS
from storage.reports import Month
from storage.troubles import Code

STATUSES = ("open", "won", "lost", "dormant")
"""What a stage may mean, in the order in which it is asked."""


def source_name(source: str, language: Language) -> str:
    """What people call the source: `HubSpot`, « fichiers »; the source itself where no connector is known by it."""
    if source == "files":
        return language._("Files")
    return next((each.title for each in declarations() if each.source == source), source)


def status_name(status: str, language: Language) -> str:
    """What a stage means for its deals: won, « gagnée »."""
    _ = language._
    names = {"open": _("open"), "won": _("won"), "lost": _("lost"), "dormant": _("dormant")}
    return names.get(status, status)


def failure_sentence(error: str, source: str, language: Language) -> str:
    """Why a run of the source failed; `error` is the name of what was raised (`run.error`)."""
    _, name = language._, source_name(source, language)
    match error:
        case "RefusedError":
            return _(
                "{source} refuses the credentials, or they lack a right: run “vigie connect {code}” again.",
                source=name,
                code=source,
            )
        case "UnavailableError":
            return _("{source} does not answer: it is tried again at the next sync, nothing is lost.", source=name)
        case "BudgetError":
            return _("{source} grants no more requests for now: the sync goes on later.", source=name)
        case "UnexpectedError":
            return _("{source} answered in a way that Vigie does not know: nothing was changed.", source=name)
        case "LostError":
            return _("Another run of {source} has taken over: this one leaves it to that.", source=name)
        case "VaultError":
            return _(
                "The secrets of {source} cannot be read with the keys in VIGIE_KEYS: put the key back that encrypted "
                "them, or run “vigie connect {code}” again.",
                source=name,
                code=source,
            )
        case _:
            return _("The sync of {source} failed ({error}): it is tried again.", source=name, error=error)


def cause_sentence(error: BaseException, language: Language) -> str:
    """What is known of the cause: which file, or a method, a path and a status. No query, no secret."""
    cause = error.__cause__
    if isinstance(cause, FileProblemError | MappingProblemError):
        return file_sentence(cause, language)
    return str(error)


def state_sentence(state: str, source: str, since: datetime, zone: tzinfo, language: Language) -> str:
    """How a connected source is, and since when."""
    _, name, when = language._, source_name(source, language), moment(since, zone, language.locale)
    match state:
        case "refused":
            return _(
                "{source}: refused since {when}; run “vigie connect {code}” again.", source=name, when=when, code=source
            )
        case "stopped":
            return _("{source}: disconnected since {when}; its data is kept.", source=name, when=when)
        case _:
            return _("{source}: connected since {when}.", source=name, when=when)


def trouble_sentence(object_: str, code: str, values: Mapping[str, str | int], language: Language) -> str:
    """Why one object of a source waits, or what was held back; `code` and `values` are of `storage.troubles`."""
    _, plain = language._, object_name(object_, language)
    name = plain[:1].upper() + plain[1:]
    told = {key: count(value, language.locale) if isinstance(value, int) else value for key, value in values.items()}
    match code:
        case Code.DRIFT if values.get("field") == NO_ROWS:
            return _(
                "{objects}: the files suddenly hold none. None was deleted; they wait until there are some again.",
                objects=name,
            )
        case Code.DRIFT:
            return _(
                "{objects}: the field “{field}” is no longer told as before. They wait; the rest goes on.",
                objects=name,
                field=told.get("field", "?"),
            )
        case Code.VANISHED:
            return _(
                "{objects}: {count} of {of} are suddenly no longer listed, too many to be believed. None was deleted: "
                "look at the rights of the account. If they are gone indeed, say so: “vigie sync --accept-deletes”.",
                objects=name,
                count=told.get("count", "?"),
                of=told.get("of", "?"),
            )
        case Code.POISON:
            return _(
                "{objects}: {count} of {of} could not be read: “vigie quarantine” says why.",
                objects=name,
                count=told.get("count", "?"),
                of=told.get("of", "?"),
            )
        case _:
            return _("{objects}: {code}", objects=name, code=code)


def resume_sentence(resume_at: datetime | None, source: str, zone: tzinfo, language: Language) -> str:
    """Why a run ended before its end, and when it goes on; `source` is its name."""
    if resume_at is None:
        return language._("{source} was not read to its end: the next sync goes on from there.", source=source)
    when = moment(resume_at, zone, language.locale)
    return language._(
        "{source} grants no more requests for now: the sync goes on after {when}.",
        source=source,
        when=when,
    )


def month_sentence(month: Month, source: str, language: Language) -> str:
    """Deals created in a month that do not add up to what the source listed; `source` is its name."""
    _, locale = language._, language.locale
    here, there = (money(Fraction(minor), month.currency, locale) for minor in (month.here_minor, month.there_minor))
    if month.month is None:
        return _(
            "Deals without a creation day: {here} here, {there} in {source}.", here=here, there=there, source=source
        )
    first = date.fromisoformat(f"{month.month}-01")
    label = period_label(containing(Grain.MONTH, first), locale)
    return _(
        "Deals created in {month}: {here} here, {there} in {source}.",
        month=label,
        here=here,
        there=there,
        source=source,
    )
