"""What a rule would have done: the very same machine, run over the past year day by day, before anybody is woken."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import Connection

from kpi.catalog import kpi
from kpi.engine import MOST_BUCKETS, answer, answers
from kpi.formulas import Additive, Total
from kpi.period import Grain, Period
from kpi.query import Filter, KpiQuery, KpiResult, Measured
from kpi.rolling import adds_up, rolling
from kpi.scope import Scope
from kpi.threshold import Direction, Standing, State, Threshold, Transition, judge
from kpi.watch import NONE, earlier, look, question, threshold_of, windows
from storage.rules import WHOLE, Rule

DAYS = 365
"""How far a rehearsal goes back."""

AT_ONCE = 30
"""Days that are asked for together where each is a question of its own."""

Days = tuple[date, date]
"""A window, half-open."""

_NOTHING = Measured(None, None, None)
_ANY = Threshold(Decimal(0), Decimal(0), Direction.BELOW)
"""Nothing is judged by it: where the rule's own is unknown."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One episode as it would have been. `group` is the key of the group, "" for a rule that watches one number."""

    group: str
    name: str | None
    """What the group is called; None for a rule that watches one number."""
    fired_on: date
    recovered_on: date | None
    """None: it would still be open."""
    fired: Measured


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`days` were judged, oldest first; `episodes` in the order in which they would have been told."""

    days: int
    episodes: tuple[Rehearsed, ...]
    messages: int
    """New messages in the channel: groups that fire on the same day share one."""

    @property
    def messages_a_month(self) -> Decimal:
        """New messages in 30 days, to one decimal."""
        return (Decimal(30 * self.messages) / max(self.days, 1)).quantize(Decimal("0.1"))


def rehearse(
    connection: Connection,
    rule: Rule,
    scope: Scope,
    today: date,
    progress: Callable[[int, int], None] | None = None,
) -> Rehearsal:
    """When a rule (saved or not) would have fired in the 365 days that end with `today`, on what is known now.

    `progress` is told (days judged, days in all). Raises `RefusedError` where its question may not be asked.
    """
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    formula = kpi(rule.metric).reading(rule.reading).formula
    asked = replace(question(connection, rule, scope, today), comparison=None)
    ends = dict(zip(days, windows(connection, rule, days), strict=True))
    if adds_up(formula):
        watched = _added_up(connection, rule, asked, formula, list(ends.values()))
        report(progress, DAYS)
    else:
        watched = _one_by_one(connection, rule, scope, today, ends, progress)
    found: list[Rehearsed] = []
    for each in watched:
        found += _lived(rule, each, ends)
    found.sort(key=lambda episode: (episode.fired_on, episode.group))
    return Rehearsal(DAYS, tuple(found), len({episode.fired_on for episode in found}))


def report(progress: Callable[[int, int], None] | None, done: int) -> None:
    if progress is not None:
        progress(done, DAYS)


@dataclass(slots=True)
class _Watched:
    """One number through the year: its value over each window that matters."""

    key: str
    name: str | None
    result: KpiResult
    """Of its question: what its values are in."""
    values: dict[Days, Measured]


def _lived(rule: Rule, watched: _Watched, ends: dict[date, Period]) -> list[Rehearsed]:
    """The machine, day after day."""
    level = None if rule.against is not None else threshold_of(rule, watched.result)
    standing = Standing(State.OK, _at(next(iter(ends))))
    found: list[Rehearsed] = []
    for day, window in ends.items():
        measured = watched.values.get(_days(window), _NOTHING)
        threshold = level
        if threshold is None:
            before = [watched.values.get(_days(each), _NOTHING) for each in earlier(rule, window)]
            threshold = threshold_of(rule, watched.result, before)
        if threshold is None:
            threshold, measured = _ANY, _NOTHING
        standing, told = judge(threshold, standing, measured, day=day, present=True, as_of=_at(day), now=_at(day))
        if told is Transition.FIRED:
            found.append(Rehearsed(watched.key, watched.name, day, None, measured))
        elif told is not None:
            found[-1] = replace(found[-1], recovered_on=day)
    return found


def _added_up(
    connection: Connection, rule: Rule, asked: KpiQuery, formula: Additive, ends: Sequence[Period]
) -> list[_Watched]:
    """Windows of a number that adds up over days: from its days, asked for all groups at once."""
    needed = [window for end in ends for window in (end, *earlier(rule, end))]
    begin, end = min(each.start for each in needed), max(each.end for each in needed)
    if rule.each is None:
        narrowed: list[tuple[str, str | None, tuple[Filter, ...]]] = [(WHOLE, None, asked.filters)]
    else:
        groups = answer(connection, replace(asked, period=Period(begin, end))).groups
        narrowed = [
            (each.key or NONE, each.name, (*asked.filters, Filter(rule.each, each.key, each.name or NONE)))
            for each in groups
        ]
    pieces = [
        Period(start, min(start + timedelta(days=MOST_BUCKETS), end))
        for start in (begin + timedelta(days=after) for after in range(0, (end - begin).days, MOST_BUCKETS))
    ]
    by_day = replace(asked, group_by=None, grain=Grain.DAY)
    found = answers(
        connection,
        [replace(by_day, period=piece, filters=filters) for _, _, filters in narrowed for piece in pieces],
    )
    series = [
        [point for result in found[at : at + len(pieces)] for point in result.series]
        for at in range(0, len(found), len(pieces))
    ]
    # A count of nothing before the first day that anything is known of is no data, not 0.
    first = min((point.start for points in series for point in points if point.measured.numerator), default=end)
    length = ends[0].days
    return [
        _Watched(
            key,
            name,
            found[at * len(pieces)],
            {
                (point.start, point.end): point.measured
                for point in rolling(points, formula, window=length, step=1)
                if point.start >= first or not isinstance(formula, Total)
            },
        )
        for at, ((key, name, _), points) in enumerate(zip(narrowed, series, strict=True))
    ]


def _one_by_one(
    connection: Connection,
    rule: Rule,
    scope: Scope,
    today: date,
    ends: dict[date, Period],
    progress: Callable[[int, int], None] | None,
) -> list[_Watched]:
    """Any other number: each window is a question, some dozens of them asked at once."""
    days, found = list(ends), dict[str, _Watched]()
    for start in range(0, len(days), AT_ONCE):
        for seen in look(connection, rule, scope, today, days[start : start + AT_ONCE]):
            window = ends[seen.day]
            for number in seen.numbers:
                name = None if rule.each is None else number.filters[-1].name
                there = found.setdefault(number.key, _Watched(number.key, name, seen.result, {}))
                there.values[_days(window)] = number.measured
                there.values |= dict(zip(map(_days, earlier(rule, window)), number.before, strict=True))
        report(progress, min(start + AT_ONCE, len(days)))
    return list(found.values())


def _days(window: Period) -> Days:
    return window.start, window.end


def _at(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
