"""Products, contracts, purchases and spend: read where a CRM has them, skipped where it has none, left out where a
person says so."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from storage import schema
from storage.connectors.base import AbsentError, Declaration
from storage.database import writing
from storage.problems import Reason
from storage.records import Contract, Gone, Page, Position, Problem, Purchase, Record, Spend
from tests.crm.hubspot import HubSpot
from tests.crm.koban import Koban
from tests.crm.lives import opened
from tests.crm.pipedrive import Pipedrive
from tests.crm.salesforce import Salesforce
from tests.crm.world import Crm, Thing
from tests.laws.houses import real
from tests.storage.desk import Desk

HOUSES = {house.name: house for house in real()}
CONTRACTED = [name for name, house in HOUSES.items() if "contracts" in house.make().verbs]
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what rests on no statement that another test does not run on both."""


def declared(name: str) -> Declaration:
    found = HOUSES[name].declaration
    assert found is not None
    return found


def pages(crm: Crm, object_: str) -> list[Page]:
    connector = opened(declared(crm.source), crm)
    [walk] = [walk for walk in connector.walks if walk.object == object_]
    return list(connector.pages(walk, Position(began=crm.now)))


def told(crm: Crm, object_: str) -> list[Record]:
    return [each for page in pages(crm, object_) for each in page.records if each.object == object_]


def gone(crm: Crm, object_: str) -> list[Gone]:
    return [each for page in pages(crm, object_) for each in page.gone]


def problems(crm: Crm, object_: str) -> list[Problem]:
    return [each for page in pages(crm, object_) for each in page.problems]


def sell(crm: Crm, customer: str | None = None, **more: Any) -> str:
    named = customer or crm.create("customer", name="Maison")
    return crm.create("contract", **{"customer": named, "starts": date(2026, 1, 1), "ends": date(2026, 12, 31)} | more)


def bill(crm: Crm, **more: Any) -> str:
    named = {"customer": crm.create("customer", name="Maison"), "day": date(2026, 1, 2), "currency": "EUR"}
    return crm.create("purchase", **named | {"amount": Decimal("19.99")} | more)


def advertise(crm: Crm, **more: Any) -> str:
    days = {"starts": date(2026, 1, 1), "ends": date(2026, 1, 31)}
    return crm.create("spend", **days | {"amount": Decimal("1000.01"), "currency": "EUR"} | more)


# Whether an object is there, and wanted.


def hide(crm: Crm) -> None:
    """The account loses its right to contracts."""
    match crm:
        case HubSpot():
            crm.refused.add("subscriptions")
        case Salesforce():
            crm.absent.add("Contract")
        case Koban():
            crm.absent["ncContract"] = 403


def show(crm: Crm) -> None:
    for name in ("refused", "absent"):
        if name in vars(crm):
            vars(crm)[name].clear()


@one_database
@pytest.mark.parametrize("name", CONTRACTED)
def test_an_account_without_an_object_is_read_all_the_same_and_it_is_said(database: Engine, name: str) -> None:
    desk = Desk(database, HOUSES[name])
    hide(desk.crm)
    report = desk.sync()
    assert (report.outcome, report.troubles, report.absent) == ("ok", (), ("contract",))
    assert {row["object"] for row in desk.all(schema.cursor)} >= {"deal", "purchase"}
    assert "contract" not in {row["object"] for row in desk.all(schema.cursor)}
    show(desk.crm)
    desk.crm.tick(timedelta(days=1))
    assert desk.sync().objects["contract"].new == 6
    assert desk.wrong() == []


@one_database
@pytest.mark.parametrize("name", CONTRACTED)
def test_a_right_that_is_lost_later_holds_that_object_and_no_other(database: Engine, name: str) -> None:
    desk = Desk(database, HOUSES[name])
    desk.sync()
    hide(desk.crm)
    desk.crm.edit("deal", desk.deals[0], amount=Decimal(7))
    desk.crm.tick(timedelta(days=1))
    for full in (False, True):
        report = desk.sync(full=full)
        assert [(each.object, each.code) for each in report.troubles] == [("contract", "drift")]
    assert desk.row(desk.deals[0])["amount_minor"] == 700
    assert [row["deleted_at"] for row in desk.all(schema.contract)] == [None] * 6
    show(desk.crm)
    assert (desk.sync().troubles, desk.wrong()) == ((), [])


