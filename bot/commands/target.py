"""`/kpi target …`: what the numbers are held against; the recommended ones are used until others are set."""

import re
import uuid
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Connection

from bot.blocks import Bold, actions, bullets, button, context, paragraph
from bot.conversation import Action, Asked, Asker, Block, Click, Command, Context, NotAllowed, NotThere, Refusal, Reply
from bot.i18n import Language
from bot.people import Viewer, known
from bot.phrases import ask_in_words, cut_value, must_be_possible
from bot.verbs import verb_of
from bot.views.help import target_sentence
from bot.views.question import filter_words, title_of
from bot.views.rule import amount_of
from kpi.catalog import CATALOG, kpi
from kpi.declaration import Kpi
from kpi.declaration import Target as Recommended
from kpi.engine import answer
from kpi.narrowing import within
from kpi.query import Filter
from kpi.watch import filter_of
from storage import audit, targets
from storage.database import reading, writing
from storage.targets import Target

VERBS = {
    "set": ("set", "fixer", "add", "ajouter"),
    "list": ("list", "lister", "liste"),
    "stop": ("stop", "arrêter", "arrête", "supprimer", "remove", "delete"),
}
DIMENSIONS = ("team", "rep", "segment")
STOP, ADVISED = "target.stop", "target.advised"


def run(asked: Asked, context_: Context) -> Reply:
    viewer = known(asked, context_)
    verb, rest = verb_of(asked, VERBS, empty="list", bare="set")
    if verb == "set":
        return _set(asked, rest, viewer, context_)
    if verb == "stop":
        return _stop_in_words(asked, rest, viewer, context_)
    return _list(asked, viewer, context_)


def _set(asker: Asker, text: str, viewer: Viewer, context_: Context) -> Reply:
    _ = asker.language._
    value, rest = cut_value(text)
    if value is None or not rest.strip():
        raise Refusal(_("Say a KPI and a number: /kpi target win rate 30 for B2B"))
    with reading(context_.engine) as connection:
        query = ask_in_words(connection, asker, viewer, rest)
    if len(query.filters) > 1 or query.group_by or any(each.dimension not in DIMENSIONS for each in query.filters):
        raise Refusal(_("A target is for everybody, or for one team, one rep or one segment."))
    with reading(context_.engine) as connection:
        answer(connection, query)  # refuses now what the asker may not see
    must_be_possible(asker, query, value)
    return _save(asker, query.metric, query.reading, query.filters, value, viewer, context_)


def _save(
    asker: Asker,
    metric: str,
    reading: str,
    filters: Sequence[Filter],
    value: Decimal,
    viewer: Viewer,
    context_: Context,
) -> Reply:
    _must_be_allowed(asker, viewer, filters)
    narrowed = filters[0] if filters else None
    now = context_.clock.now()
    wanted = Target(
        id=uuid.uuid4().hex,
        metric=metric,
        reading=reading,
        dimension=narrowed.dimension if narrowed else None,
        key=narrowed.key if narrowed else None,
        value=value,
    )
    with writing(context_.engine) as connection:
        targets.set_target(connection, asker.workspace_id, wanted, actor=asker.user_id, now=now)
        audit.note(
            connection,
            workspace_id=asker.workspace_id,
            actor=asker.user_id,
            action="target.set",
            details={"target": wanted.id, "metric": wanted.metric, "key": wanted.key},
            now=now,
        )
    line = _line(wanted, filters, viewer, asker.language)
    sentence = asker.language._("The target is set: {line}.", line=line)
    return Reply(sentence, [paragraph(sentence), actions([button(asker.language._("Remove"), STOP, wanted.id)])])


def _must_be_allowed(asker: Asker, viewer: Viewer, narrowed: Sequence[Filter]) -> None:
    """An admin sets any target; a manager those of a team or rep that they may see; nobody else."""
    if not _is_allowed(viewer, narrowed):
        raise NotAllowed(asker.language._("An administrator of Vigie sets targets; a manager those of their own team."))


def _is_allowed(viewer: Viewer, narrowed: Sequence[Filter]) -> bool:
    mine = any(each.dimension in {"team", "rep"} for each in narrowed)
    return viewer.admin or (viewer.role == "manager" and mine)


def _list(asker: Asker, viewer: Viewer, context_: Context) -> Reply:
    _ = asker.language._
    with reading(context_.engine) as connection:
        rows = _visible(connection, asker, viewer)
        lines = []
        for row in rows:
            narrowed = filter_of(connection, viewer.scope, viewer.today, row.dimension, row.key)
            lines.append((row, _line(row, narrowed, viewer, asker.language), _is_allowed(viewer, narrowed)))
    blocks: list[Block] = []
    for number, (row, line, removable) in enumerate(lines[:20], start=1):
        blocks.append(paragraph(Bold(f"{number}. "), line))
        if removable:
            blocks.append(actions([button(_("Remove"), STOP, row.id)]))
    if len(lines) > 20:
        blocks.append(context(_("{count} more are not shown.", count=len(lines) - 20)))
    advised = [
        (declared, target)
        for declared in CATALOG
        for target in declared.recommended
        if target.reading == declared.judged and not _is_set(declared.metric, target, rows)
    ]
    sentences = [(_(declared.name), target_sentence(target, asker.language)) for declared, target in advised]
    if advised:
        blocks += [
            paragraph(Bold(_("Recommended, where no target is set"))),
            bullets([(Bold(name), _(": "), sentence) for name, sentence in sentences]),
        ]
        if viewer.admin:
            blocks.append(actions([_offer(at, *each, viewer, asker.language) for at, each in enumerate(advised)]))
    blocks.append(context(_("To set one: /kpi target win rate 30 for B2B")))
    said = [f"{number}. {line}" for number, (_row, line, _removable) in enumerate(lines, start=1)]
    said += [_("{kpi}: {target}", kpi=name, target=sentence) for name, sentence in sentences]
    return Reply("\n".join(said), blocks)


