"""The buttons of an answer: trend, groups, the period before, the deals, how it is computed.

The question comes back in the button; the clicker's own rights are applied to it again.
"""

import re
from dataclasses import replace

from bot.commands.ask import answer_query
from bot.conversation import Action, Click, Context, NotThere, Reply
from bot.people import Viewer, known
from bot.views import answer as view
from bot.views.deals import PAGE, deals_reply
from bot.views.definition import definition_reply
from bot.views.state import StaleStateError, decode
from kpi.behind import behind
from kpi.catalog import kpi
from kpi.engine import answer as compute
from kpi.query import DIMENSIONS, KpiQuery


def asked_again(click: Click, context: Context) -> tuple[KpiQuery, Viewer]:
    """The question of the clicked button, with the clicker's scope. Raises `Refusal` when it is none."""
    viewer = known(click, context)
    try:
        return decode(click.value, viewer.scope, viewer.today), viewer
    except StaleStateError:
        raise NotThere(click.language._("This button is from an older answer: please ask again.")) from None


def on_trend(click: Click, context: Context) -> Reply:
    query, viewer = asked_again(click, context)
    return answer_query(click, view.trend_of(query), viewer, context)


def on_group(click: Click, context: Context) -> Reply:
    query, viewer = asked_again(click, context)
    dimension = click.action_id.rpartition(".")[2]
    if dimension not in DIMENSIONS or dimension not in kpi(query.metric).dimensions:
        raise NotThere(click.language._("This button is from an older answer: please ask again."))
    return answer_query(click, replace(query, group_by=dimension, grain=None), viewer, context)


def on_previous(click: Click, context: Context) -> Reply:
    query, viewer = asked_again(click, context)
    return answer_query(click, view.before(query), viewer, context)


def on_deals(click: Click, context: Context) -> Reply:
    query, viewer = asked_again(click, context)
    page = re.search(r"[0-9]{1,6}$", click.action_id)
    offset = int(page.group()) if page else 0
    alone = replace(query, group_by=None, grain=None)
    result, found = context.ask(
        lambda connection: (compute(connection, alone), behind(connection, alone, limit=PAGE, offset=offset))
    )
    return deals_reply(found, offset, result, viewer)


def on_how(click: Click, context: Context) -> Reply:
    query, viewer = asked_again(click, context)
    result = context.ask(lambda connection: compute(connection, replace(query, group_by=None, grain=None)))
    return definition_reply(result, viewer)


ACTIONS = (
    Action(re.compile(r"answer\.trend"), on_trend),
    Action(re.compile(r"answer\.group\.[a-z]+"), on_group),
    Action(re.compile(r"answer\.previous"), on_previous),
    Action(re.compile(r"answer\.deals(\.[0-9]{1,6})?"), on_deals),
    Action(re.compile(r"answer\.how"), on_how),
)
