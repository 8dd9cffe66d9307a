"""One rule judged: what each number it watches becomes, day by day. Nothing is written here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.conversation import Context
from bot.views.evidence import Evidence
from kpi.query import Measured
from kpi.scope import Scope, scope_of
from kpi.standing import as_of, is_late
from kpi.threshold import Standing, State, Threshold, Transition, close, days_due, freeze, judge, newest_day, thaw
from kpi.vocabulary import read_vocabulary
from kpi.watch import NONE, Seen, Watched, look, threshold_of, usual
from storage import rules
from storage.people import Link
from storage.rules import WHOLE, Episode, Rule
from storage.workspaces import Workspace

_NOTHING = Watched(WHOLE, Measured(None, None, None), ())


class Closed(StrEnum):
    """An episode ends for a reason that is not in its numbers."""

    STOPPED = "rule_stopped"
    GONE = "group_gone"


@dataclass(frozen=True, slots=True)
class Step:
    """One group's step: from one episode row to the next, and what must be told of it, if anything."""

    old: Episode
    new: Episode
    told: Transition | Closed | None


def steps(
    connection: Connection, context: Context, rule: Rule, link: Link, workspace: Workspace, now: datetime
) -> list[Step]:
    """What becomes of every group of a rule, judged with its owner's rights; nothing where nothing is new.

    Raises `RefusedError` where the owner may not ask the rule's question.
    """
    rows = rules.standings(connection, rule)
    if rule.paused_at is not None:
        return _frozen(rows, State.PAUSED, now)
    if is_late(connection, rule.workspace_id, rule.metric, now - context.settings.late_after):
        return _frozen(rows, State.STALE, now)
    fresh = as_of(connection, rule.workspace_id, rule.metric)
    if fresh is None:
        return []
    newest = newest_day(
        min(fresh, now), timedelta(minutes=rule.delay_minutes), ZoneInfo(rule.time_zone), workspace.zone
    )
    before = {key: thaw(_standing(row), now) for key, row in rows.items()}
    due = {key: _due(standing, newest, fresh, rule.hold) for key, standing in before.items()}
    first = days_due(Standing(State.OK, now), newest, rule.hold)
    days = sorted({day for each in due.values() for day in each} | (set() if rows else set(first)))
    today = now.astimezone(workspace.zone).date()
    scope = scope_of(connection, link, visibility=workspace.visibility, today=today)
    seen = {each.day: each for each in look(connection, rule, scope, today, days)} if days else {}
    unknown = {number.key for each in seen.values() for number in each.numbers} - set(rows)
    if unknown and (lacking := [day for day in first if day not in seen]):
        seen |= {each.day: each for each in look(connection, rule, scope, today, lacking)}
    if not rows and not unknown:
        unknown = {WHOLE}  # a rule without a group yet is judged once a day all the same
    gone = _gone(connection, rule, scope, today, rows, seen.get(newest))
    found: list[Step] = []
    for key in sorted(set(rows) | unknown):
        row = rows.get(key) or rules.never_judged(rule, key, now)
        if key in gone and row.open:
            found.append(Step(row, _closed(row, now), Closed.GONE))
            continue
        standing = before.get(key, _standing(row))
        found += _judged(rule, row, standing, [seen[day] for day in due.get(key, first)], newest, fresh, now)
    return found


def closing(connection: Connection, rule: Rule, now: datetime) -> list[Step]:
    """What is still open of a rule that was stopped."""
    rows = rules.standings(connection, rule).values()
    return [Step(row, _closed(row, now), Closed.STOPPED) for row in rows if row.open]


def _judged(
    rule: Rule, row: Episode, standing: Standing, seen: list[Seen], newest: date, fresh: datetime, now: datetime
) -> list[Step]:
    """Day after day; a step ends wherever there is something to tell, and the last one with the last day."""
    found: list[Step] = []
    for each in seen:
        number = next((number for number in each.numbers if number.key == row.group_key), _NOTHING)
        threshold = threshold_of(rule, each.result, number.before)
        measured = number.measured if threshold is not None else _NOTHING.measured
        again = standing.judged_on == each.day
        standing, told = judge(
            threshold or _any(rule, each),
            standing,
            measured,
            day=each.day,
            present=each.day == newest,
            as_of=fresh,
            now=now,
        )
        if told is not None:
            evidence = Evidence(
                measured, now, each.day - timedelta(days=1), usual(rule, each.result, number.before), again
            )
            new = _told(_episode(row, standing), told, evidence)
            found.append(Step(row, new, told))
            row = replace(new, version=row.version + 1)
    last = _episode(row, standing)
    return found if last == row else [*found, Step(row, last, None)]


def _any(rule: Rule, seen: Seen) -> Threshold:
    """Where the rule's own threshold is unknown, nothing is judged by it."""
    level = threshold_of(replace(rule, against=None, recovery=rule.threshold), seen.result)
    assert level is not None  # noqa: S101 - a level is always known
    return level


def _told(row: Episode, told: Transition, evidence: Evidence) -> Episode:
    if told is not Transition.FIRED:
        return replace(row, recovered=evidence.to_json(), snoozed_until=None, remind_at=None)
    row = replace(row, fired=evidence.to_json(), recovered=None, remind_at=None, reminders=0)
    return replace(row, acked_by=None, acked_at=None, assigned_to=None, snoozed_until=None)


def _frozen(rows: Mapping[str, Episode], state: State, now: datetime) -> list[Step]:
    moved = ((row, _episode(row, freeze(_standing(row), state, now))) for row in rows.values())
    return [Step(row, new, None) for row, new in moved if new != row]


def _due(standing: Standing, newest: date, fresh: datetime, hold: int) -> list[date]:
    days = days_due(standing, newest, hold)
    known = standing.judged_as_of is not None and fresh <= standing.judged_as_of
    return [] if days == [standing.judged_on] and known else days


def _gone(
    connection: Connection, rule: Rule, scope: Scope, today: date, rows: Mapping[str, Episode], seen: Seen | None
) -> set[str]:
    """The groups with an open episode that are nowhere in the data of the day, and nowhere in the CRM any more."""
    dimension = rule.each or rule.dimension
    if seen is None or dimension is None or dimension == "customer":
        return set()
    there = {number.key for number in seen.numbers if number.measured.value is not None}
    missing = {key: key if rule.each else rule.key for key, row in rows.items() if row.open and key not in there}
    if not missing:
        return set()
    names = read_vocabulary(connection, scope, today=today).names
    alive = {name.key for name in names if name.dimension == dimension and not name.deleted} | {NONE, None}
    return {key for key, value in missing.items() if value not in alive}


def _standing(row: Episode) -> Standing:
    beneath = None if row.beneath is None else State(row.beneath)
    return Standing(State(row.state), row.since, row.streak, row.number, beneath, row.judged_on, row.judged_as_of)


def _episode(row: Episode, standing: Standing) -> Episode:
    return replace(
        row,
        state=standing.state.value,
        since=standing.since,
        streak=standing.streak,
        number=standing.number,
        beneath=None if standing.beneath is None else standing.beneath.value,
        judged_on=standing.judged_on,
        judged_as_of=standing.judged_as_of,
    )


def _closed(row: Episode, now: datetime) -> Episode:
    return replace(_episode(row, close(_standing(row), now)), snoozed_until=None, remind_at=None)
