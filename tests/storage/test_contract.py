"""What every connector must do, tried on each over its fake: one suite, whatever the protocol.

Where a CRM cannot do a thing, its declaration must say so.
"""

import contextlib
import json
import logging
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from storage import schema, sync
from storage.connectors.base import Declaration, Knock, NotGenuineError, declarations
from storage.connectors.http import RefusedError, UnavailableError
from storage.leases import BusyError
from tests.crm.hubspot import HubSpot
from tests.crm.lives import Killed, Watch, opening
from tests.crm.world import Crm, Fault
from tests.laws.houses import House, real
from tests.storage.desk import WORKSPACE, Bent, Desk

HOUSES = real()
SHOWN = timedelta(minutes=2)
"""Until what was written shows in every list of a CRM."""


@pytest.fixture(params=HOUSES, ids=lambda house: house.name)
def house(request: pytest.FixtureRequest) -> House:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def desk(database: Engine, house: House) -> Desk:
    return Desk(database, house)


def walk(desk: Desk, object_: str) -> Any:
    return next(each for each in declared(desk.house).walks if each.object == object_)


def declared(house: House) -> Declaration:
    assert house.declaration is not None
    return house.declaration


def can(desk: Desk, verb: str) -> bool:
    return verb in desk.crm.verbs


def test_every_crm_of_the_mission_is_there() -> None:
    assert {"hubspot", "koban", "pipedrive", "salesforce"} <= {each.source for each in declarations()}
    assert {"hubspot", "koban", "pipedrive", "salesforce"} <= {house.name for house in HOUSES}


def test_the_first_load_holds_everything_and_the_second_changes_nothing(desk: Desk) -> None:
    report = desk.sync()
    assert (report.outcome, report.troubles) == ("ok", ())
    assert report.objects["deal"].new == len(desk.deals)
    assert report.requests > 0
    assert desk.wrong() == []
    held, history = desk.held(), desk.all(schema.change)
    again = desk.sync()
    assert (again.total.new, again.total.changed, again.total.deleted) == (0, 0, 0)
    assert (desk.held(), desk.all(schema.change)) == (held, history)


def test_what_changed_is_read_without_reading_everything_again(desk: Desk) -> None:
    desk.sync()
    desk.crm.tick(timedelta(days=1))
    desk.crm.edit("deal", desk.deals[0], amount=Decimal("7777.77"))
    desk.crm.move(desk.deals[1], desk.crm.stages(status="won")[0].id)
    desk.crm.edit("customer", desk.customers[0], name="Autre Maison")
    desk.deal(99)
    desk.crm.tick(SHOWN)
    report = desk.sync()
    assert (report.objects["deal"].new, report.objects["deal"].changed) == (1, 2)
    assert desk.wrong() == []
    if walk(desk, "deal").key:
        assert report.objects["deal"].seen < len(desk.deals)


def test_a_deal_won_lost_and_reopened_keeps_its_story(desk: Desk) -> None:
    desk.sync()
    for status in ("won", "open", "lost", "open"):
        desk.crm.tick(timedelta(days=3))
        desk.crm.move(desk.deals[0], desk.crm.stages(status=status)[0].id)
        desk.crm.tick(SHOWN)
        desk.sync()
        assert desk.wrong() == [], status
    told = [(row["old"], row["new"]) for row in desk.all(schema.change) if row["field"] == "status"]
    assert [new for _, new in told] == ["won", "open", "lost", "open"] or told[0][0] == "won"


def test_a_deleted_deal_is_left_out_and_one_that_comes_back_counts_again(desk: Desk) -> None:
    if not can(desk, "delete"):
        assert not walk(desk, "deal").tells_deletes
        return
    desk.sync()
    desk.crm.tick(3600)
    desk.crm.delete("deal", desk.deals[3])
    desk.crm.tick(3600)
    report = desk.sync(full=not walk(desk, "deal").tells_deletes)
    assert report.total.deleted == 1
    assert desk.row(desk.deals[3])["deleted_at"] is not None
    assert desk.wrong() == []
    if can(desk, "restore"):
        desk.crm.tick(3600)
        desk.crm.restore("deal", desk.deals[3])
        desk.crm.tick(3600)
        desk.sync(full=not walk(desk, "deal").tells_deletes)
        assert desk.wrong() == []


