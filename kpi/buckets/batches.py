"""Folding many rows together. What they add is worked out while nobody is held up, and written in short transactions.

A batch takes rows out of `bucket_due`, so that whatever changes meanwhile is due again; it works out what they add; it
notes that, as what it wrote half of must be written to its end and not be worked out anew; then it writes. Each
transaction says how far it is, so that whoever is killed goes on. Meanwhile the buckets are not ready, nobody asks
them, and pages only note what is due: tallies and cells need not agree before the end.
"""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from kpi.buckets import state
from kpi.buckets.adding import Row
from kpi.buckets.fold import compared, puts, remove
from kpi.buckets.moves import Moves, between
from kpi.buckets.state import State
from kpi.buckets.tables import FAMILIES, bucket_batch
from storage.database import reading, writing
from storage.parts import Stride

ROWS = 2_000
"""Rows that are folded together: the more, the more of them share a cell."""
_CELLS = 400
"""Rows of the first transaction: most are cells, of which a transaction writes some thousands."""


def open_batch(connection: Connection, workspace_id: str, ids: Mapping[str, Sequence[str]]) -> None:
    """Begin a batch of these rows (ids by family), which are due no longer; there is no other."""
    values = {"workspace_id": workspace_id, "batch": uuid.uuid4().hex, "plan": json.dumps(ids)}
    connection.execute(sa.insert(bucket_batch).values(values))


def drop(connection: Connection, workspace_id: str) -> None:
    """Forget the batch, where there is one."""
    connection.execute(sa.delete(bucket_batch).where(bucket_batch.c.workspace_id == workspace_id))


def go_on(
    engine: Engine, workspace_id: str, today: date, stop: Callable[[], bool], progress: Callable[[str, int], None]
) -> bool:
    """Bring the batch, where there is one that counts, to its end, or until told to stop; whether there was one."""
    with reading(engine) as connection:
        standing = state.read(connection, workspace_id)
        mine = bucket_batch.c.workspace_id == workspace_id
        batch = connection.execute(sa.select(bucket_batch).where(mine)).first()
    if batch is None or standing.state is not State.DUE or not standing.within(today):
        return False
    if batch.written is None:
        _work_out(engine, workspace_id, today, batch.batch, json.loads(batch.plan))
        progress("fold", 0)
    else:
        _write(engine, workspace_id, batch.batch, json.loads(batch.plan), batch.written, stop, progress)
    return True


def _work_out(engine: Engine, workspace_id: str, today: date, batch: str, ids: Mapping[str, Sequence[str]]) -> None:
    """Note what the rows of the batch add."""
    with reading(engine) as connection:
        moves = [[each.family, each.gone, each.come] for each in compared(connection, workspace_id, ids, today)]
    plan = json.dumps(moves, default=date.isoformat, separators=(",", ":"))
    with writing(engine, again=True) as connection:
        if _holds(connection, workspace_id, batch, None):
            _set(connection, workspace_id, plan=plan, written=0)


def _write(
    engine: Engine,
    workspace_id: str,
    batch: str,
    plan: Sequence[Sequence[Any]],
    written: int,
    stop: Callable[[], bool],
    progress: Callable[[str, int], None],
) -> None:
    moves = [_moves(*each) for each in plan]
    # Tallies first: a stride that is learnt from them is not too long for cells.
    writes = sorted((put for each in moves for put in puts(workspace_id, each)), key=lambda put: put.adding)
    stride, whole = Stride(_CELLS), sum(len(put.rows) for put in writes)
    while True:
        some = list(between(writes, written, written + stride.rows))
        rows = sum(len(part) for _, part in some)
        with stride.writing(engine, rows) as connection:
            if not _holds(connection, workspace_id, batch, written):
                return
            for put, part in some:
                put.write(connection, part)
            written += rows
            if written < whole:
                _set(connection, workspace_id, written=written)
            else:
                for each in moves:
                    remove(connection, workspace_id, each)
                drop(connection, workspace_id)
        progress("fold", rows)
        if written == whole or stop():
            return


def _moves(family: str, gone: Sequence[list[Any]], come: Sequence[list[Any]]) -> Moves:
    table = FAMILIES[family].tally
    days = [at for at, column in enumerate(table.c) if isinstance(column.type, sa.Date)]

    def read(row: list[Any]) -> Row:
        for at in days:
            row[at] = None if row[at] is None else date.fromisoformat(row[at])
        return tuple(row)

    return Moves(family, [read(row) for row in gone], [read(row) for row in come])


def _holds(connection: Connection, workspace_id: str, batch: str, written: int | None) -> bool:
    """Whether it is still this batch, and as far; until the end of the transaction nobody else moves it."""
    standing = state.hold(connection, workspace_id)
    at = sa.select(bucket_batch.c.batch, bucket_batch.c.written).where(bucket_batch.c.workspace_id == workspace_id)
    return standing.state is State.DUE and connection.execute(at).first() == (batch, written)


def _set(connection: Connection, workspace_id: str, **values: object) -> None:
    mine = bucket_batch.c.workspace_id == workspace_id
    connection.execute(sa.update(bucket_batch).where(mine).values(**values))
