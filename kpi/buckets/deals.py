"""The tallies of deals, worked out from the facts."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select

from kpi.buckets import tally
from kpi.buckets.adding import IDENTITY, Part, Row, moved
from kpi.buckets.shapes import NONE
from kpi.buckets.tables import DEAL_KEYS, deal_tally
from kpi.rows import DealRows


def computed(workspace_id: str, today: date, *these: ColumnElement[bool]) -> tuple[DealRows, Select[tuple[Any, ...]]]:
    """The rows of `deal_tally` as the facts have them, in the order of its columns; narrow them by `rows.c`.

    An open deal belongs to its owner's team of `today`.
    """
    rows = DealRows(workspace_id, today)
    keys = [sa.func.coalesce(rows.key(key), NONE).label(key) for key in DEAL_KEYS]
    waiting = sa.case((tally.is_waiting(rows), 1), else_=0).label("waiting")
    columns = [each.each(rows).label(each.name) for each in tally.added("deal")]
    select = sa.select(rows.c.workspace_id, rows.c.id, *keys, rows.c.created_on, rows.c.closed_on, waiting, *columns)
    return rows, select.select_from(rows.source).where(rows.mine(), *these)


SAID = IDENTITY + len(DEAL_KEYS) + 3
"""Columns before the numbers: identity, keys, two days, whether it is open."""


def parts(gone: Sequence[Row], come: Sequence[Row]) -> list[Part]:
    """What tallies that no longer hold, and those that hold now, add to the buckets."""
    import numpy as np

    rows, numbers = moved(gone, come, SAID)
    keys = [row[IDENTITY : IDENTITY + len(DEAL_KEYS)] for row in rows]
    created, closed = [row[SAID - 3] for row in rows], [row[SAID - 2] for row in rows]
    axes = [each.axis for each in tally.added("deal")]
    opens = np.array([axis in {"created_on", tally.STOCK} for axis in axes])
    ends = np.array([axis == "closed_on" for axis in axes])
    stock = np.array([axis == tally.STOCK for axis in axes])
    over = np.array([[row[SAID - 1] == 0] for row in rows], dtype=bool).reshape(len(rows), 1)
    leaves = np.where(stock & over, -numbers, 0)
    return [Part(created, keys, numbers * opens), Part(closed, keys, numbers * ends + leaves)]


def stored(workspace_id: str, *these: ColumnElement[bool]) -> Select[tuple[Any, ...]]:
    """The tallies as they are stored, in the order of the table's columns."""
    return sa.select(deal_tally).where(deal_tally.c.workspace_id == workspace_id, *these)
