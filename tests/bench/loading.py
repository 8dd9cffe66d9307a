"""The page engine against a bare executemany upsert of the same rows, a transaction for each page on both sides."""

from collections.abc import Iterator
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import Table

from storage import schema, sync
from storage.rows import Row
from storage.workspaces import SINGLE, ensure_workspace
from tests.bench.databases import KINDS, Fresh
from tests.bench.generated import NOW, PAGE, Generated
from tests.bench.harness import FULL, in_turn, seconds
from tests.bench.ratios import Bench, Measure, Ratios

DEALS = 100_000 if FULL else 30_000


def load(engine: Engine, deals: int) -> None:
    """As `vigie sync` does: guard, history, quarantine, position, lease and all."""
    ensure_workspace(engine, now=NOW, time_zone="Europe/Paris", currency="EUR", language="fr")
    report = sync.load(engine, SINGLE, Generated(deals), now=NOW)
    if report.objects["deal"].new < deals:
        raise AssertionError(report)


def bare(engine: Engine, rows: list[Row]) -> None:
    """Nothing but INSERT … ON CONFLICT DO UPDATE through the driver's executemany."""
    statement, order = _statement(engine, schema.deal)
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        for start in range(0, len(rows), PAGE):
            if engine.dialect.name == "sqlite":
                cursor.execute("BEGIN IMMEDIATE")
            cursor.executemany(statement, [tuple(row[name] for name in order) for row in rows[start : start + PAGE]])
            raw.commit()
    finally:
        raw.close()


def _statement(engine: Engine, table: Table) -> tuple[str, list[str]]:
    """The SQL and the order of its parameters."""
    names = [column.name for column in table.columns]
    sign = "?" if engine.dialect.name == "sqlite" else "%s"
    key = [column.name for column in table.primary_key.columns]
    dialect = sqlite.dialect() if engine.dialect.name == "sqlite" else postgresql.dialect()
    quote = dialect.identifier_preparer.quote
    sets = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in names if name not in key)
    columns = ", ".join(quote(name) for name in names)
    signs = ", ".join(sign for _ in names)
    keys = ", ".join(key)
    # Names come from the schema, values are bound.
    return (
        f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({signs}) "  # noqa: S608
        f"ON CONFLICT ({keys}) DO UPDATE SET {sets}",
        names,
    )


def stored(engine: Engine) -> list[Row]:
    """The rows of a loaded database, as the driver binds them."""
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("SELECT * FROM deal")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    finally:
        raw.close()


def _measure(name: str, fresh: Fresh) -> Measure:
    first = fresh()
    load(first, DEALS)
    rows = stored(first)
    first.dispose()

    def ours() -> float:
        engine = fresh()
        taken = seconds(partial(load, engine, DEALS))
        engine.dispose()
        return taken

    def theirs() -> float:
        engine = fresh()
        taken = seconds(partial(bare, engine, rows))
        engine.dispose()
        return taken

    mine, bare_, ratio = in_turn(ours, theirs, rounds=5 if FULL else 3)
    return Measure(
        f"sync_over_bare_upsert_{name}", f"{DEALS / mine:,.0f} rows/s", f"{DEALS / bare_:,.0f} rows/s", ratio
    )


def bench() -> Iterator[Measure]:
    for name, kind in KINDS.items():
        with kind() as fresh:
            yield _measure(name, fresh)


BENCH = Bench(
    (
        Ratios(
            tuple(f"sync_over_bare_upsert_{name}" for name in KINDS),
            "The first load of 30,000 deals (100,000 with `BENCH=full`) by the sync (guard, history, quarantine, "
            "position, lease), over the same rows by the driver's own `executemany` of an upsert, a transaction for "
            "each page of 200 on both sides.",
            "a page costs more statements, or a row more Python.",
        ),
    ),
    bench,
)