def test_what_a_person_leaves_out_goes_and_comes_back_when_it_is_wanted(database: Engine) -> None:
    desk = Desk(database, HOUSES["hubspot"])
    desk.sync()
    options = desk.crm.options()
    desk.crm.options = lambda: options | {"contracts": False}  # type: ignore[method-assign]
    report = desk.sync()
    assert (report.objects["contract"].deleted, report.troubles) == (6, ())
    assert all(row["deleted_at"] for row in desk.all(schema.contract))
    assert desk.sync().total.deleted == 0
    desk.crm.options = lambda: options  # type: ignore[method-assign]
    with writing(database) as connection:
        # As connecting with other options does.
        connection.execute(sa.update(schema.cursor).values(position="{}"))
    desk.sync()
    assert desk.wrong() == []


@pytest.mark.parametrize("name", HOUSES)
def test_purchases_and_spend_are_read_only_where_they_are_asked_for(name: str) -> None:
    declaration = declared(name)
    keys = {key: value for key, value in HOUSES[name].make().options().items() if key not in {"purchases", "spend"}}
    crm = HOUSES[name].make()
    crm.options = lambda: keys  # type: ignore[method-assign]
    unwanted = {walk.object for walk in opened(declaration, crm).walks if not walk.wanted}
    assert unwanted == {"purchase", "spend"} & {walk.object for walk in declaration.walks}


@pytest.mark.parametrize("name", CONTRACTED)
def test_one_is_read_again_by_its_id(name: str) -> None:
    crm = HOUSES[name].make()
    kept, lost = sell(crm), sell(crm)
    crm.delete("contract", lost)
    crm.tick(60)
    page = opened(declared(name), crm).reread("contract", [kept, lost])
    assert [each.ext_id for each in page.records if each.object == "contract"] == [kept]
    assert [each.ext_id for each in page.gone] == [lost]


# What counts.


@pytest.mark.parametrize("crm", [Salesforce(), Koban(), HubSpot()], ids=lambda crm: crm.source)
def test_a_contract_has_its_first_and_its_last_day(crm: Crm) -> None:
    sell(crm)
    sell(crm, ends=None)
    assert [(each.starts_on, each.ends_on) for each in told(crm, "contract") if isinstance(each, Contract)] == [
        (date(2026, 1, 1), date(2026, 12, 31)),
        (date(2026, 1, 1), None),
    ]


@pytest.mark.parametrize("crm", [Salesforce(), Koban(), HubSpot()], ids=lambda crm: crm.source)
def test_a_contract_that_ends_before_it_starts_does_not_count(crm: Crm) -> None:
    sell(crm)
    bad = [sell(crm, starts=date(2027, 1, 1))]
    assert len(told(crm, "contract")) == 1
    if isinstance(crm, HubSpot):
        # Called off before it began: nothing is wrong with it.
        assert [each.ext_id for each in gone(crm, "contract")] == bad
    else:
        assert [each.reason for each in problems(crm, "contract")] == [Reason.ENDS_BEFORE_START]


def test_a_draft_of_salesforce_counts_once_it_is_activated() -> None:
    crm = Salesforce()
    draft = sell(crm, draft=True)
    order = bill(crm, draft=True)
    assert (told(crm, "contract"), told(crm, "purchase")) == ([], [])
    crm.edit("contract", draft, draft=False)
    crm.edit("purchase", order, draft=False)
    assert (len(told(crm, "contract")), len(told(crm, "purchase"))) == (1, 1)


def test_a_subscription_ends_on_the_local_day_on_which_it_was_cancelled() -> None:
    crm = HubSpot()
    subscription = sell(crm, ends=None)
    # 23:30 UTC is tomorrow in Paris.
    crm.tick(timedelta(days=3, hours=15, minutes=30))
    cancelled = crm.now
    crm.edit("contract", subscription, over=[(cancelled, "canceled")])
    crm.tick(timedelta(days=2))
    crm.edit("contract", subscription, over=[(cancelled, "canceled"), (crm.now, "expired")])
    [contract] = told(crm, "contract")
    assert isinstance(contract, Contract)
    assert (cancelled.date(), contract.ends_on) == (date(2026, 1, 8), date(2026, 1, 9))


@pytest.mark.parametrize(("status", "counts"), [("open", 1), ("paid", 1), ("draft", 0), ("voided", 0)])
def test_invoices_of_hubspot_count_once_they_are_sent(status: str, counts: int) -> None:
    crm = HubSpot()
    bill(crm, status=status)
    found = told(crm, "purchase")
    assert len(found) == counts
    assert len(gone(crm, "purchase")) == 1 - counts


@pytest.mark.parametrize(("status", "counts"), [("PENDING", 1), ("CLOSED", 1), ("DRAFT", 0)])
def test_invoices_of_koban_count_once_they_are_no_drafts(status: str, counts: int) -> None:
    crm = Koban()
    bill(crm, status=status)
    assert len(told(crm, "purchase")) == counts


