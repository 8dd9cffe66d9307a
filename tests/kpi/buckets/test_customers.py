"""Customers' cells: what is added up to a day is what the facts say of that day, and folding keeps it so."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from kpi import lifetime, retention
from kpi.ask import Ask
from kpi.buckets import customers
from kpi.buckets.fold import fold_rows
from kpi.buckets.shapes import CUSTOMERS, code
from kpi.buckets.spells import COLUMNS
from kpi.buckets.tables import CUSTOMER_KEYS, customer_bucket, customer_tally, fingerprint
from kpi.customers import everyone
from kpi.period import Grain, rolling
from kpi.query import KpiQuery
from kpi.scope import Scope
from storage.database import writing
from storage.history import Change
from storage.schema import contract, customer, deal, purchase
from tests.kpi.companies import companies, days
from tests.kpi.company import WORKSPACE, Company

GROUPS = {None: "all", "team": "team", "rep": "rep", "segment": "segment", "source": "source"}
FEW = settings(max_examples=4, suppress_health_check=list(HealthCheck))

Sums = Mapping[str | None, Counter[str]]
"""By key, the sum of each column."""


def fold_all(connection: Connection, company: Company) -> None:
    fold(connection, company.workspace_id, [row["id"] for row in company.rows["customer"]])


def fold(connection: Connection, workspace_id: str, ids: Collection[str]) -> None:
    # Customers are tallied the same on any day.
    fold_rows(connection, workspace_id, {"customer": ids}, date(2018, 6, 1))


def cells(connection: Connection, workspace_id: str) -> dict[tuple[str, ...], tuple[int, ...]]:
    """Cells with anything in them, by shape, bucket, team, rep and other."""
    rows = connection.execute(sa.select(customer_bucket).where(customer_bucket.c.workspace_id == workspace_id))
    return {tuple(row[1:6]): tuple(row[6:]) for row in rows if any(row[6:])}


def up_to(connection: Connection, workspace_id: str, dimension: str | None, end: date) -> Sums:
    """What all cells before a day add up to, by year, month and day."""
    first, month = date(end.year, 1, 1), end.replace(day=1)
    bucket, key = customer_bucket.c.bucket, customer_bucket.c[dimension if dimension in {"team", "rep"} else "other"]
    before = sa.or_(
        sa.and_(bucket >= "y", bucket < code(Grain.YEAR, first)),
        sa.and_(bucket >= code(Grain.MONTH, first), bucket < code(Grain.MONTH, month)),
        sa.and_(bucket >= code(Grain.DAY, month), bucket < code(Grain.DAY, end)),
    )
    sums = [sa.func.sum(customer_bucket.c[name]).label(name) for name in COLUMNS]
    mine = (customer_bucket.c.workspace_id == workspace_id, customer_bucket.c.shape == GROUPS[dimension])
    found = connection.execute(sa.select(key, *sums).where(*mine, before).group_by(key))
    return {row[0] or None: Counter(dict(zip(COLUMNS, map(int, row[1:]), strict=True))) for row in found}


def retained(start: Counter[str], end: Counter[str], _until: date) -> dict[str, int]:
    by_contract = start["active_by_contract"] + end["active_by_contract"] - end["kept_by_contract"]
    return {
        "at_start": start["active"],
        "at_end": end["active"],
        "kept": end["kept"],
        "new": end["new"] - start["new"],
        "won_back": end["won_back"],
        "by_contract": by_contract,
        "by_purchase": start["active"] + end["active"] - end["kept"] - by_contract,
    }


def worth(start: Counter[str], end: Counter[str], until: date) -> dict[str, int]:
    flows = {name: end[name] - start[name] for name in ("amount", "with_amount", "sales", "unconverted")}
    levels = {"buyers": end["buyers"], "at_start": start["active"], "kept": end["kept"], "at_end": end["active"]}
    return flows | levels | {"tenure_days": until.toordinal() * end["active"] - end["first_day_sum"]}


@FEW
@given(company=companies(), end=days, ago=st.integers(0, 500), by=st.sampled_from(list(GROUPS)))
def test_what_is_added_up_to_a_day_is_what_the_facts_say_of_it(
    database: Engine, company: Company, end: date, ago: int, by: str | None
) -> None:
    company.save(database)
    scope = Scope(company.workspace_id, everything=True)
    with writing(database) as connection:
        fold_all(connection, company)
        for day, dimension in ((end, by), (end + timedelta(days=ago), None)):
            year = rolling(Grain.YEAR, 1, day)
            start, until = (up_to(connection, company.workspace_id, dimension, each) for each in (year.start, day))
            ask = Ask(KpiQuery("retention", "literal", year, scope, day, group_by=dimension), "EUR", 1)
            for counted, cell_of in (
                (retention.count(connection, ask), retained),
                (lifetime.count(connection, ask), worth),
            ):
                facts = {None: counted.now} if dimension is None else counted.groups
                found = {key: cell_of(start.get(key, Counter()), until.get(key, Counter()), day) for key in until}
                assert nonzero(found) == nonzero(facts), (day, dimension)


def nonzero(cells: Mapping[str | None, Mapping[str, int]]) -> dict[str | None, dict[str, int]]:
    return {key: dict(cell) for key, cell in cells.items() if any(cell.values())}


def summed(connection: Connection, workspace_id: str) -> dict[tuple[str, ...], tuple[int, ...]]:
    """The cells that the stored tallies add up to."""
    found: dict[tuple[str, ...], list[int]] = {}
    for row in connection.execute(sa.select(customer_tally).where(customer_tally.c.workspace_id == workspace_id)):
        tally = customers.tally_of(row)
        keys = dict(zip(CUSTOMER_KEYS, tally.keys, strict=True))
        for day, adds in tally.events.items():
            for place in places(keys, date.fromordinal(day)):
                cell = found.setdefault(place, [0] * len(COLUMNS))
                cell[:] = [a + b for a, b in zip(cell, adds, strict=True)]
    return {place: tuple(cell) for place, cell in found.items() if any(cell)}


def places(keys: Mapping[str, str], day: date) -> Iterator[tuple[str, ...]]:
    for shape in CUSTOMERS:
        team, rep = (keys[name] if keeps else "" for name, keeps in (("team", shape.team), ("rep", shape.rep)))
        other = keys[shape.other] if shape.other else ""
        for grain in (Grain.DAY, Grain.MONTH, Grain.YEAR):
            yield (shape.name, code(grain, day), team, rep, other)


def told(connection: Connection, workspace_id: str) -> dict[str, customers.Tally]:
    rows = connection.execute(customers.computed(workspace_id, everyone))
    return customers.tallies(rows)


def stored(connection: Connection, workspace_id: str) -> dict[str, customers.Tally]:
    rows = connection.execute(sa.select(customer_tally).where(customer_tally.c.workspace_id == workspace_id))
    return {row.id: customers.tally_of(row) for row in rows}


TABLES = (deal, contract, purchase, customer)


@st.composite
def edits(draw: st.DrawFn, company: Company) -> list[tuple[str, str, dict[str, Any]]]:
    """Some rows changed: wins undone and dated anew, others' customers, deletes and returns."""
    ids = [row["id"] for row in company.rows["customer"]]
    fields: dict[str, st.SearchStrategy[dict[str, Any]]] = {
        "deal": st.one_of(
            st.builds(lambda day: {"status": "won", "closed_on": day}, days),
            st.just({"status": "open", "closed_on": None}),
            st.builds(lambda each: {"customer_id": each}, st.sampled_from([None, *ids])),
            st.builds(lambda value: {"value_minor": value, "amount_minor": value}, st.integers(0, 99)),
            st.sampled_from([{"owner_id": "person:1"}, {"segment": "B2C"}, {"origin": None}, {"name": "Other"}]),
        ),
        "contract": st.builds(lambda each, day: {"customer_id": each, "starts_on": day}, st.sampled_from(ids), days),
        "purchase": st.builds(lambda each, day: {"customer_id": each, "purchased_on": day}, st.sampled_from(ids), days),
        "customer": st.sampled_from([{"segment": "B2B"}, {"origin": "Fair"}, {"name": "Other"}]),
    }
    deletes = st.sampled_from([{"deleted_at": None}, {"deleted_at": company.rows["workspace"][0]["created_at"]}])
    rows = [(name, row["id"]) for name in fields for row in company.rows.get(name, ())]
    chosen = draw(st.lists(st.sampled_from(rows), min_size=1, max_size=6))
    return [(name, row_id, draw(st.one_of(fields[name], fields[name], deletes))) for name, row_id in chosen]


