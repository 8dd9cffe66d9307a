"""A company of any size, the same every time: 20 teams of 10 reps, 5 segments, 13 products, 3 years to a given day.

A third of the deals come from a lead; customers buy several times; some have contracts, or purchases of their own. The
rows are made and loaded in chunks, so that ten million deals take no more memory than a hundred thousand.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Engine, Table

from storage import schema
from storage.database import refresh_statistics
from storage.migrate import upgrade
from storage.workspaces import SINGLE, ensure_workspace

TEAMS, REPS = 20, 200
SEGMENTS = ("Grand compte", "ETI", "PME", "TPE", "Public")
SOURCES = ("Site", "Salon", "Publicité", "Partenaire", "Recommandation", None)
REGIONS = ("Nord", "Sud", "Est", "Ouest")
PRODUCTS = 13
DAYS = 1096
"""From the first deal to the last."""
STAGES = (("Découverte", "open"), ("Devis", "open"), ("Négociation", "open"), ("Gagnée", "won"), ("Perdue", "lost"))
CHUNK = 50_000
DEALS_A_CUSTOMER = 4

Columns = Mapping[str, Sequence[Any]]


def load(engine: Engine, deals: int, today: date) -> None:
    """Fill a database without tables, fastest first: no index but the keys until all the rows are there."""
    upgrade(engine)
    moment = datetime.combine(today, time(6), UTC)
    ensure_workspace(engine, now=moment, time_zone="Europe/Paris", currency="EUR", language="fr")
    indexes = [index for table in (schema.deal, schema.lead) for index in table.indexes]
    with engine.connect() as connection:
        for index in indexes:
            index.drop(connection)
        connection.commit()
    raw = engine.raw_connection()
    try:
        fill = _sqlite if engine.dialect.name == "sqlite" else _postgresql
        for table, columns in _rows(deals, today, moment):
            fill(raw, table, columns)
    finally:
        raw.close()
    with engine.connect() as connection:
        for index in indexes:
            index.create(connection)
        connection.commit()
    refresh_statistics(engine, schema.metadata.sorted_tables)


def rep(number: int) -> str:
    """The id of a rep, 0 to 199; rep `n` is of team `n % 20`."""
    return f"made:r{number}"


def team(number: int) -> str:
    return f"made:t{number}"


def _rows(deals: int, today: date, moment: datetime) -> Iterator[tuple[Table, Columns]]:
    yield from _people(today)
    yield from _places()
    yield from _spend(today)
    customers = max(deals // DEALS_A_CUSTOMER, 1)
    for start in range(0, customers, CHUNK):
        yield from _customers(start, min(start + CHUNK, customers), today)
    for start in range(0, deals, CHUNK):
        yield from _deals(start, min(start + CHUNK, deals), customers, today)
    objects = ("team", "person", "customer", "deal", "lead", "contract", "purchase", "spend")
    yield (
        schema.cursor,
        {
            "workspace_id": [SINGLE] * len(objects),
            "source": ["made"] * len(objects),
            "object": list(objects),
            "position": ["{}"] * len(objects),
            "complete_at": [_instant(moment)] * len(objects),
        },
    )


def _people(today: date) -> Iterator[tuple[Table, Columns]]:
    yield schema.team, _sourced([f"t{at}" for at in range(TEAMS)]) | {"name": [f"Équipe {at}" for at in range(TEAMS)]}
    reps = range(REPS)
    yield (
        schema.person,
        _sourced([f"r{at}" for at in reps])
        | {
            "name": [f"Commercial {at}" for at in reps],
            "email": [f"r{at}@example.com" for at in reps],
            "region": [REGIONS[at % len(REGIONS)] for at in reps],
            "active": [True] * REPS,
        },
    )
    # One rep in ten came from the team before, a year and a half ago.
    moved = [at for at in reps if at // TEAMS == 0]
    since = today - timedelta(days=550)
    rows = [(rep(at), date.min, since if at in moved else None, team((at + (at in moved)) % TEAMS)) for at in reps]
    rows += [(rep(at), since, None, team(at % TEAMS)) for at in moved]
    yield (
        schema.membership,
        {
            "workspace_id": [SINGLE] * len(rows),
            "person_id": [row[0] for row in rows],
            "starts_on": [row[1].isoformat() for row in rows],
            "ends_on": [row[2] and row[2].isoformat() for row in rows],
            "team_id": [row[3] for row in rows],
            "first_seen_at": [_instant(datetime(2020, 1, 1, tzinfo=UTC))] * len(rows),
        },
    )


def _places() -> Iterator[tuple[Table, Columns]]:
    yield (
        schema.product,
        _sourced([f"p{at}" for at in range(PRODUCTS)]) | {"name": [f"Produit {at}" for at in range(PRODUCTS)]},
    )
    yield schema.pipeline, _sourced(["l0", "l1"]) | {"name": ["Nouveaux", "Existants"]}
    yield (
        schema.stage,
        _sourced([f"s{at}" for at in range(len(STAGES))])
        | {
            "name": [name for name, _ in STAGES],
            "position": list(range(len(STAGES))),
            "status": [status for _, status in STAGES],
        },
    )


def _spend(today: date) -> Iterator[tuple[Table, Columns]]:
    months = [_months_before(today, at) for at in range(37)]
    rows = [(first, origin) for first in months for origin in SOURCES]
    yield (
        schema.spend,
        _sourced([f"e{at}" for at in range(len(rows))])
        | {
            "kind": ["sales" if origin is None else "marketing" for _, origin in rows],
            "starts_on": [first.isoformat() for first, _ in rows],
            "ends_on": [(_months_before(first, -1) - timedelta(days=1)).isoformat() for first, _ in rows],
            "origin": [origin for _, origin in rows],
            "amount_minor": [4_000_000 + 7_919 * at for at in range(len(rows))],
            "currency": ["EUR"] * len(rows),
            "value_minor": [4_000_000 + 7_919 * at for at in range(len(rows))],
        },
    )


def _customers(start: int, end: int, today: date) -> Iterator[tuple[Table, Columns]]:
    numbers = range(start, end)
    yield (
        schema.customer,
        _sourced([f"c{at}" for at in numbers])
        | {
            "name": [f"Client {at}" for at in numbers],
            "segment": [SEGMENTS[at % len(SEGMENTS)] for at in numbers],
            "origin": [SOURCES[at % len(SOURCES)] for at in numbers],
        },
    )
    dice, days = np.random.default_rng([2, start]), _days(today)
    signed = [at for at in numbers if at % 20 == 0]
    starts = dice.integers(0, DAYS - 200, len(signed)).tolist()
    yield (
        schema.contract,
        _sourced([f"k{at}" for at in signed])
        | {
            "customer_id": [f"made:c{at}" for at in signed],
            "starts_on": [days[at] for at in starts],
            "ends_on": [None if at % 3 == 0 else days[min(at + 364, DAYS - 1)] for at in starts],
            "amount_minor": [1_200_000] * len(signed),
            "currency": ["EUR"] * len(signed),
            "value_minor": [1_200_000] * len(signed),
        },
    )
    buyers = [at for at in numbers if at % 33 == 1]
    bought = dice.integers(0, DAYS, len(buyers)).tolist()
    yield (
        schema.purchase,
        _sourced([f"b{at}" for at in buyers])
        | {
            "customer_id": [f"made:c{at}" for at in buyers],
            "purchased_on": [days[at] for at in bought],
            "product_id": [f"made:p{at % PRODUCTS}" for at in buyers],
            "amount_minor": [90_000 + at for at in buyers],
            "currency": ["EUR"] * len(buyers),
            "value_minor": [90_000 + at for at in buyers],
        },
    )


def _deals(start: int, end: int, customers: int, today: date) -> Iterator[tuple[Table, Columns]]:
    """A chunk of deals in the order of their creation, and the leads of a third of them."""
    count, numbers = end - start, range(start, end)
    dice, days = np.random.default_rng([1, start]), _days(today)
    chance = dice.random((6, count))
    created = dice.integers(0, DAYS, count)
    closed = created + np.minimum(dice.exponential(35, count).astype(int), 300)
    closed = np.where(chance[0] < 0.001, created - 3, closed)
    ended = (closed < DAYS) & (closed >= 0)
    fate = np.select([~ended, chance[1] < 0.36, chance[1] < 0.95], [0, 1, 2], 3)
    status = [("open", "won", "lost", "dormant")[at] for at in fate.tolist()]
    amount = (dice.lognormal(12.5, 0.8, count)).astype(int)
    amounts = [None if none else value for none, value in zip(chance[2] < 0.01, amount.tolist(), strict=True)]
    who = dice.integers(0, customers, count).tolist()
    owner = dice.integers(0, REPS, count).tolist()
    origin = dice.integers(0, len(SOURCES), count).tolist()
    product = dice.integers(0, PRODUCTS, count).tolist()
    stage = np.select([fate == 0, fate == 1], [dice.integers(0, 3, count), 3], 4).tolist()
    led = [at % 3 == 0 for at in numbers]
    born, over = created.tolist(), closed.tolist()
    yield (
        schema.deal,
        _sourced([f"{10_000_000 + at}" for at in numbers], deleted=(chance[3] < 0.004).tolist())
        | {
            "name": [f"Affaire {at}" for at in numbers],
            "status": status,
            "raw_status": status,
            "customer_id": [None if no else f"made:c{at}" for no, at in zip(chance[4] < 0.004, who, strict=True)],
            "owner_id": [f"made:r{at}" for at in owner],
            "product_id": [f"made:p{at}" for at in product],
            "pipeline_id": [f"made:l{at % 2}" for at in who],
            "stage_id": [f"made:s{at}" for at in stage],
            "lead_id": [f"made:{10_000_000 + at}" if yes else None for yes, at in zip(led, numbers, strict=True)],
            "segment": [None if at % 50 == 0 else SEGMENTS[at % len(SEGMENTS)] for at in who],
            "origin": [SOURCES[at] for at in origin],
            "amount_minor": amounts,
            "currency": ["EUR"] * count,
            "value_minor": amounts,
            "created_on": [None if no else days[at] for no, at in zip(chance[5] < 0.001, born, strict=True)],
            "created_seen": [False] * count,
            "closed_on": [days[at] if yes else None for yes, at in zip(ended.tolist(), over, strict=True)],
        },
    )
    leads = [at for at in numbers if at % 3 == 0]
    before = dice.integers(0, 30, count).tolist()
    came = [max(born[at - start] - before[at - start], 0) for at in leads]
    yield (
        schema.lead,
        _sourced([f"{10_000_000 + at}" for at in leads])
        | {
            "name": [f"Lead {at}" for at in leads],
            "created_on": [days[at] for at in came],
            "created_seen": [False] * len(leads),
            "qualified_on": [days[min(at + 2, DAYS - 1)] for at in came],
            "qualified": [at % 17 != 0 for at in leads],
            "inbound": [at % 11 != 0 for at in leads],
            "customer_id": [f"made:c{who[at - start]}" for at in leads],
            "owner_id": [f"made:r{owner[at - start]}" for at in leads],
            "segment": [SEGMENTS[who[at - start] % len(SEGMENTS)] for at in leads],
            "origin": [SOURCES[origin[at - start]] for at in leads],
        },
    )


def _sourced(ext_ids: Sequence[str], deleted: Sequence[bool] | None = None) -> dict[str, Sequence[Any]]:
    """What every synced row carries."""
    count, seen = len(ext_ids), _instant(datetime(2026, 1, 5, 7, tzinfo=UTC))
    return {
        "workspace_id": [SINGLE] * count,
        "id": [f"made:{ext_id}" for ext_id in ext_ids],
        "source": ["made"] * count,
        "ext_id": ext_ids,
        "modified_at": [seen] * count,
        "payload_hash": [f"{at:032x}" for at in range(count)],
        "first_seen_at": [seen] * count,
        "deleted_at": [seen if gone else None for gone in deleted] if deleted else [None] * count,
    }


def _days(today: date) -> list[str]:
    """Every local day on which something happened, oldest first, as both databases read it."""
    return [(today - timedelta(days=DAYS - 1 - at)).isoformat() for at in range(DAYS)]


def _months_before(day: date, months: int) -> date:
    """The first day of the month so many months earlier."""
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(years, month + 1, 1)


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"


def _sqlite(raw: Any, table: Table, columns: Columns) -> None:
    names, signs = ", ".join(f'"{name}"' for name in columns), ", ".join("?" for _ in columns)
    raw.execute("BEGIN IMMEDIATE")
    # Names come from the schema, values are bound.
    raw.driver_connection.executemany(
        f'INSERT INTO "{table.name}" ({names}) VALUES ({signs})',  # noqa: S608
        zip(*columns.values(), strict=True),
    )
    raw.commit()


def _postgresql(raw: Any, table: Table, columns: Columns) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    with raw.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in zip(*columns.values(), strict=True):
            copy.write_row(row)
    raw.commit()
