"""The buttons of an alert's message that show what is behind it, and the two by which people say what it was worth.

Figures are shown to those who may see them only, whatever the channel showed.
"""

import re
from dataclasses import replace

from sqlalchemy import Connection

from bot.alerting import alert_of, cases_of
from bot.blocks import Block, actions, button, paragraph
from bot.blocks import context as small
from bot.commands import follow
from bot.commands.alert_hands import held
from bot.conversation import Action, Click, Context, NotAllowed, Reply
from bot.i18n import Language
from bot.setting_up import note
from bot.views.alert import DEALS, NOISE, USEFUL, WHY
from bot.views.alert_hands import said
from bot.views.alert_lines import Case, case_name
from bot.views.alert_why import why_reply
from bot.views.rule import votes_sentence
from bot.views.state import encode
from kpi.narrowing import within
from kpi.query import Filter
from kpi.scope import Scope
from storage import votes
from storage.database import reading, writing

DEALS_OF = "alert.deals_of"
MOST = 25


def on_why(click: Click, context: Context) -> Reply:
    alert = held(click, context, click.value)
    if alert.told is None:
        raise NotAllowed(click.language._("The owner of this rule may not see these figures any more."))
    cases = cases_of(alert.told, alert.episodes)
    shown = alert_of(alert.told, alert.episodes)
    own = alert.told.result.query.filters
    with reading(context.engine) as connection:
        seen = [case for case in cases if _may_see(connection, alert.viewer.scope, own, case)]
    viewer = alert.viewer
    workspace = replace(viewer.workspace, time_zone=alert.told.workspace.time_zone)
    return why_reply(shown, seen, alert.episodes, own, workspace, viewer.language, hidden=len(cases) - len(seen))


def on_deals(click: Click, context: Context) -> Reply:
    """Of several numbers: whose deals? Each is asked with the clicker's own rights."""
    alert = held(click, context, click.value)
    _ = click.language._
    if alert.told is None:
        raise NotAllowed(_("The owner of this rule may not see these figures any more."))
    query = replace(alert.told.result.query, group_by=None, comparison=None)
    buttons: list[Block] = []
    with reading(context.engine) as connection:
        for case in cases_of(alert.told, alert.episodes):
            if case.narrowed is None or not _may_see(connection, alert.viewer.scope, query.filters, case):
                continue
            state = encode(replace(query, filters=(*query.filters, case.narrowed)))
            if state is not None:
                buttons.append(button(case_name(case, click.language), f"{DEALS_OF}.{len(buttons)}", state))
    if not buttons:
        raise NotAllowed(_("The deals behind it are not yours to see."))
    sentence = _("Whose deals?")
    blocks = [paragraph(sentence), actions(buttons[:MOST])]
    if len(buttons) > MOST:
        blocks.append(small(_("{count} more are not shown.", count=len(buttons) - MOST)))
    return Reply(sentence, blocks)


def on_deals_of(click: Click, context: Context) -> Reply:
    return follow.on_deals(replace(click, action_id="answer.deals"), context)


def on_useful(click: Click, context: Context) -> Reply:
    return _vote(click, context, useful=True)


def on_noise(click: Click, context: Context) -> Reply:
    return _vote(click, context, useful=False)


def _vote(click: Click, context: Context, *, useful: bool) -> Reply:
    alert = held(click, context, click.value)
    with writing(context.engine) as connection:
        changed = votes.cast(
            connection,
            workspace_id=click.workspace_id,
            rule_id=alert.rule.id,
            letter_id=alert.letter_id,
            user=click.user_id,
            useful=useful,
            now=alert.now,
        )
        if changed:
            word = "useful" if useful else "noise"
            note(connection, click, "alert.vote", alert.now, rule=alert.rule.id, letter=alert.letter_id, vote=word)
        counted = votes.by_rule(connection, click.workspace_id)[alert.rule.id]
    return said(
        [_thanks(click.language, useful=useful, changed=changed), " ", votes_sentence(counted, click.language)],
        click.language,
    )


def _thanks(language: Language, *, useful: bool, changed: bool) -> str:
    _ = language._
    if not changed:
        return _("You had said so already.")
    return _("Noted: useful.") if useful else _("Noted: noise.")


def _may_see(connection: Connection, scope: Scope, own: tuple[Filter, ...], case: Case) -> bool:
    """Whether a number is wholly within what somebody may see: by its team or rep, or all of it to an admin."""
    filters = (*own, *(() if case.narrowed is None else (case.narrowed,)))
    if scope.everything:
        return True
    return any(each.dimension in {"team", "rep"} for each in filters) and within(connection, scope, filters)


ACTIONS = (
    Action(re.compile(re.escape(WHY)), on_why),
    Action(re.compile(re.escape(DEALS)), on_deals),
    Action(re.compile(rf"{re.escape(DEALS_OF)}\.[0-9]{{1,4}}"), on_deals_of),
    Action(re.compile(re.escape(USEFUL)), on_useful),
    Action(re.compile(re.escape(NOISE)), on_noise),
)
