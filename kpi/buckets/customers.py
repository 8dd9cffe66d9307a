"""What customers add to the buckets, and how the cells of the KPIs of customers follow from what was added up.

The columns of `customer_bucket` (`spells.COLUMNS`) are of two sorts:

- levels: `active`, `active_by_contract`, `first_day_sum`, `kept`, `kept_by_contract`, `won_back`, `buyers`. Their value
  on a day is the sum of all cells up to that day (the years before its year, the months of its year before its month,
  the days of its month up to it). A single cell means nothing.
- flows: `new`, `sales`, `with_amount`, `amount` (minor units), `unconverted`. Their value over [start, end) is the sum
  of the cells of those days; as well, the sum up to `end - 1` minus the sum up to `start - 1`.

There are no undated rows, and no cells of weeks: of a week, the days are added up. Some days lie in the future: up to a
day `e`, only events up to `e` count, whatever `today` is.

With up(c, d) for the sum of column `c` over all cells up to the end of day `d`, and for a window [start, end) of the 12
months that end with it, `start == add_months(end, -12)`, e = end - 1 day, s = start - 1 day:

`kpi.retention`, only of such windows (any other is asked of the facts):
    at_start = up(active, s)    at_end = up(active, e)    kept = up(kept, e)    won_back = up(won_back, e)
    new = up(new, e) - up(new, s)
    by_contract = up(active_by_contract, s) + up(active_by_contract, e) - up(kept_by_contract, e)
    by_purchase = at_start + at_end - kept - by_contract

`kpi.lifetime`, of any period, with [start, end) = `lifetime.year_to(period)`:
    sales, with_amount, amount, unconverted = up(column, e) - up(column, s)
    buyers = up(buyers, e)
    at_start, kept, at_end as above
    tenure_days = end.toordinal() * up(active, e) - up(first_day_sum, e)

`new` of `kpi.acquisition`, over any [start, end): up(new, end - 1) - up(new, start - 1).

What these plans tell as left out are deals (population SALES_OF_CUSTOMERS, of the same window), not customers.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select

from kpi.buckets import adding
from kpi.buckets.shapes import NONE
from kpi.buckets.spells import FOREVER, Events, Spell, events
from kpi.buckets.tables import CUSTOMER_KEYS, customer_tally
from kpi.customers import CustomerRows, spells_of
from kpi.rows import Which
from storage.database import Part, Tongue, among, days_between, run, spell, tongue
from storage.history import Change
from storage.rows import Row
from storage.schema import contract, deal, purchase

Keys = tuple[str, ...]
"""In the order of `CUSTOMER_KEYS`."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a customer adds to the buckets."""

    keys: Keys
    events: Events


def computed(workspace_id: str, which: Which) -> Select[Any]:
    """One row per spell of these customers, in no order: id, keys, first day, days to the last one, whether by a
    contract, amount, value."""
    spells = spells_of(workspace_id, which).subquery("spells")
    mine = sa.literal(workspace_id, sa.Text).label("workspace_id")
    table = sa.select(mine, spells, spells.c.starts_on.label("first_day")).subquery("lives")
    rows = CustomerRows(workspace_id, table, which)
    keys = [sa.func.coalesce(rows.key(key), NONE).label(key) for key in CUSTOMER_KEYS]
    # As a number of days: a last day beyond the calendar is none to a driver.
    lasts = days_between(rows.c.starts_on, rows.c.ends_on).label("lasts")
    told = (rows.c.starts_on, lasts, rows.c.by_contract, rows.c.amount_minor, rows.c.value_minor)
    return sa.select(rows.c.customer_id, *keys, *told).select_from(rows.source)


def tallies(rows: Iterable[Sequence[Any]]) -> dict[str, Tally]:
    """By customer, from the rows of `computed`."""
    found = {}
    for customer, spells in groupby(sorted(rows, key=itemgetter(0)), itemgetter(0)):
        mine = list(spells)
        found[customer] = Tally(tuple(mine[0][1:5]), events([_spell(*row[5:]) for row in mine]))
    return found


def _spell(starts_on: date, lasts: int | None, by_contract: int, amount: int | None, value: int | None) -> Spell:
    first = starts_on.toordinal()
    last = FOREVER if lasts is None else min(first + lasts, FOREVER)
    return Spell(first, last, by_contract == 1, amount is not None, value)


def row_of(workspace_id: str, customer: str, tally: Tally) -> tuple[str, ...]:
    """The row of `customer_tally`, in the order of its columns; the same tally is the same row."""
    return (workspace_id, customer, *tally.keys, json.dumps(tally.events, separators=(",", ":")))


