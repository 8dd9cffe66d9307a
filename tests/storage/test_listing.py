"""What a complete listing finds gone, and when it is not believed."""

from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from storage import listing as listing_room
from storage import parts as parts_room
from storage import schema
from storage.connectors.http import UnavailableError
from storage.database import writing
from storage.records import Customer, Deal, Gone, Mention, Page, Person, Position, Problem, Stage
from storage.reports import Month
from storage.sync import reread
from storage.troubles import Trouble
from storage.workspaces import SINGLE
from tests.storage.sources import NOW, Told, listing, load_all, one_page, rows
from tests.storage.test_hints import hint
from tests.storage.test_sync import deal

LATER = NOW + timedelta(days=1)


def many(*left_out: int, of: int = 10, **more: object) -> list[Deal]:
    return [deal(f"D{number}", amount_minor=100, **more) for number in range(of) if number not in left_out]


def living(engine: Engine) -> set[str]:
    return {row["ext_id"] for row in rows(engine, schema.deal) if row["deleted_at"] is None}


def test_a_deal_that_a_complete_listing_does_not_tell_is_gone_with_history(database: Engine) -> None:
    load_all(database, listing(*many()))
    told: list[object] = []
    report = load_all(
        database,
        listing(*many(3)),
        now=LATER,
        full=True,
        on_page=lambda _connection, changes: told.extend(change.after["ext_id"] for change in changes),
    )
    assert (report.total.deleted, report.outcome, report.troubles, report.months) == (1, "ok", (), [])
    [row] = [row for row in rows(database, schema.deal) if row["deleted_at"] is not None]
    assert (row["ext_id"], row["deleted_at"]) == ("D3", LATER)
    assert [(row["field"], row["object_id"]) for row in rows(database, schema.change)] == [("deleted_at", "test:D3")]
    assert told == ["D3"]
    assert rows(database, schema.listed) == []
    [cursor] = rows(database, schema.cursor)
    assert (cursor["complete_at"], cursor["listed_at"], cursor["trouble"]) == (LATER, LATER, None)
    assert [(run["full"], run["deleted"]) for run in rows(database, schema.run)].count((True, 1)) == 1


def test_a_first_load_notes_nothing_and_finds_nothing_gone(database: Engine) -> None:
    noted: list[int] = []

    def look(connection: Connection, _changes: object) -> None:
        noted.append(connection.execute(sa.select(sa.func.count()).select_from(schema.listed)).scalar_one())

    load_all(database, listing(*many()), on_page=look)
    assert set(noted) == {0}
    assert rows(database, schema.cursor)[0]["listed_at"] == NOW


def test_changes_read_without_a_listing_find_nothing_gone(database: Engine) -> None:
    load_all(database, listing(*many()))
    report = load_all(database, one_page(deal("D1", amount_minor=2)), now=LATER)
    assert (report.total.changed, report.total.deleted) == (1, 0)
    assert len(living(database)) == 10


@pytest.mark.parametrize("there", [0, 1, 8])
def test_a_listing_that_lacks_a_fifth_or_more_deletes_nothing_and_says_so(database: Engine, there: int) -> None:
    load_all(database, listing(*many()))
    report = load_all(database, listing(*many()[:there]), now=LATER, full=True)
    trouble = Trouble("deal", "vanished", {"count": 10 - there, "of": 10})
    assert (report.outcome, report.troubles, report.total.deleted) == ("partial", (trouble,), 0)
    assert len(living(database)) == 10
    [cursor] = rows(database, schema.cursor)
    assert (cursor["complete_at"], cursor["listed_at"]) == (NOW, LATER)
    assert Trouble.from_json(cursor["trouble"]) == trouble
    assert rows(database, schema.listed) == []


def test_a_stage_of_few_that_is_gone_is_kept_and_told_and_holds_up_no_answer(database: Engine) -> None:
    stages = [Stage(ext_id=f"S{number}", name="S") for number in range(4)]
    load_all(database, listing(*stages, object_="stage"))
    report = load_all(database, listing(*stages[1:], object_="stage"), now=LATER, full=True)
    assert report.troubles == (Trouble("stage", "vanished", {"count": 1, "of": 4}),)
    assert all(row["deleted_at"] is None for row in rows(database, schema.stage))
    assert rows(database, schema.cursor)[0]["complete_at"] == LATER


def test_a_held_deletion_waits_through_readings_of_changes_for_a_listing_that_agrees(database: Engine) -> None:
    load_all(database, listing(*many()))
    load_all(database, listing(), now=LATER, full=True)
    between = load_all(database, one_page(deal("D1", amount_minor=7)), now=LATER + timedelta(minutes=5))
    assert (between.outcome, [trouble.code for trouble in between.troubles]) == ("partial", ["vanished"])
    assert rows(database, schema.cursor)[0]["complete_at"] == NOW
    healed = load_all(database, listing(*many(9)), now=LATER + timedelta(minutes=10), full=True)
    assert (healed.outcome, healed.troubles, healed.total.deleted) == ("ok", (), 1)
    assert rows(database, schema.cursor)[0]["complete_at"] == LATER + timedelta(minutes=10)


