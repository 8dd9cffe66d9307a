"""HubSpot, over its real protocol: nothing missed, nothing twice, and true closing dates."""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from storage.connectors import hubspot_api, hubspot_hooks
from storage.connectors.base import Account, DriftError, Hint, Knock, NotGenuineError, Opening
from storage.connectors.http import BudgetError, Client, RefusedError
from storage.connectors.hubspot import CONNECTOR
from storage.connectors.hubspot import HubSpot as Connector
from storage.problems import Reason
from storage.records import Deal, Gone, Lead, Page, Passage, Person, Position, Rate, Record, Stage, Team
from tests.crm.hubspot import DOOR, SECRET, TOKEN, HubSpot
from tests.crm.truth import QUIRKS, Held, Row, differences
from tests.crm.world import Crm, Fault, Thing, serving
from tests.laws.houses import real
from tests.laws.synced import live

WALKS = {walk.object: walk for walk in CONNECTOR.walks}


def opening(crm: HubSpot, *, stages: Mapping[str, str] | None = None, **more: Any) -> Opening:
    options = CONNECTOR.options(**crm.options())
    more = {"transport": crm.transport(), "pause": lambda _seconds: None, "now": lambda: crm.now} | more
    client = Client(CONNECTOR.limits(options), **more)
    return Opening(options=options, client=client, currency=crm.currency, now=crm.now, stages=stages or {})


def opened(crm: HubSpot, **more: Any) -> Connector:
    return Connector(opening(crm, **more))


class Reader:
    """Reads as the engine does: a listing first, then what changed, from the position that stands."""

    def __init__(self, crm: HubSpot, object_: str = "deal", **more: Any) -> None:
        self.crm, self.walk, self.more = crm, WALKS[object_], more
        self.position = Position()
        self.rows: dict[str, Record] = {}
        self.pages: list[Page] = []

    def read(self, pages: int | None = None) -> list[Page]:
        """A run; `pages` = it is killed after so many."""
        if self.position.began is None:
            since = self.position.since and self.position.since - self.walk.look_back
            self.position = replace(self.position, since=since, began=self.crm.now)
        read = []
        for number, page in enumerate(opened(self.crm, **self.more).pages(self.walk, self.position)):
            if number == pages:
                break
            self.position = page.position
            read.append(page)
            for record in page.records:
                self.rows[record.ext_id] = record
            for gone in page.gone:
                known = self.rows.get(gone.ext_id)
                if known and (gone.at is None or known.modified is None or known.modified <= gone.at):
                    survivor = gone.merged_into or known.merged_into
                    self.rows[gone.ext_id] = replace(known, deleted=True, merged_into=survivor)
        self.pages = read
        return read

    def alive(self) -> dict[str, Record]:
        return {key: row for key, row in self.rows.items() if not row.deleted}


def company(crm: HubSpot, deals: int = 30) -> list[str]:
    owner = crm.create("person", name="Anne Petit", email="anne@example.com")
    customers = [crm.create("customer", name=f"Client {number}") for number in range(3)]
    made = []
    for number in range(deals):
        crm.tick(60)
        made.append(
            crm.create(
                "deal", name=f"D{number}", customer=customers[number % 3], owner=owner, amount=Decimal(f"{number}.50")
            )
        )
    crm.tick(3600)
    return made


def one(crm: HubSpot, **more: Any) -> Deal:
    """The deal that is read when there is only one."""
    reader = Reader(crm, **more)
    reader.read()
    [deal] = reader.rows.values()
    assert isinstance(deal, Deal)
    return deal


def truth(crm: HubSpot, object_: str = "deal") -> dict[str, str]:
    return {thing.id: thing["name"] for thing in crm.latest(object_) if thing.deleted is None}


def names(reader: Reader) -> dict[str, str]:
    return {key: row.name for key, row in reader.alive().items()}  # type: ignore[attr-defined]


# The first load.


def test_everything_is_listed_once_in_pages_that_say_so() -> None:
    crm = HubSpot()
    company(crm)
    reader = Reader(crm)
    pages = reader.read()
    assert names(reader) == truth(crm)
    assert sum(len(page.records) for page in pages) == 30
    assert all(page.listing for page in pages)
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert reader.position == Position(listing=False, since=crm.now)


@pytest.mark.parametrize("killed", range(6))
def test_a_listing_goes_on_where_it_was_killed(killed: int) -> None:
    crm = HubSpot()
    company(crm)
    reader = Reader(crm)
    first = reader.read(pages=killed)
    second = reader.read() if reader.position.listing else []
    assert names(reader) == truth(crm)
    assert sum(len(page.records) for page in (*first, *second)) == 30


@pytest.mark.parametrize("half", ["listed", "archived"])
def test_a_cursor_that_is_refused_costs_a_second_reading_and_no_row(half: str) -> None:
    crm = HubSpot(page=5)
    for deal in company(crm)[: 15 if half == "archived" else 0]:
        crm.delete("deal", deal)
    reader = Reader(crm)
    reader.read(pages=2 if half == "listed" else 5)
    assert reader.position.token.removeprefix("archived:")
    assert reader.position.token.startswith("archived:") is (half == "archived")
    refused: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if "after" in request.url.params and not refused:
            refused.append(request)
            return httpx.Response(400, json={"status": "error", "message": "Invalid after"})
        return crm.answer(request)

    reader.more = {"transport": httpx.MockTransport(answer)}
    reader.read()
    assert len(refused) == 1
    assert names(reader) == truth(crm)
    assert reader.position.began is None


def test_changes_are_read_from_the_moment_of_the_crm_where_its_clock_is_behind() -> None:
    crm = HubSpot()
    company(crm)
    ours = crm.now + timedelta(hours=3)
    position = Position(began=ours)
    for page in opened(crm, now=lambda: ours).pages(WALKS["deal"], position):
        position = page.position
    assert position.since == crm.now


