"""What Vigie must end with, worked out from the CRM's state alone: no wire, no connector, no product code.

`differences(engine, workspace_id, crm)` names every row that is missing, extra or wrong, to the cent. What a CRM
cannot tell is said once, in `QUIRKS`.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Engine

from storage import schema
from storage.database import reading
from tests.crm.world import Crm, Thing
from tests.kpi.company import Company

Row = dict[str, Any]
ZONE = ZoneInfo("Europe/Paris")
OBJECTS = ("pipeline", "stage", "person", "product", "customer", "lead", "deal", "contract", "purchase", "spend")
DECIMALS = {"JPY": 0}


@dataclass(frozen=True, kw_only=True)
class Quirks:
    """What one CRM cannot tell, and how it names things."""

    first_seen: bool = False
    """No creation dates of deals: a deal first seen after the first complete reading counts from that day."""
    merges: bool = True
    """It tells who took a row over."""
    passages: bool = True
    """It tells when a deal entered each stage."""
    named_only: frozenset[str] = frozenset()
    """Objects that it lists nowhere: a row is known by the name that the first row naming it gives."""
    names: Callable[[Crm, Thing], str] = field(default=lambda _crm, thing: thing.id)
    """The ext id of a row."""
    blank: frozenset[tuple[str, str]] = frozenset()
    """(object, column) that it never tells."""
    rates: Callable[[Crm], list[tuple[str, str, date, Decimal]]] = field(default=lambda _crm: [])
    """(base, currency, first day, rate) as the CRM tells them."""
    shape: Callable[[Crm, Thing, Row], Row] = field(default=lambda _crm, _thing, row: row)
    """Last word on the columns of a row that is still there."""


def _hubspot_rates(crm: Crm) -> list[tuple[str, str, date, Decimal]]:
    told = {"USD": Decimal("0.9"), "JPY": Decimal("0.006")}
    return [(base, crm.currency, date(2025, 1, 1), rate) for base, rate in told.items()]


UNCONVERTED = frozenset({("lead", "converted"), ("lead", "converted_on")})
"""Leads do not say that they became customers: their deals do."""

QUIRKS: dict[str, Quirks] = {
    "toy": Quirks(),
    "dumb": Quirks(first_seen=True, merges=False),
    "hubspot": Quirks(rates=_hubspot_rates),
    "pipedrive": Quirks(
        merges=False,
        passages=False,
        blank=UNCONVERTED,
        # Deals are won beside their stages.
        shape=lambda _crm, thing, row: row | {"status": "open"} if thing.object == "stage" else row,
    ),
    "koban": Quirks(
        first_seen=True,
        merges=False,
        passages=False,
        named_only=frozenset({"person"}),
        blank=UNCONVERTED | {("lead", "customer_id"), ("deal", "lead_id")},
        shape=lambda _crm, thing, row: row | {"status": "open"} if thing.object == "stage" else row,
    ),
    "files": Quirks(
        merges=False,
        passages=False,
        named_only=frozenset({"stage", "pipeline"}),
        blank=frozenset({("lead", "converted_on"), ("deal", "stage_id"), ("deal", "pipeline_id")}),
    ),
    "salesforce": Quirks(blank=frozenset({("stage", "pipeline_id")})),
}


def minor(amount: Decimal | None, currency: str) -> int | None:
    return None if amount is None else int(amount.scaleb(DECIMALS.get(currency, 2)))


def local_day(when: datetime | None) -> date | None:
    return None if when is None else when.astimezone(ZONE).date()


class Truth:
    """One CRM's rows as Vigie must hold them, by object and id."""

    def __init__(self, crm: Crm, quirks: Quirks | None = None) -> None:
        self.crm = crm
        self.quirks = quirks or QUIRKS[crm.source]
        self.things = {name: {self.id(name, thing.id): thing for thing in crm.latest(name)} for name in OBJECTS}

    def id(self, object_: str, thing_id: str | None) -> str | None:
        if thing_id is None:
            return None
        return f"{self.crm.source}:{self.quirks.names(self.crm, self.crm.get(object_, thing_id))}"

    def alive(self, object_: str) -> dict[str, Row]:
        """Every row that counts, with the columns that must be exactly so."""
        return {
            row_id or "": self.columns(thing)
            for row_id, thing in self.things.get(object_, {}).items()
            if thing.deleted is None
        }

    def columns(self, thing: Thing) -> Row:
        named = {"name": thing["name"]} if "name" in thing.fields else {}
        row: Row = named | getattr(self, f"_{thing.object}")(thing)
        row = self.quirks.shape(self.crm, thing, row)
        return {name: value for name, value in row.items() if (thing.object, name) not in self.quirks.blank}

    def passages(self) -> set[tuple[str, str, datetime]]:
        """Of the deals that count: (deal, stage, when)."""
        return {
            (row_id or "", self.id("stage", stage) or "", at)
            for row_id, thing in self.things["deal"].items()
            if thing.deleted is None
            for at, stage in thing["entered"]
        }

    def _pipeline(self, _thing: Thing) -> Row:
        return {}

    def _stage(self, thing: Thing) -> Row:
        pipeline = self.id("pipeline", thing["pipeline"])
        return {"pipeline_id": pipeline, "position": thing["position"], "status": thing["status"]}

    def _person(self, thing: Thing) -> Row:
        return {"email": thing["email"]}

    def _customer(self, _thing: Thing) -> Row:
        return {}

    def _product(self, _thing: Thing) -> Row:
        return {}

    def _contract(self, thing: Thing) -> Row:
        customer = self.id("customer", thing["customer"])
        return {"customer_id": customer, "starts_on": thing["starts"], "ends_on": thing["ends"], "currency": "EUR"}

    def _purchase(self, thing: Thing) -> Row:
        return {
            "customer_id": self.id("customer", thing["customer"]),
            "purchased_on": thing["day"],
            "product_id": None,
            "amount_minor": minor(thing["amount"], thing["currency"]),
            "value_minor": minor(thing["amount"], thing["currency"]),
            "currency": thing["currency"],
        }

    def _spend(self, thing: Thing) -> Row:
        return {
            "kind": "marketing",
            "starts_on": thing["starts"],
            "ends_on": thing["ends"],
            "origin": None,
            "amount_minor": minor(thing["amount"], thing["currency"]),
            "value_minor": minor(thing["amount"], thing["currency"]),
            "currency": thing["currency"],
        }

    def _lead(self, thing: Thing) -> Row:
        return {
            "created_on": local_day(thing.created),
            "qualified_on": None,
            "converted": thing["converted"] is not None,
            "converted_on": local_day(thing["converted"]),
            "customer_id": self.id("customer", thing["customer"]),
            "owner_id": self.id("person", thing["owner"]),
            "origin": thing["origin"],
        }

    def _deal(self, thing: Thing) -> Row:
        status = self.crm.get("stage", thing["stage"])["status"]
        return {
            "status": status,
            "kind": None,
            "customer_id": self.id("customer", thing["customer"]),
            "owner_id": self.id("person", thing["owner"]),
            "product_id": self.id("product", max(thing["products"], key=lambda line: line[1], default=(None, 0))[0]),
            "pipeline_id": self.id("pipeline", thing["pipeline"]),
            "stage_id": self.id("stage", thing["stage"]),
            "lead_id": self.id("lead", thing["lead"]),
            "segment": None,
            "origin": None,
            "amount_minor": minor(thing["amount"], thing["currency"]),
            "value_minor": self._value(thing),
            "currency": thing["currency"],
            "created_on": local_day(thing.created),
            "created_seen": self.quirks.first_seen,
            "closed_on": local_day(thing["closed"]) if status != "open" else None,
        }

    def _value(self, thing: Thing) -> int | None:
        """In the workspace's currency, at the rate of the day of closing (while open: the newest), half to even."""
        amount, own, known = thing["amount"], thing["currency"], {}
        if amount is None or own == self.crm.currency:
            return minor(amount, own)
        day = local_day(thing["closed"]) or date.max
        for base, other, since, rate in self.quirks.rates(self.crm):
            if own in (base, other) and since <= day:
                known[since] = Fraction(rate) if own == base else 1 / Fraction(rate)
        return round(Fraction(amount) * known[max(known)] * 100) if known else None