@pytest.mark.parametrize("crm", [Salesforce(), Koban()], ids=lambda crm: crm.source)
def test_what_gives_money_back_is_no_purchase(crm: Crm) -> None:
    bill(crm, amount=Decimal(-5))
    assert ([each.object for each in gone(crm, "purchase")], told(crm, "purchase")) == (["purchase"], [])


@pytest.mark.parametrize("crm", [Salesforce(), Koban(), HubSpot()], ids=lambda crm: crm.source)
def test_a_purchase_has_its_own_currency_and_its_local_day(crm: Crm) -> None:
    bill(crm, currency="USD")
    [purchase] = told(crm, "purchase")
    assert isinstance(purchase, Purchase)
    assert (purchase.amount_minor, purchase.currency, purchase.purchased) == (1_999, "USD", date(2026, 1, 2))


@pytest.mark.parametrize("crm", [Salesforce(), HubSpot()], ids=lambda crm: crm.source)
def test_what_a_campaign_has_cost_is_spend_over_its_days(crm: Crm) -> None:
    advertise(crm)
    advertise(crm, starts=None, ends=None)
    advertise(crm, amount=None)
    advertise(crm, amount=Decimal(0))
    advertise(crm, amount=Decimal(-1))
    found = [
        (each.starts_on, each.ends_on, each.amount_minor) for each in told(crm, "spend") if isinstance(each, Spend)
    ]
    # Without days of its own, the day on which it was created.
    today = date(2026, 1, 5)
    assert found == [(date(2026, 1, 1), date(2026, 1, 31), 100_001), (today, today, 100_001)]
    assert [each.reason for each in problems(crm, "spend")] == [Reason.AMOUNT_NEGATIVE]


@pytest.mark.parametrize("crm", [Salesforce(), HubSpot(), Pipedrive(), Koban()], ids=lambda crm: crm.source)
def test_a_deal_has_the_product_of_its_largest_line(crm: Crm) -> None:
    small, large = crm.create("product", name="Petite"), crm.create("product", name="Grande")
    lines = [(small, Decimal(10)), (large, Decimal(200)), (small, Decimal("199.99"))]
    deals = [crm.create("deal", name="A", products=lines), crm.create("deal", name="B")]
    found = {each.ext_id: getattr(each, "product", None) for each in told(crm, "deal")}
    assert found == dict(zip(deals, (large, None), strict=True))
    assert {each.ext_id for each in told(crm, "product")} == {small, large}


def test_deals_are_read_where_their_products_may_not_be() -> None:
    for crm in (HubSpot(), Salesforce()):
        product = crm.create("product", name="Offre")
        deal = crm.create("deal", name="A", products=[(product, Decimal(1))])
        if isinstance(crm, HubSpot):
            crm.refused |= {"line_items", "products"}
        else:
            crm.absent |= {"OpportunityLineItem", "Product2"}
        assert [(each.ext_id, getattr(each, "product", "")) for each in told(crm, "deal")] == [(deal, None)]
        with pytest.raises(AbsentError):
            pages(crm, "product")


# A listing that lacks a few of a few.


@one_database
def test_one_merged_organisation_of_five_is_asked_after_and_holds_nobody(database: Engine) -> None:
    desk = Desk(database, HOUSES["pipedrive"])
    for customer in desk.customers[5:]:
        desk.crm.edit("deal", desk.deals[desk.customers.index(customer)], customer=None)
    desk.crm.tick(60)
    desk.sync()
    for loser, winner in ((0, 1), (2, 3), (4, 5)):
        desk.crm.merge("customer", desk.customers[loser], desk.customers[winner])
    desk.crm.tick(3600)
    report = desk.sync(full=True)
    assert (report.troubles, report.objects["customer"].deleted) == ((), 3)
    assert desk.wrong() == []


@one_database
def test_rows_that_are_only_not_found_are_not_taken_for_deleted(database: Engine) -> None:
    desk = Desk(database, HOUSES["pipedrive"])
    desk.sync()
    seen = desk.crm.visible

    def blind(object_: str) -> list[Thing]:
        return [thing for thing in seen(object_) if object_ != "customer" or thing.id not in desk.customers[:3]]

    desk.crm.visible = blind  # type: ignore[method-assign]
    desk.crm.tick(60)
    report = desk.sync(full=True)
    assert [(each.object, each.code) for each in report.troubles] == [("customer", "vanished")]
    assert report.total.deleted == 0


@one_database
def test_a_listing_by_night_is_told_as_the_whole_comparison_that_it_is(database: Engine) -> None:
    desk = Desk(database, HOUSES["hubspot"])
    assert not desk.sync().full
    assert not desk.sync().full
    with writing(database) as connection:
        connection.execute(sa.update(schema.cursor).values(position="{}"))
    assert desk.sync().full
    assert desk.last_run()["full"]
    assert not desk.sync().full