def test_a_listing_that_ends_in_a_later_run_still_minds_the_clock_it_began_by() -> None:
    crm = HubSpot()
    company(crm)
    began, ahead = crm.now, timedelta(hours=3)
    first, *_ = opened(crm, now=lambda: crm.now + ahead).pages(WALKS["deal"], Position(began=began + ahead))
    crm.tick(timedelta(days=1))
    *_, last = opened(crm, now=lambda: crm.now + ahead).pages(WALKS["deal"], first.position)
    assert last.last
    assert last.position.since == began


def test_a_listing_never_asks_for_more_rows_than_hubspot_gives() -> None:
    crm = HubSpot(page=1000)
    company(crm, deals=120)
    reader = Reader(crm)
    assert [len(page.records) for page in reader.read()] == [50, 50, 20, 0]


# Changes.


def test_what_changed_is_read_and_nothing_else() -> None:
    crm = HubSpot()
    deals = company(crm)
    reader = Reader(crm)
    reader.read()
    crm.tick(3600)
    crm.edit("deal", deals[3], name="autre")
    crm.tick(60)
    pages = reader.read()
    assert [record.ext_id for page in pages for record in page.records] == [deals[3]]
    assert names(reader) == truth(crm)


def test_what_search_shows_late_is_read_by_the_next_run() -> None:
    crm = HubSpot(search_lag=600)
    deals = company(crm)
    reader = Reader(crm)
    reader.read()
    crm.tick(3600)
    crm.edit("deal", deals[3], name="autre")
    crm.tick(60)
    reader.read()
    assert reader.rows[deals[3]].name == "D3", "search does not know yet"  # type: ignore[attr-defined]
    crm.tick(660)
    reader.read()
    assert names(reader) == truth(crm)


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([0, 0, 0, 1, 60]), min_size=1, max_size=40),
    st.integers(1, 9),
    st.integers(0, 12),
)
def test_every_change_is_read_however_many_share_a_moment(ticks: list[int], page: int, killed: int) -> None:
    crm = HubSpot(page=page, cap=200, search_lag=0)
    deals = company(crm, deals=len(ticks))
    reader = Reader(crm)
    reader.read()
    crm.tick(3600)
    for number, (deal, tick) in enumerate(zip(deals, ticks, strict=True)):
        crm.edit("deal", deal, name=f"autre {number}")
        crm.tick(tick)
    crm.requests.clear()
    reader.read(pages=killed)
    reader.read()
    assert names(reader) == truth(crm)
    searches = [json.loads(request.content) for request in crm.requests if request.url.path.endswith("/search")]
    assert all("after" not in asked for asked in searches), "search is never paged"


def test_more_changes_than_search_can_page_to_are_read() -> None:
    crm = HubSpot(page=7, cap=200, search_lag=0)
    deals = company(crm, deals=260)
    reader = Reader(crm)
    reader.read()
    crm.tick(3600)
    for number, deal in enumerate(deals):
        crm.edit("deal", deal, name=f"autre {number}")
        crm.tick(number % 3 == 0)
    reader.read()
    assert names(reader) == truth(crm)


def test_a_search_is_asked_once_for_each_window() -> None:
    crm = HubSpot(page=7, search_lag=0)
    deals = company(crm)
    reader = Reader(crm)
    reader.read()
    crm.tick(3600)
    for deal in deals:
        crm.edit("deal", deal, name="autre")
        crm.tick(1)
    crm.requests.clear()
    reader.read()
    searches = [request for request in crm.requests if request.url.path.endswith("/search")]
    # The last row of a window is the first of the next.
    assert len(searches) == 5


def test_rows_that_change_while_they_are_read_are_not_missed() -> None:
    crm = HubSpot(page=3, search_lag=0)
    deals = company(crm)
    reader = Reader(crm)
    reader.read()
    crm.tick(3600)
    for deal in deals:
        crm.edit("deal", deal, name="autre")
        crm.tick(1)
    turn = iter(range(40))

    def between() -> None:
        number = next(turn, None)
        if number is not None:
            crm.tick(1)
            crm.edit("deal", deals[number % len(deals)], name=f"encore {number}")

    crm.between = between
    reader.read()
    crm.between = lambda: None
    crm.tick(1)
    reader.read()
    assert names(reader) == truth(crm)


def test_a_search_that_finds_nothing_still_tells_where_to_go_on() -> None:
    crm = HubSpot()
    company(crm, deals=2)
    reader = Reader(crm)
    reader.read()
    crm.tick(7200)
    pages = reader.read()
    assert [(len(page.records), page.listing, page.last) for page in pages] == [(0, False, False), (0, False, True)]
    assert reader.position == Position(listing=False, since=crm.now)


# Gone.


def test_an_archived_deal_is_gone_and_keeps_what_it_said() -> None:
    crm = HubSpot(search_lag=0)
    deals = company(crm)
    reader = Reader(crm)
    reader.read()
    crm.tick(3600)
    crm.delete("deal", deals[4])
    gone = [each for page in reader.read() for each in page.gone]
    assert gone == [Gone(object="deal", ext_id=deals[4], at=crm.now)]
    assert reader.rows[deals[4]].customer is not None  # type: ignore[attr-defined]
    assert names(reader) == truth(crm)
    crm.tick(3600)
    crm.restore("deal", deals[4])
    crm.tick(1)
    reader.read()
    assert names(reader) == truth(crm)


def test_a_listing_ends_with_what_was_archived_so_that_nothing_need_be_guessed() -> None:
    crm = HubSpot()
    deals = company(crm)
    crm.delete("deal", deals[4])
    crm.tick(60)
    reader = Reader(crm)
    *listed, archived = reader.read()
    assert not any(page.gone for page in listed)
    assert archived.gone == [Gone(object="deal", ext_id=deals[4], at=crm.get("deal", deals[4]).deleted)]
    assert (archived.listing, archived.last) == (True, True)