class Held:
    """What Vigie holds of one source of one workspace."""

    def __init__(self, engine: Engine, workspace_id: str, source: str) -> None:
        self.rows: dict[str, dict[str, Row]] = {}
        with reading(engine) as connection:
            for name in OBJECTS:
                table = schema.metadata.tables[name]
                mine = (table.c.workspace_id == workspace_id, table.c.source == source)
                found = connection.execute(sa.select(table).where(*mine)).mappings()
                self.rows[name] = {row["id"]: dict(row) for row in found}
            entered = schema.passage
            mine = (entered.c.workspace_id == workspace_id, entered.c.source == source)
            self.passages = {
                (row.deal_id, row.stage_id, row.entered_at)
                for row in connection.execute(sa.select(entered).where(*mine))
            }
            change = schema.change
            wanted = (change.c.object == "deal", change.c.field.in_(["owner_id", "status"]))
            seen = sa.select(change).where(change.c.workspace_id == workspace_id, change.c.source == source, *wanted)
            self.changes = [dict(row) for row in connection.execute(seen.order_by(change.c.id)).mappings()]
            run = schema.run
            ours = (run.c.workspace_id == workspace_id, run.c.source == source)
            runs = connection.execute(sa.select(run).where(*ours).order_by(run.c.started_at)).mappings()
            self.complete_since = next(
                (row["started_at"] for row in runs if json.loads(row["completed"]).get("deal")), None
            )
            """When the run began in which the deals were first read to their end."""
            cursor = schema.cursor
            kept = (cursor.c.workspace_id == workspace_id, cursor.c.source == source)
            self.troubles = [
                (row.object, row.trouble) for row in connection.execute(sa.select(cursor).where(*kept)) if row.trouble
            ]

    def owner_when_closed(self, deal: str, owner: str | None) -> str | None:
        """Who had a closed deal when its end was seen: a hand-over that was seen later does not move it."""
        mine = [row for row in self.changes if row["object_id"] == deal]
        ends = [row["seen_at"] for row in mine if row["field"] == "status"]
        moved = [row for row in mine if row["field"] == "owner_id" and not any(end >= row["seen_at"] for end in ends)]
        first = min(moved, key=lambda row: (row["seen_at"], row["id"]), default=None)
        return owner if first is None else first["old"]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and (self.rows, self.passages) == (other.rows, other.passages)

    __hash__ = None  # type: ignore[assignment]