@pytest.mark.parametrize("object_", ["deal", "customer"])
def test_of_two_that_are_merged_one_remains_and_its_deals_follow(desk: Desk, object_: str) -> None:
    if not can(desk, f"merge_{object_}s"):
        assert not walk(desk, object_).tells_merges
        return
    desk.sync()
    desk.crm.tick(3600)
    there = desk.deals if object_ == "deal" else desk.customers
    desk.crm.merge(object_, there[1], there[2])
    desk.crm.tick(3600)
    desk.sync(full=not (walk(desk, object_).tells_merges and walk(desk, object_).tells_deletes))
    assert desk.wrong() == []


def test_an_archived_deal_still_counts(desk: Desk) -> None:
    if not can(desk, "archive"):
        return
    desk.sync()
    desk.crm.tick(3600)
    desk.crm.archive("deal", desk.deals[2])
    desk.crm.archive("deal", desk.deals[3])
    desk.crm.tick(3600)
    for full in (False, True):
        desk.sync(full=full)
        assert desk.wrong() == []
    desk.crm.edit("deal", desk.deals[2], amount=Decimal("0.07"))
    desk.crm.tick(SHOWN)
    desk.sync()
    assert desk.row(desk.deals[2])["amount_minor"] == 7


def test_a_webhook_is_believed_in_nothing_but_its_id(desk: Desk) -> None:
    tell = declared(desk.house).hints
    desk.sync()
    desk.crm.tick(60)
    desk.crm.edit("deal", desk.deals[0], amount=Decimal("1234.56"))
    knock = desk.crm.knock("deal", desk.deals[0], "e1")
    if tell is None:
        assert knock is None
        return
    assert knock is not None
    options = declared(desk.house).options(**desk.crm.options())
    hints = tell(knock, options, desk.crm.now)
    again = desk.crm.knock("deal", desk.deals[0], "e1")
    assert again is not None
    assert [hint.event_id for hint in tell(again, options, desk.crm.now)] == [hint.event_id for hint in hints]
    assert {hint.object for hint in hints} == {"deal"}
    sync.reread(desk.engine, WORKSPACE, desk.open(), hints, now=desk.crm.now)
    assert desk.row(desk.deals[0])["amount_minor"] == 123_456
    history = len(desk.all(schema.change))
    sync.reread(desk.engine, WORKSPACE, desk.open(), [*hints, *hints], now=desk.crm.now)
    assert len(desk.all(schema.change)) == history


def test_a_webhook_that_proves_nothing_is_turned_away(desk: Desk) -> None:
    tell = declared(desk.house).hints
    knock = desk.crm.knock("deal", desk.deals[0], "e1")
    if tell is None or knock is None:
        assert tell is None
        return
    options = declared(desk.house).options(**desk.crm.options())
    bare = Knock(
        method=knock.method, url=knock.url.partition("?")[0].rpartition("/")[0] + "/x", headers={}, body=knock.body
    )
    with pytest.raises(NotGenuineError):
        tell(bare, options, desk.crm.now)


def test_a_storm_of_refusals_and_broken_answers_only_takes_longer(desk: Desk) -> None:
    storm = [Fault(429, {"retry-after": "1"}), Fault("timeout"), Fault("half"), Fault(503), Fault("cut")]
    desk.crm.faults.extend(storm)
    report = desk.sync()
    assert report.outcome == "ok"
    assert not desk.crm.faults
    assert desk.wrong() == []


def test_a_crm_that_is_down_fails_the_run_and_loses_nothing(desk: Desk) -> None:
    desk.sync()
    desk.crm.tick(3600)
    desk.crm.edit("deal", desk.deals[0], amount=Decimal(1))
    desk.crm.faults.extend(Fault(502) for _ in range(20))
    with pytest.raises(UnavailableError):
        desk.sync()
    assert desk.last_run()["outcome"] == "failed"
    desk.crm.faults.clear()
    desk.crm.tick(SHOWN)
    desk.sync()
    assert desk.wrong() == []


