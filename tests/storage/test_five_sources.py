"""One generated company, kept in five ways: the nine KPIs do not depend on which of them Vigie reads."""

import itertools
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random

from sqlalchemy import Engine

from kpi.catalog import CATALOG
from kpi.engine import answer
from kpi.period import Period
from kpi.query import KpiQuery
from kpi.scope import Scope
from storage import sync
from storage.connectors.files.connector import open_files
from storage.database import reading
from tests.crm.exported import ExportedCrm
from tests.crm.truth import Truth, local_day
from tests.crm.world import Crm
from tests.kpi.company import Company
from tests.laws.asked import office
from tests.laws.houses import House, real

ROUNDS = 32
"""Of two days."""
Numbers = dict[tuple[str, str, date], tuple[Fraction | None, Fraction | None, Fraction | None]]


def play(crm: Crm, evening: Callable[[], None]) -> None:
    """Two months of one company, the same in every CRM, with an evening on every other day."""
    random = Random(7)  # noqa: S311 - one company, always the same
    people = [crm.create("person", name=f"Anne {n}", email=f"anne{n}@example.com") for n in range(4)]
    customers = [crm.create("customer", name=f"Maison {n}") for n in range(25)]
    # What a CRM does not tell is told beside it (`beside`).
    products = [crm.create("product", name=f"Offre {n}") for n in range(3)]
    for number in range(8):
        starts = date(2025, 11, 1) + timedelta(days=17 * number)
        ends = None if number % 3 else starts + timedelta(days=45)
        crm.create("contract", customer=customers[number], starts=starts, ends=ends)
        day, amount = starts + timedelta(days=20), Decimal(random.randint(1, 10**6)).scaleb(-2)
        crm.create("purchase", customer=customers[number + 6], day=day, amount=amount, currency="EUR")
        crm.create("spend", starts=starts, ends=day, amount=amount, currency="EUR")
    leads: list[str] = []
    deals: list[str] = []
    open_, won, lost = (crm.stages(status=status)[0].id for status in ("open", "won", "lost"))
    evening()
    for _ in range(ROUNDS):
        crm.tick(timedelta(hours=3))
        for _ in range(random.randint(0, 2)):
            lead = crm.create(
                "lead",
                name=f"Lead {len(leads)}",
                owner=random.choice(people),
                origin=None,
                converted=None,
                customer=None,
            )
            leads.append(lead)
        for _ in range(random.randint(0, 3)):
            amount = Decimal(random.randint(1, 10**6)).scaleb(-2) if random.random() < 0.9 else None
            deals.append(
                crm.create(
                    "deal",
                    name=f"Affaire {len(deals)}",
                    customer=random.choice(customers),
                    owner=random.choice(people),
                    stage=open_,
                    amount=amount,
                    products=[(product, Decimal(n + 1)) for n, product in enumerate(random.sample(products, 2))],
                )
            )
        crm.tick(timedelta(hours=2))
        for _ in range(random.randint(0, 3)):
            chosen, end = (random.choice(deals) if deals else None), random.choice([won, won, lost, open_])
            if chosen is not None:
                crm.move(chosen, end)
        crm.tick(timedelta(hours=2))
        evening()
        crm.tick(timedelta(hours=41))


TOLD = {"contract": "contracts", "purchase": "purchases", "spend": "spend"}


def beside(crm: Crm, workspace_id: str) -> Company:
    """From a file: what costs no CRM tells, and what this one does not tell."""
    company = office(workspace_id)
    name = Truth(crm).id
    for object_, verb in TOLD.items():
        for thing in crm.latest(object_) if verb not in crm.verbs else ():
            customer = name("customer", thing.fields.get("customer")) or ""
            cents = int(thing.fields.get("amount", 0) * 100)
            if object_ == "contract":
                company.contract(customer, thing["starts"], thing["ends"])
            elif object_ == "purchase":
                company.purchase(customer, thing["day"], cents)
            else:
                company.spend(cents, thing["starts"], thing["ends"])
    return company


def numbers(engine: Engine, workspace_id: str, today: date) -> Numbers:
    scope = Scope(workspace_id, everything=True)
    periods = [Period(date(2026, 1, 1), date(2026, 2, 1)), Period(date(2026, 2, 1), date(2026, 3, 1))]
    periods.append(Period(date(2026, 1, 1), today + timedelta(days=1)))
    found: Numbers = {}
    with reading(engine) as connection:
        for declared in CATALOG:
            for how in declared.readings:
                for period in periods:
                    said = answer(connection, KpiQuery(declared.metric, how.key, period, scope, today)).measured
                    found[declared.metric, how.key, period.start] = (said.value, said.numerator, said.denominator)
    return found


def put_beside(engine: Engine, crm: Crm, workspace_id: str) -> None:
    company = beside(crm, workspace_id)
    del company.rows["workspace"]
    company.save(engine)


def test_the_same_company_has_the_same_kpis_whatever_its_crm(database: Engine, tmp_path: Path) -> None:
    told: dict[str, Numbers] = {}
    for house in real():
        crm = house.make()
        Company(house.name).save(database)

        # Where only the first sight says when a deal began, Vigie looks every evening; else now and then.
        pause = 1 if any(walk.first_seen for walk in house.open(crm).walks) else 8
        evenings = itertools.count()

        def look(crm: Crm = crm, house: House = house) -> None:
            assert sync.load(database, house.name, house.open(crm), now=crm.now).outcome == "ok"

        def evening(pause: int = pause, evenings: Iterator[int] = evenings, look: Callable[[], None] = look) -> None:
            if next(evenings) % pause == 0:
                look()

        play(crm, evening)
        look()
        put_beside(database, crm, house.name)
        today = local_day(crm.now)
        assert today is not None
        told[house.name] = numbers(database, house.name, today)

    exported, folder = ExportedCrm(), tmp_path / "exports"
    Company("files").save(database)

    def export() -> None:
        exported.export(folder)
        today = local_day(exported.now)
        assert today is not None
        sync.load(database, "files", open_files(database, "files", [folder], today=today), now=exported.now)

    play(exported, lambda: None)
    export()
    put_beside(database, exported, "files")
    told["files"] = numbers(database, "files", today)

    assert set(told) >= {"hubspot", "koban", "pipedrive", "salesforce", "files"}
    first = told["files"]
    assert sum(value is not None for value, _, _ in first.values()) > 30
    for name, mine in told.items():
        assert {key: said for key, said in mine.items() if said != first[key]} == {}, name
