"""Cells of which nothing is left: a row that moved on took away all that it had added. They cost room, nothing else."""

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy import Engine, Table

from kpi.buckets.tables import FAMILIES
from storage.database import reading, writing

AT_ONCE = 500
"""Cells that are deleted in one transaction."""


def sweep(engine: Engine, workspace_id: str, *, stop: Callable[[], bool] | None = None) -> int:
    """Delete the cells that hold nothing but zeros; gives how many there were. In short transactions."""
    return sum(_sweep(engine, workspace_id, family.bucket, stop or (lambda: False)) for family in FAMILIES.values())


def _sweep(engine: Engine, workspace_id: str, table: Table, stop: Callable[[], bool]) -> int:
    keys = [column for column in table.primary_key if column.name != "workspace_id"]
    mine = table.c.workspace_id == workspace_id
    nothing = sa.and_(*(column == 0 for column in table.c if not column.primary_key))
    # Whoever adds to one of them meanwhile makes it something, and it stays.
    delete = sa.delete(table).where(mine, nothing, *(key == sa.bindparam(f"key_{key.name}") for key in keys))
    names = [f"key_{key.name}" for key in keys]
    with reading(engine) as connection:
        found = connection.execute(sa.select(*keys).where(mine, nothing)).all()
    for at in range(0, len(found), AT_ONCE):
        if stop():
            return at
        some = [dict(zip(names, row, strict=True)) for row in found[at : at + AT_ONCE]]
        with writing(engine, again=True) as connection:
            connection.execute(delete, some)
    return len(found)
