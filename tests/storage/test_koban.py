"""Koban's own protocol: offsets over a set that moves, three kinds of dates, no deletes, unsigned webhooks."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.connectors.base import Account, Connector, DriftError, Knock, NotGenuineError, Opening
from storage.connectors.http import Client, RefusedError, UnexpectedError
from storage.connectors.koban import CONNECTOR, Options, check, hints, limits
from storage.connectors.koban_values import when
from storage.connectors.reading import UnreadableError
from storage.problems import Reason
from storage.records import Customer, Deal, Lead, Page, Position, Stage
from tests.crm.koban import API_KEY, SECRET, USER_KEY, Koban
from tests.crm.world import Thing

Bend = Callable[[dict[str, Any]], None]


def opening(crm: Koban, *, stages: Mapping[str, str] | None = None, bend: Bend | None = None) -> Opening:
    """The connector over the fake; `bend` changes every row that is answered."""
    options = Options(**crm.options())

    def answer(request: httpx.Request) -> httpx.Response:
        response = crm.answer(request)
        if bend is None:
            return response
        told = response.json()
        for row in told["List"] if isinstance(told, dict) and "List" in told else told or []:
            bend(row)
        return httpx.Response(response.status_code, json=told)

    client = Client(
        limits(options), transport=httpx.MockTransport(answer), pause=lambda _seconds: None, now=lambda: crm.now
    )
    return Opening(options=options, client=client, currency=crm.currency, now=crm.now, stages=stages or {})


def connector(crm: Koban, **more: Any) -> Connector:
    return CONNECTOR.open(opening(crm, **more))


def read(crm: Koban, object_: str, since: datetime | None = None, **more: Any) -> list[Page]:
    """A listing, or what changed since."""
    walk = next(walk for walk in CONNECTOR.walks if walk.object == object_)
    position = Position(listing=since is None, began=crm.now, since=since)
    return list(connector(crm, **more).pages(walk, position))


def records(pages: list[Page]) -> dict[str, Any]:
    return {each.ext_id: each for page in pages for each in page.records}


def deal(crm: Koban, status: str = "open", **more: Any) -> str:
    stage = crm.stages(status=status)[0].id
    return crm.create("deal", **{"name": "Affaire", "stage": stage, "amount": Decimal("19.99")} | more)


def field(**values: Any) -> Bend:
    return lambda row: row.update(values)


MOMENT = datetime(2021, 6, 19, 9, 53, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("/Date(1624096380000)/", MOMENT),
        ("/Date(1624096380000+0200)/", MOMENT),
        ("1624096380", MOMENT),
        ("1624096380.0", MOMENT),
        ("1624096380000", MOMENT),
        ("1624096380.364", MOMENT.replace(microsecond=364_000)),
        ("1624096380.3639998", MOMENT.replace(microsecond=364_000)),
        ("2021-06-19T09:53:00", MOMENT),
        ("2021-06-19T09:53:00.364", MOMENT.replace(microsecond=364_000)),
        ("19/06/2021", date(2021, 6, 19)),
    ],
)
def test_every_way_to_write_a_date_is_read(said: str, expected: datetime | date) -> None:
    assert when(said, "DResult") == expected


@pytest.mark.parametrize(
    "said", [None, "", "/Date(-62135596800000)/", "0", "0.0", "-62135596800", "0001-01-01T00:00:00", "01/01/0001"]
)
def test_what_stands_for_no_date_is_none(said: str | None) -> None:
    assert when(said, "DResult") is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("hier", Reason.DATE_UNREADABLE),
        ("NaN", Reason.DATE_UNREADABLE),
        ("31/02/2024", Reason.DATE_IMPOSSIBLE),
        ("12/31/2024", Reason.DATE_IMPOSSIBLE),
        ("01/01/9999", Reason.DATE_OUT_OF_RANGE),
        ("/Date(253402300800000)/", Reason.DATE_OUT_OF_RANGE),
        ("9" * 40, Reason.DATE_OUT_OF_RANGE),
        ("1e999999", Reason.DATE_OUT_OF_RANGE),
        (f"/Date({'9' * 5000})/", Reason.DATE_UNREADABLE),
    ],
)
def test_what_is_no_date_is_said_to_be_none_of_these(said: str, reason: Reason) -> None:
    with pytest.raises(UnreadableError) as error:
        when(said, "DResult")
    assert error.value.reason == reason


@given(st.datetimes(datetime(1974, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_moment_is_the_same_however_it_is_written(at: datetime) -> None:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    milliseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    iso = at.replace(tzinfo=None).isoformat()
    for said in (f"/Date({milliseconds})/", str(milliseconds), str(Decimal(milliseconds) / 1000), iso):
        assert when(said, "Updated") == at


@pytest.mark.parametrize(("status", "raw"), [("won", "WON"), ("lost", "LOST"), ("dormant", "SLEEP")])
@pytest.mark.parametrize("dates", ["unix", "date", "slashes"])
def test_a_result_closes_a_deal_on_its_own_day(dates: str, status: str, raw: str) -> None:
    crm = Koban(dates=dates)
    made = deal(crm)
    crm.tick(timedelta(days=3))
    crm.move(made, crm.stages(status=status)[0].id)
    closed = crm.now
    crm.tick(timedelta(days=9))
    crm.edit("deal", made, name="Renommée")
    found = records(read(crm, "deal"))[made]
    assert (found.status, found.raw_status) == (status, raw)
    assert found.closed == (closed.date() if dates == "slashes" else closed)
    crm.move(made, crm.stages(status="open")[0].id)
    found = records(read(crm, "deal"))[made]
    assert (found.status, found.raw_status, found.closed) == ("open", None, None)


def test_a_result_without_a_day_counts_from_the_last_change() -> None:
    crm = Koban()
    made = deal(crm, "won")
    assert records(read(crm, "deal", bend=field(DResult=0.0)))[made].closed == crm.now


def test_a_person_s_word_on_a_step_holds_where_there_is_no_result() -> None:
    crm = Koban()
    rests, won = deal(crm), deal(crm, "won")
    said = {each.id: "dormant" for each in crm.stages()}
    found = records(read(crm, "deal", stages=said))
    assert (found[rests].status, found[won].status) == ("dormant", "won")
    assert {each.status for each in records(read(crm, "stage", stages=said)).values()} == {"dormant"}


def test_amounts_are_in_the_currency_of_the_workspace() -> None:
    crm = Koban(currency="JPY")
    made = deal(crm, amount=Decimal(3000))
    found = records(read(crm, "deal"))[made]
    assert (found.amount_minor, found.currency) == (3000, "JPY")
    assert records(read(crm, "deal", bend=field(Amountprev=None)))[made].amount_minor is None


@pytest.mark.parametrize(("amount", "reason"), [("10.555", Reason.AMOUNT_ROUNDED), ("-5", Reason.AMOUNT_NEGATIVE)])
def test_an_odd_amount_is_kept_with_a_flag(amount: str, reason: Reason) -> None:
    crm = Koban()
    made = deal(crm)
    pages = read(crm, "deal", bend=field(Amountprev=amount))
    [problem] = [problem for page in pages for problem in page.problems]
    assert (problem.reason, problem.place, problem.kept) == (reason, f"deal {made}", True)
    assert records(pages).keys() == {made}


@pytest.mark.parametrize(
    ("bend", "reason"),
    [
        (field(Result="FROZEN"), Reason.STATUS_UNKNOWN),
        (field(Amountprev="beaucoup"), Reason.AMOUNT_UNREADABLE),
        (field(DResult="31/02/2024"), Reason.DATE_IMPOSSIBLE),
    ],
)
def test_a_row_that_cannot_be_read_is_set_aside_with_its_reason(bend: Bend, reason: Reason) -> None:
    crm = Koban()
    made = deal(crm, "won")
    pages = read(crm, "deal", bend=bend)
    [problem] = [problem for page in pages for problem in page.problems]
    assert (problem.reason, problem.place, problem.kept) == (reason, f"deal {made}", False)


def test_a_deal_has_a_creation_day_only_where_koban_tells_one() -> None:
    crm = Koban()
    made = deal(crm)
    assert records(read(crm, "deal"))[made].created is None
    assert records(read(crm, "deal", bend=field(DCreated=1624096380.0)))[made].created == MOMENT
    assert next(walk for walk in CONNECTOR.walks if walk.object == "deal").first_seen


def test_who_and_what_a_deal_names_is_known_by_name() -> None:
    crm = Koban()
    owner = crm.create("person", name="Anne Roux", email=None)
    customer = crm.create("customer", name="Maison")
    made = deal(crm, owner=owner, customer=customer)
    [page] = [page for page in read(crm, "deal") if page.records]
    assert records([page])[made].owner == owner
    named = {each.object: each.name for each in page.mentions}
    assert named == {"person": "Anne Roux", "customer": "Maison", "stage": "Ventes 0", "pipeline": "Ventes"}


def test_steps_without_an_id_of_their_own_are_told_apart_by_their_process() -> None:
    crm = Koban()
    made = deal(crm)

    def anonymous(row: dict[str, Any]) -> None:
        for step in row.get("Steps") or [row.get("Status") or {}]:
            step.update(Guid=None, Code="QUALIF")

    stages = [each for page in read(crm, "stage", bend=anonymous) for each in page.records if isinstance(each, Stage)]
    assert len({each.ext_id for each in stages}) == 2
    found = records(read(crm, "deal", bend=anonymous))[made]
    assert isinstance(found, Deal)
    assert found.stage in {each.ext_id for each in stages}


def test_a_lead_is_named_by_its_company_or_its_person() -> None:
    crm = Koban()
    made = crm.create("lead", name="Atelier", owner=None, origin="Web", converted=None, customer=None)
    found = records(read(crm, "lead"))[made]
    assert isinstance(found, Lead)
    assert (found.name, found.origin, found.created) == ("Atelier", "Web", crm.now)
    person = field(Company=None, FirstName="Anne", Name="Roux")
    assert records(read(crm, "lead", bend=person))[made].name == "Anne Roux"


def test_an_account_that_is_obsolete_is_gone() -> None:
    crm = Koban()
    made = crm.create("customer", name="Maison")
    assert isinstance(records(read(crm, "customer"))[made], Customer)
    pages = read(crm, "customer", bend=field(Obsolete=True))
    assert [(each.ext_id, each.at) for page in pages for each in page.gone] == [(made, crm.now)]


@pytest.mark.parametrize("seed", range(8))
def test_rows_that_are_edited_and_deleted_between_windows_leave_no_gap(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a test must be lived again
    crm = Koban(window=random.randint(3, 9))
    ids = [deal(crm, name=f"Affaire {number}") for number in range(60)]
    crm.tick(60)

    def live() -> None:
        for _ in range(random.randint(0, 3)):
            crm.tick(1)
            chosen = crm.get("deal", random.choice(ids))
            if chosen.deleted is None and len(crm.requests) < 40:
                (crm.delete if random.random() < 0.4 else _rename)("deal", chosen.id)

    def _rename(object_: str, thing_id: str) -> None:
        crm.edit(object_, thing_id, name="Renommée")

    crm.between = live
    told = records(read(crm, "deal"))
    crm.between = lambda: None
    assert told.keys() >= {thing.id for thing in crm.latest("deal") if thing.deleted is None}


@pytest.mark.parametrize("listing", [True, False])
def test_a_walk_that_is_cut_after_any_page_goes_on_without_losing_a_row(listing: bool) -> None:
    crm = Koban(window=4)
    since = crm.now
    ids = [deal(crm) for _ in range(21)]
    crm.tick(60)
    walk = next(walk for walk in CONNECTOR.walks if walk.object == "deal")
    start = Position(listing=listing, began=crm.now, since=None if listing else since)
    whole = list(connector(crm).pages(walk, start))
    assert len(whole) > 3
    assert whole[-1].position == Position(listing=False, since=crm.now)
    for cut in range(len(whole) - 1):
        crm.delete("deal", ids[cut])
        before = whole[: cut + 1]
        after = list(connector(crm).pages(walk, before[-1].position))
        assert records([*before, *after]).keys() >= {each for each in ids if _is_alive(crm.get("deal", each))}


def _is_alive(thing: Thing) -> bool:
    return thing.deleted is None


def test_changes_are_asked_for_in_unix_seconds_with_both_keys() -> None:
    crm = Koban()
    deal(crm)
    read(crm, "deal", MOMENT + timedelta(microseconds=5))
    assert {request.url.params["updated"] for request in crm.requests} == {"1624096380"}
    assert {request.headers["x-ncapi"] for request in crm.requests} == {API_KEY}
    assert all(API_KEY not in str(request.url) and USER_KEY not in str(request.url) for request in crm.requests)


def test_a_delete_shows_only_in_what_a_listing_lacks() -> None:
    crm = Koban()
    kept, lost = deal(crm), deal(crm)
    crm.tick(60)
    crm.delete("deal", lost)
    assert records(read(crm, "deal", crm.now - timedelta(hours=1))).keys() == {kept}
    assert not next(walk for walk in CONNECTOR.walks if walk.object == "deal").tells_deletes
    pages = read(crm, "deal")
    assert records(pages).keys() == {kept}
    assert all(page.listing for page in pages)
    assert pages[-1].last


@pytest.mark.parametrize("gone", ["null", "404", "obsolete"])
def test_a_row_that_is_no_more_is_gone_however_koban_says_so(gone: str) -> None:
    crm = Koban(gone=gone)
    kept, lost = deal(crm), deal(crm)
    crm.delete("deal", lost)
    page = connector(crm).reread("deal", [kept, lost, "5f0c00050000000000009999"])
    assert [record.ext_id for record in page.records] == [kept]
    assert {each.ext_id for each in page.gone} == {lost, "5f0c00050000000000009999"}


def test_what_cannot_be_asked_for_one_by_one_is_left_as_it_is() -> None:
    crm = Koban()
    for object_ in ("person", "stage", "pipeline"):
        page = connector(crm).reread(object_, ["5f0c00010000000000000001"])
        assert ([*page.records], [*page.gone]) == ([], [])
    assert crm.requests == []


def test_a_class_that_koban_does_not_list_waits_alone() -> None:
    crm = Koban()
    client = Client(
        limits(Options(**crm.options())),
        transport=httpx.MockTransport(lambda _request: httpx.Response(404)),
        pause=lambda _seconds: None,
    )
    walk = next(walk for walk in CONNECTOR.walks if walk.object == "lead")
    with pytest.raises(DriftError) as drift:
        list(CONNECTOR.open(replace(opening(crm), client=client)).pages(walk, Position(began=crm.now)))
    assert (drift.value.object, drift.value.field) == ("lead", "GetUpdated")


def test_wrong_keys_are_refused_and_an_answer_without_a_list_is_not_believed() -> None:
    crm = Koban()
    assert check(opening(crm)) == Account("Koban")
    options = Options(**crm.options() | {"user_key": "other"})
    with pytest.raises(RefusedError):
        check(replace(opening(crm), client=Client(limits(options), transport=crm.transport())))
    page = httpx.MockTransport(lambda _request: httpx.Response(200, json={"Success": False}))
    with pytest.raises(UnexpectedError):
        check(replace(opening(crm), client=Client(limits(options), transport=page)))


def knocked(crm: Koban, object_: str, thing_id: str) -> Knock:
    knock = crm.knock(object_, thing_id, "")
    assert knock is not None
    return knock


def test_a_webhook_brings_hints_of_the_rows_that_it_names() -> None:
    crm = Koban()
    options = Options(**crm.options())
    customer, made = crm.create("customer", name="Maison"), deal(crm)
    assert [(each.object, each.ext_id) for each in hints(knocked(crm, "deal", made), options, crm.now)] == [
        ("deal", made)
    ]
    both = json.loads(knocked(crm, "deal", made).body) + json.loads(knocked(crm, "customer", customer).body)
    both.append({"sId": "5f0c0000000000000000abcd", "oActualThird": None, "Function": None})
    knock = replace(knocked(crm, "deal", made), body=json.dumps(both).encode())
    assert [(each.object, each.ext_id) for each in hints(knock, options, crm.now)] == [
        ("deal", made),
        ("customer", customer),
    ]


def test_the_same_rows_word_for_word_are_the_same_event_and_others_are_not() -> None:
    crm = Koban()
    options = Options(**crm.options())
    made = deal(crm)
    first, again = (hints(knocked(crm, "deal", made), options, crm.now) for _ in range(2))
    assert list(first) == list(again)
    crm.edit("deal", made, amount=Decimal(7))
    assert hints(knocked(crm, "deal", made), options, crm.now)[0].event_id != first[0].event_id


@pytest.mark.parametrize("end", ["", "/", "/wrong", "/koban-hook-secre", f"/{SECRET}/more", f"?x=/{SECRET}", "/é"])
def test_a_webhook_whose_address_does_not_end_with_the_secret_is_turned_away(end: str) -> None:
    crm = Koban()
    knock = replace(knocked(crm, "deal", deal(crm)), url=f"https://vigie.example.test/hooks/koban{end}")
    with pytest.raises(NotGenuineError):
        hints(knock, Options(**crm.options()), crm.now)


def test_without_a_secret_no_address_is_right() -> None:
    crm = Koban()
    knock = replace(knocked(crm, "deal", deal(crm)), url="https://vigie.example.test/hooks/koban/")
    with pytest.raises(NotGenuineError):
        hints(knock, Options(**crm.options() | {"webhook_secret": ""}), crm.now)


@pytest.mark.parametrize("body", [b"{", b"[3]", b'[{"Label": "x"}]', b"null"])
def test_a_genuine_webhook_that_says_nothing_readable_is_an_error(body: bytes) -> None:
    crm = Koban()
    with pytest.raises(ValueError, match=r"sId|Expecting"):
        hints(replace(knocked(crm, "deal", deal(crm)), body=body), Options(**crm.options()), crm.now)


def test_the_secret_of_the_address_is_made_up_and_shown_nowhere() -> None:
    keys = {"api_key": API_KEY, "user_key": USER_KEY}
    first, second = (Options.model_validate(keys) for _ in range(2))
    secret = first.webhook_secret.get_secret_value()
    assert len(secret) > 30
    assert secret != second.webhook_secret.get_secret_value()
    assert secret not in repr(first)
