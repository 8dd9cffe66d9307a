"""The tallies of deals, worked out from the facts."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select

from kpi.buckets import tally
from kpi.buckets.shapes import NONE
from kpi.buckets.tables import DEAL_KEYS
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