def _offer(at: int, declared: Kpi, target: Recommended, viewer: Viewer, language: Language) -> Block:
    """A recommended target, one click away."""
    values = (target.low, declared.reading(target.reading).unit, viewer.workspace.currency, language)
    words = ", ".join([language._(declared.name), *([target.segment] if target.segment else [])])
    label = language._("Set: {kpi} {value}", kpi=words, value=amount_of(*values))
    return button(label, f"{ADVISED}.{at}", f"{declared.metric}:{target.reading}:{target.segment or ''}")


def on_advised(click: Click, context_: Context) -> Reply:
    """Set a recommended target, as the catalog has it; what the button brings back only names it."""
    viewer = known(click, context_)
    for declared in CATALOG:
        for target in declared.recommended:
            if click.value == f"{declared.metric}:{target.reading}:{target.segment or ''}":
                filters = [] if target.segment is None else [Filter("segment", target.segment, target.segment)]
                return _save(click, declared.metric, target.reading, filters, target.low, viewer, context_)
    raise NotThere(click.language._("This button is from an older answer: please ask again."))


def _is_set(metric: str, recommended: Recommended, rows: Sequence[Target]) -> bool:
    """Whether a target for everybody, or for the recommended one's own segment, takes its place."""
    same = [row for row in rows if (row.metric, row.reading) == (metric, recommended.reading)]
    return any(row.dimension is None or (row.dimension, row.key) == ("segment", recommended.segment) for row in same)


def _visible(connection: Connection, asker: Asker, viewer: Viewer) -> list[Target]:
    """The targets of what the viewer may see: a rep's target is not for other teams to read."""
    rows = targets.list_targets(connection, asker.workspace_id)
    filters = {row.id: filter_of(connection, viewer.scope, viewer.today, row.dimension, row.key) for row in rows}
    return [row for row in rows if within(connection, viewer.scope, filters[row.id])]


def _line(target: Target, narrowed: Sequence[Filter], viewer: Viewer, language: Language) -> str:
    """`Win rate (by closing date), team Lyon: 30%`."""
    unit = kpi(target.metric).reading(target.reading).unit
    about = [title_of(target.metric, target.reading, language), *(filter_words(each, language) for each in narrowed)]
    value = amount_of(Decimal(target.value), unit, viewer.workspace.currency, language)
    return language._("{question}: {value}", question=", ".join(about), value=value)


def _stop_in_words(asker: Asker, rest: str, viewer: Viewer, context_: Context) -> Reply:
    _ = asker.language._
    with reading(context_.engine) as connection:
        rows = _visible(connection, asker, viewer)
    if not rest.isdecimal() or not 1 <= int(rest) <= len(rows):
        raise NotThere(_("Say which one: its number in “/kpi target list”."))
    return _stop(asker, rows[int(rest) - 1].id, viewer, context_)


def _stop(asker: Asker, target_id: str, viewer: Viewer, context_: Context) -> Reply:
    _ = asker.language._
    now = context_.clock.now()
    with writing(context_.engine) as connection:
        rows = {row.id: row for row in _visible(connection, asker, viewer)}
        row = rows.get(target_id)
        if row is None:
            raise NotThere(_("There is no such target: see “/kpi target list”."))
        _must_be_allowed(asker, viewer, filter_of(connection, viewer.scope, viewer.today, row.dimension, row.key))
        targets.stop_target(connection, asker.workspace_id, row.id, now=now)
        audit.note(
            connection,
            workspace_id=asker.workspace_id,
            actor=asker.user_id,
            action="target.stop",
            details={"target": row.id},
            now=now,
        )
    sentence = _("The target is removed; the recommended one holds, where there is one.")
    return Reply(sentence, [paragraph(sentence)])


def on_stop(click: Click, context_: Context) -> Reply:
    return _stop(click, click.value, known(click, context_), context_)


def _lines(language: Language) -> Sequence[tuple[str, str]]:
    _ = language._
    return ((_("target win rate 30 for B2B"), _("set a target; “target list” shows them all")),)


COMMAND = Command(words=("target", "targets", "objectif", "objectifs"), help=_lines, run=run)
ACTIONS = (
    Action(re.compile(re.escape(STOP)), on_stop),
    Action(re.compile(rf"{re.escape(ADVISED)}\.[0-9]{{1,2}}"), on_advised),
)
