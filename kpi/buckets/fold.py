"""Folding: what some rows add to the buckets is brought to what the facts say of them now.

New = worked out from the facts, old = the stored tally: the cells get the difference, and the tally becomes new. To
fold a row again changes nothing, so that whatever was missed is mended when the row is folded next.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from kpi.buckets import customers, deals, leads, state, teams, touched
from kpi.buckets.adding import Cell, Part, Row, told
from kpi.buckets.moves import Moves, Put, moves_of
from kpi.buckets.state import State
from kpi.buckets.tables import CUSTOMER, DEAL, FAMILIES, LEAD, Family
from kpi.rows import Given, Which
from storage.database import Part as Spelled
from storage.database import Tongue, among, parameter, run, spell, tongue
from storage.history import Change


def fold(connection: Connection, workspace_id: str, changes: Sequence[Change], today: date) -> None:
    """Bring the buckets to what changed rows say now, in the transaction that changed them (its history is written).

    More than a few are noted as due, and so is whatever comes while others wait: the facts answer until
    `kpi.buckets.settle` has folded them together, which costs a third, as they share cells. `today` is a local day of
    the workspace.
    """
    standing = state.hold(connection, workspace_id)
    if not standing.begun:
        return
    found = touched.touched(connection, workspace_id, changes)
    if found.moves or not standing.within(today):
        standing = teams.as_of(connection, workspace_id, standing, today)
        state.write(connection, workspace_id, standing)
    if not found:
        return
    at_once = not any(found.later.values()) and sum(map(len, found.ids.values())) <= touched.FEW
    if standing.state is State.READY and at_once:
        fold_rows(connection, workspace_id, found.ids, today)
        return
    for family, ids in (*found.ids.items(), *found.later.items()):
        state.note_due(connection, workspace_id, family, ids)
    if standing.state is State.READY:
        state.write(connection, workspace_id, replace(standing, state=State.DUE))


def fold_rows(connection: Connection, workspace_id: str, ids: Mapping[str, Collection[str]], today: date) -> None:
    """Fold these deals, leads and customers (ids by family)."""
    for moves in compared(connection, workspace_id, ids, today):
        for put in puts(workspace_id, moves):
            put.write(connection, put.rows)
        remove(connection, workspace_id, moves)


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows whose tally is one row of one select."""

    family: Family
    axes: tuple[str, str]
    """The days of a tally, in the order of its parts."""
    computed: Callable[[Given, date | sa.ColumnElement[date], Which], sa.Select[Any]]
    """The tallies of some rows of a workspace, as of today."""
    parts: Callable[[Sequence[Row], Sequence[Row]], list[Part]]
    """What tallies that no longer hold, and those that hold now, add to the buckets."""
    beside: Callable[[str, Sequence[Row], Sequence[Row]], list[Cell]] = lambda _workspace_id, _gone, _come: []
    """Cells of no day."""


def _leads(workspace_id: Given, _today: date | sa.ColumnElement[date], which: Which) -> sa.Select[Any]:
    return leads.computed(workspace_id, which)


KINDS: Mapping[str, Kind] = {
    "deal": Kind(DEAL, ("created_on", "closed_on"), deals.computed, deals.parts),
    "lead": Kind(LEAD, ("day", "won_on"), _leads, leads.parts, leads.histogram),
}


def tallies(connection: Connection, kind: Kind, workspace_id: str, ids: Iterable[str], today: date) -> list[Row]:
    """The tallies of these rows as the facts have them, in no order."""
    part = _told_and_stored(tongue(connection), kind.family.name)["told"]
    return run(connection, {"told": part}, {"told": _asked(workspace_id, ids, today)})["told"]


def _asked(workspace_id: str, ids: Iterable[str], today: date) -> Mapping[str, object]:
    return {"workspace": workspace_id, "ids": sorted(set(ids)), "today": today}


def compared(
    connection: Connection, workspace_id: str, ids: Mapping[str, Collection[str]], today: date
) -> Iterator[Moves]:
    """What these deals, leads and customers (ids by family) add by now, against what they added."""
    for kind in KINDS.values():
        if mine := ids.get(kind.family.name):
            parts = _told_and_stored(tongue(connection), kind.family.name)
            found = run(connection, parts, dict.fromkeys(parts, _asked(workspace_id, mine, today)))
            yield moves_of(kind.family.name, found["stored"], found["told"])
    if mine := ids.get(CUSTOMER.name):
        yield moves_of(CUSTOMER.name, *customers.stored_and_told(connection, workspace_id, mine))


def puts(workspace_id: str, moves: Moves) -> list[Put]:
    """The tallies that hold now, and what is added to cells, always in the same order."""
    family = FAMILIES[moves.family]
    if not moves.gone and not moves.come:
        return []
    cells: list[Cell] = []
    if family is CUSTOMER:
        parts = customers.parts(moves.gone, moves.come)
    else:
        kind = KINDS[moves.family]
        parts, cells = kind.parts(moves.gone, moves.come), kind.beside(workspace_id, moves.gone, moves.come)
    return [
        Put(family.tally, None, moves.come),
        *(Put(family.bucket, each.columns, each.rows, adding=True) for each in told(family, workspace_id, parts)),
        Put(family.bucket, None, cells, adding=True),
    ]


def remove(connection: Connection, workspace_id: str, moves: Moves) -> None:
    """The tallies of rows that are no more."""
    if left := moves.left:
        table = FAMILIES[moves.family].tally
        connection.execute(sa.delete(table).where(table.c.workspace_id == workspace_id, table.c.id.in_(left)))


@lru_cache(maxsize=8)
def _told_and_stored(spoken: Tongue, family: str) -> Mapping[str, Spelled]:
    kind, workspace_id = KINDS[family], parameter("workspace", sa.Text)
    computed = kind.computed(workspace_id, parameter("today", sa.Date), lambda key: among(key, "ids"))
    table = kind.family.tally
    stored = sa.select(table).where(table.c.workspace_id == workspace_id, among(table.c.id, "ids"))
    return {"told": spell(spoken, computed), "stored": spell(spoken, stored)}