def test_more_archived_deals_than_a_page_are_all_gone_even_after_a_kill() -> None:
    crm = HubSpot(page=3)
    deals = company(crm)
    reader = Reader(crm)
    reader.read()
    crm.tick(3600)
    for deal in deals[:20]:
        crm.delete("deal", deal)
    reader.read(pages=3)
    assert reader.position.token.startswith("archived:")
    reader.read()
    assert names(reader) == truth(crm)


@pytest.mark.parametrize("object_", ["deal", "customer"])
def test_two_that_are_merged_become_a_new_one_that_names_both(object_: str) -> None:
    crm = HubSpot(search_lag=0)
    company(crm)
    reader = Reader(crm, object_)
    reader.read()
    crm.tick(3600)
    first, second, third = list(truth(crm, object_))[:3]
    new = crm.merge(object_, first, second)
    newest = crm.merge(object_, third, new)
    reader.read()
    assert newest not in {first, second, third, new}
    assert names(reader) == truth(crm, object_)
    assert {reader.rows[each].merged_into for each in (first, second, third)} == {newest}


def test_a_merged_deal_that_is_read_again_answers_with_its_survivor() -> None:
    crm = HubSpot()
    deals = company(crm)
    new = crm.merge("deal", deals[0], deals[1])
    page = opened(crm).reread("deal", [deals[0]])
    assert [record.ext_id for record in page.records] == [new]
    assert {(gone.ext_id, gone.merged_into) for gone in page.gone} == {(deals[0], new), (deals[1], new)}


def test_rows_are_read_again_by_id_whatever_became_of_them() -> None:
    crm = HubSpot()
    deals = company(crm, deals=70)
    crm.delete("deal", deals[1])
    page = opened(crm).reread("deal", [*deals, "999999", deals[0], "no number"])
    assert {record.ext_id for record in page.records} == set(deals) - {deals[1]}
    assert list(page.gone) == [
        Gone(object="deal", ext_id=deals[1], at=crm.now),
        Gone(object="deal", ext_id="999999"),
    ]
    assert not page.listing


def test_a_row_that_cannot_be_read_again_is_set_aside_and_not_gone() -> None:
    crm = HubSpot()
    deals = company(crm, deals=3)
    crm.poison[deals[1]] = {"amount": "beaucoup"}
    page = opened(crm).reread("deal", deals)
    assert len(page.records) == 2
    assert [problem.ext_id for problem in page.problems] == [deals[1]]
    assert page.gone == []


@pytest.mark.parametrize("object_", ["person", "stage", "rate"])
def test_small_objects_are_read_again_whole(object_: str) -> None:
    crm = HubSpot()
    company(crm, deals=1)
    page = opened(crm).reread(object_, ["1", "999999"])
    assert Gone(object=object_, ext_id="999999") in page.gone
    assert not page.listing
    assert page.records


# What a deal says.


def test_a_deal_is_told_whole() -> None:
    crm = HubSpot()
    owner = crm.create("person", name="Anne Petit", email="anne@example.com")
    crm.create("customer", name="Plus ancien")
    customer = crm.create("customer", name="Client")
    lead = crm.create("lead", name="Piste", owner=owner, origin="Salon", converted=None, customer=customer)
    began = crm.now
    made = crm.create("deal", name="Affaire", customer=customer, owner=owner, lead=lead, amount=Decimal("19.99"))
    stage = crm.get("deal", made)["stage"]
    assert one(crm) == Deal(
        ext_id=made,
        name="Affaire",
        modified=began,
        status="open",
        raw_status=stage,
        customer=customer,
        owner=owner,
        pipeline=crm.get("deal", made)["pipeline"],
        stage=stage,
        lead=lead,
        amount_minor=1999,
        currency="EUR",
        created=began,
    )


def test_the_primary_company_is_the_customer_however_the_deal_is_read() -> None:
    crm = HubSpot(search_lag=0)
    company(crm, deals=3)
    reader = Reader(crm)
    reader.read()
    listed = {key: row.customer for key, row in reader.rows.items()}  # type: ignore[attr-defined]
    crm.tick(3600)
    for deal in reader.rows:
        crm.edit("deal", deal, amount=Decimal(1))
    reader.read()
    searched = {key: row.customer for key, row in reader.rows.items()}  # type: ignore[attr-defined]
    assert listed == searched == {thing.id: thing["customer"] for thing in crm.latest("deal")}


def test_the_primary_company_is_the_customer_however_the_lead_is_read() -> None:
    crm = HubSpot(search_lag=0)
    _, mine = crm.create("customer", name="Ancienne"), crm.create("customer", name="La sienne")
    lead = crm.create("lead", name="Piste", owner=None, origin=None, converted=None, customer=mine)
    reader = Reader(crm, "lead")
    reader.read()
    listed = reader.rows[lead].customer  # type: ignore[attr-defined]
    crm.tick(3600)
    crm.edit("lead", lead, name="Autre")
    reader.read()
    assert listed == reader.rows[lead].customer == mine  # type: ignore[attr-defined]


def test_a_deal_closed_when_it_entered_its_stage_whatever_the_closing_date_says() -> None:
    crm = HubSpot()
    [deal] = company(crm, deals=1)
    crm.move(deal, crm.stages(status="won")[0].id)
    won = crm.now
    crm.tick(90_000)
    crm.edit("deal", deal, closedate=crm.now + timedelta(days=400))
    assert one(crm).closed == won


def test_a_deal_that_moves_between_won_stages_stays_closed_when_it_was() -> None:
    crm = HubSpot()
    [deal] = company(crm, deals=1)
    first, second = crm.stages(status="won")
    crm.move(deal, first.id)
    won = crm.now
    crm.tick(90_000)
    crm.move(deal, second.id)
    assert one(crm).closed == won


def test_a_deal_that_was_reopened_and_lost_closed_when_it_was_lost() -> None:
    crm = HubSpot()
    [deal] = company(crm, deals=1)
    for status in ("won", "open", "lost"):
        crm.tick(5000)
        crm.move(deal, crm.stages(status=status)[0].id)
    assert (one(crm).status, one(crm).closed) == ("lost", crm.now)


