"""One CRM, small, and Vigie beside it: what the contract of every connector is tried on."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import sqlalchemy as sa
from sqlalchemy import Engine

from storage import schema, sync
from storage.connectors.base import Connector
from storage.database import reading
from tests.crm.lives import opened
from tests.crm.truth import Held, Truth, differences
from tests.crm.world import Crm
from tests.kpi.company import Company
from tests.laws.houses import House

WORKSPACE = "w1"
Bend = Callable[[httpx.Response], None]


class Bent(httpx.BaseTransport):
    """The CRM's answers, changed on the way."""

    def __init__(self, crm: Crm, bend: Callable[[bytes], bytes], headers: dict[str, str] | None = None) -> None:
        self._crm, self._bend, self._headers = crm, bend, headers or {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        whole = self._crm.answer(request)
        headers = {name: value for name, value in whole.headers.items() if name.lower() != "content-length"}
        return httpx.Response(whole.status_code, headers=headers | self._headers, content=self._bend(whole.content))


class Desk:
    """`deals` and other rows in the CRM, and runs of Vigie that read them."""

    def __init__(self, engine: Engine, house: House, *, deals: int = 12) -> None:
        self.engine, self.house = engine, house
        self.crm = house.make()
        Company(WORKSPACE).save(engine)
        create = self.crm.create
        self.people = [create("person", name=f"Anne {n}", email=f"a{n}@example.com") for n in range(6)]
        self.customers = [create("customer", name=f"Maison {n}") for n in range(12)]
        self.leads = []
        if "leads" in self.crm.verbs:
            blank: dict[str, Any] = {"origin": "Web", "converted": None, "customer": None}
            self.leads = [create("lead", name=f"Lead {n}", owner=self.people[0], **blank) for n in range(12)]
        self.crm.tick(60)
        self.deals = [self.deal(n) for n in range(deals)]
        self.commerce()
        self.crm.tick(timedelta(days=2))

    def commerce(self) -> None:
        """What there is besides deals, where the CRM has it."""
        verbs, create, first = self.crm.verbs, self.crm.create, date(2026, 1, 1)
        if "products" in verbs:
            products = [create("product", name=f"Offre {n}") for n in range(3)]
            for number, deal in enumerate(self.deals[:6]):
                self.crm.edit("deal", deal, products=[(products[number % 3], Decimal(5)), (products[0], Decimal(4))])
        for number in range(6):
            starts, ends = first + timedelta(days=number), first + timedelta(days=100 * number)
            paid = {"amount": Decimal("19.99") * (number + 1), "currency": "EUR"}
            if "contracts" in verbs:
                create("contract", customer=self.customers[number], starts=starts, ends=ends if number % 2 else None)
            if "purchases" in verbs:
                create("purchase", customer=self.customers[number], day=starts, **paid)
            if "spend" in verbs:
                create("spend", starts=first, ends=ends, **paid)

    def deal(self, number: int, **more: Any) -> str:
        stages = self.crm.stages()
        values: dict[str, Any] = {
            "name": f"Affaire {number}",
            "customer": self.customers[number % len(self.customers)],
            "owner": self.people[number % len(self.people)],
            "stage": stages[number % len(stages)].id,
            "amount": Decimal(100 + number) + Decimal("0.25"),
        }
        return self.crm.create("deal", **values | more)

    def sync(self, *, bent: httpx.BaseTransport | None = None, **more: Any) -> sync.Report:
        self._before = {row["id"] for row in self.all(schema.run)}
        return sync.load(self.engine, WORKSPACE, self.open(bent), now=self.crm.now, **more)

    def open(self, bent: httpx.BaseTransport | None = None) -> Connector:
        if bent is None:
            return self.house.open(self.crm)
        assert self.house.declaration is not None
        return opened(self.house.declaration, self.crm, bent)

    def wrong(self) -> list[str]:
        """What differs from the CRM."""
        return differences(self.held(), self.truth())

    def held(self) -> Held:
        return Held(self.engine, WORKSPACE, self.crm.source)

    def truth(self) -> Truth:
        return Truth(self.crm)

    def row(self, deal: str) -> dict[str, Any]:
        """Vigie's row of a deal."""
        return self.held().rows["deal"][self.truth().id("deal", deal) or ""]

    def all(self, table: sa.Table) -> list[dict[str, Any]]:
        with reading(self.engine) as connection:
            return [dict(row) for row in connection.execute(sa.select(table)).mappings()]

    def last_run(self) -> dict[str, Any]:
        """The row of the last `sync`."""
        [run] = [row for row in self.all(schema.run) if row["id"] not in self._before]
        return run
