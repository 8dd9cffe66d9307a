"""Data that is later than it should be: told once to the administrators, and once to the channels that wait for alerts.

Nobody is told of what the next run mends: only a run that has failed or was stopped by the CRM asks here.
"""

from datetime import datetime

from sqlalchemy import Connection

from bot.conversation import Context
from bot.i18n import Language, language
from bot.jobs.notices import post, tell_admins
from bot.views.sources import source_name
from kpi.labels import moment
from kpi.standing import rests_on
from storage import rules
from storage.sources import Source
from storage.status import read_sources
from storage.workspaces import read_workspace


def tell(connection: Connection, context: Context, source: Source, now: datetime) -> None:
    """Put the letters about a source whose data is late; nothing where it is not, or where this was told before."""
    since = now - context.settings.late_after
    states = read_sources(connection, source.workspace_id)
    state = next(each for each in states if each.source == source.source)
    if not state.late(since):
        return
    aged = [each for each in state.told if each.complete_at is not None and each.complete_at < since]
    oldest = min(each.complete_at for each in aged if each.complete_at is not None)
    workspace = read_workspace(connection, source.workspace_id)

    def when(words: Language) -> str:
        return moment(oldest, workspace.zone, words.locale)

    if any(each.trouble is None for each in aged):
        # Of an object that waits, they were told why.
        tell_admins(
            connection,
            source.workspace_id,
            f"late:{source.source}:{oldest.isoformat()}",
            lambda words: words._(
                "The data of {source} is as of {when}, older than expected. Alerts that rest on it are paused until it "
                "is complete again; “/kpi status” says why.",
                source=source_name(source.source, words),
                when=when(words),
            ),
            now,
        )
    day = now.astimezone(workspace.zone).date()
    for rule in rules.running(connection, source.workspace_id):
        if not rests_on(rule.metric, [each.object for each in aged]):
            continue
        words = language(rule.language)
        said = words._(
            "The alerts of this channel are paused: the data is as of {when}, older than expected. They go on by "
            "themselves as soon as it is complete again.",
            when=when(words),
        )
        # Once a day at most, however many sources and rules are concerned.
        post(connection, source.workspace_id, f"late:{rule.channel_id}:{day}", rule.channel_id, said, now)