@FEW
@given(company=companies(), data=st.data())
def test_folding_whom_changes_name_keeps_tallies_and_cells_true(
    database: Engine, company: Company, data: st.DataObject
) -> None:
    company.save(database)
    mine = company.workspace_id
    with writing(database) as connection:
        fold_all(connection, company)
        changes = []
        for name, row_id, values in data.draw(edits(company)):
            table = next(table for table in TABLES if table.name == name)
            this = (table.c.workspace_id == mine, table.c.id == row_id)
            before = dict(connection.execute(sa.select(table).where(*this)).mappings().one())
            connection.execute(sa.update(table).where(*this).values(**values))
            changes.append(Change(name, before, before | values))
        fold(connection, mine, customers.named(changes))
        assert stored(connection, mine) == told(connection, mine)
        assert cells(connection, mine) == summed(connection, mine)


def test_a_customer_whose_only_win_is_undone_leaves_nothing(database: Engine) -> None:
    company = Company()
    shop = company.customer("Shop", segment="B2B")
    sold = company.deal(won="2017-09-20", amount=100_00, customer=shop)
    company.save(database)
    with writing(database) as connection:
        fold(connection, WORKSPACE, [shop])
        assert set(stored(connection, WORKSPACE)) == {shop}
        connection.execute(sa.update(deal).where(deal.c.id == sold).values(status="open", closed_on=None))
        fold(connection, WORKSPACE, [shop, "nobody"])
        assert stored(connection, WORKSPACE) == {}
        assert cells(connection, WORKSPACE) == {}