def test_a_deal_that_was_won_twice_closed_the_second_time() -> None:
    crm = HubSpot()
    [deal] = company(crm, deals=1)
    for status in ("won", "open", "won"):
        crm.tick(5000)
        crm.move(deal, crm.stages(status=status)[0].id)
    assert one(crm).closed == crm.now


def test_an_open_deal_has_a_plan_but_no_closing_date() -> None:
    crm = HubSpot()
    company(crm, deals=1)
    assert one(crm).closed is None


def _without_history(crm: HubSpot, closedate: datetime | None) -> Deal:
    [deal] = company(crm, deals=1)
    crm.move(deal, crm.stages(status="won")[0].id)
    crm.edit("deal", deal, closedate=closedate, entered=[])
    return one(crm)


def test_without_a_history_the_closing_date_is_believed() -> None:
    day = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert _without_history(HubSpot(), day).closed == day


def test_a_closed_deal_may_have_no_closing_date_at_all() -> None:
    crm = HubSpot()
    [deal] = company(crm, deals=1)
    crm.move(deal, crm.stages(status="won")[0].id)
    crm.edit("deal", deal, entered=[])
    crm.poison[deal] = {"closedate": None}
    reader = Reader(crm)
    [page, _] = reader.read()
    [told] = page.records
    assert isinstance(told, Deal)
    assert (told.status, told.closed) == ("won", None)
    assert [(flag.reason, flag.kept, flag.details) for flag in page.problems] == [
        (Reason.CLOSED_MISSING, True, {"status": "won"})
    ]


def test_every_stage_that_a_deal_entered_is_told_by_listing_and_by_search() -> None:
    crm = HubSpot(search_lag=0)
    [deal] = company(crm, deals=1)
    reader = Reader(crm)
    listed = reader.read()
    entered = crm.get("deal", deal)["entered"]
    assert [passage for page in listed for passage in page.passages] == [
        Passage(deal=deal, stage=stage, at=at) for at, stage in entered
    ]
    crm.tick(3600)
    crm.move(deal, crm.stages(status="lost")[0].id)
    found = reader.read()
    entered = crm.get("deal", deal)["entered"]
    assert [passage for page in found for passage in page.passages] == [
        Passage(deal=deal, stage=stage, at=at) for at, stage in entered
    ]


@pytest.mark.parametrize(
    ("said", "currency", "minor"),
    [
        ("3000", None, 300000),
        ("5000.00", None, 500000),
        ("0", None, 0),
        ("", None, None),
        (None, None, None),
        ("12.5", "USD", 1250),
        ("1500", "JPY", 1500),
        ("1e3", None, 100000),
        (" 7 ", None, 700),
    ],
)
def test_amounts_are_read_through_decimals(said: str | None, currency: str | None, minor: int | None) -> None:
    crm = HubSpot()
    [deal] = company(crm, deals=1)
    crm.poison[deal] = {"amount": said, "deal_currency_code": currency}
    told = one(crm)
    assert (told.amount_minor, told.currency) == (minor, currency or "EUR")


def test_the_currency_of_the_account_is_that_of_amounts_which_name_none() -> None:
    crm = HubSpot(currency="CHF")
    company(crm, deals=1)
    assert one(crm).currency == "CHF"
    foreign = opening(crm)
    reader = Connector(replace(foreign, currency="EUR"))
    [page, _] = reader.pages(WALKS["deal"], Position(began=crm.now))
    assert [record.currency for record in page.records if isinstance(record, Deal)] == ["CHF"]


@pytest.mark.parametrize(
    ("said", "reason"), [("0.005", Reason.AMOUNT_ROUNDED), ("-3", Reason.AMOUNT_NEGATIVE)], ids=str
)
def test_an_odd_amount_is_kept_and_flagged(said: str, reason: Reason) -> None:
    crm = HubSpot()
    [deal] = company(crm, deals=1)
    crm.poison[deal] = {"amount": said}
    reader = Reader(crm)
    [page, _] = reader.read()
    assert [(problem.reason, problem.kept, problem.place) for problem in page.problems] == [
        (reason, True, f"deal {deal}")
    ]
    assert deal in reader.rows


@pytest.mark.parametrize(
    ("wrong", "reason", "field"),
    [
        ({"amount": "beaucoup"}, Reason.AMOUNT_UNREADABLE, "amount"),
        ({"amount": "NaN"}, Reason.AMOUNT_NOT_FINITE, "amount"),
        ({"amount": "9" * 30}, Reason.AMOUNT_TOO_LARGE, "amount"),
        ({"amount": {"value": 3}}, Reason.VALUE_UNREADABLE, "properties.amount"),
        ({"deal_currency_code": "ZZZ"}, Reason.CURRENCY_UNKNOWN, "deal_currency_code"),
        ({"createdate": "hier"}, Reason.DATE_UNREADABLE, "createdate"),
        ({"createdate": "0001-01-01T00:00:00Z"}, Reason.DATE_OUT_OF_RANGE, "createdate"),
        ({"dealstage": None}, Reason.STATUS_MISSING, "dealstage"),
    ],
    ids=str,
)
def test_a_row_that_cannot_be_read_is_set_aside_and_the_page_goes_on(
    wrong: dict[str, Any], reason: Reason, field: str
) -> None:
    crm = HubSpot()
    deals = company(crm)
    crm.poison[deals[10]] = wrong
    reader = Reader(crm)
    problems = [problem for page in reader.read() for problem in page.problems]
    assert [(each.reason, each.field, each.ext_id, each.place, each.kept) for each in problems] == [
        (reason, field, deals[10], f"deal {deals[10]}", False)
    ]
    assert set(reader.rows) == set(deals) - {deals[10]}


