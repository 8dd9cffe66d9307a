"""The known totals of the real companies to the last digit, on both databases, and the naive computation beside."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from kpi import period as periods
from kpi.buckets import ensure
from kpi.engine import answer
from kpi.period import Grain, Period, containing
from kpi.query import KpiQuery, KpiResult
from kpi.scope import Scope
from storage import schema
from storage.database import open_engine, reading
from tests.kpi.company import Company
from tests.kpi.naive import Naive
from tests.real.companies import load_real

pytestmark = pytest.mark.real

TODAY = date(2018, 12, 31)
Y2017 = containing(Grain.YEAR, date(2017, 1, 1))
Q4_2017 = periods.quarter(2017, 4)


@pytest.fixture(
    scope="module",
    params=[pytest.param(kind, marks=pytest.mark.xdist_group(kind)) for kind in ("sqlite", "postgresql")],
)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One database of each kind for the whole module, and one process for it: the sets are large and only read."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('real') / 'real.sqlite3'}"
        made = open_engine(url)
        schema.metadata.create_all(made)
        ensure(made)
        yield made
        made.dispose()
        return
    base = sa.make_url(request.getfixturevalue("postgres_url"))
    admin = sa.create_engine(base, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text("CREATE DATABASE vigie_real TEMPLATE vigie_template"))
    made = open_engine(base.set(database="vigie_real").render_as_string(hide_password=False))
    yield made
    made.dispose()
    with admin.connect() as connection:
        connection.execute(sa.text("DROP DATABASE vigie_real WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(scope="module")
def loaded(engine: Engine) -> Engine:
    """Each set in a workspace of its own."""
    for name in ("maven_crm", "olist_funnel", "cdnow"):
        load_real(engine, name, workspace_id=name)
    return engine


def ask(engine: Engine, company: str, metric: str, how: str, period: Period, **more: Any) -> KpiResult:
    with reading(engine) as connection:
        query = KpiQuery(metric, how, period, Scope(company, everything=True), more.pop("today", TODAY), **more)
        return answer(connection, query)


def value(engine: Engine, company: str, metric: str, how: str, period: Period, digits: int = 2) -> float:
    found = ask(engine, company, metric, how, period).measured.value
    assert found is not None
    return round(float(found), digits)


def test_maven_2017(loaded: Engine) -> None:
    closed = ask(loaded, "maven_crm", "win_rate", "closed", Y2017).measured
    assert (closed.numerator, closed.denominator) == (4238, 4238 + 2473)
    assert value(loaded, "maven_crm", "win_rate", "closed", Y2017) == 63.15
    assert value(loaded, "maven_crm", "win_rate", "cohort", Y2017) == 50.21
    assert value(loaded, "maven_crm", "win_rate", "flow", Y2017) == 53.36
    assert ask(loaded, "maven_crm", "revenue_won", "sum", Y2017).measured.value == 10_005_534_00
    assert value(loaded, "maven_crm", "sales_cycle", "mean", Y2017) == 51.78
    assert value(loaded, "maven_crm", "average_deal", "mean", Y2017) == pytest.approx(2_360.91 * 100, abs=0.5)


def test_maven_fourth_quarter_passes_100_percent_in_the_flow_and_is_not_capped(loaded: Engine) -> None:
    found = [value(loaded, "maven_crm", "win_rate", how, Q4_2017) for how in ("cohort", "closed", "flow")]
    assert found == [54.68, 60.25, 102.66]


def test_maven_december_2017(loaded: Engine) -> None:
    december = containing(Grain.MONTH, date(2017, 12, 1))
    assert value(loaded, "maven_crm", "win_rate", "closed", december) == 78.49
    assert value(loaded, "maven_crm", "win_rate", "flow", december, 0) == 422


def test_maven_says_how_many_deals_have_no_creation_date(loaded: Engine) -> None:
    left = ask(loaded, "maven_crm", "win_rate", "cohort", Y2017).left_out
    assert [(each.reason, each.count) for each in left] == [("no_creation_date", 500)]


@pytest.mark.parametrize("dimension", ["rep", "team", "customer", "segment", "product", "region"])
def test_the_groups_of_maven_add_up(loaded: Engine, dimension: str) -> None:
    result = ask(loaded, "maven_crm", "win_rate", "closed", Y2017, group_by=dimension, grain=Grain.MONTH)
    assert sum(group.measured.denominator or 0 for group in result.groups) == 6711
    assert sum(point.measured.numerator or 0 for point in result.series) == 4238


def test_olist_conversion(loaded: Engine) -> None:
    everything = Period(date(2017, 1, 1), date(2019, 1, 1))
    all_of_it = ask(loaded, "olist_funnel", "lead_conversion", "cohort", everything).measured
    assert (all_of_it.numerator, all_of_it.denominator, all_of_it.value) == (842, 8000, Fraction(10525, 1000))
    first = periods.quarter(2018, 1)
    assert ask(loaded, "olist_funnel", "leads", "count", first).measured.value == 3343
    assert value(loaded, "olist_funnel", "lead_conversion", "cohort", first) == 14.00
    assert value(loaded, "olist_funnel", "lead_conversion", "flow", first) == 9.96


def test_cdnow_has_its_customers_and_orders(loaded: Engine) -> None:
    with reading(loaded) as connection:
        mine = schema.purchase.c.workspace_id == "cdnow"
        orders = connection.execute(sa.select(sa.func.count()).select_from(schema.purchase).where(mine)).scalar_one()
        buyers = sa.select(sa.func.count(schema.purchase.c.customer_id.distinct())).where(mine)
        assert (connection.execute(buyers).scalar_one(), orders) == (23_570, 69_659)


def copied(engine: Engine, name: str) -> Company:
    """The rows of a workspace, for the naive computation."""
    company = Company(name)
    with reading(engine) as connection:
        company.currency = connection.execute(
            sa.select(schema.workspace.c.currency).where(schema.workspace.c.workspace_id == name)
        ).scalar_one()
        for table in (
            "team",
            "person",
            "membership",
            "customer",
            "deal",
            "lead",
            "contract",
            "purchase",
            "spend",
            "rate",
        ):
            found = getattr(schema, table)
            query = sa.select(found).where(found.c.workspace_id == name)
            company.rows[table] = [dict(row) for row in connection.execute(query).mappings()]
    return company


@pytest.mark.parametrize(
    ("name", "period"),
    [
        ("maven_crm", Y2017),
        ("maven_crm", Q4_2017),
        ("olist_funnel", periods.quarter(2018, 2)),
        ("cdnow", Period(date(1998, 1, 1), date(1998, 7, 1))),
        ("cdnow", Period(date(1997, 4, 1), date(1998, 4, 1))),
    ],
)
def test_retention_upsell_and_ltv_are_what_the_naive_computation_says(
    loaded: Engine, name: str, period: Period
) -> None:
    naive = Indexed(copied(loaded, name), TODAY)
    for metric, how in (
        ("retention", "literal"),
        ("retention", "strict"),
        ("upsell_rate", "count"),
        ("upsell_rate", "revenue"),
        ("ltv", "mean"),
    ):
        expected = naive.value(metric, how, period.start, period.end, lambda _: True)
        found = ask(loaded, name, metric, how, period).measured
        assert (found.value, found.numerator, found.denominator) == expected, (metric, how)


class Indexed(Naive):
    """The naive computation on many rows: the same definitions, the sales of a customer looked up once."""

    def __init__(self, company: Company, today: date) -> None:
        super().__init__(company, today)
        self._alive = {
            name: [row for row in rows if row.get("deleted_at") is None] for name, rows in self.tables.items()
        }
        self._won = super().won_deals()
        self._bought: dict[str, list[tuple[date, int | None]]] = {}
        for row in self._alive["purchase"]:
            sale = (row["purchased_on"], self.worth(row, row["purchased_on"]))
            self._bought.setdefault(row["customer_id"], []).append(sale)
        self._sold: dict[str, list[tuple[date, int | None]]] = {}
        for deal in self._won:
            sale = (deal["closed_on"], self.worth_of_deal(deal))
            self._sold.setdefault(deal["customer_id"], []).append(sale)
        self._contracts: dict[str, list[dict[str, Any]]] = {}
        for row in self._alive["contract"]:
            self._contracts.setdefault(row["customer_id"], []).append(row)

    def alive(self, table: str) -> list[dict[str, Any]]:
        return self._alive[table] if hasattr(self, "_won") else super().alive(table)

    def won_deals(self) -> list[dict[str, Any]]:
        return self._won

    def sales_of(self, customer: str) -> list[tuple[date, int | None]]:
        return self._bought.get(customer) or self._sold.get(customer, [])

    def contracts_of(self, customer: str) -> list[dict[str, Any]]:
        return self._contracts.get(customer, [])

    def customer_keys(self, customer: str) -> dict[str, Any]:
        return {}

    def deal_keys(self, deal: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _additional(self, deal: dict[str, Any]) -> bool:
        if deal["kind"] is not None:
            return bool(deal["kind"] != "new")
        return bool(deal["closed_on"] > min(sold for sold, _ in self._sold[deal["customer_id"]]))
