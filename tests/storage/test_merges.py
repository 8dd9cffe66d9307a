"""Rows that another took over, in every order in which the source may tell it."""

from datetime import date, timedelta
from itertools import permutations

import pytest
from sqlalchemy import Connection, Engine

from storage import schema
from storage.history import Change
from storage.records import Contract, Customer, Gone, Lead, Page, Purchase, Record
from tests.storage.sources import NOW, Told, load_all, one_page, rows
from tests.storage.test_sync import deal

LATER = NOW + timedelta(days=1)


def customer(ext_id: str, into: str | None = None) -> Customer:
    return Customer(ext_id=ext_id, name=ext_id, deleted=into is not None, merged_into=into)


def gone(ext_id: str, into: str) -> Page:
    told = [Gone(object="customer", ext_id=ext_id, merged_into=into)]
    return Page(object="customer", records=(), gone=told, last=True)


def named(engine: Engine) -> dict[str, str | None]:
    return {row["ext_id"]: row["customer_id"] for row in rows(engine, schema.deal)}


def test_what_named_the_loser_names_the_survivor_with_history(database: Engine) -> None:
    others: list[Record] = [
        deal(customer="A"),
        Lead(ext_id="L", name="L", customer="A"),
        Contract(ext_id="K", customer="A", starts_on=date(2026, 1, 1)),
        Purchase(ext_id="P", customer="A", purchased=NOW),
    ]
    load_all(database, one_page(customer("A"), customer("B"), *others))
    changes: list[Change] = []

    def keep(_connection: Connection, told: object) -> None:
        changes.extend(told)  # type: ignore[arg-type]

    load_all(database, one_page(customer("A", into="B")), now=LATER, on_page=keep)
    for table in (schema.deal, schema.lead, schema.contract, schema.purchase):
        assert rows(database, table)[0]["customer_id"] == "test:B"
    told = [(row["object"], row["field"], row["old"], row["new"]) for row in rows(database, schema.change)]
    assert ("customer", "merged_into", None, "test:B") in told
    for name in ("deal", "lead", "contract", "purchase"):
        assert (name, "customer_id", "test:A", "test:B") in told
    assert [change.object for change in changes] == ["customer", "deal", "lead", "contract", "purchase"]
    assert {change.after["customer_id"] for change in changes[1:]} == {"test:B"}


def test_a_deal_that_still_names_the_loser_is_read_as_the_survivors_and_changes_nothing(database: Engine) -> None:
    load_all(database, one_page(customer("A"), customer("B"), deal(customer="A")))
    load_all(database, Told([gone("A", "B")]), now=LATER)
    history = len(rows(database, schema.change))
    report = load_all(database, one_page(deal(customer="A"), deal("D2", customer="A")), now=LATER)
    assert named(database) == {"D1": "test:B", "D2": "test:B"}
    assert (report.total.unchanged, report.total.new, len(rows(database, schema.change))) == (1, 1, history)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_chain_of_merges_ends_at_its_survivor_in_every_order(database: Engine, order: tuple[int, ...]) -> None:
    pages = [
        gone("A", "B"),
        gone("B", "C"),
        Page(object="customer", records=[customer("C")], last=True),
        Page(object="customer", records=[deal(customer="A")], last=True),
    ]
    for number, at in enumerate(order):
        load_all(database, Told([pages[at]]), now=NOW + timedelta(minutes=number))
    assert named(database) == {"D1": "test:C"}
    customers = {
        row["ext_id"]: (row["deleted_at"] is None, row["merged_into"]) for row in rows(database, schema.customer)
    }
    assert customers == {"A": (False, "test:B"), "B": (False, "test:C"), "C": (True, None)}


def test_deals_of_a_lead_that_was_taken_over_name_the_other(database: Engine) -> None:
    load_all(database, one_page(Lead(ext_id="A", name="A"), Lead(ext_id="B", name="B"), deal(lead="A")))
    load_all(database, one_page(Lead(ext_id="A", name="A", deleted=True, merged_into="B")), now=LATER)
    assert rows(database, schema.deal)[0]["lead_id"] == "test:B"


def test_merged_deals_leave_one_that_counts(database: Engine) -> None:
    load_all(database, one_page(deal("D1"), deal("D2"), deal("D3")))
    told = [Gone(object="deal", ext_id=ext_id, merged_into="D3") for ext_id in ("D1", "D2", "D9")]
    report = load_all(database, Told([Page(object="deal", records=(), gone=told, last=True)]), now=LATER)
    assert report.total.deleted == 2
    assert [(row["ext_id"], row["merged_into"]) for row in rows(database, schema.deal)] == [
        ("D1", "test:D3"),
        ("D2", "test:D3"),
        ("D3", None),
    ]


def test_a_loser_that_is_told_as_deleted_without_saying_by_whom_stays_merged(database: Engine) -> None:
    load_all(database, one_page(customer("A"), customer("B")))
    load_all(database, Told([gone("A", "B")]), now=LATER)
    load_all(database, one_page(Customer(ext_id="A", name="A", deleted=True)), now=LATER)
    assert rows(database, schema.customer)[0]["merged_into"] == "test:B"


def test_a_loser_that_comes_back_is_merged_no_longer(database: Engine) -> None:
    load_all(database, one_page(customer("A"), customer("B")))
    load_all(database, Told([gone("A", "B")]), now=LATER)
    load_all(database, one_page(customer("A"), deal(customer="A")), now=LATER)
    [back, _] = rows(database, schema.customer)
    assert (back["deleted_at"], back["merged_into"], named(database)) == (None, None, {"D1": "test:A"})


def test_two_rows_that_name_each_other_as_their_survivor_stop_nothing(database: Engine) -> None:
    load_all(database, Told([gone("A", "B"), gone("B", "A")]))
    report = load_all(database, one_page(deal(customer="A")))
    assert report.total.new == 1