@pytest.mark.parametrize(("object_", "field"), [("deal", "amount"), ("deal", "dealstage"), ("customer", "name")])
def test_a_property_that_no_row_has_any_more_is_drift(object_: str, field: str) -> None:
    crm = HubSpot()
    company(crm)
    crm.dropped = {field}
    with pytest.raises(DriftError) as caught:
        Reader(crm, object_).read()
    assert (caught.value.object, caught.value.field) == (object_, f"properties.{field}")


def test_a_property_without_a_value_is_no_drift() -> None:
    crm = HubSpot()
    crm.create("deal", name="Sans montant")
    assert one(crm).amount_minor is None


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"results": {}}', b'{"results": [3]}', b'"results"'])
def test_an_answer_of_another_shape_is_drift(body: bytes) -> None:
    crm = HubSpot()
    crm.faults.append(Fault(200, body=body))
    with pytest.raises(DriftError):
        Reader(crm, "customer").read()


# Stages.


def test_stages_are_what_their_probability_says() -> None:
    crm = HubSpot()
    [page] = opened(crm).pages(WALKS["stage"], Position(began=crm.now))
    told = {record.ext_id: record for record in page.records if isinstance(record, Stage)}
    assert {key: stage.status for key, stage in told.items()} == {each.id: each["status"] for each in crm.stages()}
    assert {key: stage.pipeline for key, stage in told.items()} == {each.id: each["pipeline"] for each in crm.stages()}
    assert (page.listing, page.last) == (True, True)


def test_a_persons_decision_on_a_stage_beats_hubspot() -> None:
    crm = HubSpot()
    [deal] = company(crm, deals=1)
    crm.tick(60)
    parked = crm.stages(status="open")[1].id
    crm.move(deal, parked)
    told = one(crm, stages={parked: "dormant"})
    assert (told.status, told.closed) == ("dormant", crm.now)


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        ({"isClosed": "true", "probability": "1.0"}, "won"),
        ({"isClosed": "true", "probability": "0.0"}, "lost"),
        ({"isClosed": "false", "probability": "0.0"}, "open"),
        ({"probability": "1"}, "won"),
        ({"probability": "0"}, "lost"),
        ({"probability": "0.9"}, "open"),
        ({"isClosed": "false", "probability": None}, "open"),
        ({"isClosed": True, "probability": "1.0"}, "won"),
    ],
    ids=str,
)
def test_a_stage_is_closed_where_hubspot_says_so(metadata: dict[str, Any], status: str) -> None:
    crm = HubSpot()
    stage = {"id": "s", "label": "S", "displayOrder": 0, "metadata": metadata}
    body = json.dumps({"results": [{"id": "p", "label": "P", "stages": [stage]}]}).encode()
    crm.faults.append(Fault(200, body=body))
    [page] = opened(crm).pages(WALKS["stage"], Position(began=crm.now))
    assert [record.status for record in page.records if isinstance(record, Stage)] == [status]


def test_a_stage_made_during_the_run_is_learned() -> None:
    crm = HubSpot()
    [deal] = company(crm, deals=1)
    connector = opened(crm)
    list(connector.pages(WALKS["stage"], Position(began=crm.now)))
    new = crm.create("stage", name="Signé", pipeline=crm.get("deal", deal)["pipeline"], position=9, status="won")
    crm.tick(60)
    crm.move(deal, new)
    [page, _] = connector.pages(WALKS["deal"], Position(began=crm.now))
    assert [(row.status, row.closed) for row in page.records if isinstance(row, Deal)] == [("won", crm.now)]


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"hs_is_closed": "true", "hs_is_closed_won": "true"}, "won"),
        ({"hs_is_closed": "true", "hs_is_closed_won": "false"}, "lost"),
        ({"hs_is_closed": "false", "hs_is_closed_won": "false"}, "open"),
    ],
    ids=str,
)
def test_a_deal_in_a_stage_that_was_deleted_says_itself_what_it_is(told: dict[str, str], status: str) -> None:
    crm = HubSpot()
    [deal] = company(crm, deals=1)
    crm.poison[deal] = {"dealstage": "perdue de vue"} | told
    assert one(crm).status == status


def test_a_deal_of_which_nothing_tells_the_status_is_set_aside() -> None:
    crm = HubSpot()
    [deal] = company(crm, deals=1)
    crm.poison[deal] = {"dealstage": "perdue de vue"}
    crm.dropped = {"hs_is_closed", "hs_is_closed_won"}
    [page, _] = Reader(crm).read()
    assert [problem.reason for problem in page.problems] == [Reason.STATUS_UNKNOWN]


# People, rates, the account.


def test_owners_who_left_are_people_who_are_not_active() -> None:
    crm = HubSpot(page=2)
    ids = [crm.create("person", name=f"Anne {number}", email=f"a{number}@example.com") for number in range(5)]
    crm.delete("person", ids[2])
    [page] = opened(crm).pages(WALKS["person"], Position(began=crm.now))
    told = {record.ext_id: record for record in page.records if isinstance(record, Person)}
    assert {key: person.active for key, person in told.items()} == {each: each != ids[2] for each in ids}
    assert told[ids[0]] == Person(ext_id=ids[0], name="Anne 0", email="a0@example.com")


def test_an_owner_belongs_to_the_primary_team() -> None:
    crm = HubSpot()
    teams = [{"id": 7, "name": "Sud", "primary": False}, {"id": 8, "name": "Nord", "primary": True}]
    owner = {"id": "1", "email": None, "firstName": None, "lastName": "Petit", "archived": False, "teams": teams}
    crm.faults.append(Fault(200, body=json.dumps({"results": [owner]}).encode()))
    [page] = opened(crm).pages(WALKS["person"], Position(began=crm.now))
    assert list(page.records) == [Team(ext_id="8", name="Nord"), Person(ext_id="1", name="Petit", team="8")]


def test_rates_say_what_a_foreign_unit_is_worth() -> None:
    crm = HubSpot()
    [page] = opened(crm).pages(WALKS["rate"], Position(began=crm.now))
    assert page.records[0] == Rate(
        ext_id="1", base="USD", currency="EUR", starts_on=date(2025, 1, 1), rate=Decimal("0.9")
    )


