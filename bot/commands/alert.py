"""`/kpi alert add|list|stop`: tell a channel when a KPI is bad, on enough evidence and for long enough."""

import re
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection

from bot.blocks import Bold, Ping, Run, actions, button, context, paragraph
from bot.channels import audience, ready
from bot.conversation import Action, Asked, Asker, Block, Click, Command, Context, NotAllowed, NotThere, Refusal, Reply
from bot.i18n import Language
from bot.people import Viewer, known
from bot.phrases import Bound, ask_in_words, cut_bound, cut_channel, cut_language, cut_recovery, must_be_possible
from bot.verbs import verb_of
from bot.views.evidence import evidence_sentence
from bot.views.rule import rule_sentence, state_sentence
from kpi.catalog import kpi
from kpi.declaration import Kpi
from kpi.engine import answer
from kpi.formulas import Median
from kpi.query import KpiQuery, KpiResult
from kpi.watch import UNCOUNTED, filter_of, question, recommended_bound, watched
from storage import audit, rules
from storage.database import reading, writing
from storage.rules import Rule

VERBS = {
    "add": ("add", "ajouter", "ajoute", "new", "nouveau", "nouvelle"),
    "list": ("list", "lister", "liste"),
    "stop": ("stop", "arrêter", "arrête", "stopper", "supprimer", "remove", "delete"),
}
CONFIRM, ADD, STOP = "alert.confirm", "alert.add", "alert.stop"
MOST_OFFERED = 4


def run(asked: Asked, context_: Context) -> Reply:
    viewer = known(asked, context_)
    verb, rest = verb_of(asked, VERBS, empty="list")
    if verb == "add":
        return _add(asked, rest, viewer, context_)
    if verb == "stop":
        return _stop_in_words(asked, rest, viewer, context_)
    return _list(asked, viewer, context_)


def _add(asker: Asker, text: str, viewer: Viewer, context_: Context, *, confirmed: bool = False) -> Reply:
    _ = asker.language._
    channel_id, rest = cut_channel(text)
    spoken, rest = cut_language(rest)
    recovery, rest = cut_recovery(rest)
    bound, rest = cut_bound(rest)
    if not rest.strip():
        raise Refusal(_("Say which KPI and which threshold: /kpi alert add win rate < 25 for team Paris in #sales"))
    with reading(context_.engine) as connection:
        query = ask_in_words(connection, asker, viewer, rest)
        answer(connection, query)  # refuses now what could never be judged
    if bound is None:
        return _offer(asker, text, query)
    if len(query.filters) > 1:
        raise Refusal(_("A rule watches everything, or one team, rep, segment…, or each of them (“by team”)."))
    recovery = _recovery(asker, query, bound, recovery)
    must_be_possible(asker, query, bound.value, recovery)
    channel = ready(asker, channel_id or asker.channel_id, context_)
    seen_by = audience(channel, asker.language)
    if (channel.shared or channel.guests) and not confirmed:
        # Guests or people of other organisations would read the figures: that is asked first.
        sure = button(_("Post it there all the same"), CONFIRM, text, style="danger")
        return Reply(seen_by, [paragraph(seen_by), actions([sure])])
    now = context_.clock.now()
    narrowed = query.filters[0] if query.filters else None
    with writing(context_.engine) as connection:
        row = rules.add(
            connection,
            workspace_id=asker.workspace_id,
            metric=query.metric,
            reading=query.reading,
            dimension=narrowed.dimension if narrowed else None,
            key=narrowed.key if narrowed else None,
            each=query.group_by,
            channel_id=channel.id,
            owner=asker.user_id,
            language=spoken or asker.language.code,
            threshold=bound.value,
            recovery=recovery,
            direction=bound.direction,
            now=now,
        )
        audit.note(
            connection,
            workspace_id=asker.workspace_id,
            actor=asker.user_id,
            action="alert.add",
            details={"rule": row.id, "channel": channel.id, "metric": row.metric, "key": row.key},
            now=now,
        )
    with reading(context_.engine) as connection:
        result = answer(connection, question(connection, row, viewer.scope, viewer.today))
    line = rule_sentence(row, query.filters, viewer.workspace.currency, asker.language)
    how = _how(row, asker.language)
    blocks: list[Block] = [
        paragraph(Bold(_("A rule is set up.")), "\n", Ping(channel.id), " ", line),
        paragraph(_today(row, result, asker.language)),
        context(how, seen_by),
        actions([button(_("Stop"), STOP, row.id)]),
    ]
    return Reply(" ".join([_("A rule is set up."), line, how, seen_by]), blocks)


def _how(row: Rule, language: Language) -> str:
    """When and on how much of what a rule is judged: "on at least 12 deals won or lost"."""
    declared = kpi(row.metric)
    used = declared.reading(row.reading)
    things = declared.readings[0].denominator if isinstance(used.formula, Median) else used.denominator
    if things is None or (row.metric, row.reading) in UNCOUNTED:
        return language._("Judged after every sync, with your rights; {hold} syncs in a row must agree.", hold=row.hold)
    return language._(
        "Judged after every sync, with your rights, on at least {sample} {things}; {hold} syncs in a row must agree.",
        sample=row.min_sample,
        things=language._(things),
        hold=row.hold,
    )


def _recovery(asker: Asker, query: KpiQuery, bound: Bound, said: Decimal | None) -> Decimal:
    """Where it is good again: as said; else the recommended value, if that is on the good side; else the threshold."""
    below = bound.direction == "below"
    if said is not None:
        if (said < bound.value) if below else (said > bound.value):
            raise Refusal(asker.language._("The recovery must be on the good side of the threshold."))
        return said
    advised = recommended_bound(query)
    if advised is not None and ((advised > bound.value) if below else (advised < bound.value)):
        return advised
    return bound.value


