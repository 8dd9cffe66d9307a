"""The tallies of deals, worked out from the facts, what they add, and the deals that a change touches."""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select

from kpi.buckets import tally
from kpi.buckets.adding import IDENTITY, Part, Row, moved
from kpi.buckets.shapes import NONE
from kpi.buckets.tables import DEAL_KEYS, deal_tally
from kpi.rows import DealRows, Given, Which
from storage.history import Change
from storage.rows import Row as Fact
from storage.schema import deal

_KEYS = IDENTITY + len(DEAL_KEYS)
SAID = _KEYS + 3
"""Columns before the numbers: identity, keys, days of creation and closing, whether it is open."""


def computed(workspace_id: Given, today: date | ColumnElement[date], which: Which) -> Select[Any]:
    """The rows of `deal_tally` of these deals as the facts have them, in the order of its columns.

    An open deal belongs to its owner's team of `today`.
    """
    rows = DealRows(workspace_id, today)
    keys = [sa.func.coalesce(rows.key(key), NONE).label(key) for key in DEAL_KEYS]
    waiting = sa.case((tally.is_waiting(rows), 1), else_=0).label("waiting")
    columns = [each.each(rows).label(each.name) for each in tally.added("deal")]
    select = sa.select(rows.c.workspace_id, rows.c.id, *keys, rows.c.created_on, rows.c.closed_on, waiting, *columns)
    return select.select_from(rows.source).where(rows.mine(), which(rows.c.id))


def parts(gone: Sequence[Row], come: Sequence[Row]) -> list[Part]:
    """What tallies that no longer hold, and those that hold now, add to the buckets: by creation, and by closing."""
    import numpy as np

    rows, numbers = moved(gone, come, SAID)
    keys = [row[IDENTITY:_KEYS] for row in rows]
    created, closed = [row[_KEYS] for row in rows], [row[_KEYS + 1] for row in rows]
    opens, ends, stock = _axes()
    over = np.array([row[SAID - 1] == 0 for row in rows], dtype=bool).reshape(len(rows), 1)
    leaves = np.where(over & stock, -numbers, 0)
    return [Part(created, keys, numbers * opens), Part(closed, keys, numbers * ends + leaves)]


@lru_cache(maxsize=1)
def _axes() -> tuple[Any, Any, Any]:
    """Which columns count on the day of creation, on that of closing, and while open."""
    import numpy as np

    axes = [each.axis for each in tally.added("deal")]
    by = [[axis in wanted for axis in axes] for wanted in ({"created_on", tally.STOCK}, {"closed_on"}, {tally.STOCK})]
    opens, ends, stock = (np.array(each, dtype=bool) for each in by)
    return opens, ends, stock


def later_wins(
    connection: Connection, workspace_id: str, changes: Iterable[Change], most: int
) -> tuple[set[str], set[str]]:
    """The deals that a changed win makes first or additional sales: later wins of the same customers.

    Where there are more than `most`, the customers instead (the second set).
    """
    since: dict[str, date] = {}
    for change in changes:
        if change.object == "deal":
            before, after = _win(change.before), _win(change.after)
            if before != after:
                for customer, closed_on, _ in filter(None, (before, after)):
                    since[customer] = min(closed_on, since.get(customer, closed_on))
    if not since:
        return set(), set()
    later = (
        sa.select(deal.c.id, deal.c.customer_id, deal.c.closed_on)
        .where(deal.c.workspace_id == workspace_id, deal.c.customer_id.in_(list(since)))
        .where(deal.c.closed_on > min(since.values()), deal.c.status == "won", deal.c.kind.is_(None))
        .limit(most + 1)
    )
    found = connection.execute(later).all()
    if len(found) > most:
        return set(), set(since)
    return {row.id for row in found if row.closed_on > since[row.customer_id]}, set()


def _win(row: Fact | None) -> tuple[str, date, str | None] | None:
    """What the later sales of its customer look at; None where they do not look at it."""
    if row is None or row["status"] != "won" or row["deleted_at"] is not None:
        return None
    if row["customer_id"] is None or row["closed_on"] is None:
        return None
    return row["customer_id"], row["closed_on"], row["product_id"]


def of_customers(workspace_id: str, customers: Sequence[str]) -> Select[Any]:
    """The deals whose segment, source or kind may hang on one of these customers."""
    return sa.select(deal.c.id).where(deal.c.workspace_id == workspace_id, deal.c.customer_id.in_(customers))


def of_people(workspace_id: str, people: Sequence[str], since: date) -> Select[Any]:
    """The deals that one of these people owns on a day since then, or today: of memberships that changed."""
    mine = (deal_tally.c.workspace_id == workspace_id, deal_tally.c.rep.in_(people))
    then = sa.or_(deal_tally.c.closed_on.is_(None), deal_tally.c.closed_on >= since)
    return sa.select(deal_tally.c.id).where(*mine, then)