def test_an_account_without_currencies_is_read_all_the_same_and_no_rate_is_gone() -> None:
    crm = HubSpot(has_currencies=False)
    [page] = opened(crm).pages(WALKS["rate"], Position(began=crm.now))
    assert (list(page.records), page.listing, page.last) == ([], False, True)


def test_the_account_says_who_it_is() -> None:
    assert CONNECTOR.check(opening(HubSpot())) == Account("HubSpot 62515", "EUR", "Europe/Paris")


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_may_not_read_deals_is_refused(status: int) -> None:
    crm = HubSpot()
    crm.faults.append(Fault(status))
    with pytest.raises(RefusedError):
        CONNECTOR.check(opening(crm))
    assert len(crm.requests) == 1


def test_a_token_that_may_not_know_the_account_is_good_enough() -> None:
    crm = HubSpot()
    crm.refused.add("account-info")
    company(crm, deals=1)
    assert CONNECTOR.check(opening(crm)) == Account("HubSpot")
    assert one(crm).currency == "EUR"


@pytest.mark.parametrize("object_", ["deal", "customer", "lead"])
def test_a_row_without_a_name_is_kept_and_flagged(object_: str) -> None:
    crm = HubSpot()
    lead(crm)
    made = crm.create("deal", name="Affaire")
    made = made if object_ == "deal" else next(iter(truth(crm, object_)))
    crm.poison[made] = dict.fromkeys(("dealname", "name", "hs_lead_name"))
    reader = Reader(crm, object_)
    [page, _] = reader.read()
    assert [(flag.reason, flag.kept, flag.details["id"]) for flag in page.problems] == [
        (Reason.NAME_MISSING, True, made)
    ]
    assert names(reader) == {made: made}


# Leads.


def lead(crm: HubSpot, *, converted: datetime | None = None, **more: Any) -> str:
    owner = crm.create("person", name="Anne Petit", email="anne@example.com")
    customer = crm.create("customer", name="Client")
    return crm.create(
        "lead", name="Jean Martin", owner=owner, origin="Salon", converted=converted, customer=customer, **more
    )


def read_leads(crm: HubSpot) -> list[Lead]:
    reader = Reader(crm, "lead")
    reader.read()
    return [row for row in reader.alive().values() if isinstance(row, Lead)]


def test_leads_are_leads_where_the_account_has_them() -> None:
    crm = HubSpot()
    made = lead(crm, converted=crm.now + timedelta(days=2))
    [told] = read_leads(crm)
    assert (told.ext_id, told.name, told.origin, told.created) == (made, "Jean Martin", "Salon", crm.now)
    assert (told.converted, told.converted_on) == (True, crm.now + timedelta(days=2))
    assert told.customer == crm.get("lead", made)["customer"]
    assert told.qualified is None


def test_contacts_stand_for_leads_where_it_has_none(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    crm = HubSpot(has_leads=False)
    made = lead(crm, converted=crm.now + timedelta(days=2))
    [told] = read_leads(crm)
    assert (told.ext_id, told.name, told.inbound) == (f"contact-{made}", "Jean Martin", True)
    assert (told.qualified, told.qualified_on) == (True, crm.now)
    assert (told.converted, told.converted_on) == (True, crm.now + timedelta(days=2))
    assert told.customer == crm.get("lead", made)["customer"]
    assert "hubspot_leads_are_contacts" in caplog.messages


def test_a_deal_names_the_contact_that_stands_for_its_lead() -> None:
    crm = HubSpot(has_leads=False)
    made = lead(crm)
    crm.create("deal", name="Affaire", lead=made)
    assert one(crm).lead == f"contact-{made}"


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ("subscriber", None),
        ("other", None),
        (None, None),
        ("lead", (False, False)),
        ("salesqualifiedlead", (True, False)),
        ("opportunity", (True, False)),
        ("customer", (True, True)),
    ],
)
def test_a_contact_is_a_lead_in_the_middle_of_its_life(stage: str | None, told: tuple[bool, bool] | None) -> None:
    crm = HubSpot(has_leads=False)
    lead(crm, lifecyclestage=stage)
    assert [(each.qualified, each.converted) for each in read_leads(crm)] == ([] if told is None else [told])


def test_a_contact_that_is_no_lead_any_more_is_gone() -> None:
    crm = HubSpot(has_leads=False, search_lag=0)
    made = lead(crm)
    reader = Reader(crm, "lead")
    reader.read()
    crm.tick(3600)
    crm.edit("lead", made, lifecyclestage="other")
    reader.read()
    assert reader.alive() == {}


def test_a_contact_that_was_imported_did_not_come_by_itself() -> None:
    crm = HubSpot(has_leads=False)
    crm.edit("lead", lead(crm), origin="OFFLINE")
    assert [each.inbound for each in read_leads(crm)] == [False]


def test_an_id_of_the_other_kind_of_lead_says_nothing() -> None:
    crm = HubSpot()
    made = lead(crm)
    assert opened(crm).reread("lead", [f"contact-{made}"]).records == []
    assert opened(HubSpot(has_leads=False)).reread("lead", [made]).gone == []


def test_a_contact_that_cannot_be_read_is_set_aside_under_its_own_id() -> None:
    crm = HubSpot(has_leads=False)
    made = lead(crm)
    crm.poison[made] = {"createdate": "hier", "hs_v2_date_entered_marketingqualifiedlead": None}
    page = opened(crm).reread("lead", [f"contact-{made}"])
    assert [problem.ext_id for problem in page.problems] == [f"contact-{made}"]
    assert page.gone == []


def test_a_token_that_was_withdrawn_is_no_account_without_leads() -> None:
    crm = HubSpot()
    crm.faults.append(Fault(401))
    with pytest.raises(RefusedError):
        Reader(crm, "lead").read()
    assert len(crm.requests) == 1


