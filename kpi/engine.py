"""The answer to a question: value, comparison, groups, series, what was left out, and what must be known about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from kpi import plans
from kpi.ask import Ask, Counted
from kpi.buckets import state
from kpi.buckets.gathered import Gathered
from kpi.buckets.lookup import Found, Lookup, how_they_stand
from kpi.buckets.routes import Why
from kpi.declaration import Kpi, Reading
from kpi.formulas import Formula
from kpi.narrowing import begun, checked, declared, made, teams_named, wholly_seen
from kpi.notes import notes
from kpi.period import Grain, containing
from kpi.plans import Plan
from kpi.query import Beside, Group, KpiQuery, KpiResult, LeftOut, Measured, Note, Point, Previous
from kpi.reasons import Reason, Said
from kpi.refusals import TooManyBucketsError
from kpi.standing import Standing, Wanted, own_key, target_of
from storage.as_known import as_known
from storage.database import Part, run, tongue

_REASONS = tuple(Reason)
"""In the order in which they are told."""

MOST_BUCKETS = 400
"""A year of days, and a little; finer is refused."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A result, how it was come by, and how many cells of the buckets were read for it (None: the facts were)."""

    result: KpiResult
    plan: Plan
    cells: int | None


def answer(connection: Connection, query: KpiQuery) -> KpiResult:
    """Answer one question from one consistent view of the data, as it is known now or was known then.

    Raises `RefusedError` (see `kpi.refusals`) for a question that has no answer or may not be asked; `LookupError` for
    a workspace that does not exist.
    """
    return explained(connection, [query])[0].result


def answers(connection: Connection, queries: Sequence[KpiQuery]) -> list[KpiResult]:
    """Answer several questions about one workspace, in one statement as far as the buckets can tell.

    Raises what `answer` raises for any of them; `ValueError` for questions about several workspaces, or as known at
    several moments.
    """
    return [each.result for each in explained(connection, queries)]