def tally_of(row: Sequence[str]) -> Tally:
    """The tally of a row of `customer_tally`."""
    *_, told = row
    return Tally(tuple(row[2:-1]), {int(day): adds for day, adds in json.loads(told).items()})


def told(connection: Connection, workspace_id: str, ids: Iterable[str]) -> list[tuple[str, ...]]:
    """The rows of `customer_tally` of these customers as the facts have them: none for one who never bought."""
    parts = {"told": _computed(tongue(connection), workspace_id)}
    found = run(connection, parts, {"told": {"ids": sorted(set(ids))}})
    return [row_of(workspace_id, key, tally) for key, tally in tallies(found["told"]).items()]


def next_ids(workspace_id: str, after: str, most: int) -> Select[Any]:
    """The first customers after an id, in the order of ids, of whom a deal, contract or purchase tells."""
    selects = []
    for table in (deal, contract, purchase):
        column = table.c.customer_id
        mine = (table.c.workspace_id == workspace_id, column > after)
        some = sa.select(column).where(*mine).distinct().order_by(column).limit(most).subquery()
        selects.append(sa.select(some.c.customer_id))
    union = sa.union(*selects).subquery()
    return sa.select(union.c.customer_id).order_by(union.c.customer_id).limit(most)


def stored_and_told(
    connection: Connection, workspace_id: str, ids: Iterable[str]
) -> tuple[list[tuple[Any, ...]], list[tuple[str, ...]]]:
    """The rows of `customer_tally` of these customers as they are, and as the facts have them."""
    asked = sorted(set(ids))
    stored = {"stored": _stored(tongue(connection), workspace_id)}
    return run(connection, stored, {"stored": {"ids": asked}})["stored"], told(connection, workspace_id, asked)


def parts(gone: Iterable[Sequence[str]], come: Iterable[Sequence[str]]) -> list[adding.Part]:
    """What tallies that no longer hold, and those that hold now, add to the buckets."""
    return [*added_by(map(tally_of, gone), -1), *added_by(map(tally_of, come), 1)]


def added_by(tallies: Iterable[Tally], sign: int) -> list[adding.Part]:
    """What tallies add (1) to the buckets, or take away (-1)."""
    import numpy as np

    days, keys, numbers = [], [], []
    for tally in tallies:
        for day, adds in tally.events.items():
            days.append(_day(day))
            keys.append(tally.keys)
            numbers.append(adds)
    return [adding.Part(days, keys, sign * np.array(numbers, dtype=np.int64))] if days else []


@lru_cache(maxsize=1 << 14)
def _day(ordinal: int) -> date:
    return date.fromordinal(ordinal)


@lru_cache(maxsize=64)
def _computed(spoken: Tongue, workspace_id: str) -> Part:
    return spell(spoken, computed(workspace_id, lambda customer: among(customer, "ids")))


@lru_cache(maxsize=64)
def _stored(spoken: Tongue, workspace_id: str) -> Part:
    mine = customer_tally.c.workspace_id == workspace_id
    return spell(spoken, sa.select(customer_tally).where(mine, among(customer_tally.c.id, "ids")))


def named(changes: Iterable[Change]) -> set[str]:
    """The customers that changes name: whose segment or source, contract, purchase or won deal is another now."""
    found = set()
    for change in changes:
        columns = _SAID.get(change.object)
        if columns is not None:
            before, after = _says(change.before, columns), _says(change.after, columns)
            if before != after:
                found |= {said[0] for said in (before, after) if said is not None}
    return found


_SAID: Mapping[str, tuple[str, ...]] = {
    "customer": ("id", "segment", "origin"),
    "contract": ("customer_id", "starts_on", "ends_on", "deleted_at"),
    "purchase": ("customer_id", "purchased_on", "amount_minor", "value_minor", "deleted_at"),
    "deal": ("customer_id", "closed_on", "amount_minor", "value_minor", "owner_id", "segment", "origin"),
}
"""What rows say of their customer, whom the first column names."""


def _says(row: Row | None, columns: Sequence[str]) -> tuple[Any, ...] | None:
    if row is None or row[columns[0]] is None:
        return None
    if "status" in row and (row["status"] != "won" or row["deleted_at"] is not None or row["closed_on"] is None):
        return None
    return tuple(row[name] for name in columns)


def of_people(workspace_id: str, people: Sequence[str]) -> Select[Any]:
    """The customers in whose tally one of these people is the owner: of a membership that changed."""
    mine = customer_tally.c.workspace_id == workspace_id
    return sa.select(customer_tally.c.id).where(mine, customer_tally.c.rep.in_(people))
