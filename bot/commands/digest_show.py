"""`/kpi digest preview|test`: what a digest would say now, at once, or posted to oneself as its readers get it."""

import re
from uuid import uuid4

from bot.blocks import context, paragraph
from bot.conversation import Action, Asker, Click, Context, NotThere, Refusal, Reply
from bot.editions import Edition, compose, readers, scope_in
from bot.people import Viewer, known
from bot.setting_up import note, visible
from kpi.refusals import RefusedError
from storage import outbox, schedules
from storage.database import reading, writing
from storage.dates import local_day
from storage.schedules import Schedule
from storage.workspaces import read_workspace

PREVIEW, TEST = "digest.preview", "digest.test"


def preview(asker: Asker, row: Schedule, viewer: Viewer, context_: Context) -> Reply:
    """By the asker's own rights, in their language."""
    edition = context_.ask(lambda connection: compose(connection, row, viewer.scope, asker.language, viewer.today))
    text, blocks = edition.written.payload["text"], edition.written.payload["blocks"]
    note_ = asker.language._("Only you see this. In the channel, a picture of the last weeks comes with it.")
    return Reply(text, [*blocks, context(note_)])


def test(asker: Asker, row: Schedule, viewer: Viewer, context_: Context) -> Reply:
    """Posts it to the asker, with its picture, as its readers would get it now: by its owner's rights, in its language.

    Of what goes to each manager, the asker gets their own; who manages no team, the first manager's.
    """
    _ = asker.language._
    edition = _as_read(asker, row, context_)
    now = context_.clock.now()
    with writing(context_.engine) as connection:
        outbox.put(
            connection,
            workspace_id=asker.workspace_id,
            dedupe=f"digest-test:{row.id}:{uuid4().hex}",
            kind="digest",
            channel_id=viewer.user_id,
            payload=edition.written.payload,
            chart=edition.written.chart,
            now=now,
            owner=viewer.user_id,
        )
        note(connection, asker, "digest.test", now, schedule=row.id, channel=viewer.user_id)
    context_.postman.ring()
    sentence = _("A test is on its way to you, by direct message.")
    return Reply(sentence, [paragraph(sentence)])


def _as_read(asker: Asker, row: Schedule, context_: Context) -> Edition:
    _ = asker.language._
    found = readers(context_, row)
    reader = next((each for each in found if each.link.slack_user_id == asker.user_id), None)
    reader = reader or next(iter(found), None)
    if reader is None:
        raise Refusal(_("Nobody would get it: no manager is known yet."))
    day = local_day(context_.clock.now(), row.time_zone)
    with reading(context_.engine) as connection:
        workspace = read_workspace(connection, row.workspace_id)
        scope = scope_in(connection, row, reader.link, workspace, day)
        try:
            return compose(connection, row, scope, reader.language, day)
        except RefusedError:
            raise Refusal(_("Its owner may no longer see what it is narrowed to: set it up anew.")) from None


def _clicked(click: Click, viewer: Viewer, context_: Context) -> Schedule:
    with reading(context_.engine) as connection:
        rows = visible(schedules.running(connection, click.workspace_id), viewer)
    row = next((row for row in rows if row.id == click.value), None)
    if row is None:
        raise NotThere(click.language._("There is no such digest: see “/kpi digest list”."))
    return row


def on_preview(click: Click, context_: Context) -> Reply:
    viewer = known(click, context_)
    return preview(click, _clicked(click, viewer, context_), viewer, context_)


def on_test(click: Click, context_: Context) -> Reply:
    viewer = known(click, context_)
    return test(click, _clicked(click, viewer, context_), viewer, context_)


ACTIONS = (
    Action(re.compile(re.escape(PREVIEW)), on_preview),
    Action(re.compile(re.escape(TEST)), on_test),
)
