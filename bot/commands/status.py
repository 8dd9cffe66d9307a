"""`/kpi status`: how fresh and how complete the data of each source is, and what waits to be posted."""

from collections.abc import Sequence

from bot.blocks import Bold, bullets, context, header, paragraph
from bot.conversation import Asked, Command, Context, Reply
from bot.i18n import Language
from bot.keeping import are_ready
from bot.people import known
from bot.views.delivery import troubled_lines, waiting_sentence
from bot.views.sources import source_name
from bot.views.status import rows_of, source_blocks, source_lines, unprepared
from storage import outbox
from storage.database import reading
from storage.status import read_status
from storage.workspaces import read_workspace


def run(asked: Asked, context_: Context) -> Reply:
    viewer = known(asked, context_)
    now = context_.clock.now()
    language, late_since = asked.language, now - context_.settings.late_after
    _, n = language._, language.n
    with reading(context_.engine) as connection:
        workspace = read_workspace(connection, asked.workspace_id)
        status = read_status(connection, asked.workspace_id)
        lots = outbox.lots(connection, asked.workspace_id, now, skipped_since=now)
        mine = lots
        if not viewer.admin:
            mine = outbox.lots(connection, asked.workspace_id, now, skipped_since=now, owner=asked.user_id)
    prepared = not status.sources or are_ready(context_.engine, asked.workspace_id, context_.clock)
    waits = [] if prepared else [unprepared(language)]
    nothing = _("No data has been loaded yet: run “vigie connect” for a CRM, or “vigie sync files …”.")
    said = [
        f"{source_name(source.source, language)}{_(': ')}"
        + " ".join(source_lines(source, late_since, workspace, language))
        for source in status.sources
    ] or [nothing]
    shown = [block for source in status.sources for block in source_blocks(source, late_since, workspace, language)]
    put_aside = _("No row is in quarantine.")
    if status.set_aside:
        put_aside = n(
            "{count} row is in quarantine: “vigie quarantine” lists it with its reason.",
            "{count} rows are in quarantine: “vigie quarantine” lists them with their reasons.",
            status.set_aside,
        )
    doubt = n("{count} row was loaded with a doubt.", "{count} rows were loaded with a doubt.", status.flagged)
    troubles = troubled_lines(mine, language)
    blocks = [
        header(_("The state of the data")),
        *(shown or [bullets([[nothing]])]),
        *([bullets([[line] for line in rows_of(status.rows, language)])] if status.rows else []),
        *([paragraph(Bold(_("Messages"))), bullets(troubles)] if troubles else []),
        context(*waits, put_aside, *([doubt] if status.flagged else []), waiting_sentence(lots, language)),
    ]
    return Reply(" ".join([*said, *waits, put_aside]), blocks)


def _lines(language: Language) -> Sequence[tuple[str, str]]:
    return ((language._("status"), language._("how fresh the data is, and what was set aside")),)


COMMAND = Command(words=("status", "statut", "etat"), help=_lines, run=run)
