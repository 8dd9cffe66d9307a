"""The names of groups, joined to whatever was counted by key."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import FromClause, Select

from kpi.ask import Ask
from kpi.rows import NAMED


def with_names(ask: Ask, counted: FromClause) -> Select[tuple[Any, ...]]:
    """The rows of `counted` (with a column `key`) and the `name` of each key: null for "(none)" and for totals."""
    group_by = ask.query.group_by
    if group_by is None or group_by not in NAMED:
        return sa.select(counted, counted.c.key.label("name"))
    named = NAMED[group_by]
    same = sa.and_(named.c.workspace_id == ask.workspace_id, named.c.id == counted.c.key)
    name = sa.func.coalesce(named.c.name, counted.c.key).label("name")
    return sa.select(counted, name).select_from(counted.outerjoin(named, same))
