"""Sharing an answer in a channel: says who would see what before doing it, and does it through the outbox, once."""

import json
import re
from collections.abc import Mapping

from bot.blocks import paragraph, spoken
from bot.channels import audience, ready
from bot.commands.follow import asked_again
from bot.conversation import Action, Asker, Click, Context, Form, NotThere, Refusal, Reply, Submitted
from bot.i18n import language
from bot.outcome import Sent
from bot.people import known
from bot.views import sentences, share
from bot.views.state import StaleStateError, decode
from kpi.charts.pool import warm
from kpi.engine import answer as compute
from kpi.query import KpiQuery
from storage import audit, outbox
from storage.database import reading, writing


def on_share(click: Click, context: Context) -> Reply | None:
    """Where? Here, when the answer stands in a channel; else a picker opens."""
    if click.channel_id[:1] not in {"C", "G"}:
        opened = context.slack.open_view(click.trigger_id or "", share.form(click.value, click.language))
        if not isinstance(opened, Sent):
            raise Refusal(click.language._("The form did not open in time: please press the button again."))
        return None
    query, _viewer = asked_again(click, context)
    return _question(click, query, click.channel_id, click.value, context)


def on_picked(sent: Submitted, context: Context) -> Mapping[str, str] | None:
    """The channel was picked in the form: ask in a direct message, naming who would see it."""
    viewer = known(sent, context)
    picked = sent.values[share.BLOCK][share.PICK].get("selected_conversation") or ""
    try:
        query = decode(sent.private_metadata, viewer.scope, viewer.today)
        reply = _question(sent, query, picked, sent.private_metadata, context)
    except StaleStateError:
        return {share.BLOCK: sent.language._("This button is from an older answer: please ask again.")}
    except Refusal as refusal:
        return {share.BLOCK: refusal.sentence}
    outcome = context.slack.post(sent.user_id, spoken(reply.text), reply.blocks)
    return None if isinstance(outcome, Sent) else {share.BLOCK: sent.language._("Slack did not answer. Try again.")}


def on_yes(click: Click, context: Context) -> Reply:
    """Share it: computed again with the clicker's rights, and put in the outbox in one transaction with its audit."""
    _ = click.language._
    try:
        value = json.loads(click.value)
        channel_id, state = str(value["c"]), str(value["q"])
    except (ValueError, KeyError, TypeError):
        raise NotThere(_("This button is from an older answer: please ask again.")) from None
    viewer = known(click, context)
    try:
        query = decode(state, viewer.scope, viewer.today)
    except StaleStateError:
        raise NotThere(_("This button is from an older answer: please ask again.")) from None
    channel = ready(click, channel_id, context)
    with reading(context.engine) as connection:
        result = compute(connection, query)
    letter = share.letter(result, viewer, language(viewer.workspace.language))
    now = context.clock.now()
    with writing(context.engine) as connection:
        outbox.put(
            connection,
            workspace_id=click.workspace_id,
            dedupe=f"share:{click.user_id}:{channel.id}:{click.message_ts}",
            kind="share",
            channel_id=channel.id,
            payload=letter.payload,
            chart=letter.chart,
            now=now,
            owner=click.user_id,
        )
        audit.note(
            connection,
            workspace_id=click.workspace_id,
            actor=click.user_id,
            action="share",
            details={"channel": channel.id, "metric": query.metric, "reading": query.reading},
            now=now,
        )
    context.postman.ring()
    sentence = _("Shared in #{channel}: it appears in a moment.", channel=channel.name)
    return Reply(sentence, [paragraph(sentence)], replace=True)


def on_no(click: Click, _context: Context) -> Reply:
    sentence = click.language._("Nothing was shared.")
    return Reply(sentence, [paragraph(sentence)], replace=True)


def _question(asker: Asker, query: KpiQuery, channel_id: str, state: str, context: Context) -> Reply:
    viewer = known(asker, context)
    channel = ready(asker, channel_id, context)
    # While the person reads who would see it, what will draw the picture gets ready.
    warm()
    with reading(context.engine) as connection:
        result = compute(connection, query)
    headline = sentences.headline(result, asker.language, viewer.workspace.fiscal_start_month)
    return share.question(headline, audience(channel, asker.language), channel.id, state, asker.language)


ACTIONS = (
    Action(re.compile(r"answer\.share"), on_share),
    Action(re.compile(re.escape(share.YES)), on_yes),
    Action(re.compile(re.escape(share.NO)), on_no),
)
FORMS = (Form(share.FORM, on_picked),)
