"""`/kpi alert list|pause|resume|stop`: the rules, where each of their groups stands, and an end to them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot import setting_up
from bot.blocks import Bold, Ping, Run, actions, button, context, paragraph
from bot.conversation import Action, Asker, Block, Click, Context, NotThere, Reply
from bot.i18n import Language
from bot.people import Viewer, known
from bot.setting_up import must_own, numbered, visible
from bot.views.pinged import unnamed
from bot.views.question import filter_words
from bot.views.rule import rule_sentence, settings_sentence, state_lines, votes_sentence
from kpi.query import Filter
from kpi.vocabulary import read_vocabulary
from kpi.watch import NONE, filter_of
from storage import rules, votes
from storage.database import reading, writing
from storage.rules import WHOLE, Episode, Rule

STOP, PAUSE, RESUME = "alert.stop", "alert.pause", "alert.resume"
MOST = 20
_CHANGES: Mapping[str, Callable[[Connection, str, str, datetime], bool]] = {
    "stop": rules.stop,
    "pause": rules.pause,
    "resume": rules.resume,
}


def run(verb: str, asker: Asker, rest: str, viewer: Viewer, context_: Context) -> Reply:
    """`list`, or one of `stop`, `pause`, `resume` with the number of the list (none where there is only one rule)."""
    if verb == "list":
        return listed(asker, viewer, context_)
    _ = asker.language._
    with reading(context_.engine) as connection:
        mine = visible(rules.running(connection, asker.workspace_id), viewer)
    rows = numbered(mine, rest, _("Say which one: its number in “/kpi alert list”."))
    if not rows:
        raise NotThere(_("There is no such rule: see “/kpi alert list”."))
    if len(rows) > 1:
        return listed(asker, viewer, context_)
    return _change(asker, verb, rows[0].id, viewer, context_)


def listed(asker: Asker, viewer: Viewer, context_: Context) -> Reply:
    """One's own rules (an admin's list holds everybody's): what each watches, how, and where its groups stand."""
    _ = asker.language._
    blocks: list[Block] = []
    said: list[str] = []
    with reading(context_.engine) as connection:
        rows = visible(rules.running(connection, asker.workspace_id), viewer)
        standing = rules.episodes(connection, asker.workspace_id)
        counted = votes.by_rule(connection, asker.workspace_id)
        for number, row in enumerate(rows[:MOST], start=1):
            narrowed = filter_of(connection, viewer.scope, viewer.today, row.dimension, row.key)
            lines = [rule_sentence(row, narrowed, viewer.workspace.currency, asker.language)]
            lines.append(settings_sentence(row, asker.language))
            mine = [each for each in standing if each.rule_id == row.id]
            names = _names(connection, row, mine, viewer)
            states = state_lines(row, _as_paused(row, mine), names, ZoneInfo(row.time_zone), asker.language)
            if row.id in counted:
                states.append([votes_sentence(counted[row.id], asker.language)])
            runs: list[Run] = [Bold(f"{number}. "), Ping(row.channel_id), " ", "\n".join(lines)]
            for state in states:
                runs += ["\n", *state]
            blocks += [paragraph(*runs), buttons(row, asker.language)]
            said.append(
                "\n".join([f"{number}. {lines[0]}", *lines[1:], *(unnamed(state, asker.language) for state in states)])
            )
    if not rows:
        sentence = _("There is no rule yet. For example: /kpi alert add win rate < 25 by team")
        return Reply(sentence, [paragraph(sentence)])
    if len(rows) > MOST:
        blocks.append(context(_("{count} more are not shown.", count=len(rows) - MOST)))
    return Reply("\n".join(said), blocks)


def buttons(row: Rule, language: Language) -> Block:
    """What its owner can do with a rule."""
    _ = language._
    first = button(_("Pause"), PAUSE, row.id) if row.paused_at is None else button(_("Resume"), RESUME, row.id)
    return actions([first, button(_("Stop"), STOP, row.id)])


def _as_paused(row: Rule, episodes: list[Episode]) -> list[Episode]:
    """A rule that was paused a moment ago is shown so, before the next look at the alerts writes it down."""
    if row.paused_at is None:
        return episodes
    return [
        each if each.state == "paused" else replace(each, state="paused", beneath=each.beneath_it, since=row.paused_at)
        for each in episodes
    ]


def _names(connection: Connection, row: Rule, episodes: list[Episode], viewer: Viewer) -> dict[str, str]:
    """What the groups of a rule are called today, by key."""
    keys = {each.group_key for each in episodes} - {WHOLE}
    if row.each is None or not keys:
        return {}
    known_ = read_vocabulary(connection, viewer.scope, today=viewer.today).names
    called = {each.key: each.name for each in known_ if each.dimension == row.each}
    filters = {key: Filter(row.each, None if key == NONE else key, called.get(key, key)) for key in keys}
    return {key: filter_words(each, viewer.language) for key, each in filters.items()}


def _change(asker: Asker, verb: str, rule_id: str, viewer: Viewer, context_: Context) -> Reply:
    _ = asker.language._
    now = context_.clock.now()
    with writing(context_.engine) as connection:
        row = {row.id: row for row in rules.running(connection, asker.workspace_id)}.get(rule_id)
        if row is None:
            raise NotThere(_("There is no such rule: see “/kpi alert list”."))
        must_own(row, viewer, _("Only its owner or an administrator of Vigie can change this rule."))
        if _CHANGES[verb](connection, asker.workspace_id, row.id, now):
            setting_up.note(connection, asker, f"alert.{verb}", now, rule=row.id, channel=row.channel_id)
    sentence = {
        "stop": _("The rule is stopped."),
        "pause": _("The rule is paused: it neither fires nor recovers until you resume it."),
        "resume": _("The rule goes on from where it stood."),
    }[verb]
    return Reply(sentence, [paragraph(sentence, " ", Ping(row.channel_id))])


def on_stop(click: Click, context_: Context) -> Reply:
    return _change(click, "stop", click.value, known(click, context_), context_)


def on_pause(click: Click, context_: Context) -> Reply:
    return _change(click, "pause", click.value, known(click, context_), context_)


def on_resume(click: Click, context_: Context) -> Reply:
    return _change(click, "resume", click.value, known(click, context_), context_)


ACTIONS = (
    Action(re.compile(re.escape(STOP)), on_stop),
    Action(re.compile(re.escape(PAUSE)), on_pause),
    Action(re.compile(re.escape(RESUME)), on_resume),
)
