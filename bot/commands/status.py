"""`/kpi status`: how fresh and how complete the data is, and what waits to be posted."""

from collections.abc import Sequence

from bot.blocks import Bold, bullets, context, header, paragraph
from bot.conversation import Asked, Command, Context, Reply
from bot.i18n import Language
from bot.people import known
from kpi.format import count
from kpi.labels import moment
from storage import outbox
from storage.database import reading
from storage.status import Source, Status, read_status
from storage.workspaces import Workspace, read_workspace


def run(asked: Asked, context_: Context) -> Reply:
    known(asked, context_)
    with reading(context_.engine) as connection:
        workspace = read_workspace(connection, asked.workspace_id)
        status = read_status(connection, asked.workspace_id)
        letters = outbox.counts(connection, asked.workspace_id)
    return _reply(status, letters, workspace, asked.language)


def _reply(status: Status, letters: dict[str, int], workspace: Workspace, language: Language) -> Reply:
    _, n = language._, language.n
    lines = [_freshness(source, workspace, language) for source in status.sources]
    lines = lines or [_("No data has been loaded yet: run “vigie sync files …”.")]
    things = _things(language)
    counted = [f"{things[name]}{_(': ')}{count(number, language.locale)}" for name, number in status.rows.items()]
    put_aside = _("No row is in quarantine.")
    if status.set_aside:
        put_aside = n(
            "{count} row is in quarantine: “vigie quarantine” lists it with its reason.",
            "{count} rows are in quarantine: “vigie quarantine” lists them with their reasons.",
            status.set_aside,
        )
    doubt = n("{count} row was loaded with a doubt.", "{count} rows were loaded with a doubt.", status.flagged)
    flagged = [doubt] if status.flagged else []
    waiting = sum(letters.get(state, 0) for state in ("pending", "sending"))
    posts = _(
        "Messages waiting: {waiting}; in doubt: {unknown}; refused by Slack: {dead}.",
        waiting=waiting,
        unknown=letters.get("unknown", 0),
        dead=letters.get("dead", 0),
    )
    blocks = [
        header(_("The state of the data")),
        bullets([[line] for line in lines]),
        *([bullets([[line] for line in counted])] if counted else []),
        *([paragraph(Bold(_("The last sync failed: the numbers are those of the sync before.")))]
          if status.last_outcome == "failed" else []),
        context(put_aside, *flagged, posts),
    ]  # fmt: skip
    return Reply(" ".join([*lines, put_aside]), blocks)


def _freshness(source: Source, workspace: Workspace, language: Language) -> str:
    _ = language._
    if source.complete_at is None:
        return _("{source}: never read to its end", source=source.source)
    when = moment(source.complete_at, workspace.zone, language.locale)
    return _("{source}: as of {when}", source=source.source, when=when)


def _things(language: Language) -> dict[str, str]:
    _ = language._
    return {
        "deal": _("Deals"),
        "lead": _("Leads"),
        "customer": _("Customers"),
        "person": _("People"),
        "team": _("Teams"),
        "contract": _("Contracts"),
        "spend": _("Spend"),
    }


def _lines(language: Language) -> Sequence[tuple[str, str]]:
    return ((language._("status"), language._("how fresh the data is, and what was set aside")),)


COMMAND = Command(words=("status", "statut", "etat"), help=_lines, run=run)
