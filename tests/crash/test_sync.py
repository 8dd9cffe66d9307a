"""A sync killed by SIGKILL before any of its commits: the next one ends exactly where an undisturbed one does."""

import itertools
import multiprocessing
import signal
from multiprocessing.context import ForkServerContext
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from storage import schema
from storage.database import moment, writing
from tests.crash import syncing
from tests.storage.sources import rows

COMPARED = (schema.deal, schema.customer, schema.passage, schema.quarantine, schema.cursor, schema.listed, schema.lease)


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Children that are forked from a server which has imported everything, and shares nothing with the tests."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crash.syncing"])
    return context


@pytest.mark.parametrize("name", syncing.SCENARIOS)
def test_a_sync_killed_before_any_commit_ends_exact_when_it_runs_again(
    database: Engine, database_url: str, name: str, processes: ForkServerContext
) -> None:
    begin(database, name)
    syncing.sync(database, name)
    expected = told(database)
    killed = 0
    for number in itertools.count():
        begin(database, name)
        child = processes.Process(target=syncing.run, args=(database_url, name, number))
        child.start()
        child.join(timeout=60)
        assert child.exitcode in {0, -signal.SIGKILL}
        if child.exitcode == 0:
            break
        killed += 1
        with writing(database) as connection:
            connection.execute(schema.lease.update().values(until=moment(-1)))
        report = syncing.sync(database, name, after=number)
        assert (report.outcome, report.troubles) == ("ok", ()), number
        assert told(database) == expected, f"killed before commit {number}"
        assert all(run["ended_at"] is not None for run in rows(database, schema.run))
    assert killed >= 5, "the kill was meant to find many places"


def begin(engine: Engine, name: str) -> None:
    """An empty database; or, unless it is the first load that is tried, one that holds it."""
    with writing(engine) as connection:
        for table in schema.metadata.sorted_tables:
            connection.execute(sa.delete(table))
    if name != "first load":
        syncing.sync(engine, "first load")


def told(engine: Engine) -> list[Any]:
    """Every row, and the history without the names of the runs that wrote it."""
    changes = [tuple(value for name, value in row.items() if name != "id") for row in rows(engine, schema.change)]
    return [*(rows(engine, table) for table in COMPARED), sorted(changes, key=repr)]
