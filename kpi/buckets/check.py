"""The nightly self-check: some tallies against the facts, and the cells of some days against the tallies.

Nothing that it looks for should ever be there. A tally that is wrong is due to be folded, which mends its cells too.
Where a cell is not the sum of the tallies, others that were not looked at are as likely wrong: everything is built
anew. Until either is done, the facts answer.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Table

from kpi import period as periods
from kpi.buckets import customers, state, sums
from kpi.buckets.adding import Row
from kpi.buckets.build import forget
from kpi.buckets.fold import KINDS, tallies
from kpi.buckets.shapes import LETTERS, UNDATED, code
from kpi.buckets.state import State
from kpi.buckets.sums import Sums
from kpi.buckets.tables import CUSTOMER, FAMILIES, LEAD, Family
from kpi.period import Grain
from storage import schema
from storage.database import reading, writing

BLOCK = 50
"""Rows that stand side by side are looked at together."""
DAYS = 3
"""Days of each family whose cells are looked at, with the units in which they lie."""

_FACTS: Mapping[str, Table] = {"deal": schema.deal, "lead": schema.lead, "customer": schema.customer}
_SMALLER = {Grain.WEEK: Grain.DAY, Grain.MONTH: Grain.DAY, Grain.YEAR: Grain.MONTH}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, and what of it was wrong: nothing was looked at where the buckets are not ready."""

    tallies: int = 0
    cells: int = 0
    wrong_tallies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Ids by family."""
    wrong_cells: Mapping[str, int] = field(default_factory=dict)
    """How many, by family."""

    @property
    def right(self) -> bool:
        return not self.wrong_tallies and not self.wrong_cells


def check(engine: Engine, workspace_id: str, today: date, *, sample: int, seed: int) -> Checked:
    """Look at about `sample` tallies of each family and at the cells of some of their days; have what is wrong mended.

    Call `kpi.buckets.settle` afterwards where the answer is not `right`. `today` is a local day of the workspace; the
    same `seed` looks at the same rows of the same data. Reads for seconds where there are millions of rows, and holds
    nobody up meanwhile.
    """
    with reading(engine) as connection:
        if not state.read(connection, workspace_id).holds(today):
            return Checked()
        # A sample, not a secret.
        dice = random.Random(seed)  # noqa: S311
        looks = [_look(connection, family, workspace_id, today, sample, dice) for family in FAMILIES.values()]
    checked = Checked(
        tallies=sum(look.tallies for look in looks),
        cells=sum(look.cells for look in looks),
        wrong_tallies={look.family: look.wrong_tallies for look in looks if look.wrong_tallies},
        wrong_cells={look.family: look.wrong_cells for look in looks if look.wrong_cells},
    )
    if not checked.right:
        _mend(engine, workspace_id, checked)
    return checked


def _mend(engine: Engine, workspace_id: str, checked: Checked) -> None:
    with writing(engine) as connection:
        if checked.wrong_cells:
            forget(connection, workspace_id)
            return
        standing = state.hold(connection, workspace_id)
        for family, ids in checked.wrong_tallies.items():
            state.note_due(connection, workspace_id, family, ids)
        if standing.state is State.READY:
            state.write(connection, workspace_id, replace(standing, state=State.DUE))


@dataclass(slots=True)
class _Look:
    """What was seen of one family."""

    family: str
    tallies: int
    wrong_tallies: tuple[str, ...]
    cells: int = 0
    wrong_cells: int = 0

    def compare(self, there: Sums, right: Sums) -> None:
        places = there.keys() | right.keys()
        self.cells += len(places)
        self.wrong_cells += sum(there.get(place) != right.get(place) for place in places)


def _look(
    connection: Connection, family: Family, workspace_id: str, today: date, sample: int, dice: random.Random
) -> _Look:
    table, ids = family.tally, _ids(connection, family, workspace_id, sample, dice)
    mine = (table.c.workspace_id == workspace_id, table.c.id.in_(ids))
    there = {row.id: tuple(row) for row in connection.execute(sa.select(table).where(*mine))}
    right = {row[1]: tuple(row) for row in _told(connection, family, workspace_id, ids, today)}
    seen = there.keys() | right.keys()
    look = _Look(family.name, len(seen), tuple(sorted(key for key in seen if there.get(key) != right.get(key))))
    for day in _days(connection, family, workspace_id, dice):
        for first, right_sums in _expected(connection, family, workspace_id, day):
            look.compare(sums.added_up(connection, family, workspace_id, [first]), right_sums)
    undated = sums.of_tallies(connection, family, workspace_id, None)
    look.compare(sums.added_up(connection, family, workspace_id, [UNDATED]), undated)
    if family is LEAD:
        look.compare(*sums.histogram(connection, workspace_id))
    return look


def _ids(connection: Connection, family: Family, workspace_id: str, sample: int, dice: random.Random) -> Sequence[str]:
    """Blocks of ids that begin anywhere, of the facts, and of tallies that stand where these do; or all of few."""
    facts = _FACTS[family.name]
    mine = facts.c.workspace_id == workspace_id
    total = connection.execute(sa.select(sa.func.count()).select_from(facts).where(mine)).scalar_one()
    few = total <= sample
    found: set[str] = set()
    for place in [0] if few else [dice.randrange(total) for _ in range(-(-sample // BLOCK))]:
        begins = sa.select(facts.c.id).where(mine).order_by(facts.c.id).offset(place).limit(1)
        first = "" if few else connection.execute(begins).scalar_one()
        for table in (facts, family.tally):
            block = (table.c.workspace_id == workspace_id, table.c.id >= first)
            ids = sa.select(table.c.id).where(*block).order_by(table.c.id)
            found.update(connection.scalars(ids.limit(sample if few else BLOCK)))
    return sorted(found)


def _told(connection: Connection, family: Family, workspace_id: str, ids: Sequence[str], today: date) -> Sequence[Row]:
    """The tallies as the facts have them."""
    if family is CUSTOMER:
        return customers.told(connection, workspace_id, ids)
    return tallies(connection, KINDS[family.name], workspace_id, ids, today)


def _days(connection: Connection, family: Family, workspace_id: str, dice: random.Random) -> Sequence[date]:
    """Some days that have cells."""
    table, day = family.bucket, LETTERS[Grain.DAY]
    mine = (table.c.workspace_id == workspace_id, table.c.shape == "all", table.c.bucket.startswith(day))
    buckets = connection.scalars(sa.select(table.c.bucket).where(*mine).order_by(table.c.bucket)).all()
    return [date.fromisoformat(each.removeprefix(day)) for each in dice.sample(buckets, min(DAYS, len(buckets)))]


def _expected(connection: Connection, family: Family, workspace_id: str, day: date) -> Iterator[tuple[str, Sums]]:
    """The bucket of a day and those in which it lies, each with what its cells should be: a day's as its tallies add up
    to, the others' as the smaller buckets do."""
    yield code(Grain.DAY, day), sums.of_tallies(connection, family, workspace_id, day)
    for grain, smaller in _SMALLER.items():
        shapes = {shape.name for shape in family.shapes if grain in shape.grains}
        unit = periods.containing(grain, day)
        parts = sorted({code(smaller, unit.start + timedelta(days=at)) for at in range(unit.days)})
        found = sums.added_up(connection, family, workspace_id, parts)
        yield code(grain, day), {place: more for place, more in found.items() if place[0] in shapes}