def test_a_run_killed_at_any_page_goes_on_where_it_was(database: Engine, house: House) -> None:
    desk = Desk(database, house)
    for number in range(len(_pages(desk))):
        left = number

        def die(_object: str, _rows: int) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed

        with contextlib.suppress(Killed):
            desk.sync(progress=die, full=number % 2 == 0)
        desk.crm.edit("deal", desk.deals[number % len(desk.deals)], amount=Decimal(number))
        desk.crm.tick(1)
    desk.crm.tick(timedelta(hours=1))
    assert desk.sync().outcome == "ok"
    assert desk.wrong() == []


def _pages(desk: Desk) -> list[str]:
    told: list[str] = []
    desk.sync(progress=lambda object_, _rows: told.append(object_))
    return told


def test_a_run_that_died_for_good_keeps_others_out_until_its_lease_ends(desk: Desk) -> None:
    watch = Watch(desk.engine, WORKSPACE, desk.crm, desk.house.open, None)  # type: ignore[arg-type]
    try:
        watch.light(1)
        with pytest.raises(Killed):
            watch.run()
        watch.light(None)
        with pytest.raises(BusyError):
            watch.run()
        watch.expire()
        assert watch.run().outcome == "ok"
    finally:
        watch.close()
    assert desk.wrong() == []


def test_a_full_run_finds_what_no_change_told(desk: Desk) -> None:
    desk.sync()
    with desk.crm.late(timedelta(days=3)):
        desk.crm.edit("deal", desk.deals[0], amount=Decimal("55.55"))
    desk.crm.tick(timedelta(days=2))
    desk.sync()
    desk.crm.tick(timedelta(days=2))
    report = desk.sync(full=True)
    assert report.full
    assert desk.wrong() == []
    assert desk.last_run()["full"]


def test_a_listing_of_nothing_deletes_nothing_and_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.sync()
    before = desk.held()
    there = desk.crm.visible
    monkeypatch.setattr(desk.crm, "visible", lambda name: [] if name == "deal" else there(name))
    desk.crm.tick(3600)
    report = desk.sync(full=True)
    assert [(trouble.object, trouble.code) for trouble in report.troubles] == [("deal", "vanished")]
    assert report.total.deleted == 0
    assert desk.held().rows == before.rows
    monkeypatch.undo()
    desk.crm.tick(3600)
    assert desk.sync(full=True).troubles == ()
    assert desk.wrong() == []


POISON = Decimal("987654.32")
BAD = rb'"?987654\.32"?'


def test_one_unreadable_row_of_many_is_set_aside_and_the_rest_is_loaded(database: Engine, house: House) -> None:
    desk = Desk(database, house, deals=300)
    _poison(desk, 300)


@pytest.mark.torture
def test_one_unreadable_row_of_ten_thousand_is_set_aside_and_the_rest_is_loaded(database: Engine, house: House) -> None:
    _poison(Desk(database, house, deals=10_000), 10_000)


