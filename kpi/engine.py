"""The answer to a question: value, comparison, groups, series, what was left out, and what must be known about it."""

from collections.abc import Mapping

from sqlalchemy import Connection

from kpi import plans, standing
from kpi.ask import Ask, Counted
from kpi.declaration import Kpi, Reading
from kpi.formulas import Formula
from kpi.narrowing import declared, prepare
from kpi.notes import notes
from kpi.period import Grain, containing
from kpi.query import Beside, Group, KpiQuery, KpiResult, LeftOut, Measured, Note, Point, Previous
from kpi.reasons import Reason, Said
from kpi.refusals import TooManyBucketsError
from storage.as_known import as_known

MOST_BUCKETS = 400
"""A year of days, and a little; finer is refused."""


def answer(connection: Connection, query: KpiQuery) -> KpiResult:
    """Answer one question from one consistent view of the data, as it is known now or was known then.

    Raises `RefusedError` (see `kpi.refusals`) for a question that has no answer or may not be asked; `LookupError` for
    a workspace that does not exist.
    """
    with as_known(connection, query.scope.workspace_id, query.as_known):
        return _answer(connection, query)


def _answer(connection: Connection, query: KpiQuery) -> KpiResult:
    found, reading = declared(query)
    ask = prepare(connection, query, found)
    if len(ask.buckets) > MOST_BUCKETS:
        raise TooManyBucketsError(count=len(ask.buckets), most=MOST_BUCKETS)
    beside = [found.reading(key) for key in reading.beside]
    counted = plans.count(connection, ask, reading.formula, [each.formula for each in beside])
    measured, unknown = _measured(connection, ask, reading, counted)
    return KpiResult(
        query=query,
        unit=reading.unit,
        currency=ask.currency,
        measured=measured,
        previous=_previous(ask, reading.formula, counted),
        groups=_groups(found, ask, reading.formula, counted),
        series=_series(ask, reading.formula, counted),
        beside=tuple(Beside(each.key, each.unit, each.formula.measured(counted.now)) for each in beside),
        left_out=_left_out(counted.left_out),
        notes=(*unknown, *notes(connection, ask, reading, counted, measured)),
        target=standing.target_of(connection, query, found, reading),
        as_of=standing.as_of(connection, ask.workspace_id, found.metric),
    )


def _measured(
    connection: Connection, ask: Ask, reading: Reading, counted: Counted
) -> tuple[Measured, tuple[Note, ...]]:
    """The value; unknown, not 0, for a period that ends before the first known day."""
    measured = reading.formula.measured(counted.now)
    if any(counted.now.values()):
        return measured, ()
    first = standing.first_day(connection, ask.workspace_id, reading.formula)
    if first is not None and first < ask.query.period.end:
        return measured, ()
    nothing = Measured(None, measured.numerator, measured.denominator)
    return nothing, (Note(Said.BEFORE_DATA, {"first": first}),)


def _previous(ask: Ask, formula: Formula, counted: Counted) -> Previous | None:
    if ask.before is None or ask.query.comparison is None or counted.before is None:
        return None
    return Previous(ask.before, ask.query.comparison, formula.measured(counted.before))


def _groups(found: Kpi, ask: Ask, formula: Formula, counted: Counted) -> tuple[Group, ...]:
    """Groups with anything in them, best first ("(none)" and those without a value last).

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

    def place(group: Group) -> tuple[bool, bool, object, str]:
        value = group.measured.value
        rank = 0 if value is None else value if lowest_first else -value
        return group.key is None, value is None, rank, group.name or ""

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
    return tuple(LeftOut(str(reason), counts[reason]) for reason in Reason if counts.get(reason))