def test_days_at_the_end_of_the_calendar_are_no_trouble(database: Engine) -> None:
    company = Company()
    shop = company.customer("Shop")
    company.deal(won="9999-06-01", customer=shop)
    company.contract(company.customer("Other"), "2017-01-01")
    company.save(database)
    with writing(database) as connection:
        fold_all(connection, company)
        assert up_to(connection, WORKSPACE, None, date(2020, 1, 1))[None]["active"] == 1
        assert up_to(connection, WORKSPACE, None, date(9999, 12, 31))[None]["new"] == 2


@pytest.mark.parametrize(
    ("name", "values", "named"),
    [
        ("deal", {"name": "Another"}, set()),
        ("deal", {"stage_id": "stage:2"}, set()),
        ("deal", {"closed_on": date(2017, 9, 21)}, {"customer:1"}),
        ("deal", {"customer_id": "customer:2"}, {"customer:1", "customer:2"}),
        ("customer", {"name": "Another"}, set()),
        ("customer", {"segment": "B2C"}, {"customer:1"}),
    ],
)
def test_only_customers_of_whom_something_else_is_told_are_named(
    name: str, values: dict[str, Any], named: set[str]
) -> None:
    company = Company()
    company.deal(won="2017-09-20", customer=company.customer("Shop"))
    row = {**company.rows[name][0], "value_minor": None}
    assert customers.named([Change(name, row, row | values)]) == named


def test_an_open_deal_names_nobody() -> None:
    company = Company()
    company.deal(created="2017-09-20", customer=company.customer("Shop"))
    row = {**company.rows["deal"][0], "value_minor": None}
    assert customers.named([Change("deal", None, row), Change("deal", row, row | {"amount_minor": 5})]) == set()


def test_what_keeps_a_customer_active_is_part_of_what_the_tables_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()
    monkeypatch.setattr("kpi.customers.ACTIVE_DAYS", 90)
    assert fingerprint() != before