def _poison(desk: Desk, deals: int) -> None:
    if isinstance(desk.crm, HubSpot):
        desk.crm.page = 100
    poisoned = desk.deals[deals // 2]
    desk.crm.edit("deal", poisoned, amount=POISON)
    bend = Bent(desk.crm, lambda body: re.sub(BAD, b'"much"', body))
    report = desk.sync(bent=bend)
    assert (report.objects["deal"].new, report.objects["deal"].quarantined) == (deals - 1, 1)
    [line] = desk.all(schema.quarantine)
    assert line["object"] == "deal"
    assert not line["kept"]
    desk.crm.edit("deal", poisoned, amount=Decimal(5))
    desk.crm.tick(60)
    desk.sync()
    assert desk.all(schema.quarantine) == []
    assert desk.wrong() == []


DRIFT = {"hubspot": "dealstage", "pipedrive": "stage_id", "salesforce": "StageName", "koban": "Result"}
"""A field of deals on which everything rests."""


def test_a_field_that_is_no_longer_told_is_named_and_only_its_object_waits(desk: Desk) -> None:
    desk.sync()
    desk.crm.tick(3600)
    for deal in desk.deals:
        desk.crm.edit("deal", deal, name="Autre")
    desk.crm.edit("customer", desk.customers[0], name="Vue quand même")
    desk.crm.tick(SHOWN)
    name = DRIFT[desk.crm.source].encode()
    bent = Bent(desk.crm, lambda body: body.replace(b'"' + name + b'"', b'"' + name + b'_v2"'))
    report = desk.sync(bent=bent)
    assert report.outcome == "partial"
    [trouble] = report.troubles
    assert (trouble.object, trouble.code) == ("deal", "drift")
    assert DRIFT[desk.crm.source] in json.dumps(trouble.values)
    assert "Vue quand même" in {row["name"] for row in desk.held().rows["customer"].values()}
    desk.sync()
    assert desk.wrong() == []


@pytest.mark.parametrize("status", [401, 403])
def test_withdrawn_credentials_stop_the_source_and_tell_no_secret(
    desk: Desk, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.sync()
    desk.crm.faults.extend(Fault(status, body=b'[{"errorCode": "INVALID_SESSION_ID"}]') for _ in range(9))
    with pytest.raises(RefusedError) as refused:
        desk.sync()
    desk.crm.faults.clear()
    desk.crm.faults.extend(Fault(500) for _ in range(9))
    with pytest.raises(UnavailableError) as down:
        desk.sync()
    assert desk.last_run()["outcome"] == "failed"
    said = " ".join([str(refused.value), str(down.value), caplog.text, json.dumps(desk.all(schema.run), default=str)])
    for secret in secrets(desk):
        assert secret not in said


def secrets(desk: Desk) -> list[str]:
    options = declared(desk.house).options(**desk.crm.options())
    found = [value.get_secret_value() for _, value in options if hasattr(value, "get_secret_value")]
    assert found
    return [secret for secret in found if secret]


BUDGET: dict[str, dict[str, str]] = {
    "hubspot": {"x-hubspot-ratelimit-daily": "1000", "x-hubspot-ratelimit-daily-remaining": "150"},
    "pipedrive": {"x-daily-ratelimit-token-limit": "1000", "x-daily-ratelimit-token-remaining": "150"},
    "salesforce": {"sforce-limit-info": "api-usage=850/1000"},
    "koban": {},
}


def test_four_fifths_of_the_budget_end_the_run_which_goes_on_later(desk: Desk) -> None:
    headers = BUDGET[desk.crm.source]
    if not headers:
        # It tells no budget: nothing to keep to but the pace.
        options = declared(desk.house).options(**desk.crm.options())
        assert declared(desk.house).limits(options).per_second <= 2
        return
    report = desk.sync(bent=Bent(desk.crm, lambda body: body, headers))
    assert report.outcome == "partial"
    assert report.resume_at is not None
    assert report.resume_at > desk.crm.now
    assert report.requests <= 2
    desk.crm.tick(timedelta(days=1))
    assert desk.sync().outcome == "ok"
    assert desk.wrong() == []


def test_a_polite_stop_ends_the_run_between_pages(desk: Desk) -> None:
    left = iter([False, True])
    report = desk.sync(stop=lambda: next(left, True))
    assert report.outcome == "partial"
    desk.crm.tick(60)
    assert desk.sync().outcome == "ok"
    assert desk.wrong() == []


def test_the_check_when_connecting_says_whose_account_it_is(house: House) -> None:
    crm = house.make()
    account = declared(house).check(opening(declared(house), crm))
    assert account.name
    assert len(crm.requests) <= 3


def test_every_option_says_what_to_paste_and_every_secret_is_one(house: House) -> None:
    for name, each in declared(house).options.model_fields.items():
        assert each.description, name
        if re.search("token|secret|key|password", name):
            assert "Secret" in str(each.annotation), name


def test_the_declared_walks_are_what_the_connector_walks(house: House) -> None:
    crm: Crm = house.make()
    assert tuple(house.open(crm).walks) == tuple(declared(house).walks)
    assert house.open(crm).source == declared(house).source