def test_an_hour_after_a_listing_that_lacked_too_much_the_next_run_lists_again(database: Engine) -> None:
    load_all(database, listing(*many()))
    load_all(database, listing(), now=LATER, full=True)
    for minutes, lists in ((30, False), (61, True)):
        source = one_page(*many())
        load_all(database, source, now=LATER + timedelta(minutes=minutes))
        assert source.began_at["deal"].listing is lists


def test_a_deal_that_was_only_named_is_in_no_listing_and_stays(database: Engine) -> None:
    named = [Mention(object="person", ext_id=f"U{number}", name="?") for number in range(5)]
    people = Told(
        [Page(object="person", records=[Person(ext_id="U9", name="Ann")], mentions=named, listing=True, last=True)]
    )
    load_all(database, people)
    report = load_all(database, people, now=LATER, full=True)
    assert (report.total.deleted, report.troubles) == (0, ())
    assert all(row["deleted_at"] is None for row in rows(database, schema.person))


def test_a_deal_that_can_no_longer_be_read_is_set_aside_and_not_gone(database: Engine) -> None:
    load_all(database, listing(*many()))
    bad = Problem(object="deal", place="deal D3", reason="amount_unreadable", ext_id="D3")
    report = load_all(database, Told([*listing(*many(3)).told[:-1], _last(many(3), [bad])]), now=LATER, full=True)
    assert (report.total.deleted, report.total.quarantined) == (0, 1)
    assert len(living(database)) == 10


def test_a_listing_of_which_no_deal_can_be_read_deletes_none(database: Engine) -> None:
    load_all(database, listing(*many()))
    bad = [Problem(object="deal", place=f"deal D{n}", reason="amount_unreadable", ext_id=f"D{n}") for n in range(10)]
    report = load_all(database, Told([_last([], bad)]), now=LATER, full=True)
    assert (report.total.deleted, report.troubles, len(living(database))) == (0, (), 10)


def test_a_line_of_the_quarantine_goes_with_its_row(database: Engine) -> None:
    bad = Problem(object="deal", place="deal X", reason="amount_unreadable", ext_id="X")
    load_all(database, Told([_last(many(), [bad])]))
    assert len(rows(database, schema.quarantine)) == 1
    report = load_all(database, listing(*many()), now=LATER, full=True)
    assert (rows(database, schema.quarantine), report.cleared) == ([], 1)


def test_a_listing_that_is_not_believed_clears_no_quarantine(database: Engine) -> None:
    bad = Problem(object="deal", place="deal X", reason="amount_unreadable", ext_id="X")
    load_all(database, Told([_last(many(), [bad])]))
    report = load_all(database, listing(), now=LATER, full=True)
    assert (len(rows(database, schema.quarantine)), report.cleared) == (1, 0)


def _last(deals: list[Deal], problems: list[Problem]) -> Page:
    return Page(object="deal", records=deals, problems=problems, listing=True, last=True)


def test_a_listing_that_was_cut_goes_on_and_knows_what_it_told_before(database: Engine) -> None:
    load_all(database, listing(*many()))
    whole = listing(*many(9)).told
    cut = Told(whole[:2], failure=UnavailableError("GET /deals: 503"))
    with pytest.raises(UnavailableError):
        load_all(database, cut, now=LATER, full=True)
    assert len(rows(database, schema.listed)) == 4
    assert len(living(database)) == 10
    rest = Told(whole[2:])
    report = load_all(database, rest, now=LATER + timedelta(hours=1))
    assert rest.began_at["deal"].token == "2"
    assert (report.total.deleted, report.troubles, living(database)) == (1, (), {deal.ext_id for deal in many(9)})


def test_a_fresh_listing_does_not_believe_what_an_abandoned_one_had_told(database: Engine) -> None:
    load_all(database, listing(*many()))
    with writing(database) as connection:
        listing_room.note(connection, SINGLE, "test", "deal", [], ["D9"])
    assert load_all(database, listing(*many(9)), now=LATER, full=True).total.deleted == 1


def test_a_deal_that_is_read_again_while_a_listing_is_under_way_is_not_gone(database: Engine) -> None:
    load_all(database, listing(*many(9)))
    cut = Told(listing(*many(9)).told[:2], failure=UnavailableError("503"))
    with pytest.raises(UnavailableError):
        load_all(database, cut, now=LATER, full=True)
    # Born behind the listing's back, and told by a webhook.
    reread(database, SINGLE, Told((), again={"D0a": deal("D0a")}), [hint("D0a")], now=LATER)
    report = load_all(database, Told(listing(*many(9)).told[2:]), now=LATER + timedelta(hours=1))
    assert (report.total.deleted, "D0a" in living(database)) == (0, True)


