"""The derived tables: tallies (one row per deal, lead and customer), buckets (their sums by day), and how they stand.

They are made by `ensure`, not by migrations: they follow from the catalog, and are made anew where it says something
else than it did (`fingerprint`). Whatever they hold can be worked out again from the facts.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, Connection, Engine, Index, MetaData, Table
from sqlalchemy.dialects import sqlite

from kpi.buckets import shapes, spells, tally
from kpi.buckets.shapes import Shape
from kpi.buckets.tally import Added, column_of, left_out_of, undated_of
from kpi.customers import spells_of
from kpi.rows import DealRows, LeadRows
from storage.database import alone, insert, writing
from storage.migrate import REVISIONS, TABLES
from storage.schema.base import NAMING

__all__ = ["column_of", "ensure", "fingerprint", "left_out_of", "metadata", "undated_of"]

metadata = MetaData(naming_convention=NAMING)

VERSION = 3
"""Raised where what is stored changes otherwise than by an expression of the catalog, or the order in which what a
batch adds is written."""

DEAL_KEYS = ("team", "rep", "segment", "source", "product", "pipeline", "stage")
LEAD_KEYS = CUSTOMER_KEYS = ("team", "rep", "segment", "source")

CUSTOMER_COLUMNS = spells.COLUMNS
"""What customers add by day. The first seven are levels: as of the end of a day, everything up to that day is added up.

