"""Bringing buckets to where they can be relied on: a full build, or what is due, in short transactions.

A build clears what is there, tallies every deal, lead and customer, then adds the tallies up (`kpi.buckets.stages`).
Its position is written with every transaction, so that whoever is killed goes on. What changes meanwhile is noted as
due by `kpi.buckets.fold`, and folded at the end; no tally changes while they are added up.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection, Engine

from kpi.buckets import batches, due, state, teams
from kpi.buckets.stages import Build, position, stages, stands
from kpi.buckets.state import Standing, State
from kpi.buckets.tables import FAMILIES
from storage.database import reading, refresh_statistics, writing
from storage.parts import Stride

Stop = Callable[[], bool]
Progress = Callable[[str, int], None]
"""Called after each transaction with what it was about and how many rows it wrote."""

_ROWS = 200
"""Rows of a stage's first transaction: each takes tens of microseconds."""


def settle(
    engine: Engine, workspace_id: str, today: date, *, stop: Stop | None = None, progress: Progress | None = None
) -> bool:
    """Bring the buckets to where questions of the local day `today` can be answered from them; True = they can.

    In short transactions, beside whatever changes meanwhile. `stop` is asked after each: True ends it, to go on later.
    Killed at any point, the next call goes on. Raises `LookupError` for a workspace that does not exist.
    """
    stop, progress = stop or (lambda: False), progress or (lambda _what, _rows: None)
    while True:
        with reading(engine) as connection:
            if state.read(connection, workspace_id).holds(today):
                return True
        if stop():
            return False
        with writing(engine) as connection:
            standing = _stand(connection, workspace_id, today)
        if standing.state is State.BUILDING:
            _build(Build(engine, workspace_id, today), standing, stop, progress)
        else:
            due.settle(engine, workspace_id, today, stop, progress)


def rebuild(engine: Engine, workspace_id: str) -> None:
    """Have everything built anew by the next `settle`; until then the facts answer."""
    with writing(engine) as connection:
        forget(connection, workspace_id)


def forget(connection: Connection, workspace_id: str) -> None:
    """`rebuild`, in the transaction of what makes it necessary: another currency."""
    standing = state.hold(connection, workspace_id)
    state.write(connection, workspace_id, replace(standing, state=State.BUILDING, position=""))


def _stand(connection: Connection, workspace_id: str, today: date) -> Standing:
    """How the buckets stand, once a build is begun where it has to be, and teams are those of today."""
    standing = found = state.hold(connection, workspace_id)
    if not standing.begun:
        batches.drop(connection, workspace_id)
        begun = Standing(State.BUILDING, position(0, ()))
        standing = teams.as_of(connection, workspace_id, begun, today)
    elif not standing.within(today):
        standing = teams.as_of(connection, workspace_id, standing, today)
    if standing != found:
        state.write(connection, workspace_id, standing)
    return standing


def _build(build: Build, standing: Standing, stop: Stop, progress: Progress) -> None:
    """Go on with a build until its end, until told to stop, or until somebody else moves it."""
    number, after = stands(standing.position)
    at = standing.position
    for later, (name, stage) in enumerate(stages()[number:], number):
        # A row of one stage costs more than a row of another.
        build = replace(build, stride=Stride(_ROWS))
        for step in stage(build, after if later == number else ()):
            with build.stride.writing(build.engine, step.rows) as connection:
                if not _at(connection, build, at):
                    return
                step.write(connection)
                at = _moves(connection, build, position(later, step.after))
            progress(name, step.rows)
            if stop():
                return
        with writing(build.engine, again=True) as connection:
            if not _at(connection, build, at):
                return
            at = _moves(connection, build, position(later + 1, ()))
    refresh_statistics(build.engine, [table for family in FAMILIES.values() for table in (family.tally, family.bucket)])
    with writing(build.engine, again=True) as connection:
        if _at(connection, build, at):
            standing = state.hold(connection, build.workspace_id)
            state.write(connection, build.workspace_id, replace(standing, state=State.DUE, position=""))


def _at(connection: Connection, build: Build, at: str) -> bool:
    standing = state.hold(connection, build.workspace_id)
    return standing.state is State.BUILDING and standing.position == at


def _moves(connection: Connection, build: Build, to: str) -> str:
    standing = state.read(connection, build.workspace_id)
    state.write(connection, build.workspace_id, replace(standing, position=to))
    return to
