"""Salesforce's own ways: keysets beyond its locators, stage histories, currencies, limits, and what SOQL may hold."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from storage.connectors import salesforce_api
from storage.connectors.base import Connector, DriftError, Walk
from storage.connectors.http import BudgetError, RefusedError
from storage.connectors.salesforce import CONNECTOR, Options
from storage.records import Deal, Page, Position, Rate, Record, Stage
from tests.crm.lives import opened, opening
from tests.crm.salesforce import Salesforce
from tests.crm.world import Fault

DAY = timedelta(days=1)


@pytest.fixture
def crm() -> Salesforce:
    return Salesforce()


def connect(crm: Salesforce) -> Connector:
    return opened(CONNECTOR, crm)


def walk_of(object_: str) -> Walk:
    return next(walk for walk in CONNECTOR.walks if walk.object == object_)


def pages(crm: Salesforce, object_: str, position: Position | None = None) -> list[Page]:
    connector = connect(crm)
    return list(connector.pages(walk_of(object_), position or Position(began=crm.now)))


def told(crm: Salesforce, object_: str, position: Position | None = None) -> list[Any]:
    return [record for page in pages(crm, object_, position) for record in page.records]


def the_deal(crm: Salesforce) -> Deal:
    [deal] = told(crm, "deal")
    assert isinstance(deal, Deal)
    return deal


def since(moment: datetime) -> Position:
    return Position(listing=False, began=moment, since=moment)


def stage(crm: Salesforce, status: str, number: int = 0) -> str:
    return crm.stages(status=status)[number].id


def ids(records: Sequence[Record]) -> list[str]:
    return [record.ext_id for record in records]


def queries(crm: Salesforce) -> list[str]:
    return [request.url.params["q"] for request in crm.requests if "q" in request.url.params]


# Reading on.


def test_a_listing_and_the_changes_tell_every_row_once_beyond_every_locator(crm: Salesforce) -> None:
    deals = [crm.create("deal", name=f"Affaire {n}") for n in range(50)]
    assert ids(told(crm, "deal")) == deals
    assert ids(told(crm, "deal", since(crm.now))) == deals
    # Three answers after the first, then the locator is dead and the keyset goes on.
    asked = [query for query in queries(crm) if "FROM Opportunity " in query and "ORDER" in query]
    assert len(asked) == 4
    assert f"WHERE Id > '{deals[39]}'" in asked[1]
    assert f"OR Id > '{deals[39]}'" in asked[3]


def test_a_query_that_is_full_is_followed_by_the_next_one(crm: Salesforce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(salesforce_api, "LIMIT", 5)
    deals = [crm.create("deal", name=f"Affaire {n}") for n in range(10)]
    for number in (3, 8):
        crm.tick(1)
        crm.edit("deal", deals[number], name="Autre")
    in_order = [deal for deal in deals if deal not in {deals[3], deals[8]}] + [deals[3], deals[8]]
    assert ids(told(crm, "deal")) == deals
    assert ids(told(crm, "deal", since(crm.now - DAY))) == in_order


def test_each_page_goes_on_where_it_says(crm: Salesforce) -> None:
    deals = [crm.create("deal", name=f"Affaire {n}") for n in range(30)]
    for start in (Position(began=crm.now), since(crm.now)):
        told_once = pages(crm, "deal", start)
        assert [page.last for page in told_once] == [False] * (len(told_once) - 1) + [True]
        for at, page in enumerate(told_once[:-1]):
            before = [record.ext_id for earlier in told_once[: at + 1] for record in earlier.records]
            assert ids(told(crm, "deal", page.position)) == deals[len(before) :]
        assert told_once[-1].position == Position(listing=False, since=crm.now)


def test_a_session_that_ends_takes_its_locators_along(crm: Salesforce) -> None:
    deals = [crm.create("deal", name=f"Affaire {n}") for n in range(40)]
    ends = iter([False, False, False, False, False, False, True])

    def end() -> None:
        if next(ends, False):
            crm.expire_token()

    crm.between = end
    assert ids(told(crm, "deal")) == deals
    assert [request.url.path for request in crm.requests].count("/services/oauth2/token") == 2


def test_an_answer_that_is_not_over_and_does_not_go_on_is_drift(crm: Salesforce) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        response = crm.answer(request)
        told = response.json()
        if told.pop("nextRecordsUrl", None) is None:
            return response
        return httpx.Response(200, json=told)

    for number in range(40):
        crm.create("deal", name=f"Affaire {number}")
    connector = opened(CONNECTOR, crm, httpx.MockTransport(answer))
    with pytest.raises(DriftError, match="nextRecordsUrl"):
        list(connector.pages(walk_of("deal"), Position(began=crm.now)))


def test_nothing_is_asked_but_what_was_checked(crm: Salesforce) -> None:
    connector = connect(crm)
    page = connector.reread("deal", ["006' OR Name != '", ""])
    assert (page.records, ids_of_gone(page)) == ([], ["006' OR Name != '", ""])
    assert queries(crm) == [query for query in queries(crm) if "OR Name" not in query]
    with pytest.raises(ValueError, match="not an id"):
        told(crm, "deal", Position(began=crm.now, token="x' OR Id > '"))


def ids_of_gone(page: Page) -> list[str]:
    return [gone.ext_id for gone in page.gone]


def test_rows_read_again_are_told_as_they_are_and_purged_ones_as_gone(crm: Salesforce) -> None:
    deal = crm.create("deal", name="Toit")
    purged = crm.new_id("deal", 99)
    page = connect(crm).reread("deal", [deal, purged])
    assert (ids(page.records), ids_of_gone(page)) == ([deal], [purged])
    some = crm.stages()[2].id
    assert ids(connect(crm).reread("stage", [some]).records) == [some]


# Deleted and merged.


def test_the_recycle_bin_and_mergers_are_told_among_the_changes(crm: Salesforce) -> None:
    deal = crm.create("deal", name="Toit")
    kept, lost = (crm.create("customer", name=name) for name in ("Acme", "Acme bis"))
    crm.tick(DAY)
    crm.delete("deal", deal)
    crm.merge("customer", lost, kept)
    assert [(each.ext_id, each.deleted) for each in told(crm, "deal", since(crm.now))] == [(deal, True)]
    assert {each.ext_id: each.merged_into for each in told(crm, "customer", since(crm.now))} == {kept: None, lost: kept}


# When a deal was closed.


def test_a_deal_was_closed_when_its_history_says_and_not_as_planned(crm: Salesforce) -> None:
    deal = crm.create("deal", name="Toit")
    crm.tick(5 * DAY)
    crm.move(deal, stage(crm, "won"))
    won = crm.now
    crm.tick(5 * DAY)
    crm.edit("deal", deal, amount=Decimal(5))
    assert (the_deal(crm).status, the_deal(crm).closed) == ("won", won)
    crm.move(deal, stage(crm, "won", 1))
    assert the_deal(crm).closed == won
    crm.move(deal, stage(crm, "open"))
    assert (the_deal(crm).status, the_deal(crm).closed) == ("open", None)
    crm.tick(DAY)
    crm.move(deal, stage(crm, "lost"))
    assert (the_deal(crm).status, the_deal(crm).closed) == ("lost", crm.now)
    assert [passage.stage for page in pages(crm, "deal") for passage in page.passages] == [
        entered for _, entered in crm.get("deal", deal)["entered"]
    ]


@pytest.mark.parametrize(
    ("history", "close_date", "closed"),
    [
        ([], "2026-01-03", date(2026, 1, 3)),
        (["Etape_1"], "2026-01-03", date(2026, 1, 3)),
        (["Etape_3"], "2025-06-30", date(2025, 6, 30)),
        (["Etape_3"], "2026-06-30", datetime(2026, 1, 5, 8, tzinfo=UTC)),
        (["Disparue", "Etape_3"], "2025-06-30", datetime(2026, 1, 5, 9, tzinfo=UTC)),
    ],
    ids=["no history", "a history of something else", "imported", "closed at once", "a stage that is no more"],
)
def test_the_plan_counts_where_the_history_does_not_tell(
    crm: Salesforce, monkeypatch: pytest.MonkeyPatch, history: list[str], close_date: str, closed: object
) -> None:
    deal = crm.create("deal", name="Toit", stage=stage(crm, "won"))
    begun = crm.get("deal", deal)["entered"][0][0]
    crm.get("deal", deal).fields["entered"] = [(begun + timedelta(hours=at), name) for at, name in enumerate(history)]
    crm.plans[deal] = close_date
    assert the_deal(crm).closed == closed


def test_a_history_too_long_for_its_row_is_asked_for(crm: Salesforce) -> None:
    deal = crm.create("deal", name="Toit")
    for number in range(30):
        crm.tick(60)
        crm.move(deal, crm.stages()[number % 8].id)
    crm.history_batch = 4
    [page] = pages(crm, "deal")
    assert [(passage.at, passage.stage) for passage in page.passages] == crm.get("deal", deal)["entered"]


def test_what_a_person_decided_of_a_stage_beats_salesforce(crm: Salesforce) -> None:
    asleep = stage(crm, "open", 1)
    deal = crm.create("deal", name="Toit")
    crm.tick(DAY)
    crm.move(deal, asleep)
    connector = CONNECTOR.open(replace(opening(CONNECTOR, crm), stages={asleep: "dormant"}))
    by_object = {walk.object: walk for walk in connector.walks}
    [page] = connector.pages(by_object["stage"], Position(began=crm.now))
    assert {each.ext_id: each.status for each in page.records if isinstance(each, Stage)}[asleep] == "dormant"
    [page] = connector.pages(by_object["deal"], Position(began=crm.now))
    [record] = page.records
    assert isinstance(record, Deal)
    assert (record.status, record.closed) == ("dormant", crm.now)


# Leads and people.


def test_the_lead_of_a_deal_is_the_one_that_became_it(crm: Salesforce) -> None:
    lead = crm.create("lead", name="Ann", owner=None, origin="Web", converted=None)
    deal = crm.create("deal", name="Toit", lead=lead)
    [found] = told(crm, "lead")
    assert (found.converted, found.converted_on, found.origin) == (True, date(2026, 1, 5), "Web")
    assert (the_deal(crm).ext_id, the_deal(crm).lead) == (deal, lead)


def test_a_lead_that_becomes_a_deal_that_was_there_brings_it_along(crm: Salesforce) -> None:
    deal = crm.create("deal", name="Toit")
    lead = crm.create("lead", name="Ann", owner=None, origin=None, converted=None)
    crm.tick(DAY)
    # The opportunity is not modified by it.
    crm.get("deal", deal).fields["lead"] = lead
    crm.edit("lead", lead, converted=crm.now)
    [of_lead, of_deal] = told(crm, "lead", since(crm.now))
    assert (of_lead.ext_id, of_deal.ext_id, of_deal.lead) == (lead, deal, lead)
    assert told(crm, "deal", since(crm.now)) == []
    crm.hide("Opportunity", "Amount")
    assert ids(told(crm, "lead", since(crm.now))) == [lead]


def test_a_queue_is_nobody(crm: Salesforce) -> None:
    crm.create("lead", name="Ann", owner="00GQ00000000001IAA", origin=None, converted=None)
    assert [lead.owner for lead in told(crm, "lead")] == [None]


def test_roles_are_teams(crm: Salesforce) -> None:
    crm.roles = [
        {"Id": "00EQ00000000001IAA", "Name": "France", "ParentRoleId": None},
        {"Id": "00EQ00000000002IAA", "Name": "Nord", "ParentRoleId": "00EQ00000000001IAA"},
    ]
    crm.create("person", name="Ann", email="ann@example.com", role="00EQ00000000002IAA", active=False)
    assert [(team.name, team.parent) for team in told(crm, "team")] == [
        ("France", None),
        ("Nord", "00EQ00000000001IAA"),
    ]
    [person] = told(crm, "person")
    assert (person.team, person.active) == ("00EQ00000000002IAA", False)


# Money.


@pytest.mark.parametrize(
    ("written", "minor"), [("1.23456789E7", 1_234_567_890), ("0.1", 10), ("19.99", 1_999), ("100000.0", 10_000_000)]
)
def test_amounts_never_pass_through_binary_fractions(crm: Salesforce, written: str, minor: int) -> None:
    crm.create("deal", name="Toit", amount=Decimal(4242))

    class Written(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            whole = crm.answer(request)
            return httpx.Response(whole.status_code, content=whole.content.replace(b"4242.0", written.encode()))

    connector = opened(CONNECTOR, crm, Written())
    [page] = connector.pages(walk_of("deal"), Position(began=crm.now))
    assert [record.amount_minor for record in page.records if isinstance(record, Deal)] == [minor]


def test_an_organisation_with_one_currency_is_asked_for_none() -> None:
    crm = Salesforce(multi=False, currency="USD")
    crm.create("deal", name="Toit", amount=Decimal("10.5"))
    assert (the_deal(crm).amount_minor, the_deal(crm).currency) == (1_050, "USD")
    assert told(crm, "rate") == []
    assert all(query.endswith("LIMIT 1") for query in queries(crm) if "CurrencyIsoCode" in query)


def test_currencies_count_also_where_the_list_of_them_may_not_be_seen(crm: Salesforce) -> None:
    crm.hide("CurrencyType", "*")
    crm.create("deal", name="Toit", amount=Decimal("10.5"), currency="USD")
    assert (the_deal(crm).amount_minor, the_deal(crm).currency) == (1_050, "USD")
    assert told(crm, "rate") == []


def test_an_odd_amount_is_kept_and_flagged(crm: Salesforce) -> None:
    crm.create("deal", name="Toit", amount=Decimal("10.005"))
    crm.create("deal", name="Avoir", amount=Decimal(-3))
    [page] = pages(crm, "deal")
    assert [(problem.reason, problem.kept) for problem in page.problems] == [
        ("amount_rounded", True),
        ("amount_negative", True),
    ]
    assert [record.amount_minor for record in page.records if isinstance(record, Deal)] == [1_000, -300]


def test_rates_are_those_of_the_day_where_salesforce_dates_them(crm: Salesforce) -> None:
    crm.rates = {"USD": Decimal("1.08"), "JPY": Decimal(160)}
    crm.dated = [
        ("EUR", "0000-12-30", Decimal(1)),
        ("USD", "0000-12-30", Decimal("1.1")),
        ("USD", "2026-02-01", Decimal("1.2")),
    ]
    rates = [rate for rate in told(crm, "rate") if isinstance(rate, Rate)]
    assert {(rate.base, rate.currency, rate.starts_on, rate.rate) for rate in rates} == {
        ("EUR", "JPY", date(1970, 1, 1), Decimal(160)),
        ("EUR", "USD", date(1970, 1, 1), Decimal("1.1")),
        ("EUR", "USD", date(2026, 2, 1), Decimal("1.2")),
    }
    crm.dated = []
    plain = [rate for rate in told(crm, "rate") if isinstance(rate, Rate)]
    assert {(rate.currency, rate.rate) for rate in plain} == {("JPY", Decimal(160)), ("USD", Decimal("1.08"))}


# What is refused.


@pytest.mark.parametrize(
    ("entity", "field", "object_", "named"),
    [
        ("Opportunity", "Amount", "deal", "Amount"),
        ("Opportunity", "OpportunityHistories", "deal", "OpportunityHistories"),
        ("OpportunityStage", "IsWon", "deal", "stage.IsWon"),
        ("Lead", "ConvertedDate", "lead", "ConvertedDate"),
    ],
)
def test_a_field_that_is_no_more_is_named(crm: Salesforce, entity: str, field: str, object_: str, named: str) -> None:
    crm.create("deal", name="Toit", stage=stage(crm, "won"))
    crm.hide(entity, field)
    with pytest.raises(DriftError) as caught:
        told(crm, object_)
    assert (caught.value.object, caught.value.field) == (object_, named)
    assert told(crm, "customer") == []


def test_a_refusal_about_the_rate_is_not_one_about_rights(crm: Salesforce) -> None:
    connector = connect(crm)
    crm.limit = 0
    with pytest.raises(BudgetError) as spent:
        list(connector.pages(connector.walks[0], Position(began=crm.now)))
    assert spent.value.until == crm.now + timedelta(hours=1)
    crm.limit = 100_000
    body = b'[{"message":"insufficient access rights","errorCode":"API_DISABLED_FOR_ORG"}]'
    crm.faults.append(Fault(403, body=body))
    with pytest.raises(RefusedError):
        told(crm, "deal")


def test_four_fifths_of_the_requests_of_a_day_are_enough(crm: Salesforce) -> None:
    crm.limit = 10
    connector = connect(crm)
    with pytest.raises(BudgetError):
        for walk in connector.walks * 2:
            list(connector.pages(walk, Position(began=crm.now)))
    sent = [request for request in crm.requests if request.method == "GET"]
    assert len(sent) == 9


def test_a_wrong_secret_is_refused_and_told_to_nobody(crm: Salesforce) -> None:
    client = opening(CONNECTOR, crm)
    crm.client_secret = "other"
    with pytest.raises(RefusedError) as refused:
        CONNECTOR.check(client)
    assert "s3cr3t" not in str(refused.value)


def test_the_organisation_says_its_name(crm: Salesforce) -> None:
    account = CONNECTOR.check(opening(CONNECTOR, crm))
    assert (account.name, account.time_zone) == ("Vigie SA", "Europe/Paris")


@pytest.mark.parametrize(
    "said",
    [
        "https://vigie.my.salesforce.com",
        " vigie.my.salesforce.com ",
        "https://vigie.lightning.force.com/lightning/page/home",
        "https://vigie.my.salesforce-setup.com/lightning/setup/SetupOneHome/home",
    ],
)
def test_an_address_is_understood_as_people_copy_it(said: str) -> None:
    options = Options(instance_url=said, client_id="a", client_secret="b")
    assert options.instance_url == "https://vigie.my.salesforce.com"


@pytest.mark.parametrize(
    "said",
    [
        "http://vigie.my.salesforce.com",
        "https://salesforce.com.example.org",
        "https://notsalesforce.com",
        "https://me:secret@vigie.my.salesforce.com",
        "https://127.0.0.1",
        "https://vigie.my.salesforce.com:8443",
        "",
        "https://",
    ],
)
def test_another_address_is_refused(said: str) -> None:
    with pytest.raises(ValidationError):
        Options(instance_url=said, client_id="a", client_secret="b")
