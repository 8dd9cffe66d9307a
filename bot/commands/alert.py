"""`/kpi alert add …`: tell a channel when a KPI is bad. A rule is rehearsed over the past year before it is saved."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bot import setting_up
from bot.blocks import BUTTON_VALUE, Bold, Ping, Run, actions, bullets, button, context, paragraph
from bot.commands import alert_list
from bot.conversation import Action, Asked, Asker, Block, Click, Command, Context, Refusal, Reply
from bot.drafting import read_rule, recommended_words
from bot.i18n import Language
from bot.people import Viewer, known
from bot.phrases import cut_channel, cut_language, cut_zone
from bot.setting_up import Place, place
from bot.verbs import verb_of
from bot.views import rehearsed
from bot.views.evidence import evidence_sentence
from bot.views.rule import rule_sentence, settings_sentence
from kpi.engine import answer
from kpi.query import KpiQuery, KpiResult
from kpi.rehearsal import Rehearsal, rehearse
from kpi.watch import question, recommended_bound, watched
from storage import rules, schedules
from storage.database import reading, writing
from storage.rules import Rule

VERBS = {
    "add": setting_up.ADD,
    "list": setting_up.LIST,
    "stop": setting_up.STOP,
    "pause": setting_up.PAUSE,
    "resume": setting_up.RESUME,
}
SAVE, CANCEL, ADD = "alert.save", "alert.cancel", "alert.add"


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule as the words say it, not saved."""

    rule: Rule
    query: KpiQuery
    where: Place
    text: str


def run(asked: Asked, context_: Context) -> Reply:
    viewer = known(asked, context_)
    verb, rest = verb_of(asked, VERBS, empty="list")
    if verb == "add":
        return _add(asked, rest, viewer, context_)
    return alert_list.run(verb, asked, rest, viewer, context_)


def _add(asker: Asker, text: str, viewer: Viewer, context_: Context) -> Reply:
    """What the rule would be, and would have been: nothing is saved yet."""
    if len(text) > BUTTON_VALUE:
        raise Refusal(asker.language._("That is too long for me. Please say it in fewer words."))
    drafted = draft(asker, text, viewer, context_)
    if isinstance(drafted, Reply):
        return drafted
    with reading(context_.engine) as connection:
        if _same(connection, drafted.rule) is not None:
            line = rule_sentence(drafted.rule, drafted.query.filters, viewer.workspace.currency, asker.language)
            raise Refusal(asker.language._("This very rule is set up already. {line}", line=line))

    def work(connection: Connection) -> tuple[KpiResult, Rehearsal]:
        asked = question(connection, drafted.rule, viewer.scope, viewer.today)
        return answer(connection, asked), rehearse(connection, drafted.rule, viewer.scope, viewer.today)

    result, rehearsal = context_.ask(work)
    return _proposed(asker, drafted, result, rehearsal, viewer)


def draft(asker: Asker, text: str, viewer: Viewer, context_: Context) -> Draft | Reply:
    """The rule that the words mean, in a channel that can be posted in; a reply that offers thresholds where none is
    said. Raises `Refusal` for what is not understood, or cannot be."""
    channel_id, rest = cut_channel(text)
    spoken, rest = cut_language(rest)
    zone, rest = cut_zone(rest)
    channel_id = channel_id or asker.channel_id
    zone = zone or _zone(asker, channel_id, viewer, context_)
    language = spoken or asker.language.code
    with reading(context_.engine) as connection:
        found = read_rule(connection, asker, viewer, rest, zone=zone, channel_id=channel_id, language=language)
    if found.rule is None:
        return _offer(asker, text, found.query)
    return Draft(found.rule, found.query, place(asker, channel_id, context_), text)


def _same(connection: Connection, wanted: Rule) -> Rule | None:
    """The running rule that is like this one in everything."""
    rows = rules.running(connection, wanted.workspace_id)
    return next((row for row in rows if replace(row, id="", paused_at=None) == wanted), None)


def _zone(asker: Asker, channel_id: str, viewer: Viewer, context_: Context) -> str:
    """The time zone that the readers of a channel are known to keep, by its digests; else the workspace's."""
    with reading(context_.engine) as connection:
        rows = schedules.running(connection, asker.workspace_id)
    zones = {each.time_zone for each in rows if each.channel_id == channel_id}
    return zones.pop() if len(zones) == 1 else viewer.workspace.time_zone