def _offer(asker: Asker, text: str, query: KpiQuery) -> Reply:
    """No threshold was said: the recommended one can be taken with a click."""
    _ = asker.language._
    declared = kpi(query.metric)
    examples = [f"{text.strip()} {sign} {value:f}" for sign, value in _recommended(declared, query)]
    sentence = _("Which threshold? Add “< 25” or “> 60” to the words.")
    if not examples:
        return Reply(sentence, [paragraph(sentence)])
    offered = _("Recommended:")
    buttons = [button(example, f"{ADD}.{at}", example) for at, example in enumerate(examples) if len(example) < 300]
    return Reply(f"{sentence} {offered} {examples[0]}", [paragraph(sentence, " ", offered), actions(buttons)])


def _recommended(declared: Kpi, query: KpiQuery) -> list[tuple[str, Decimal]]:
    sign = ">" if declared.higher_is_better is False else "<"
    values = [target.low for target in declared.recommended if target.reading == query.reading]
    return [(sign, value) for value in dict.fromkeys(values)][:MOST_OFFERED]


def _today(row: Rule, result: KpiResult, language: Language) -> str:
    """What the rule sees now, so that nobody waits for an alert that cannot come."""
    seen = list(watched(row, result))
    if row.each is None:
        return language._("Now: {value}", value=evidence_sentence(seen[0].measured, result, language))
    return language.n("It watches {count} value now.", "It watches {count} values now.", len(seen))


def _list(asker: Asker, viewer: Viewer, context_: Context) -> Reply:
    _ = asker.language._
    blocks: list[Block] = []
    said: list[str] = []
    with reading(context_.engine) as connection:
        rows = _visible(connection, asker, viewer)
        standing = rules.episodes(connection, asker.workspace_id)
        for number, row in enumerate(rows[:20], start=1):
            narrowed = filter_of(connection, viewer.scope, viewer.today, row.dimension, row.key)
            line = rule_sentence(row, narrowed, viewer.workspace.currency, asker.language)
            states = [each for each in standing if each.rule_id == row.id]
            state = state_sentence(states, asker.language)
            runs: list[Run] = [Bold(f"{number}. "), Ping(row.channel_id), " ", line, "\n", state]
            blocks += [paragraph(*runs), actions([button(_("Stop"), STOP, row.id)])]
            said.append(f"{number}. {line} {state}")
    if not rows:
        sentence = _("There is no rule yet. For example: /kpi alert add win rate < 25 by team")
        return Reply(sentence, [paragraph(sentence)])
    if len(rows) > 20:
        blocks.append(context(_("{count} more are not shown.", count=len(rows) - 20)))
    return Reply("\n".join(said), blocks)


def _visible(connection: Connection, asker: Asker, viewer: Viewer) -> list[Rule]:
    """One's own rules; an admin's list holds everybody's."""
    rows = rules.running(connection, asker.workspace_id)
    return [row for row in rows if viewer.admin or row.owner == asker.user_id]


def _stop_in_words(asker: Asker, rest: str, viewer: Viewer, context_: Context) -> Reply:
    """`stop 2` by the number of the list, or `stop` where there is only one."""
    _ = asker.language._
    with reading(context_.engine) as connection:
        rows = _visible(connection, asker, viewer)
    if rest.isdecimal():
        rows = rows[int(rest) - 1 : int(rest)] if int(rest) else []
    elif rest:
        raise Refusal(_("Say which one: its number in “/kpi alert list”."))
    if not rows:
        raise NotThere(_("There is no such rule: see “/kpi alert list”."))
    if len(rows) > 1:
        return _list(asker, viewer, context_)
    return _stop(asker, rows[0].id, viewer, context_)


def _stop(asker: Asker, rule_id: str, viewer: Viewer, context_: Context) -> Reply:
    _ = asker.language._
    now = context_.clock.now()
    with writing(context_.engine) as connection:
        row = {row.id: row for row in rules.running(connection, asker.workspace_id)}.get(rule_id)
        if row is None:
            raise NotThere(_("There is no such rule: see “/kpi alert list”."))
        if row.owner != asker.user_id and not viewer.admin:
            raise NotAllowed(_("Only its owner or an administrator of Vigie can stop this rule."))
        rules.stop(connection, asker.workspace_id, row.id, now)
        audit.note(
            connection,
            workspace_id=asker.workspace_id,
            actor=asker.user_id,
            action="alert.stop",
            details={"rule": row.id, "channel": row.channel_id},
            now=now,
        )
    sentence = _("The rule is stopped.")
    return Reply(sentence, [paragraph(sentence, " ", Ping(row.channel_id))])


def on_stop(click: Click, context_: Context) -> Reply:
    return _stop(click, click.value, known(click, context_), context_)


def on_add(click: Click, context_: Context) -> Reply:
    return _add(click, click.value, known(click, context_), context_)


def on_confirm(click: Click, context_: Context) -> Reply:
    return _add(click, click.value, known(click, context_), context_, confirmed=True)


def _lines(language: Language) -> Sequence[tuple[str, str]]:
    _ = language._
    return (
        (_("alert add win rate < 25 team Paris in #sales"), _("a message when a KPI is bad, on enough deals")),
        (_("alert list"), _("your rules and where they stand; stop one")),
    )


COMMAND = Command(words=("alert", "alerts", "alerte", "alertes"), help=_lines, run=run)
ACTIONS = (
    Action(re.compile(re.escape(STOP)), on_stop),
    Action(re.compile(rf"{re.escape(ADD)}\.\d+"), on_add),
    Action(re.compile(re.escape(CONFIRM)), on_confirm),
)
