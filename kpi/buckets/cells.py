"""The statements that add up cells, each spelled once per shape of question and run with other values.

Rows are `(tag, key, name, cells, *sums)`: `tag` is the code of a bucket, the number of a slice, or `PAST`; `key` and
`name` are of the group, null where there is none; `cells` is how many were added up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause, Select

from kpi.buckets.ranges import FIRST_YEAR
from kpi.buckets.routes import Kept, Leg
from kpi.buckets.tables import FAMILIES
from kpi.rows import NAMED, Condition
from kpi.standing import known_to
from storage.database import Part, Tongue, among, day_plus, days_between, listed, parameter, spell
from storage.schema import membership, person, team

PAST = "past"
CELLS = 3
"""The place of the number of cells in a row; the sums follow."""

_WORKSPACE: ColumnElement[str] = parameter("workspace", sa.Text)
_NOTHING: ColumnElement[str | None] = sa.cast(sa.null(), sa.Text)
# Constants are written out: what is not given anew takes no place among the parameters.
_NONE: ColumnElement[str] = sa.literal_column("''", sa.Text)
_ZERO: ColumnElement[int] = sa.literal_column("0", sa.Integer)


@dataclass(frozen=True, slots=True)
class Form:
    """What one statement adds up; questions that differ in days and keys alone have the same."""

    family: str
    columns: tuple[str, ...]
    legs: tuple[Leg, ...]
    each: bool = False
    """Every bucket of the list `each` by itself, all groups together."""
    slices: int = 0
    """Lists `slice_0`, `slice_1`, … of buckets, each added up, by group where there is one."""
    past: bool = False
    """All years before `year`, by group where there is one."""
    group_by: str | None = None


@lru_cache(maxsize=1024)
def spelled(spoken: Tongue, form: Form) -> Part:
    """The statement of a form."""
    summed = sa.union_all(*(select for leg in form.legs for select in _selects(form, leg))).subquery("cells")
    named = None if form.group_by is None else NAMED.get(form.group_by)
    columns = [summed.c.tag, summed.c.key, summed.c.key.label("name"), *list(summed.c)[2:]]
    if named is None:
        return spell(spoken, sa.select(*columns))
    same = sa.and_(named.c.workspace_id == _WORKSPACE, named.c.id == summed.c.key)
    columns[2] = sa.func.coalesce(named.c.name, summed.c.key).label("name")
    return spell(spoken, sa.select(*columns).select_from(summed.outerjoin(named, same)))


def _selects(form: Form, leg: Leg) -> Iterator[Select[*tuple[Any, ...]]]:
    bucket = FAMILIES[form.family].bucket.c.bucket
    if form.each:
        yield _sums(form, leg, bucket, among(bucket, "each"), grouped=False)
    for at in range(form.slices):
        yield _sums(form, leg, _text(str(at)), among(bucket, f"slice_{at}"), grouped=True)
    if form.past:
        years = sa.and_(bucket >= _text(FIRST_YEAR), bucket < parameter("year", sa.Text))
        yield _sums(form, leg, _text(PAST), years, grouped=True)


def _text(text: str) -> ColumnElement[str]:
    return sa.literal_column(f"'{text}'", sa.Text)


def _sums(form: Form, leg: Leg, tag: ColumnElement[str], days: Condition, *, grouped: bool) -> Select[*tuple[Any, ...]]:
    family = FAMILIES[form.family]
    source = _Source(family.bucket, leg.kept)
    key = source.key(form.group_by) if grouped and form.group_by is not None else None
    select = sa.select(
        tag.label("tag"),
        (_NOTHING if key is None else key).label("key"),
        sa.func.count().label("cells"),
        *(sa.func.coalesce(sa.func.sum(family.bucket.c[name]), _ZERO).label(name) for name in form.columns),
    )
    where = (family.bucket.c.workspace_id == _WORKSPACE, family.bucket.c.shape == _text(leg.shape.name), days)
    select = select.where(*where, *source.kept()).select_from(source.source)
    by = [each for each in (tag if tag is family.bucket.c.bucket else None, key) if each is not None]
    return select.group_by(*by)


@lru_cache(maxsize=64)
def anything(spoken: Tongue, family: str, leg: Leg) -> Part:
    """Whether there is any cell in the buckets of the list `each`, or in a year before `year`: one row or none."""
    table = FAMILIES[family].bucket
    bucket = table.c.bucket

    def any_of(days: Condition) -> Condition:
        source = _Source(table, leg.kept)
        where = (table.c.workspace_id == _WORKSPACE, table.c.shape == _text(leg.shape.name), days, *source.kept())
        return sa.exists(sa.select(bucket).select_from(source.source).where(*where))

    years = sa.and_(bucket >= _text(FIRST_YEAR), bucket < parameter("year", sa.Text))
    return spell(spoken, sa.select(_ZERO.label("anything")).where(sa.or_(any_of(among(bucket, "each")), any_of(years))))


@dataclass(frozen=True, slots=True)
class Tail:
    """Rows of the cohort of the days `[start, end)` that were not won yet at the age of `known_to` (see `won_before`):
    the first two columns of its rows are the key and how many."""

    family: str
    axis: str
    ended: str
    column: str
    kept: tuple[Kept, ...]
    people: bool = False
    teams: bool = False
    """Only what is of `people`, or of `teams`."""
    group_by: str | None = None


@lru_cache(maxsize=256)
def tail(spoken: Tongue, form: Tail) -> Part:
    table = FAMILIES[form.family].tally
    days = listed("days").table_valued(sa.column("day", sa.Date), name="days")
    # Outward from the list, so that day by day the index gives only what was closed late.
    source = _Source(table, form.kept)
    key = None if form.group_by is None else source.key(form.group_by)
    late = [
        table.c.workspace_id == _WORKSPACE,
        table.c[form.axis] == days.c.day,
        table.c[form.ended] >= won_before(),
        table.c[form.column] != _ZERO,
    ]
    kept = [*source.kept()]
    seen = [among(table.c.rep, "people")] if form.people else []
    seen += [among(table.c.team, "teams")] if form.teams else []
    if seen:
        kept.append(sa.or_(*seen))
    counted = table.c[form.axis] if not kept else sa.case((sa.and_(*kept), table.c[form.axis]))
    select = sa.select((_NOTHING if key is None else key).label("key"), sa.func.count(counted).label("rows"))
    select = select.select_from(source.joined_to(days, sa.and_(*late)))
    return spell(spoken, select if key is None else select.group_by(key))


def won_before() -> ColumnElement[Any]:
    """`kpi.ask.Ask.won_before`, as the database finds it: the cohort before has had `age` days after its `end`."""
    known = sa.func.coalesce(known_to(), parameter("today", sa.Date))
    found = sa.select(days_between(parameter("last_day", sa.Date), known).label("age")).subquery("aged")
    age = sa.case((found.c.age > _ZERO, found.c.age), else_=_ZERO)
    return sa.select(day_plus(parameter("end", sa.Date), age)).scalar_subquery()


class _Source:
    """A table with key columns, what is joined to it, and which of its keys are kept."""

    def __init__(self, table: sa.Table, kept: Sequence[Kept]) -> None:
        self._table = table
        self._kept = kept
        self.source: FromClause = table
        self._office = person.alias("office")
        self._by_region = False

    def key(self, dimension: str) -> ColumnElement[Any]:
        """Null for "(none)"."""
        found = self._column(dimension)
        return found if dimension == "region" else sa.func.nullif(found, _NONE)

    def kept(self) -> Sequence[Condition]:
        return [condition for kept in self._kept for condition in self._condition(kept)]

    def joined_to(self, other: FromClause, on: Condition) -> FromClause:
        """The table joined to another that comes first, and its own joins after it."""
        found = other.outerjoin(self._table, on)
        return found.outerjoin(self._office, self._of_office()) if self._by_region else found

    def _column(self, dimension: str) -> ColumnElement[Any]:
        if dimension == "region":
            return self._region()
        if dimension in self._table.c:
            return self._table.c[dimension]
        return self._table.c.other

    def _region(self) -> ColumnElement[Any]:
        if not self._by_region:
            self._by_region = True
            self.source = self.source.outerjoin(self._office, self._of_office())
        return self._office.c.region

    def _of_office(self) -> Condition:
        return sa.and_(self._office.c.workspace_id == _WORKSPACE, self._office.c.id == self._table.c.rep)

    def _condition(self, kept: Kept) -> Iterator[Condition]:
        column = self._column(kept.dimension)
        match kept.how:
            case "is":
                yield column == parameter(kept.name, sa.Text)
            case "is_none":
                yield column.is_(None) if kept.dimension == "region" else column == _NONE
            case "below":
                yield column.in_(_below(kept.name))
            case "among":
                yield among(column, kept.name)
            case "not_among":
                yield sa.not_(among(column, kept.name))
        # Cells are in the order of teams, then reps: whose teams these are is known.
        if kept.dimension == "rep" and kept.how in {"is", "among"} and "other" in self._table.c:
            yield self._table.c.team.in_(_teams_of(kept))


def _teams_of(kept: Kept) -> sa.CompoundSelect[*tuple[Any, ...]]:
    person_id = membership.c.person_id
    mine = among(person_id, kept.name) if kept.how == "among" else person_id == parameter(kept.name, sa.Text)
    return sa.union_all(
        sa.select(membership.c.team_id).where(membership.c.workspace_id == _WORKSPACE, mine),
        sa.select(_NONE),
    )


@lru_cache(maxsize=8)
def _below(name: str) -> Select[*tuple[Any, ...]]:
    """A team and every team below it; a tree that bites its tail ends nevertheless."""
    tree = sa.select(sa.cast(parameter(name, sa.Text), sa.Text).label("id")).cte(f"tree_{name}", recursive=True)
    below = sa.select(team.c.id).where(team.c.workspace_id == _WORKSPACE, team.c.parent_id == tree.c.id)
    return sa.select(tree.union(below).c.id)
