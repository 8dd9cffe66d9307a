"""How each source is, in sentences: as of when, what its last sync did, and what waits."""

from collections.abc import Iterator
from datetime import datetime

from bot.blocks import Bold, bullets, paragraph
from bot.conversation import Block
from bot.i18n import Language
from bot.views.sources import failure_sentence, source_name, state_sentence, trouble_sentence
from kpi.format import count
from kpi.labels import moment
from storage.status import Run, Source
from storage.workspaces import Workspace


def source_blocks(source: Source, late_since: datetime, workspace: Workspace, language: Language) -> list[Block]:
    """A source's name, then its lines."""
    lines = list(source_lines(source, late_since, workspace, language))
    return [paragraph(Bold(source_name(source.source, language))), bullets([[line] for line in lines])]


def source_lines(source: Source, late_since: datetime, workspace: Workspace, language: Language) -> Iterator[str]:
    """What there is to know of a source, the most important first."""
    _, n = language._, language.n
    yield fresh_sentence(source, late_since, workspace, language)
    if source.state in {"refused", "stopped"} and source.state_since is not None:
        yield state_sentence(source.state, source.source, source.state_since, workspace.zone, language)
    for told in source.told:
        if told.trouble is not None:
            yield trouble_sentence(told.object, told.trouble.code, told.trouble.values, language)
    # That it was refused is said once.
    if source.last_run is not None and (source.state, source.last_run.error) != ("refused", "RefusedError"):
        yield run_sentence(source.last_run, source.source, workspace, language)
        if source.last_run.outcome == "partial" and all(told.trouble is None for told in source.told):
            yield _("Not everything is read yet: the next sync goes on from there.")
    if source.listed_at is not None:
        when = moment(source.listed_at, workspace.zone, language.locale)
        yield _("Everything was last compared on {when}.", when=when)
    if source.hints:
        yield n(
            "{count} change announced by a webhook is still to be read.",
            "{count} changes announced by webhooks are still to be read.",
            source.hints,
        )


def fresh_sentence(source: Source, late_since: datetime, workspace: Workspace, language: Language) -> str:
    """Up to when a source is known to be complete, and whether that is later than it should be."""
    _ = language._
    if source.complete_at is None:
        return _("Not read to its end yet.")
    when = moment(source.complete_at, workspace.zone, language.locale)
    if source.late(late_since):
        return _("Data as of {when}: older than expected, alerts on it are paused.", when=when)
    return _("Data as of {when}.", when=when)


def run_sentence(run: Run, source: str, workspace: Workspace, language: Language) -> str:
    """When the last sync was, and what it changed or why it failed."""
    _, n = language._, language.n
    began = moment(run.started_at, workspace.zone, language.locale)
    if run.outcome is None:
        return _("A sync is under way since {when}.", when=began)
    if run.outcome == "failed":
        why = failure_sentence(run.error or "", source, language)
        return _("Last sync on {when}, failed. {why}", when=began, why=why)
    parts = [
        *([n("{count} new", "{count} new", run.new)] if run.new else []),
        *([n("{count} changed", "{count} changed", run.changed)] if run.changed else []),
        *([n("{count} deleted", "{count} deleted", run.deleted)] if run.deleted else []),
        *([n("{count} put aside", "{count} put aside", run.quarantined)] if run.quarantined else []),
    ] or [_("nothing has changed")]
    if run.requests:
        parts.append(n("{count} request", "{count} requests", run.requests))
    return _("Last sync on {when}: {what}.", when=began, what=", ".join(parts))


def rows_of(counts: dict[str, int], language: Language) -> list[str]:
    """How many rows of each object are known."""
    _ = language._
    things = {
        "deal": _("Deals"),
        "lead": _("Leads"),
        "customer": _("Customers"),
        "person": _("People"),
        "team": _("Teams"),
        "contract": _("Contracts"),
        "spend": _("Spend"),
    }
    return [f"{things[name]}{_(': ')}{count(number, language.locale)}" for name, number in counts.items()]


def unprepared(language: Language) -> str:
    """What answers are like until the sums that they come from are ready."""
    return language._("The numbers are still being prepared: answers are exact, and slower until then.")
