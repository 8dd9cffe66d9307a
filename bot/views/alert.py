"""An alert as a message: what fired and on how much evidence, who has it in hand; later, in the same place, how it
recovered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from bot.blocks import (
    Block,
    Bold,
    Run,
    actions,
    bullets,
    button,
    context,
    header,
    paragraph,
    spoken,
    users_select,
)
from bot.i18n import Language
from bot.views.alert_lines import Alert, Case, fired_lines, over_lines, several_lines
from bot.views.chart import N_, alt_text, picture
from bot.views.digest import SEPARATOR, Written
from bot.views.evidence import amount
from bot.views.notes import counted_only, unconverted
from bot.views.pinged import aloud, naming
from bot.views.state import encode
from kpi import format as written
from kpi.catalog import kpi
from kpi.charts.chart import Level
from kpi.findings import in_unit
from storage.workspaces import Workspace

ACKNOWLEDGE, ASSIGN, SNOOZE, WHY, DEALS = "alert.ack", "alert.assign", "alert.snooze", "alert.why", "alert.deals"
USEFUL, NOISE = "alert.useful", "alert.noise"
NOBODY = "-"


def write_alert(
    alert: Alert,
    workspace: Workspace,
    language: Language,
    *,
    letter_id: str | None = None,
    groups: Sequence[Case] = (),
    acked_by: str | None = None,
    assigned_to: str | None = None,
    snoozed_until: datetime | None = None,
    remind_at: datetime | None = None,
    reminders: int = 0,
    corrected: bool = False,
) -> Written:
    """The message of an alert that is open, or, once all of it has recovered, of one that is over.

    `letter_id` is the letter that carries the message: what its buttons act on. `groups` are the episodes that share
    it, in the order they are shown; where there are none or one, the alert's own `fired` and `recovered` count.
    `corrected`: the end came with a late edit of the data.
    """
    cases = list(groups) or [Case(None, alert.fired, alert.recovered)]
    if corrected:
        cases = [
            case if case.recovered is None else replace(case, recovered=replace(case.recovered, corrected=True))
            for case in cases
        ]
    is_open = any(not case.over for case in cases)
    if len(cases) > 1:
        title, rest, listed = several_lines(alert, cases, language)
    else:
        case, listed = cases[0], []
        title, *rest = fired_lines(alert, case, language) if is_open else over_lines(alert, case, workspace, language)
    blocks: list[Block] = [header(title), paragraph(Bold(rest[0]))]
    place = len(blocks)
    if listed:
        blocks.append(bullets([[line] for line in listed]))
    if rest[1:]:
        blocks.append(paragraph("\n".join(rest[1:])))
    hands = _hands(acked_by, assigned_to, snoozed_until, workspace, language) if is_open else []
    if hands:
        blocks.append(paragraph(*_lines(hands)))
    small = SEPARATOR.join(_small(alert, cases, workspace, language, remind_at=remind_at, reminders=reminders))
    blocks.append(context(small))
    blocks += _buttons(alert, cases, letter_id, language, acked=acked_by is not None, assigned_to=assigned_to)
    said = [spoken("\n".join([title, rest[0], *listed, *rest[1:]])), *map(aloud, hands), spoken(small)]
    chart = _chart(alert, language)
    payload = {"text": "\n".join(said), "blocks": blocks}
    return Written(payload, None if chart is None else {"at": place, **chart})


def _hands(
    acked_by: str | None,
    assigned_to: str | None,
    snoozed_until: datetime | None,
    workspace: Workspace,
    language: Language,
) -> list[list[Run]]:
    """Who has it in hand, and until when it sleeps."""
    said: list[list[Run]] = []
    if acked_by is not None:
        said.append(naming(N_("Acknowledged by {person}."), language, {"person": acked_by}))
    if assigned_to is not None:
        said.append(naming(N_("Assigned to {person}."), language, {"person": assigned_to}))
    if snoozed_until is not None:
        until = written.moment(snoozed_until, workspace.zone, language.locale)
        said.append([language._("Snoozed until {when}.", when=until)])
    return said


def _lines(lines: Sequence[Sequence[Run]]) -> list[Run]:
    runs: list[Run] = []
    for line in lines:
        runs += ["\n", *line] if runs else line
    return runs


def _small(
    alert: Alert,
    cases: Sequence[Case],
    workspace: Workspace,
    language: Language,
    *,
    remind_at: datetime | None,
    reminders: int,
) -> list[str]:
    """What the number is, over which days, as of when, since when, and when the next reminder comes."""
    _ = language._
    declared = kpi(alert.query.metric)
    said = [written.period_label(alert.query.period, language.locale)]
    if len(declared.readings) > 1:
        said.append(_(declared.reading(alert.query.reading).name))
    said += [sentence.rstrip(".") for sentence in counted_only(alert.result, language)]
    if lacking := unconverted(alert.result, language):
        said.append(lacking)
    if any(not case.over for case in cases):
        since = min(case.fired.at for case in cases if not case.over)
        said.append(_("since {when}", when=written.moment(since, workspace.zone, language.locale)))
        if reminders:
            said.append(language.n("{count} reminder so far", "{count} reminders so far", reminders))
        if remind_at is not None:
            said.append(_("next reminder {when}", when=written.moment(remind_at, workspace.zone, language.locale)))
    if alert.result.as_of is not None:
        when = written.moment(alert.result.as_of, workspace.zone, language.locale)
        said.append(_("data as of {when}", when=when))
    return said


def _buttons(
    alert: Alert,
    cases: Sequence[Case],
    letter_id: str | None,
    language: Language,
    *,
    acked: bool,
    assigned_to: str | None,
) -> list[Block]:
    """What can be done about it, then what can be seen of it; whoever clicks does and sees what they may."""
    _ = language._
    rows: list[Block] = []
    if letter_id is not None and any(not case.over for case in cases):
        hand = [] if acked else [button(_("Acknowledge"), ACKNOWLEDGE, letter_id, style="primary")]
        hand += [
            button(_("Snooze…"), SNOOZE, letter_id),
            # What the menu was chosen on comes back with it: of two who choose at once, one is told of the other.
            users_select(_("Assign to…"), f"{ASSIGN}.{letter_id}.{assigned_to or NOBODY}"),
        ]
        rows.append(actions(hand))
    state = encode(replace(alert.query, comparison=None))
    seen: list[Block] = []
    if letter_id is not None:
        seen.append(button(_("Why"), WHY, letter_id))
    if len(cases) > 1 and letter_id is not None:
        seen.append(button(_("The deals"), DEALS, letter_id))
    elif state is not None:
        seen.append(button(_("The deals"), "answer.deals", state))
    if letter_id is None and state is not None:
        seen.append(button(_("How it is computed"), "answer.how", state))
    if letter_id is not None:
        seen += [button(_("Useful"), USEFUL, letter_id), button(_("Noise"), NOISE, letter_id)]
    return [*rows, actions(seen)] if seen else rows


def _chart(alert: Alert, language: Language) -> dict[str, Any] | None:
    """The last weeks with the threshold as a line."""
    bound = _level(alert)
    drawn = None if alert.trend is None else picture(replace(alert.trend, target=None), language)
    if drawn is None:
        return None
    if bound is not None:
        label = language._("threshold {value}", value=amount(bound, alert.result, language))
        plotted = written.major(bound, alert.result.currency) if alert.result.unit == "money" else bound
        drawn = replace(drawn, target=Level(float(plotted), label))
    return {"chart": drawn.to_json(), "title": drawn.title, "alt": alt_text(drawn, language)}


def _level(alert: Alert) -> Fraction | None:
    """The threshold in the number's own unit: of a rule against the past, so far from what is usual."""
    if alert.rule.against is None:
        return in_unit(alert.rule.threshold, alert.result)
    if alert.fired.usual is None:
        return None
    share = Fraction(alert.rule.threshold) / 100
    return alert.fired.usual * (1 - share if alert.rule.direction == "below" else 1 + share)