`first_day_sum`: sum of the ordinals (`date.toordinal`) of the first days of the active customers. `kept`,
`kept_by_contract`, `won_back` and `buyers` are of the 12 months that end with the day. The others are of the day.
"""

HISTOGRAM = ("converted_by_win", "converted_by_flag")
"""Of the shape `shapes.CONVERSION`: leads by how many days their conversion took (see `kpi.judged`)."""


def _keyed(*names: str) -> Iterator[Column[str]]:
    for name in names:
        yield Column(name, sa.Text, nullable=False, server_default="")


def _numbers(columns: tuple[Added, ...], *, sums: bool) -> Iterator[Column[int]]:
    for each in columns:
        kind = sa.BigInteger if sums or each.wide else sa.SmallInteger
        yield Column(each.name, kind, nullable=False, server_default="0")


def _sums(*names: str) -> Iterator[Column[int]]:
    for name in names:
        yield Column(name, sa.BigInteger, nullable=False, server_default="0")


def _tally(name: str, keys: tuple[str, ...], *others: Column[Any]) -> Table:
    identity = (Column("workspace_id", sa.Text, primary_key=True), Column("id", sa.Text, primary_key=True))
    return Table(name, metadata, *identity, *_keyed(*keys), *others, sqlite_with_rowid=False)


def _bucket(name: str, *columns: Column[int]) -> Table:
    identity = ("workspace_id", "shape", "bucket", "team", "rep", "other")
    return Table(
        name,
        metadata,
        *(Column(each, sa.Text, primary_key=True) for each in identity),
        *columns,
        sqlite_with_rowid=False,
    )


def _day(name: str) -> Column[date]:
    return Column(name, sa.Date, nullable=True)


deal_tally = _tally(
    "deal_tally",
    DEAL_KEYS,
    _day("created_on"),
    _day("closed_on"),
    Column("waiting", sa.SmallInteger, nullable=False, server_default="0"),
    *_numbers(tally.added("deal"), sums=False),
)
"""`waiting`: 1 while open, so that what is open is not taken away on any day."""

lead_tally = _tally(
    "lead_tally",
    LEAD_KEYS,
    _day("day"),
    _day("won_on"),
    Column("customer_id", sa.Text, nullable=True),
    Column("days_to_win", sa.Integer, nullable=True),
    Column("days_to_flag", sa.Integer, nullable=True),
    *_numbers(tally.added("lead"), sums=False),
)
"""`days_to_win`, `days_to_flag`: from the lead's day to the win of a linked deal, and to the source's own conversion;
null where `kpi.judged` counts none. `customer_id`: whose segment or source it may have."""

Index(
    None,
    lead_tally.c.workspace_id,
    lead_tally.c.customer_id,
    sqlite_where=lead_tally.c.customer_id.is_not(None),
    postgresql_where=lead_tally.c.customer_id.is_not(None),
)

customer_tally = _tally("customer_tally", CUSTOMER_KEYS, Column("events", sa.Text, nullable=False, server_default=""))
"""`events`: what the customer adds on which days, as JSON (see `kpi.buckets.customers`)."""

deal_bucket = _bucket("deal_bucket", *_numbers(tally.added("deal"), sums=True))
lead_bucket = _bucket("lead_bucket", *_numbers(tally.added("lead"), sums=True), *_sums(*HISTOGRAM))
customer_bucket = _bucket("customer_bucket", *_sums(*CUSTOMER_COLUMNS))

bucket_state = Table(
    "bucket_state",
    metadata,
    Column("workspace_id", sa.Text, primary_key=True),
    Column("state", sa.Text, nullable=False),
    Column("position", sa.Text, nullable=False, server_default=""),
    Column("currency", sa.Text, nullable=False, server_default=""),
    Column("valid_from", sa.Date, nullable=True),
    Column("valid_until", sa.Date, nullable=True),
)
"""One row per workspace (see `kpi.buckets.state`); none: never built. `currency`: in which the amounts are."""

bucket_due = Table(
    "bucket_due",
    metadata,
    Column("workspace_id", sa.Text, primary_key=True),
    Column("family", sa.Text, primary_key=True),
    Column("id", sa.Text, primary_key=True),
    sqlite_with_rowid=False,
)
"""What is to be folded: `family` is `deal`, `lead` or `customer`, or names what stands for all rows that hang on it."""

bucket_batch = Table(
    "bucket_batch",
    metadata,
    Column("workspace_id", sa.Text, primary_key=True),
    Column("batch", sa.Text, nullable=False),
    Column("plan", sa.Text, nullable=False),
    Column("written", sa.BigInteger, nullable=True),
)
"""Rows that are being folded together (see `kpi.buckets.batches`). `batch`: no two ever have the same. `plan`: which
rows or, once `written` is not null, what they add; `written`: how many of the rows that follow from it are written."""

GLOBAL_TABLES = frozenset({"bucket_about"})
"""What does not belong to one workspace."""

_about = Table("bucket_about", metadata, Column("fingerprint", sa.Text, primary_key=True))

# Of a cohort seen at an earlier age: wins by the day of creation and the day of closing, in the index alone.
Index(
    None,
    *(deal_tally.c[name] for name in ("workspace_id", "created_on", "closed_on", *DEAL_KEYS[:-1], "created_and_won")),
    sqlite_where=deal_tally.c.created_and_won != 0,
    postgresql_where=deal_tally.c.created_and_won != 0,
)
Index(
    None,
    *(lead_tally.c[name] for name in ("workspace_id", "day", "won_on", *LEAD_KEYS, "leads_converted")),
    sqlite_where=lead_tally.c.leads_converted != 0,
    postgresql_where=lead_tally.c.leads_converted != 0,
)


@dataclass(frozen=True, slots=True)
class Family:
    """Rows of one kind: where they are tallied and added up."""

    name: str
    tally: Table
    bucket: Table
    keys: tuple[str, ...]
    shapes: tuple[Shape, ...]


DEAL = Family("deal", deal_tally, deal_bucket, DEAL_KEYS, shapes.DEALS)
LEAD = Family("lead", lead_tally, lead_bucket, LEAD_KEYS, shapes.LEADS)
CUSTOMER = Family("customer", customer_tally, customer_bucket, CUSTOMER_KEYS, shapes.CUSTOMERS)
FAMILIES: Mapping[str, Family] = {family.name: family for family in (DEAL, LEAD, CUSTOMER)}


def fingerprint() -> str:
    """Of everything that decides what the tables hold: another one, and they must be made anew."""
    deals, leads = DealRows("", date.min), LeadRows("")
    said = [f"version {VERSION}", repr([family.shapes for family in FAMILIES.values()]), repr(shapes.LETTERS)]
    said += [f"{each.name} {each.axis} {tally.said(each, deals)}" for each in tally.added("deal")]
    said += [f"{each.name} {each.axis} {tally.said(each, leads)}" for each in tally.added("lead")]
    for rows, keys in ((deals, DEAL_KEYS), (leads, LEAD_KEYS)):
        select = sa.select(*(rows.key(key) for key in keys))
        said.append(str(select.select_from(rows.source).compile(compile_kwargs={"literal_binds": True})))
    # A migration may write rows of which no page tells.
    said += sorted(path.name for path in REVISIONS.glob("*.py"))
    lives = spells_of("").compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    said.append(str(lives))
    said += [repr((table.name, table.c.keys())) for table in metadata.sorted_tables]
    return hashlib.blake2b("\n".join(said).encode(), digest_size=16).hexdigest()


def ensure(engine: Engine) -> None:
    """Make the derived tables, empty, where they are not there or hold what is no longer asked. One transaction."""
    mine = fingerprint()
    with writing(engine) as connection:
        alone(connection, TABLES)
        if _found(connection) == mine:
            return
        metadata.drop_all(connection)
        metadata.create_all(connection)
        connection.execute(insert(connection, _about).values(fingerprint=mine))


def _found(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table(_about.name):
        return None
    return connection.execute(sa.select(_about.c.fingerprint)).scalar()
