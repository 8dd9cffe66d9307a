"""Pipedrive's own protocol: two archives, deletes told for 30 days, cursors that expire, leads that become deals."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from storage.connectors.base import Account, Connector, DriftError, Knock, NotGenuineError, Opening
from storage.connectors.http import BudgetError, Client, RefusedError, UnexpectedError
from storage.connectors.pipedrive import CONNECTOR, LOOK_BACK, Options, check, hints, limits
from storage.problems import Reason
from storage.records import Deal, Gone, Lead, Page, Position, Stage
from tests.crm.pipedrive import PASSWORD, TOKEN, USER, Pipedrive
from tests.crm.world import Fault
from tests.laws.houses import real
from tests.storage.desk import Desk

Bend = Mapping[str, Any]


def opening(crm: Pipedrive, *, stages: Mapping[str, str] | None = None, bend: Bend | None = None) -> Opening:
    """The connector over the fake; `bend` changes fields of every row that is answered."""
    options = Options(**crm.options())

    def answer(request: httpx.Request) -> httpx.Response:
        response = crm.answer(request)
        if not bend:
            return response
        told = response.json()
        for row in told["data"] or []:
            row.update(bend)
        return httpx.Response(response.status_code, json=told)

    client = Client(
        limits(options), transport=httpx.MockTransport(answer), pause=lambda _seconds: None, now=lambda: crm.now
    )
    return Opening(options=options, client=client, currency="EUR", now=crm.now, stages=stages or {})


def connector(crm: Pipedrive, **more: Any) -> Connector:
    return CONNECTOR.open(opening(crm, **more))


def read(crm: Pipedrive, object_: str, since: datetime | None = None, **more: Any) -> list[Page]:
    """A listing, or what changed since."""
    walk = next(walk for walk in CONNECTOR.walks if walk.object == object_)
    position = Position(listing=since is None, began=crm.now, since=since)
    return list(connector(crm, **more).pages(walk, position))


def deals(pages: list[Page]) -> dict[str, Deal]:
    return {each.ext_id: each for page in pages for each in page.records if isinstance(each, Deal)}


def leads(pages: list[Page]) -> dict[str, Lead]:
    return {each.ext_id: each for page in pages for each in page.records if isinstance(each, Lead)}


def gone(pages: list[Page]) -> set[str]:
    return {each.ext_id for page in pages for each in page.gone}


def deal(crm: Pipedrive, status: str = "open", **more: Any) -> str:
    stage = crm.stages(status=status)[0].id
    return crm.create("deal", **{"name": "Affaire", "stage": stage, "amount": Decimal("19.99")} | more)


def test_archived_deals_are_listed_and_their_changes_are_read() -> None:
    crm = Pipedrive(window=2)
    ids = [deal(crm) for _ in range(7)]
    for archived in ids[2:5]:
        crm.archive("deal", archived)
    assert deals(read(crm, "deal")).keys() == set(ids)
    crm.tick(3600)
    since = crm.now
    crm.edit("deal", ids[3], amount=Decimal(5))
    crm.archive("deal", ids[0])
    assert deals(read(crm, "deal", since)).keys() == {ids[0], ids[3]}


def test_a_delete_is_told_for_thirty_days_and_then_only_by_what_a_listing_lacks() -> None:
    crm = Pipedrive()
    kept, lost = deal(crm), deal(crm)
    crm.tick(60)
    crm.delete("deal", lost)
    crm.tick(timedelta(days=20))
    assert gone(read(crm, "deal", crm.now)) == {lost}
    crm.tick(timedelta(days=11))
    assert gone(read(crm, "deal", crm.now)) == set()
    pages = read(crm, "deal")
    assert (deals(pages).keys(), gone(pages)) == ({kept}, set())
    assert [page.last for page in pages] == [False, False, True]
    assert all(page.listing for page in pages)


def test_a_listing_tells_the_same_deletes_as_the_changes_do(database: Engine) -> None:
    """So half the deals may go at once, and reading the changes after the listing finds nothing new."""
    [house] = [each for each in real() if each.name == "pipedrive"]
    desk = Desk(database, house)
    desk.sync()
    for number in range(len(desk.deals) // 2):
        if number % 2:
            desk.crm.archive("deal", desk.deals[number])
        desk.crm.tick(60)
        desk.crm.delete("deal", desk.deals[number])
    desk.crm.tick(3600)
    report = desk.sync(full=True)
    assert (report.troubles, report.objects["deal"].deleted) == ((), 6)
    held = desk.held()
    desk.crm.tick(60)
    desk.sync()
    assert desk.held() == held


def test_an_archived_deal_that_is_deleted_is_told_too() -> None:
    crm = Pipedrive()
    archived = deal(crm)
    crm.archive("deal", archived)
    crm.tick(60)
    since = crm.now
    crm.delete("deal", archived)
    assert gone(read(crm, "deal", since)) == {archived}


def test_moments_are_asked_for_in_whole_seconds_and_the_token_is_in_no_address() -> None:
    crm = Pipedrive()
    deal(crm)
    read(crm, "deal", crm.now + timedelta(microseconds=123_456))
    assert {request.url.params.get("updated_since") for request in crm.requests} == {"2026-01-05T08:00:00Z", None}
    assert all(TOKEN not in str(request.url) for request in crm.requests)


@pytest.mark.parametrize("object_", ["deal", "lead", "customer"])
@pytest.mark.parametrize("listing", [True, False])
def test_a_walk_that_is_cut_after_any_page_goes_on_without_losing_a_row(object_: str, listing: bool) -> None:
    crm = Pipedrive(window=3)
    since = crm.now
    customer = crm.create("customer", name="Maison")
    ids = set()
    for number in range(14):
        fields = {"name": f"Ligne {number}", "customer": customer, "owner": None, "origin": None, "converted": None}
        made = deal(crm) if object_ == "deal" else crm.create(object_, **fields)
        if number % 3 == 0 and (object_ == "deal" or (object_ == "lead" and listing)):
            crm.archive(object_, made)
        ids.add(made)
        crm.tick(1)
    walk = next(walk for walk in CONNECTOR.walks if walk.object == object_)
    start = Position(listing=listing, began=crm.now, since=None if listing else since)
    whole = list(connector(crm).pages(walk, start))
    assert len(whole) > 3
    assert whole[-1].position == Position(listing=False, since=crm.now)
    for cut in range(len(whole) - 1):
        before = whole[: cut + 1]
        after = list(connector(crm).pages(walk, before[-1].position))
        told = {each.ext_id for page in [*before, *after] for each in page.records if each.object == object_}
        assert told >= ids
        assert len(after) <= len(whole) - cut


def test_a_cursor_that_is_refused_costs_a_second_reading_and_no_row() -> None:
    crm = Pipedrive(window=2)
    ids = {deal(crm) for _ in range(6)}
    walk = CONNECTOR.walks[-1]
    first = next(connector(crm).pages(walk, Position(began=crm.now)))
    crm.expire_cursors()
    pages = list(connector(crm).pages(walk, first.position))
    assert deals(pages).keys() == ids


def test_a_cursor_that_does_not_move_is_drift_and_not_an_endless_walk() -> None:
    crm = Pipedrive()

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"success": True, "data": [], "additional_data": {"next_cursor": "same"}})

    opened = opening(crm)
    client = Client(
        limits(Options(**crm.options())), transport=httpx.MockTransport(answer), pause=lambda _seconds: None
    )
    with pytest.raises(DriftError, match="deal"):
        list(CONNECTOR.open(replace(opened, client=client)).pages(CONNECTOR.walks[-1], Position(began=crm.now)))


def test_a_refusal_that_has_nothing_to_do_with_the_cursor_is_passed_on() -> None:
    crm = Pipedrive()
    crm.faults.append(Fault(400))
    with pytest.raises(UnexpectedError):
        read(crm, "deal")


def test_a_lead_that_became_a_deal_is_kept_though_pipedrive_deletes_it() -> None:
    crm = Pipedrive(converted_vanish=True)
    blank = {"owner": None, "origin": "Web", "converted": None, "customer": None}
    stays, goes, hidden = (crm.create("lead", name=f"Piste {number}", **blank) for number in range(3))
    made = deal(crm, lead=goes, name="Affaire née d'une piste")
    crm.archive("deal", deal(crm, lead=hidden))
    listed = leads(read(crm, "lead"))
    assert listed.keys() == {stays, goes, hidden}
    assert listed[goes].name == "Affaire née d'une piste"
    # Older than anything that was known of the lead before.
    assert listed[goes].modified == datetime(1970, 1, 1, tzinfo=UTC)
    pages = read(crm, "deal", crm.now)
    assert deals(pages)[made].lead == goes
    assert [record.object for record in pages[0].records] == ["lead", "deal"]
    again = connector(crm).reread("lead", [goes])
    assert ([*again.records], [*again.gone]) == ([], [])


def test_archived_leads_are_listed_but_not_asked_for_changes() -> None:
    crm = Pipedrive(window=3)
    blank = {"owner": None, "origin": None, "converted": None, "customer": None}
    ids = [crm.create("lead", name=f"Piste {number}", **blank) for number in range(9)]
    for lead in ids[:5]:
        crm.archive("lead", lead)
    assert leads(read(crm, "lead")).keys() == set(ids)
    crm.requests.clear()
    read(crm, "lead", crm.now)
    assert {request.url.path for request in crm.requests} == {"/api/v1/leads"}


def test_reading_what_changed_costs_few_tokens() -> None:
    crm = Pipedrive()
    deal(crm)
    before = sum(crm.spent.values())
    for walk in CONNECTOR.walks:
        read(crm, walk.object, crm.now)
    assert sum(crm.spent.values()) - before == 110


def test_a_deal_is_won_when_it_was_won_whatever_its_stage_is_said_to_mean() -> None:
    crm = Pipedrive()
    won, lost, left = deal(crm), deal(crm), deal(crm)
    crm.tick(timedelta(days=3))
    crm.move(won, crm.stages(status="won")[0].id)
    crm.move(lost, crm.stages(status="lost")[0].id)
    at = crm.now
    crm.tick(timedelta(days=9))
    crm.edit("deal", won, name="Renommée")
    said = {each.id: "dormant" for each in crm.stages()}
    found = deals(read(crm, "deal", stages=said))
    assert {(found[each].status, found[each].closed) for each in (won, lost)} == {("won", at), ("lost", at)}
    assert (found[left].status, found[left].raw_status) == ("dormant", "open")
    stages = [each for page in read(crm, "stage", stages=said) for each in page.records if isinstance(each, Stage)]
    assert {each.status for each in stages} == {"dormant"}


def test_a_deal_without_an_organization_has_its_contact_as_customer() -> None:
    crm = Pipedrive(window=2)
    crm.contacts = {"12": "Anne Roux"}
    company = crm.create("customer", name="Maison")
    alone = [deal(crm) for _ in range(4)]
    pages = read(crm, "deal", bend={"person_id": 12})
    assert {deals(pages)[each].customer for each in alone} == {"person-12"}
    assert [(each.ext_id, each.name) for page in pages for each in page.mentions] == [("person-12", "Anne Roux")]
    assert len([request for request in crm.requests if request.url.path.endswith("/persons")]) == 1
    theirs = deal(crm, customer=company)
    again = connector(crm).reread("deal", [theirs])
    assert [record.customer for record in again.records if isinstance(record, Deal)] == [company]
    contact = connector(crm).reread("customer", ["person-12"])
    assert ([*contact.records], [*contact.gone]) == ([], [])


def test_a_contact_that_is_no_more_is_a_customer_without_a_name() -> None:
    crm = Pipedrive()
    deal(crm)
    pages = read(crm, "deal", bend={"person_id": 13})
    assert [(each.ext_id, each.name) for page in pages for each in page.mentions] == [("person-13", "13")]


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [("19.99", "EUR", 1999), ("1234567.89", "USD", 123_456_789), ("3000", "JPY", 3000), ("0.07", "EUR", 7)],
)
def test_amounts_are_exact_in_the_currency_of_the_deal(value: str, currency: str, minor: int) -> None:
    crm = Pipedrive()
    made = deal(crm, amount=Decimal(value), currency=currency)
    found = deals(read(crm, "deal"))[made]
    assert (found.amount_minor, found.currency) == (minor, currency)


@pytest.mark.parametrize(("value", "reason"), [("10.555", Reason.AMOUNT_ROUNDED), ("-5", Reason.AMOUNT_NEGATIVE)])
def test_an_odd_amount_is_kept_with_a_flag(value: str, reason: Reason) -> None:
    crm = Pipedrive()
    made = deal(crm)
    pages = read(crm, "deal", bend={"value": value, "currency": "EUR"})
    [problem] = [problem for page in pages for problem in page.problems]
    assert (problem.reason, problem.place, problem.kept) == (reason, f"deal {made}", True)
    assert deals(pages).keys() == {made}


@pytest.mark.parametrize(
    ("bend", "reason"),
    [
        ({"status": "frozen"}, Reason.STATUS_UNKNOWN),
        ({"currency": "XCR"}, Reason.CURRENCY_UNKNOWN),
        ({"value": "beaucoup"}, Reason.AMOUNT_UNREADABLE),
        ({"won_time": "hier", "status": "won"}, Reason.DATE_UNREADABLE),
    ],
)
def test_a_row_that_cannot_be_read_is_set_aside_with_its_reason(bend: Bend, reason: Reason) -> None:
    crm = Pipedrive()
    made = deal(crm)
    pages = read(crm, "deal", bend=bend)
    [problem] = [problem for page in pages for problem in page.problems]
    assert (problem.reason, problem.place, problem.kept) == (reason, f"deal {made}", False)


def test_a_lead_that_a_bad_deal_names_is_set_aside_under_its_own_name() -> None:
    crm = Pipedrive(converted_vanish=True)
    blank = {"owner": None, "origin": None, "converted": None, "customer": None}
    lead = crm.create("lead", name="Piste", **blank)
    deal(crm, lead=lead)
    pages = read(crm, "lead", bend={"add_time": "un jour"})
    assert [problem.place for page in pages for problem in page.problems] == [f"lead {lead}"]


def test_an_answer_without_rows_is_drift() -> None:
    crm = Pipedrive()

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"success": True, "rows": []})

    client = Client(
        limits(Options(**crm.options())), transport=httpx.MockTransport(answer), pause=lambda _seconds: None
    )
    for walk in CONNECTOR.walks:
        with pytest.raises(DriftError) as drift:
            list(CONNECTOR.open(replace(opening(crm), client=client)).pages(walk, Position(began=crm.now)))
        assert (drift.value.object, drift.value.field) == (walk.object, "data")


def test_rows_are_read_again_by_id_wherever_they_are() -> None:
    crm = Pipedrive()
    there, archived, lost, purged = deal(crm), deal(crm), deal(crm), deal(crm)
    crm.delete("deal", purged)
    crm.tick(timedelta(days=40))
    crm.archive("deal", archived)
    crm.delete("deal", lost)
    page = connector(crm).reread("deal", [there, archived, lost, purged, "999999"])
    assert {record.ext_id for record in page.records} == {there, archived}
    assert {each.ext_id for each in page.gone} == {lost, purged, "999999"}
    assert page.gone[0] == Gone(object="deal", ext_id=lost, at=crm.now)


@pytest.mark.parametrize("status", [400, 403])
def test_a_row_that_may_not_be_read_by_its_id_is_left_as_it_is(status: int) -> None:
    crm = Pipedrive()
    hidden, there = deal(crm), deal(crm)
    crm.faults.append(Fault(status))
    page = connector(crm).reread("deal", [hidden, there])
    assert [record.ext_id for record in page.records] == [there]
    assert list(page.gone) == []


def test_a_token_that_is_refused_is_not_a_row_that_may_not_be_read() -> None:
    crm = Pipedrive()
    crm.faults.append(Fault(401))
    with pytest.raises(RefusedError):
        connector(crm).reread("deal", [deal(crm)])


def test_a_webhook_names_its_row_and_a_second_delivery_is_the_same_event() -> None:
    crm = Pipedrive()
    knock = crm.knock("deal", deal(crm), "e-1")
    assert knock is not None
    options = Options(**crm.options())
    [hint] = hints(knock, options, crm.now)
    again = json.loads(knock.body)
    again["meta"]["attempt"] = 2
    assert list(hints(replace(knock, body=json.dumps(again).encode()), options, crm.now)) == [hint]
    other = crm.knock("deal", hint.ext_id, "e-2")
    assert other is not None
    assert hints(other, options, crm.now)[0].event_id != hint.event_id


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic bm9uOm5vbg=="}, {"authorization": "Basic é"}])
def test_a_webhook_without_the_agreed_user_and_password_is_turned_away(headers: dict[str, str]) -> None:
    crm = Pipedrive()
    knock = crm.knock("deal", deal(crm), "e-1")
    assert knock is not None
    with pytest.raises(NotGenuineError):
        hints(replace(knock, headers=headers), Options(**crm.options()), crm.now)
    bare = {name: value for name, value in crm.options().items() if not name.startswith("webhook")}
    with pytest.raises(NotGenuineError):
        hints(knock, Options(**bare), crm.now)
    nobody = replace(knock, headers={"authorization": "Basic Og=="})
    with pytest.raises(NotGenuineError):
        hints(nobody, Options(**bare, webhook_user="", webhook_password=" "), crm.now)


@pytest.mark.parametrize("body", [b"[]", b'{"meta": 3}', b'{"meta": {"entity": "deal"}}', b"{"])
def test_a_genuine_webhook_that_says_nothing_readable_is_an_error(body: bytes) -> None:
    crm = Pipedrive()
    knock = crm.knock("deal", deal(crm), "e-1")
    assert knock is not None
    with pytest.raises(ValueError, match=r"meta|entity_id|Expecting"):
        hints(replace(knock, body=body), Options(**crm.options()), crm.now)


def test_a_webhook_about_what_vigie_does_not_keep_leads_nowhere() -> None:
    crm = Pipedrive()
    knock = crm.knock("deal", deal(crm), "e-1")
    assert isinstance(knock, Knock)
    body = json.dumps({"meta": {"entity": "note", "entity_id": "4"}}).encode()
    assert list(hints(replace(knock, body=body), Options(**crm.options()), crm.now)) == []


def test_the_day_s_tokens_are_left_at_four_fifths_until_midnight() -> None:
    crm = Pipedrive(window=1)
    crm.daily = 100
    for _ in range(30):
        deal(crm)
    with pytest.raises(BudgetError) as spent:
        read(crm, "deal")
    assert spent.value.until == datetime(2026, 1, 6, tzinfo=UTC)
    assert len(crm.requests) == 8


def test_a_day_whose_tokens_are_gone_is_not_asked_again() -> None:
    crm = Pipedrive()
    crm.daily = 0
    with pytest.raises(BudgetError) as spent:
        read(crm, "deal")
    assert spent.value.until == datetime(2026, 1, 6, tzinfo=UTC)
    assert len(crm.requests) == 1


def test_requests_of_two_seconds_are_waited_for() -> None:
    crm = Pipedrive(window=1)
    crm.burst = (20, 0)
    for _ in range(3):
        deal(crm)
    waited: list[float] = []
    options = Options(**crm.options())
    client = Client(limits(options), transport=crm.transport(), pause=waited.append, now=lambda: crm.now)
    walk = CONNECTOR.walks[-1]
    opened = Opening(options=options, client=client, currency="EUR", now=crm.now)
    assert len(deals(list(CONNECTOR.open(opened).pages(walk, Position(began=crm.now))))) == 3
    assert len(waited) == len(crm.requests) - 1
    assert min(waited) > 1


def test_the_page_of_html_that_follows_too_many_requests_is_no_refusal() -> None:
    crm = Pipedrive()
    deal(crm)
    crm.faults.append(Fault(403, {"content-type": "text/html; charset=UTF-8"}, b"<html>"))
    assert len(deals(read(crm, "deal"))) == 1


@pytest.mark.parametrize("said", ["acme", " Acme ", "acme.pipedrive.com", "https://acme.pipedrive.com/pipeline/1"])
def test_the_company_is_understood_however_it_is_pasted(said: str) -> None:
    options = Options.model_validate({"company": said, "api_token": TOKEN})
    assert limits(options).base_url == "https://acme.pipedrive.com"


@pytest.mark.parametrize("said", ["", "evil.example/x", "acme.example.com", "a b", "acme:8080@evil.example", "..", "é"])
def test_the_token_goes_to_no_other_host(said: str) -> None:
    with pytest.raises(ValidationError, match="company"):
        Options.model_validate({"company": said, "api_token": TOKEN})


def test_the_check_says_whose_token_it_is() -> None:
    crm = Pipedrive(currency="CHF")
    assert check(opening(crm)) == Account("Acme SARL", "CHF", "Europe/Paris")
    page = httpx.MockTransport(lambda _request: httpx.Response(200, json={"success": False}))
    with pytest.raises(UnexpectedError):
        check(replace(opening(crm), client=Client(limits(Options(**crm.options())), transport=page)))


def test_late_commits_are_read_within_the_look_back() -> None:
    crm = Pipedrive()
    with crm.late(timedelta(minutes=5)):
        late = deal(crm)
    crm.tick(timedelta(minutes=1))
    done = read(crm, "deal")[-1].position
    crm.tick(timedelta(minutes=10))
    assert done.since is not None
    assert late in deals(read(crm, "deal", done.since - LOOK_BACK))
    assert USER not in repr(Options(**crm.options()))
    assert PASSWORD not in repr(Options(**crm.options()))