def test_a_life_in_which_contacts_stand_for_leads_ends_as_the_crm_says(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shape(_crm: Crm, thing: Thing, row: Row) -> Row:
        if thing.object != "lead":
            return row
        inbound = None if row["origin"] is None else True
        return row | {"qualified": True, "qualified_on": row["created_on"], "inbound": inbound}

    def name(_crm: Crm, thing: Thing) -> str:
        return f"contact-{thing.id}" if thing.object == "lead" else thing.id

    quirks = replace(QUIRKS["hubspot"], names=name, shape=shape)
    monkeypatch.setitem(QUIRKS, "hubspot", quirks)
    [house] = [each for each in real() if each.name == "hubspot"]
    lived = live(database, replace(house, make=lambda: HubSpot(has_leads=False)), seed=1, deeds=12)
    lived.watch.close()
    assert differences(Held(database, lived.workspace_id, "hubspot"), lived.truth) == []


# Manners.


def test_the_token_travels_in_its_header_and_nowhere_else() -> None:
    crm = HubSpot()
    company(crm)
    Reader(crm).read()
    for request in crm.requests:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in str(request.url)
    options = CONNECTOR.options(token=f" {TOKEN}\n", client_secret=SECRET)
    assert options.token.get_secret_value() == TOKEN
    assert TOKEN not in repr(options)
    assert SECRET not in repr(options)


def test_every_address_carries_the_one_version() -> None:
    crm = HubSpot(search_lag=0)
    [deal] = company(crm, deals=1)
    for walk in CONNECTOR.walks:
        list(opened(crm).pages(walk, Position(began=crm.now)))
        list(opened(crm).pages(walk, Position(listing=False, since=crm.now - timedelta(days=1), began=crm.now)))
    opened(crm).reread("deal", [deal])
    assert {hubspot_api.VERSION in request.url.path for request in crm.requests} == {True}


def test_four_fifths_of_the_day_are_spent_and_no_more() -> None:
    crm = HubSpot()
    company(crm)
    crm.daily_left = 50_003
    with pytest.raises(BudgetError) as caught:
        Reader(crm).read()
    assert caught.value.until == crm.now + timedelta(hours=1)
    assert crm.daily_left == 50_000


def test_the_ten_seconds_are_waited_for() -> None:
    headers = {"max": "100", "remaining": "0", "interval-milliseconds": "10000"}
    response = httpx.Response(200, headers={f"x-hubspot-ratelimit-{name}": said for name, said in headers.items()})
    now = datetime(2026, 11, 23, tzinfo=UTC)
    [budget] = hubspot_api.limits(TOKEN).budgets(response, now)
    assert (budget.spent, budget.long, budget.resets) == (True, False, now + timedelta(seconds=10))


def test_a_search_tells_no_budget() -> None:
    crm = HubSpot()
    company(crm, deals=1)
    reader = Reader(crm)
    reader.read()
    crm.requests.clear()
    reader.read()
    [search] = [each for each in crm.requests if each.url.path.endswith("/search")]
    assert hubspot_api.limits(TOKEN).budgets(crm.handle(search), crm.now) == []


def test_a_day_that_is_spent_is_not_asked_about_again() -> None:
    crm = HubSpot()
    crm.faults.append(Fault(429, body=b'{"errorType": "RATE_LIMIT", "policyName": "DAILY"}'))
    with pytest.raises(BudgetError):
        Reader(crm).read()
    assert len(crm.requests) == 1


def test_a_storm_is_weathered_over_a_real_socket() -> None:
    crm = HubSpot(search_lag=0)
    company(crm)
    with serving(crm) as address:
        reader = Reader(crm)
        for _ in range(2):
            crm.faults.extend([Fault(429, {"retry-after": "1"}), Fault("cut"), Fault("half"), Fault(502), Fault(500)])
            limits = replace(CONNECTOR.limits(CONNECTOR.options(**crm.options())), base_url=address, per_second=1e9)
            client = Client(limits, pause=lambda _seconds: None, now=lambda: crm.now)
            given = Opening(
                options=CONNECTOR.options(**crm.options()), client=client, currency="EUR", now=crm.now, stages={}
            )
            position = reader.position
            if position.began is None:
                since = position.since and position.since - timedelta(minutes=15)
                position = replace(position, since=since, began=crm.now)
            for page in Connector(given).pages(WALKS["deal"], position):
                reader.rows |= {record.ext_id: record for record in page.records}
                reader.position = page.position
            assert names(reader) == truth(crm)
            crm.tick(3600)
            crm.edit("deal", next(iter(reader.rows)), name="autre")
            client.close()


# Webhooks.

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BODY = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":'
    b'"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]'
)


def knock(body: bytes = BODY, **headers: str) -> Knock:
    told = {
        "x-hubspot-request-timestamp": "1767225600000",
        "x-hubspot-signature-v3": "YrYQXHrX2V25l31VT76/3uWf9RPw4whxCNoRuvyNja0=",
    }
    return Knock(method="POST", url=DOOR, headers=told | headers, body=body)


def heard(knocked: Knock, now: datetime = NOW, secret: str | None = SECRET) -> list[Hint]:
    assert CONNECTOR.hints is not None
    return list(CONNECTOR.hints(knocked, CONNECTOR.options(token=TOKEN, client_secret=secret), now))


def test_a_genuine_knock_is_heard() -> None:
    [hint] = heard(knock())
    assert (hint.object, hint.ext_id) == ("lead", "contact-123")


@pytest.mark.parametrize(
    ("stamp", "signed"),
    [
        ("1693657560000", "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="),
        ("1700000300000", "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw="),
    ],
)
def test_signatures_are_those_of_hubspots_own_libraries(stamp: str, signed: str) -> None:
    body = b"{'example_field':'example_value'}"
    assert hubspot_hooks.signature(SECRET, "POST", "https://www.example.com/webhook_uri", body, stamp) == signed