def test_many_rows_that_are_gone_are_deleted_in_several_transactions(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("FIRST", "MOST"):
        monkeypatch.setattr(parts_room, limit, 3)
    load_all(database, listing(*many(of=60)))
    pages: list[int] = []
    report = load_all(
        database,
        listing(*many(*range(10), of=60)),
        now=LATER,
        full=True,
        on_page=lambda _connection, changes: pages.append(len(changes)),
    )
    assert (report.total.deleted, pages) == (10, [3, 3, 3, 1])
    assert rows(database, schema.listed) == []


def test_a_full_run_mends_what_something_else_has_written(database: Engine) -> None:
    created = {"created": date(2026, 1, 10)}
    load_all(database, listing(*many(**created)))
    before = rows(database, schema.deal)
    with writing(database) as connection:
        wrong = {"D4": {"amount_minor": 150}, "D5": {"closed_on": date(2026, 1, 1)}, "D6": {"value_minor": 7}}
        for ext_id, values in wrong.items():
            connection.execute(schema.deal.update().where(schema.deal.c.ext_id == ext_id).values(values))
    report = load_all(database, listing(*many(**created)), now=LATER, full=True)
    assert (report.months, report.total.changed, report.total.unchanged) == ([], 2, 8)
    assert rows(database, schema.deal) == before
    healed = {(row["object_id"], row["field"], row["old"], row["new"]) for row in rows(database, schema.change)}
    assert ("test:D4", "amount_minor", "150", "100") in healed
    assert len(healed) == 3
    assert load_all(database, listing(*many(**created)), now=LATER, full=True).total.unchanged == 10


def test_a_full_run_names_the_months_that_do_not_add_up(database: Engine) -> None:
    created = {"created": date(2026, 1, 10)}
    load_all(database, listing(*many(**created)))
    report = load_all(database, listing(*many(1, 2, 3, **created)), now=LATER, full=True)
    assert report.months == [Month("2026-01", "EUR", 1_000, 700)]


def test_a_deal_that_is_listed_twice_counts_once(database: Engine) -> None:
    deals = many(created=datetime(2026, 1, 10, tzinfo=NOW.tzinfo))
    load_all(database, listing(*deals))
    report = load_all(database, listing(*deals, *deals[:5]), now=LATER, full=True)
    assert (report.months, report.total.deleted) == ([], 0)


def test_what_is_told_as_gone_is_deleted_and_what_was_modified_since_is_not(database: Engine) -> None:
    deals = [deal(f"D{number}", modified=NOW + timedelta(hours=number)) for number in range(3)]
    load_all(database, one_page(*deals))
    gone = [Gone(object="deal", ext_id=f"D{number}", at=NOW + timedelta(hours=1)) for number in range(4)]
    report = load_all(database, Told([Page(object="deal", records=(), gone=gone, last=True)]), now=LATER)
    assert (report.total.deleted, living(database)) == (2, {"D2"})
    again = load_all(database, Told([Page(object="deal", records=(), gone=gone, last=True)]), now=LATER)
    assert (again.total.deleted, len(rows(database, schema.change))) == (0, 2)


def test_what_was_true_before_a_row_was_deleted_does_not_raise_it_again(database: Engine) -> None:
    load_all(database, one_page(deal(modified=NOW)))
    gone = Gone(object="deal", ext_id="D1", at=NOW + timedelta(hours=2))
    load_all(database, Told([Page(object="deal", records=(), gone=[gone], last=True)]), now=LATER)
    late = load_all(database, one_page(deal(amount_minor=1, modified=NOW + timedelta(hours=1))), now=LATER)
    assert (late.total.older, living(database)) == (1, set())
    back = load_all(database, one_page(deal(amount_minor=1, modified=NOW + timedelta(hours=3))), now=LATER)
    assert (back.total.changed, living(database)) == (1, {"D1"})


def test_deals_of_another_source_are_not_gone(database: Engine) -> None:
    load_all(database, listing(*many()))
    load_all(database, listing(*many(), source="other"))
    report = load_all(database, listing(*many(1), source="other"), now=LATER, full=True)
    assert report.total.deleted == 1
    assert [row["id"] for row in rows(database, schema.deal) if row["deleted_at"]] == ["other:D1"]


def test_objects_are_listed_one_by_one(database: Engine) -> None:
    customers = [Customer(ext_id=f"C{number}", name="C") for number in range(10)]
    both = Told([*listing(*customers, object_="customer").told, *listing(*many()).told])
    load_all(database, both)
    fewer = Told([*listing(*customers[1:], object_="customer").told, *listing().told])
    report = load_all(database, fewer, now=LATER, full=True)
    assert (report.objects["customer"].deleted, report.objects["deal"].deleted) == (1, 0)
    complete = {row["object"]: row["complete_at"] for row in rows(database, schema.cursor)}
    assert complete == {"customer": LATER, "deal": NOW}
    assert all(Position.from_json(row["position"]).since == LATER for row in rows(database, schema.cursor))


def test_a_person_may_say_that_what_a_listing_lacks_is_gone(database: Engine) -> None:
    load_all(database, listing(*many()))
    load_all(database, listing(*many(0, 1, 2, 3, 4)), now=LATER, full=True)
    assert len(living(database)) == 10
    report = load_all(database, listing(*many(0, 1, 2, 3, 4)), now=LATER, full=True, accepts_deletes=True)
    assert (report.total.deleted, report.outcome, report.troubles) == (5, "ok", ())
    assert living(database) == {"D5", "D6", "D7", "D8", "D9"}
