"""What the thread of an alert's message says at each step: one function for each, which gives the payload of a letter.

The message itself always says how things stand now; its thread is the history.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.blocks import Run, paragraph
from bot.i18n import Language
from bot.views.alert_lines import CLOSED, MOST_GROUPS, Alert, Case, back_sentence, case_name, headline, usual_sentence
from bot.views.chart import N_
from bot.views.evidence import Evidence, evidence_sentence
from bot.views.pinged import aloud, naming
from kpi import format as written
from storage.workspaces import Workspace

Payload = Mapping[str, Any]


def fired_note(alert: Alert, cases: Sequence[Case], language: Language) -> Payload:
    """More groups of the same rule fire while its message is open."""
    lines = [headline(alert, language, several=len(cases))]
    lines += [_of(alert, case, case.fired, language) for case in cases[:MOST_GROUPS]]
    if len(cases) > MOST_GROUPS:
        lines.append(language._("+{count} more", count=len(cases) - MOST_GROUPS))
    return _note(["\n".join(lines)])


def acknowledged_note(user_id: str, language: Language) -> Payload:
    return _note(naming(N_("Acknowledged by {person}: no more reminders."), language, {"person": user_id}))


def assigned_note(to: str, by: str, language: Language) -> Payload:
    if to == by:
        return _note(naming(N_("{person} has taken it."), language, {"person": to}))
    return _note(naming(N_("{by} has assigned it to {person}."), language, {"by": by, "person": to}))


def snoozed_note(user_id: str, until: datetime, zone: ZoneInfo, language: Language) -> Payload:
    when = written.moment(until, zone, language.locale)
    return _note(naming(N_("Snoozed by {person} until {when}."), language, {"person": user_id}, when=when))


def still_bad_note(
    alert: Alert,
    cases: Sequence[Case],
    seen: Sequence[Evidence],
    workspace: Workspace,
    language: Language,
    *,
    assigned_to: str | None = None,
    slept: bool = False,
) -> Payload:
    """A reminder, or, with `slept`, the end of a snooze: `seen` is what each case shows now."""
    _ = language._
    since = written.moment(min(case.fired.at for case in cases), workspace.zone, language.locale)
    if slept:
        first = _("The snooze is over and it is still bad, since {when}:", when=since)
    else:
        first = _("Still bad, since {when}, and nobody has acknowledged it:", when=since)
    pairs = list(zip(cases, seen, strict=True))
    lines = [first, *(_of(alert, case, now, language) for case, now in pairs[:MOST_GROUPS])]
    if len(pairs) > MOST_GROUPS:
        lines.append(_("+{count} more", count=len(pairs) - MOST_GROUPS))
    runs: list[Run] = ["\n".join(lines)]
    if assigned_to is not None:
        runs += ["\n", *naming(N_("Assigned to {person}."), language, {"person": assigned_to})]
    return _note(runs)


def corrected_note(alert: Alert, case: Case, language: Language) -> Payload:
    """A late edit of the data moved the number of an open episode, or ended it (`case.recovered`)."""
    now = case.recovered or case.fired
    lines = [language._("The data was corrected."), _of(alert, case, now, language)]
    if case.recovered is not None:
        lines += [back_sentence(alert, case.recovered, language), _before(alert, case, language)]
    return _note(["\n".join(lines)])


def recovered_note(alert: Alert, case: Case, language: Language) -> Payload:
    """An episode is over: what it is now, and what had fired. Raises `ValueError` for one that is not over."""
    if case.recovered is None:
        raise ValueError("this episode is not over")
    if case.recovered.corrected:
        return corrected_note(alert, case, language)
    lines = [
        _of(alert, case, case.recovered, language),
        back_sentence(alert, case.recovered, language),
        _before(alert, case, language),
    ]
    return _note(["\n".join(lines)])


def closed_note(case: Case, language: Language) -> Payload:
    """An episode is over for a reason that is not in its numbers (`case.closed`)."""
    called = case_name(case, language)
    reason = CLOSED[case.closed or "closed"]
    why = language._(reason)
    return _note([language._("{name}: {value}", name=called, value=why) if called else why])


def _of(alert: Alert, case: Case, seen: Evidence, language: Language) -> str:
    value = evidence_sentence(seen.measured, alert.result, language)
    if usual := usual_sentence(alert, seen, language):
        value = f"{value} {usual}"
    called = case_name(case, language)
    return language._("{name}: {value}", name=called, value=value) if called else value


def _before(alert: Alert, case: Case, language: Language) -> str:
    value = evidence_sentence(case.fired.measured, alert.result, language)
    return language._("It had fired at {value}", value=value)


def _note(runs: Sequence[Run]) -> Payload:
    return {"text": aloud(list(runs)), "blocks": [paragraph(*runs)]}