def differences(held: Held, truth: Truth) -> list[str]:
    """Every difference, in words; none where Vigie says exactly what the CRM says."""
    return [*_differences(held, truth)]


def _differences(held: Held, truth: Truth) -> Iterable[str]:
    yield from (f"{name}: still in trouble, {trouble}" for name, trouble in held.troubles)
    named = _named(truth)
    for name in OBJECTS:
        rows, things = held.rows[name], truth.things[name]
        for row_id in rows.keys() - things.keys():
            yield f"{name} {row_id}: extra"
        for row_id, thing in things.items():
            row = rows.get(row_id or "")
            if name in truth.quirks.named_only:
                if row is None and (name, row_id) in named:
                    yield f"{name} {row_id}: named, and missing"
            elif thing.deleted is not None:
                yield from _of_gone(name, thing, row, truth)
            elif row is None:
                yield f"{name} {row_id}: missing"
            else:
                yield from _of_alive(name, row, truth.columns(thing), truth, held)
    if truth.quirks.passages:
        alive = truth.alive("deal")
        there = {each for each in held.passages if each[0] in alive}
        yield from (f"passage {each}: missing" for each in truth.passages() - there)
        yield from (f"passage {each}: extra" for each in there - truth.passages())
    elif held.passages:
        yield "passages where the CRM has none"


def _of_gone(name: str, thing: Thing, row: Row | None, truth: Truth) -> Iterable[str]:
    if row is None:
        # Gone before it was ever read.
        return
    if row["deleted_at"] is None:
        yield f"{name} {row['id']}: deleted there, alive here"
    if truth.quirks.merges and row["merged_into"] != truth.id(name, thing.merged_into):
        yield f"{name} {row['id']}: merged into {row['merged_into']}, not {truth.id(name, thing.merged_into)}"


def _named(truth: Truth) -> set[tuple[str, Any]]:
    deals = truth.alive("deal").values()
    return {(name, deal[column]) for deal in deals for name, column in (("person", "owner_id"),)}


def _of_alive(name: str, row: Row, expected: Row, truth: Truth, held: Held) -> Iterable[str]:
    if row["deleted_at"] is not None or row["merged_into"] is not None:
        yield f"{name} {row['id']}: alive there, deleted here"
    if row["payload_hash"] == "":
        yield f"{name} {row['id']}: only named"
    if name == "deal" and truth.quirks.first_seen:
        # What was there when Vigie came is of no known age; what appeared later was new on that day.
        first, begun = row["first_seen_at"], held.complete_since
        old = begun is None or first < begun or (first == begun and row["created_on"] is None)
        expected = expected | {"created_on": None if old else local_day(first), "created_seen": not old}
    for column, value in expected.items():
        if row[column] != value:
            yield f"{name} {row['id']}.{column}: {row[column]!r}, not {value!r}"


class Told(Company):
    """The truth in the shape that the naive computation of KPIs reads; nothing of it is saved."""

    def __init__(self, workspace_id: str, truth: Truth, held: Held, currency: str) -> None:
        super().__init__(workspace_id, currency=currency, source=truth.crm.source)
        for name in OBJECTS:
            for row_id, columns in truth.alive(name).items():
                row = _BLANK.get(name, {}) | columns | {"id": row_id, "deleted_at": None}
                if name == "deal" and truth.quirks.first_seen:
                    row["created_on"] = held.rows["deal"][row_id]["created_on"]
                if name == "deal" and row["status"] != "open":
                    row["owner_id"] = held.owner_when_closed(row_id, row["owner_id"])
                self._row(name, **row, source=truth.crm.source)
        for number, (base, other, since, rate) in enumerate(truth.quirks.rates(truth.crm)):
            self._row("rate", id=str(number), base=base, currency=other, starts_on=since, rate=rate, deleted_at=None)
        # A deleted row that Vigie holds is left out and counted; what it last said cannot be asked of the CRM any more.
        for name in ("lead", "deal"):
            self.rows.setdefault(name, [])
            self.rows[name] += [row for row in held.rows[name].values() if row["deleted_at"] is not None]


_BLANK: dict[str, Row] = {
    "customer": {"segment": None, "origin": None, "region": None},
    "person": {"region": None},
    "lead": {
        "qualified_on": None,
        "qualified": None,
        "inbound": None,
        "converted": None,
        "converted_on": None,
        "customer_id": None,
        "owner_id": None,
        "segment": None,
        "origin": None,
    },
    "deal": {"lead_id": None, "customer_id": None, "owner_id": None, "currency": "EUR"},
}