@pytest.mark.parametrize(("seconds", "why"), [(301, "too old"), (-61, "from the future"), (10**9, "too old")])
def test_a_knock_is_heard_for_five_minutes(seconds: int, why: str) -> None:
    assert heard(knock(), NOW + timedelta(seconds=300))
    assert heard(knock(), NOW - timedelta(seconds=5)), "clocks differ a little"
    with pytest.raises(NotGenuineError, match=why):
        heard(knock(), NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "forged",
    [
        knock(BODY.replace(b"123,", b"124,")),
        knock(**{"x-hubspot-signature-v3": "YrYQXHrX2V25l31VT76/3uWf9RPw4whxCNoRuvyNja1="}),
        knock(**{"x-hubspot-signature-v3": "é"}),
        knock(**{"x-hubspot-signature-v3": ""}),
        knock(**{"x-hubspot-request-timestamp": "1767225600001"}),
        knock(**{"x-hubspot-request-timestamp": ""}),
        knock(**{"x-hubspot-request-timestamp": "²"}),
        knock(**{"x-hubspot-request-timestamp": "9" * 15}),
        knock(**{"x-hubspot-request-timestamp": "9" * 30}),
        replace(knock(), url=DOOR + "?x=1"),
        replace(knock(), method="PUT"),
        Knock(method="POST", url=DOOR, headers={}, body=BODY),
    ],
)
def test_a_forged_knock_is_not_heard(forged: Knock) -> None:
    with pytest.raises(NotGenuineError):
        heard(forged)


@pytest.mark.parametrize("secret", [None, "", "another"])
def test_without_the_secret_nothing_is_genuine(secret: str | None) -> None:
    with pytest.raises(NotGenuineError):
        heard(knock(), secret=secret)


def test_the_address_is_signed_as_hubspot_decodes_it() -> None:
    signed = hubspot_hooks.signature(SECRET, "POST", "https://a.test/x?to=a:b/c?d@e!$'()*,;%20%26%3D%", b"", "1")
    told = "https://a.test/x?to=a%3Ab%2Fc%3Fd%40e%21%24%27%28%29%2a%2C%3b%20%26%3D%"
    assert hubspot_hooks.signature(SECRET, "POST", told, b"", "1") == signed


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"[3]", b'"deal"', b"\xff"])
def test_a_genuine_knock_that_says_nothing_readable_is_no_hint(body: bytes) -> None:
    stamp = "1767225600000"
    signed = hubspot_hooks.signature(SECRET, "POST", DOOR, body, stamp)
    with pytest.raises(ValueError, match=r".*"):
        heard(knock(body, **{"x-hubspot-signature-v3": signed}))


def events(*told: dict[str, Any]) -> list[tuple[str, str]]:
    crm = HubSpot()
    return [(hint.object, hint.ext_id) for hint in heard(crm.signed(told), crm.now)]


@pytest.mark.parametrize(
    ("event", "rows"),
    [
        ({"subscriptionType": "deal.propertyChange", "objectId": 1}, [("deal", "1")]),
        ({"subscriptionType": "object.creation", "objectTypeId": "0-3", "objectId": 1}, [("deal", "1")]),
        ({"subscriptionType": "object.deletion", "objectTypeId": "0-2", "objectId": 1}, [("customer", "1")]),
        ({"subscriptionType": "object.restore", "objectTypeId": "0-136", "objectId": 1}, [("lead", "1")]),
        ({"subscriptionType": "contact.propertyChange", "objectId": 1}, [("lead", "contact-1")]),
        ({"subscriptionType": "object.creation", "objectTypeId": "0-5", "objectId": 1}, []),
        ({"subscriptionType": "conversation.creation", "objectId": 1}, []),
        ({"subscriptionType": "deal.propertyChange"}, []),
        ({}, []),
        (
            {
                "subscriptionType": "company.merge",
                "primaryObjectId": 1,
                "mergedObjectIds": [2, 3],
                "newObjectId": 4,
                "objectId": 1,
            },
            [("customer", "1"), ("customer", "4"), ("customer", "2"), ("customer", "3")],
        ),
        (
            {
                "subscriptionType": "deal.associationChange",
                "associationType": "DEAL_TO_COMPANY",
                "fromObjectId": 1,
                "toObjectId": 2,
            },
            [("deal", "1"), ("customer", "2")],
        ),
        (
            {
                "subscriptionType": "object.associationChange",
                "fromObjectTypeId": "0-3",
                "toObjectTypeId": "0-5",
                "fromObjectId": 1,
                "toObjectId": 2,
            },
            [("deal", "1")],
        ),
    ],
    ids=lambda said: said.get("subscriptionType", "nothing") if isinstance(said, dict) else "",
)
def test_an_event_names_the_rows_to_read_again(event: dict[str, Any], rows: list[tuple[str, str]]) -> None:
    assert events(event) == rows


def test_the_same_event_delivered_twice_has_one_id_and_no_other_event_has_it() -> None:
    crm = HubSpot()
    event = {
        "eventId": 1,
        "subscriptionId": 2,
        "occurredAt": 3,
        "subscriptionType": "deal.propertyChange",
        "objectId": 4,
        "attemptNumber": 0,
    }
    others = [event | {"objectId": 5}, event | {"occurredAt": 6}, event | {"subscriptionId": 7}]
    first, again, *rest = heard(crm.signed([event, event | {"attemptNumber": 3}, *others]), crm.now)
    assert first.event_id == again.event_id
    assert len({hint.event_id for hint in (first, *rest)}) == 4


def test_what_is_heard_leads_to_the_row_as_it_is_now() -> None:
    crm = HubSpot()
    deals = company(crm)
    crm.edit("deal", deals[2], name="autre")
    knocked = crm.knock("deal", deals[2], "42")
    assert knocked is not None
    [hint] = heard(knocked, crm.now)
    [row] = opened(crm).reread(hint.object, [hint.ext_id]).records
    assert isinstance(row, Deal)
    assert (row.ext_id, row.name) == (deals[2], "autre")
