"""How a walk goes on: after a stop, a spent budget, a failure, a field that is told no longer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from storage import schema
from storage.connectors.base import DriftError, Walk
from storage.connectors.http import BudgetError, UnavailableError
from storage.database import writing
from storage.history import Change
from storage.parts import FIRST
from storage.records import Lead, Mention, Page, Passage, Position, Problem
from storage.troubles import Trouble
from tests.storage.sources import NOW, Told, listing, load_all, one_page, rows
from tests.storage.test_sync import deal

LATER = NOW + timedelta(days=1)


def position(engine: Engine, object_: str = "deal") -> Position:
    [found] = [row for row in rows(engine, schema.cursor) if row["object"] == object_]
    return Position.from_json(found["position"])


@dataclass
class Failing(Told):
    """Of the named objects, the walk raises before its first page."""

    fails: dict[str, Exception] = field(default_factory=dict)

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        if walk.object in self.fails:
            raise self.fails[walk.object]
        yield from super().pages(walk, position)


def leads_and_deals(**more: object) -> Failing:
    lead = Page(object="lead", records=[Lead(ext_id="L1", name="Lead")], listing=True, last=True)
    return Failing([lead, Page(object="deal", records=[deal()], listing=True, last=True)], **more)  # type: ignore[arg-type]


def test_a_first_load_lists_everything_and_the_next_reads_changes_from_its_look_back_on(database: Engine) -> None:
    source = one_page(deal())
    load_all(database, source)
    assert source.began_at["deal"] == Position(listing=True, began=NOW)
    assert position(database) == Position(listing=False, since=NOW)
    load_all(database, source, now=LATER)
    assert source.began_at["deal"] == Position(listing=False, began=LATER, since=NOW - timedelta(minutes=15))
    load_all(database, source, now=LATER, full=True)
    assert source.began_at["deal"] == Position(listing=True, began=LATER)


def test_a_source_without_a_key_is_listed_each_time(database: Engine) -> None:
    class Keyless(Told):
        walks = [Walk(object="deal")]  # noqa: RUF012

    source = Keyless(one_page(deal()).told)
    for now in (NOW, LATER):
        load_all(database, source, now=now)
        assert source.began_at["deal"] == Position(listing=True, began=now)


def test_a_walk_that_was_stopped_goes_on_where_it_was_and_began(database: Engine) -> None:
    pages = [
        Page(object="deal", records=[deal(f"D{number}")], position=Position(token=str(number))) for number in range(3)
    ]
    asked = iter([False, False, True])
    report = load_all(database, Told(pages), stop=lambda: next(asked))
    assert (report.outcome, report.total.new, rows(database, schema.run)[0]["outcome"]) == ("partial", 2, "partial")
    source = Told([replace(pages[2], last=True)])
    report = load_all(database, source, now=LATER)
    assert source.began_at["deal"] == Position(token="1", began=NOW)
    assert (report.outcome, report.total.new) == ("ok", 1)
    # Complete up to the moment at which the walk began, not at which it ended.
    assert rows(database, schema.cursor)[0]["complete_at"] == NOW


def test_a_run_that_is_asked_to_stop_before_it_begins_reads_nothing(database: Engine) -> None:
    report = load_all(database, one_page(deal()), stop=lambda: True)
    assert (report.outcome, report.total.seen, report.requests) == ("partial", 0, 0)


def test_being_asked_to_stop_after_the_last_page_is_too_late(database: Engine) -> None:
    asked = iter([False])
    assert load_all(database, one_page(deal()), stop=lambda: next(asked)).outcome == "ok"


def test_a_spent_budget_ends_the_run_and_says_when_to_go_on(database: Engine) -> None:
    report = load_all(database, leads_and_deals(fails={"deal": BudgetError("GET /deals: 429", LATER)}))
    assert (report.outcome, report.resume_at, report.total.new) == ("partial", LATER, 1)
    assert load_all(database, leads_and_deals(), now=LATER).outcome == "ok"


def test_a_field_that_is_told_no_longer_holds_its_object_and_no_other(database: Engine) -> None:
    load_all(database, leads_and_deals())
    drifted = leads_and_deals(fails={"lead": DriftError("lead", "createdate")})
    report = load_all(database, drifted, now=LATER)
    trouble = Trouble("lead", "drift", {"field": "createdate"})
    assert (report.outcome, report.troubles) == ("partial", (trouble,))
    complete = {row["object"]: row["complete_at"] for row in rows(database, schema.cursor)}
    assert complete == {"lead": NOW, "deal": LATER}
    mended = load_all(database, leads_and_deals(), now=LATER + timedelta(hours=1))
    assert (mended.outcome, mended.troubles) == ("ok", ())
    assert {row["complete_at"] for row in rows(database, schema.cursor)} == {LATER + timedelta(hours=1)}


def test_a_field_that_was_never_told_leaves_an_object_that_was_never_complete(database: Engine) -> None:
    load_all(database, leads_and_deals(fails={"lead": DriftError("lead", "createdate")}))
    assert {row["object"]: row["complete_at"] for row in rows(database, schema.cursor)} == {"lead": None, "deal": NOW}


def test_a_source_that_fails_marks_the_run_and_the_next_one_goes_on(database: Engine) -> None:
    failing = leads_and_deals(fails={"deal": UnavailableError("GET /deals: 503")})
    with pytest.raises(UnavailableError):
        load_all(database, failing)
    assert [(run["outcome"], run["error"]) for run in rows(database, schema.run)] == [("failed", "UnavailableError")]
    assert load_all(database, leads_and_deals(), now=LATER).outcome == "ok"


def test_a_run_says_what_it_spent_and_confirmed(database: Engine) -> None:
    load_all(database, leads_and_deals())
    [run] = rows(database, schema.run)
    assert (run["requests"], run["new"], run["seen"], run["full"], run["deleted"]) == (2, 2, 2, False, 0)
    assert run["completed"] == f'{{"deal": "{NOW.isoformat()}", "lead": "{NOW.isoformat()}"}}'


def bad(count: int) -> list[Problem]:
    return [
        Problem(object="deal", place=f"deal B{n}", reason="amount_unreadable", ext_id=f"B{n}") for n in range(count)
    ]


def test_one_bad_deal_among_ten_thousand_is_set_aside_and_the_others_load(database: Engine) -> None:
    deals = [deal(f"D{number}") for number in range(9_999)]
    pages = [
        Page(object="deal", records=deals[start : start + 500], listing=True, problems=() if start else bad(1))
        for start in range(0, len(deals), 500)
    ]
    report = load_all(database, Told([*pages[:-1], replace(pages[-1], last=True)]))
    assert (report.total.new, report.total.quarantined, report.outcome) == (9_999, 1, "ok")
    assert len(rows(database, schema.deal)) == 9_999
    assert rows(database, schema.cursor)[0]["complete_at"] == NOW


@pytest.mark.parametrize(("count", "held"), [(50, False), (51, True)])
def test_many_rows_that_cannot_be_read_hold_their_object_until_they_are_well(
    database: Engine, count: int, held: bool
) -> None:
    page = Page(object="deal", records=[deal()], problems=bad(count), listing=True, last=True)
    report = load_all(database, Told([page]))
    assert report.troubles == ((Trouble("deal", "poison", {"count": 51, "of": 52}),) if held else ())
    assert (rows(database, schema.cursor)[0]["complete_at"] is None) is held
    well = one_page(*[deal(f"B{n}") for n in range(count)])
    report = load_all(database, well, now=LATER)
    assert (report.troubles, report.cleared, rows(database, schema.quarantine)) == ((), count, [])
    assert rows(database, schema.cursor)[0]["complete_at"] == LATER


def test_a_large_page_is_written_in_parts_and_moves_on_only_with_its_last(database: Engine) -> None:
    moved: list[int] = []
    sizes: list[int] = []

    def look(connection: Connection, changes: Sequence[Change]) -> None:
        sizes.append(len(changes))
        moved.append(connection.execute(sa.select(sa.func.count()).select_from(schema.cursor)).scalar_one())

    flag = Problem(object="deal", place="deal D3", reason="amount_rounded", ext_id="D3", kept=True)
    page = Page(
        object="deal",
        records=[deal(f"D{number}") for number in range(600)],
        passages=[Passage(deal=f"D{number}", stage="S", at=NOW) for number in range(600)],
        problems=[flag, *bad(2)],
        last=True,
    )
    for now in (NOW, LATER):
        report = load_all(database, Told([page]), now=now, on_page=look)
        assert (report.total.seen, report.total.kept, report.total.quarantined) == (600, 1, 2)
    assert moved == [*[0] * (len(moved) - 1), 1]
    assert sizes[0] == FIRST
    assert max(sizes) < sum(sizes) == 600
    assert len(rows(database, schema.passage)) == 600
    assert {line["first_seen_at"] for line in rows(database, schema.quarantine)} == {NOW}


def test_a_row_that_loads_leaves_the_quarantine_with_its_page_even_if_the_run_fails(database: Engine) -> None:
    load_all(database, Told([Page(object="deal", records=[], problems=bad(1), last=True)]))
    with pytest.raises(UnavailableError):
        load_all(database, Told([Page(object="deal", records=[deal("B0")])], failure=UnavailableError("503")))
    assert rows(database, schema.quarantine) == []


def undated(*ext_ids: str, **more: object) -> Told:
    return replace(listing(*[deal(ext_id, **more) for ext_id in ext_ids]), first_seen=True)


def test_a_deal_without_a_creation_date_was_created_when_it_was_first_seen_after_the_first_load(
    database: Engine,
) -> None:
    load_all(database, undated("D1"))
    load_all(database, undated("D1", "D2"), now=LATER)
    load_all(database, undated("D1", "D2", amount_minor=5), now=LATER + timedelta(days=5), full=True)
    told = {
        row["ext_id"]: (row["created_on"], row["created_at"], row["created_seen"])
        for row in rows(database, schema.deal)
    }
    assert told == {"D1": (None, None, False), "D2": (LATER.date(), LATER, True)}


def test_a_creation_date_that_the_source_tells_later_beats_the_first_sight(database: Engine) -> None:
    load_all(database, undated("D1"))
    load_all(database, undated("D1", "D2"), now=LATER)
    load_all(database, undated("D1", "D2", created=date(2026, 1, 2)), now=LATER + timedelta(days=5))
    assert {(row["created_on"], row["created_seen"]) for row in rows(database, schema.deal)} == {
        (date(2026, 1, 2), False)
    }


def test_a_lead_that_was_named_before_it_was_told_was_first_seen_then(database: Engine) -> None:
    lead = Page(object="lead", records=[Lead(ext_id="L1", name="Lead")], last=True)
    load_all(database, Told([lead], first_seen=True))
    named = Mention(object="lead", ext_id="L2", name="L2")
    load_all(database, Told([replace(lead, mentions=[named])], first_seen=True), now=LATER)
    told = replace(lead, records=[Lead(ext_id="L2", name="Second")])
    load_all(database, Told([told], first_seen=True), now=LATER + timedelta(days=3))
    assert [(row["name"], row["created_on"]) for row in rows(database, schema.lead)] == [
        ("Lead", None),
        ("Second", LATER.date()),
    ]


def test_the_day_of_first_sight_does_not_make_another_record_of_it(database: Engine) -> None:
    load_all(database, undated("D1"))
    load_all(database, undated("D1", "D2"), now=LATER)
    report = load_all(database, undated("D1", "D2"), now=LATER + timedelta(days=1))
    assert (report.total.unchanged, report.total.changed, rows(database, schema.change)) == (2, 0, [])


def test_a_passage_through_a_stage_is_kept_once(database: Engine) -> None:
    entered = [Passage(deal="D1", stage=f"S{n}", at=datetime(2026, 1, n, tzinfo=NOW.tzinfo)) for n in (1, 2, 2)]
    page = Page(object="deal", records=[deal()], passages=entered, last=True)
    for now in (NOW, LATER):
        load_all(database, Told([page]), now=now)
    assert [(row["deal_id"], row["stage_id"], row["first_seen_at"]) for row in rows(database, schema.passage)] == [
        ("test:D1", "test:S1", NOW),
        ("test:D1", "test:S2", NOW),
    ]


def test_a_position_that_nobody_understands_is_the_beginning(database: Engine) -> None:
    load_all(database, one_page(deal()))
    with writing(database) as connection:
        connection.execute(schema.cursor.update().values(position='{"after": 1}'))
    source = one_page(deal())
    load_all(database, source, now=LATER)
    assert source.began_at["deal"] == Position(began=LATER)