def _proposed(asker: Asker, drafted: Draft, result: KpiResult, rehearsal: Rehearsal, viewer: Viewer) -> Reply:
    """The rule in words, what it sees now, when it would have fired; and the buttons that save it or drop it."""
    _ = asker.language._
    rule, where = drafted.rule, drafted.where
    line = rule_sentence(rule, drafted.query.filters, viewer.workspace.currency, asker.language)
    settings = settings_sentence(rule, asker.language)
    now = _today(rule, result, asker.language)
    often = rehearsed.summary(rehearsal, asker.language)
    times = rehearsed.latest(rehearsal, result, asker.language)
    rights = _("It is judged with your rights. Nothing is saved yet.")
    save = button(
        _("Post it there all the same") if where.strangers else _("Save"),
        SAVE,
        drafted.text,
        style="danger" if where.strangers else "primary",
    )
    buttons = [save, button(_("Cancel"), CANCEL)]
    other = _advised(drafted)
    if other is not None:
        buttons.append(button(_("Recommended: {words}", words=other), f"{ADD}.0", other))
    blocks: list[Block] = [
        paragraph(Bold(_("A rule to be saved")), "\n", Ping(where.channel.id), " ", line, "\n", settings, "\n", now),
        paragraph(Bold(_("Rehearsal")), "\n", "\n".join(often)),
    ]
    if times:
        blocks.append(bullets([[each] for each in times]))
    blocks += [context(where.seen_by, rights), actions(buttons)]
    said = [_("A rule to be saved"), line, settings, now, *often, *times, where.seen_by, rights]
    return Reply("\n".join(said), blocks)


def _advised(drafted: Draft) -> str | None:
    """The same words with the recommended threshold, where the words name another one."""
    rule, advised = drafted.rule, recommended_bound(drafted.query)
    said = f"{rule.threshold.normalize():f}"
    if advised is None or rule.against is not None or advised == rule.threshold:
        return None
    found = re.search(rf"(?<![\w.,]){re.escape(said)}(?![\w]|[.,]\d)", drafted.text)
    if found is None:
        return None
    words = f"{drafted.text[: found.start()]}{advised.normalize():f}{drafted.text[found.end() :]}"
    return words if len(words) <= BUTTON_VALUE else None


def on_save(click: Click, context_: Context) -> Reply:
    """Read the words again, with the rights that the clicker has now, and save what they mean."""
    viewer = known(click, context_)
    drafted = draft(click, click.value, viewer, context_)
    if isinstance(drafted, Reply):
        return drafted
    _, now, rule = click.language._, context_.clock.now(), drafted.rule
    names = ("workspace_id", "metric", "reading", "channel_id", "owner", "language", "threshold", "recovery",
             "direction", "dimension", "key", "each", "min_sample", "hold", "against", "window_days", "delay_minutes",
             "time_zone", "quiet_from", "quiet_to", "holidays", "remind_hours")  # fmt: skip
    with writing(context_.engine) as connection:
        row = _same(connection, rule)
        if row is None:  # else it was saved by a click before this one
            row = rules.add(connection, **{name: getattr(rule, name) for name in names}, now=now)
            setting_up.note(
                connection, click, "alert.add", now, rule=row.id, channel=row.channel_id, metric=row.metric, key=row.key
            )
    line = rule_sentence(row, drafted.query.filters, viewer.workspace.currency, click.language)
    settings = settings_sentence(row, click.language)
    runs: list[Run] = [Bold(_("A rule is set up.")), "\n", Ping(row.channel_id), " ", line, "\n", settings]
    blocks: list[Block] = [paragraph(*runs), context(drafted.where.seen_by), alert_list.buttons(row, click.language)]
    return Reply(" ".join([_("A rule is set up."), line, settings]), blocks, replace=True)


def on_cancel(click: Click, context_: Context) -> Reply:
    known(click, context_)
    sentence = click.language._("Nothing was saved.")
    return Reply(sentence, [paragraph(sentence)], replace=True)


def on_add(click: Click, context_: Context) -> Reply:
    return _add(click, click.value, known(click, context_), context_)


def _offer(asker: Asker, text: str, query: KpiQuery) -> Reply:
    """No threshold was said: the recommended one can be taken with a click."""
    _ = asker.language._
    examples = recommended_words(text, query)
    sentence = _("Which threshold? Add “< 25” or “> 60” to the words.")
    if not examples:
        return Reply(sentence, [paragraph(sentence)])
    offered = _("Recommended:")
    buttons = [button(example, f"{ADD}.{at}", example) for at, example in enumerate(examples) if len(example) < 300]
    return Reply(f"{sentence} {offered} {examples[0]}", [paragraph(sentence, " ", offered), actions(buttons)])


def _today(row: Rule, result: KpiResult, language: Language) -> str:
    """What the rule sees now, so that nobody waits for an alert that cannot come."""
    seen = list(watched(row, result))
    if row.each is None:
        return language._("Now: {value}", value=evidence_sentence(seen[0].measured, result, language))
    return language.n("It watches {count} value now.", "It watches {count} values now.", len(seen))


def _lines(language: Language) -> Sequence[tuple[str, str]]:
    _ = language._
    return (
        (
            _("alert add win rate < 25 team Paris in #sales"),
            _("a message when a KPI is bad, on enough deals; rehearsed over the past year before it is saved"),
        ),
        (
            _("alert add revenue falls by more than 20% against its last 8 weeks"),
            _("the same against its own past; also “over 28 days”, “quiet 19:00-08:00”, “no holidays”"),
        ),
        (_("alert list"), _("your rules and where they stand; pause, resume or stop one")),
    )


COMMAND = Command(words=("alert", "alerts", "alerte", "alertes"), help=_lines, run=run)
ACTIONS = (
    Action(re.compile(re.escape(SAVE)), on_save),
    Action(re.compile(re.escape(CANCEL)), on_cancel),
    Action(re.compile(rf"{re.escape(ADD)}\.\d+"), on_add),
)
