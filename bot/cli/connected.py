"""What is connected: listed, named although misspelt, stopped."""

from collections.abc import Iterable

from rapidfuzz import fuzz, process

from bot.cli.starting import Started, refuse, say
from bot.i18n import Language
from bot.views.sources import source_name, state_sentence
from kpi.labels import moment
from storage import sources
from storage.connectors.base import declarations
from storage.database import reading, writing
from storage.sources import Source
from storage.status import read_status
from storage.workspaces import SINGLE, read_workspace


def connected(started: Started) -> tuple[Source, ...]:
    """Every source that was ever connected, those refused and stopped too."""
    with reading(started.engine) as connection:
        return sources.all_connected(connection, SINGLE)


def nothing_connected(words: Language) -> str:
    known = ", ".join(each.source for each in declarations())
    return words._("Nothing is connected yet: run “vigie connect”, with one of {known}.", known=known)


def no_such_source(said: str, known: Iterable[str], words: Language) -> str:
    """That there is no source of this name, and which was probably meant."""
    names = sorted(known)
    nearest = process.extractOne(said.lower(), names, scorer=fuzz.ratio, score_cutoff=50)
    if nearest is not None:
        return words._("There is no source “{said}”: did you mean “{nearest}”?", said=said, nearest=nearest[0])
    return words._("There is no source “{said}”; there are: {known}.", said=said, known=", ".join(names))


def disconnect_source(started: Started, source: str) -> None:
    """Stop it, and say that its data stays."""
    _, there = started.words._, {each.source for each in connected(started)}
    if not there:
        refuse(started.console, nothing_connected(started.words))
    if source not in there:
        refuse(started.console, no_such_source(source, there, started.words))
    name = source_name(source, started.words)
    with writing(started.engine) as connection:
        done = sources.stop(connection, SINGLE, source, started.clock.now())
    if done:
        told = _("{source} is no longer synced. Its data stays and is counted.", source=name)
        again = _("“vigie connect {code}” goes on from there.", code=source)
        say(started.console, f"{told} {again}")
    else:
        say(started.console, _("{source} was disconnected before.", source=name))


def list_sources(started: Started) -> None:
    """Every connected source: whose it is, how it is, up to when it is complete."""
    _, console, known = started.words._, started.console, connected(started)
    if not known:
        say(console, nothing_connected(started.words))
        return
    with reading(started.engine) as connection:
        workspace = read_workspace(connection, SINGLE)
        complete = {each.source: each.complete_at for each in read_status(connection, SINGLE).sources}
    for each in known:
        say(console, state_sentence(each.state, each.source, each.state_since, workspace.zone, started.words), "bold")
        if each.account:
            say(console, "  " + _("Account: {account}", account=each.account))
        upto = complete.get(each.source)
        if upto is None:
            say(console, "  " + _("Not read to its end yet."))
        else:
            when = moment(upto, workspace.zone, started.words.locale)
            say(console, "  " + _("Complete up to {when}.", when=when))