def explained(connection: Connection, queries: Sequence[KpiQuery]) -> list[Answer]:
    """`answers`, and how they were come by."""
    if not queries:
        return []
    about = {(query.scope.workspace_id, query.as_known) for query in queries}
    if len(about) > 1:
        raise ValueError("questions that are answered together are about one workspace, and one moment")
    ((workspace_id, moment),) = about
    with as_known(connection, workspace_id, moment):
        asked = [_begin(connection, query) for query in queries]
        wanted = _wanted(workspace_id, asked)
        standing, ready, found = _read(connection, wanted, asked)
        return [_answered(connection, each, standing, ready, rows) for each, rows in zip(asked, found, strict=True)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question that may be asked, and how it is to be looked up."""

    ask: Ask
    """Of which the days are known (`kpi.narrowing.begun`)."""
    declared: Kpi
    reading: Reading
    lookup: Lookup | Why

    @property
    def query(self) -> KpiQuery:
        return self.ask.query


def _begin(connection: Connection, query: KpiQuery) -> _Asked:
    found, reading = declared(query)
    checked(connection, query, found)
    ask = begun(query)
    _bound(ask)
    return _Asked(ask, found, reading, plans.choose(ask, found, reading))


def _bound(ask: Ask) -> None:
    if len(ask.buckets) > MOST_BUCKETS:
        raise TooManyBucketsError(count=len(ask.buckets), most=MOST_BUCKETS)


def _wanted(workspace_id: str, asked: Sequence[_Asked]) -> Wanted:
    queries = [each.query for each in asked]
    limited = [each.query.scope for each in asked if not wholly_seen(each.query.scope, each.ask.narrowings)]
    keys = {each.key for query in queries for each in query.filters if each.key is not None}
    keys |= {mine for query in queries if (mine := own_key(query.scope)) is not None}
    return Wanted(
        workspace_id,
        tuple(dict.fromkeys(query.metric for query in queries)),
        late=any(query.scope.late_before is not None and query.as_known is None for query in queries),
        keys=tuple(sorted(keys)),
        targets=True,
        team_history=any(each.ask.is_by("team") for each in asked),
        below=tuple(dict.fromkeys(team for query in queries for team in teams_named(query))),
        people=tuple(sorted({each for scope in limited for each in scope.people})),
        teams=tuple(sorted({each for scope in limited for each in scope.teams})),
    )


def _read(
    connection: Connection, wanted: Wanted, asked: Sequence[_Asked]
) -> tuple[Standing, state.Standing, list[Found]]:
    """What stands around the numbers, how the buckets stand, and what each lookup found, in one statement."""
    spoken = tongue(connection)
    parts: dict[str, Part] = wanted.parts(spoken)
    values: dict[str, Mapping[str, Any]] = {**wanted.values()}
    looked_up = [(at, each.lookup) for at, each in enumerate(asked) if not isinstance(each.lookup, Why)]
    if looked_up:
        parts["buckets"] = how_they_stand(spoken)
        values["buckets"] = {"workspace": wanted.workspace_id}
    gathered = Gathered(spoken, looked_up)
    rows = run(connection, parts | gathered.parts, values | gathered.values)
    found = [gathered.found(at, rows) for at in range(len(asked))]
    return wanted.standing(rows), state.standing(rows.get("buckets", [])), found


def _answered(
    connection: Connection,
    asked: _Asked,
    standing: Standing,
    ready: state.Standing,
    found: Found,
) -> Answer:
    query, declared_, reading = asked.query, asked.declared, asked.reading
    ask = made(query, standing)
    _bound(ask)
    counted: Counted | Why = Why.NOT_READY
    if isinstance(asked.lookup, Why):
        counted = asked.lookup
    elif ready.holds(query.today):
        counted = asked.lookup.counted(ask, found)
    elif ready.state is state.State.READY:
        counted = Why.ANOTHER_DAY
    if isinstance(counted, Why):
        plan = Plan("facts", counted)
        counted = plans.count(connection, ask, declared_, reading)
    else:
        plan = Plan("buckets")
    return Answer(_result(ask, declared_, reading, standing, counted), plan, counted.cells)


def _result(ask: Ask, found: Kpi, reading: Reading, standing: Standing, counted: Counted) -> KpiResult:
    query, formula = ask.query, reading.formula
    beside = [found.reading(key) for key in reading.beside]
    measured, unknown = _measured(ask, formula, counted)
    return KpiResult(
        query=query,
        unit=reading.unit,
        currency=ask.currency,
        measured=measured,
        previous=_previous(ask, formula, counted),
        groups=_groups(found, ask, formula, counted),
        series=_series(ask, formula, counted),
        beside=tuple(Beside(each.key, each.unit, each.formula.measured(counted.now)) for each in beside),
        left_out=_left_out(counted.left_out),
        notes=(*unknown, *notes(ask, standing, reading, counted, measured)),
        target=target_of(standing, query, found, reading),
        as_of=standing.as_of[query.metric],
    )


def _measured(ask: Ask, formula: Formula, counted: Counted) -> tuple[Measured, tuple[Note, ...]]:
    """The value; unknown, not 0, for a period that ends before the first known day."""
    measured, first = formula.measured(counted.now), counted.first_day
    if any(counted.now.values()) or (first is not None and first < ask.query.period.end):
        return measured, ()
    nothing = Measured(None, measured.numerator, measured.denominator)
    return nothing, (Note(Said.BEFORE_DATA, {"first": first}),)


def _previous(ask: Ask, formula: Formula, counted: Counted) -> Previous | None:
    if ask.before is None or ask.query.comparison is None or counted.before is None:
        return None
    return Previous(ask.before, ask.query.comparison, formula.measured(counted.before))


def _groups(found: Kpi, ask: Ask, formula: Formula, counted: Counted) -> tuple[Group, ...]:
    """Groups with anything in them, best first ("(none)" and those without a value last); two of one name and value
    always in the same order.

    Stages are not compared: what was open before is counted in the stage that it reached since.
    """
    compared = ask.before is not None and ask.query.group_by != "stage"
    groups = [
        Group(
            key,
            None if key is None else counted.names.get(key, key),
            formula.measured(cell),
            _before(formula, counted, key) if compared else None,
        )
        for key, cell in counted.groups.items()
        if any(cell.values())
    ]
    lowest_first = found.higher_is_better is False

    def place(group: Group) -> tuple[bool, bool, object, str, str]:
        value = group.measured.value
        rank = 0 if value is None else value if lowest_first else -value
        return group.key is None, value is None, rank, group.name or "", group.key or ""

    return tuple(sorted(groups, key=place))


def _before(formula: Formula, counted: Counted, key: str | None) -> Measured | None:
    cell = counted.groups_before.get(key)
    return formula.measured(cell if cell is not None else dict.fromkeys(counted.now, 0))


def _series(ask: Ask, formula: Formula, counted: Counted) -> tuple[Point, ...]:
    points = []
    for bucket in ask.buckets:
        unit = containing(bucket.unit or Grain.DAY, bucket.start, ask.fiscal_start_month)
        complete = (bucket.start, bucket.end) == (unit.start, unit.end) and bucket.end <= ask.query.today
        points.append(Point(bucket.start, bucket.end, complete, formula.measured(counted.series[bucket.start])))
    return tuple(points)


def _left_out(counts: Mapping[str, int]) -> tuple[LeftOut, ...]:
    return tuple(LeftOut(str(reason), counts[reason]) for reason in _REASONS if counts.get(reason))
