"""What is due: rows noted by a page that were too many, or hang on something that changed, are folded bit by bit."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from kpi.buckets import batches, customers, deals, leads, state, touched
from kpi.buckets.fold import fold_rows
from kpi.buckets.state import State
from kpi.buckets.tables import FAMILIES, bucket_due
from kpi.buckets.touched import OF_CUSTOMER, OF_PERSON, OF_SOURCE, person_since
from storage.database import reading, writing

_NOTED = 2_000
"""Ids that are noted in one transaction."""
_EXPANDED = 200
"""Of what stands for other rows, so many at a time."""


def settle(
    engine: Engine, workspace_id: str, today: date, stop: Callable[[], bool], progress: Callable[[str, int], None]
) -> None:
    """Fold what is due, until nothing is and the buckets are ready, until told to stop, or until a build is needed."""
    while not stop():
        if batches.go_on(engine, workspace_id, today, stop, progress) or _expand(engine, workspace_id, progress):
            continue
        with writing(engine, again=True) as connection:
            standing = state.hold(connection, workspace_id)
            if standing.state is not State.DUE or not standing.within(today):
                return
            rows = _next(connection, workspace_id, tuple(FAMILIES), batches.ROWS)
            by_family = _by_family(rows)
            if len(rows) > touched.FEW:
                batches.open_batch(connection, workspace_id, by_family)
            elif rows:
                fold_rows(connection, workspace_id, by_family, today)
            elif _next(connection, workspace_id, (OF_CUSTOMER, OF_PERSON, OF_SOURCE), 1):
                continue
            else:
                state.write(connection, workspace_id, replace(standing, state=State.READY))
                return
            _done(connection, workspace_id, by_family)
        progress("due", len(rows))


def _next(connection: Connection, workspace_id: str, families: Sequence[str], most: int) -> Sequence[sa.Row[str, str]]:
    key = (bucket_due.c.family, bucket_due.c.id)
    mine = (bucket_due.c.workspace_id == workspace_id, bucket_due.c.family.in_(families))
    return connection.execute(sa.select(*key).where(*mine).order_by(*key).limit(most)).all()


def _by_family(rows: Sequence[sa.Row[str, str]]) -> Mapping[str, list[str]]:
    return {family: [row.id for row in some] for family, some in groupby(rows, lambda row: row.family)}


def _done(connection: Connection, workspace_id: str, ids: Mapping[str, Sequence[str]]) -> None:
    for family, some in ids.items():
        mine = (bucket_due.c.workspace_id == workspace_id, bucket_due.c.family == family)
        connection.execute(sa.delete(bucket_due).where(*mine, bucket_due.c.id.in_(some)))


def _expand(engine: Engine, workspace_id: str, progress: Callable[[str, int], None]) -> bool:
    """Note, row by row, what hangs on something that changed; False where there is no such thing."""
    with reading(engine) as connection:
        rows = _next(connection, workspace_id, (OF_CUSTOMER, OF_PERSON, OF_SOURCE), _EXPANDED)
        found = [(family, key) for family, select in _selects(workspace_id, rows) for key in connection.scalars(select)]
    if not rows:
        return False
    *before, end = [found[at : at + _NOTED] for at in range(0, len(found), _NOTED)] or [[]]
    for some in before:
        with writing(engine, again=True) as connection:
            _note(connection, workspace_id, some)
        progress("due", len(some))
    # Together, or whoever is killed after each transaction would note the same for ever.
    with writing(engine, again=True) as connection:
        _note(connection, workspace_id, end)
        _done(connection, workspace_id, _by_family(rows))
    progress("due", len(end))
    return True


def _note(connection: Connection, workspace_id: str, found: Sequence[tuple[str, str]]) -> None:
    state.hold(connection, workspace_id)
    for family, each in groupby(found, lambda pair: pair[0]):
        state.note_due(connection, workspace_id, family, [key for _, key in each])


def _selects(workspace_id: str, rows: Sequence[sa.Row[str, str]]) -> Iterator[tuple[str, sa.Select[str]]]:
    named: dict[str, list[str]] = {OF_CUSTOMER: [], OF_PERSON: [], OF_SOURCE: []}
    for family, key in rows:
        named[family].append(key)
    if ids := named[OF_CUSTOMER]:
        yield "deal", deals.of_customers(workspace_id, ids)
        yield "lead", leads.of_customers(workspace_id, ids)
    if sources := named[OF_SOURCE]:
        yield "lead", leads.of_sources(workspace_id, sources)
    for since, each in groupby(map(person_since, named[OF_PERSON]), lambda pair: pair[0]):
        people = [person for _, person in each]
        yield "deal", deals.of_people(workspace_id, people, since)
        if since == date.max:
            continue
        yield "lead", leads.of_people(workspace_id, people)
        yield "customer", customers.of_people(workspace_id, people)
