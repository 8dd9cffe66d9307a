from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine

from storage import schema
from storage.database import writing
from storage.history import Change
from storage.records import Deal, Mention, Page, Person, Position, Problem, Purchase, Record, Stage, Team
from tests.storage.sources import NOW, Told, load_all, one_page, rows

LATER = NOW + timedelta(days=1)


def deal(ext_id: str = "D1", **more: object) -> Deal:
    return Deal(**{"ext_id": ext_id, "name": "Renewal", "status": "open"} | more)  # type: ignore[arg-type]


def test_a_new_deal_is_stored_with_its_references_and_no_history(database: Engine) -> None:
    report = load_all(database, one_page(deal(customer="Acme", amount_minor=120_050)))
    assert (report.total.new, report.total.changed) == (1, 0)
    [row] = rows(database, schema.deal)
    assert (row["id"], row["customer_id"], row["amount_minor"], row["currency"]) == (
        "test:D1",
        "test:Acme",
        120_050,
        "EUR",
    )
    assert row["first_seen_at"] == NOW
    assert rows(database, schema.change) == []


def test_a_second_sync_of_the_same_rows_writes_only_the_run_and_the_moment(database: Engine) -> None:
    load_all(database, one_page(deal(), deal("D2")))
    before = rows(database, schema.deal)
    report = load_all(database, one_page(deal(), deal("D2")), now=LATER)
    assert (report.total.seen, report.total.unchanged, report.total.new, report.total.changed) == (2, 2, 0, 0)
    assert rows(database, schema.deal) == before
    assert rows(database, schema.change) == []
    assert rows(database, schema.cursor)[0]["complete_at"] == LATER
    assert len(rows(database, schema.run)) == 2


def test_a_changed_deal_leaves_one_row_of_history_for_each_field(database: Engine) -> None:
    load_all(database, one_page(deal(amount_minor=100, owner="Ann")))
    report = load_all(
        database,
        one_page(deal(amount_minor=250, owner="Ann", status="won", closed=date(2026, 3, 1))),
        now=LATER,
    )
    assert report.total.changed == 1
    told = {row["field"]: (row["old"], row["new"], row["seen_at"]) for row in rows(database, schema.change)}
    assert told == {
        "amount_minor": ("100", "250", LATER),
        "value_minor": ("100", "250", LATER),
        "status": ("open", "won", LATER),
        "closed_on": (None, "2026-03-01", LATER),
    }


def test_an_older_version_never_overwrites_a_newer_one(database: Engine) -> None:
    new = datetime(2026, 2, 2, tzinfo=UTC)
    load_all(database, one_page(deal(amount_minor=200, modified=new)))
    report = load_all(database, one_page(deal(amount_minor=100, modified=new - timedelta(seconds=1))), now=LATER)
    assert report.total.older == 1
    assert rows(database, schema.deal)[0]["amount_minor"] == 200
    assert rows(database, schema.change) == []


def test_the_same_content_with_a_later_stamp_still_guards_against_what_lies_between(database: Engine) -> None:
    first = datetime(2026, 2, 1, tzinfo=UTC)
    load_all(database, one_page(deal(amount_minor=200, modified=first)))
    report = load_all(database, one_page(deal(amount_minor=200, modified=first + timedelta(days=9))))
    assert (report.total.unchanged, report.total.changed) == (1, 0)
    load_all(database, one_page(deal(amount_minor=100, modified=first + timedelta(days=5))))
    assert rows(database, schema.deal)[0]["amount_minor"] == 200


def test_a_deal_told_twice_in_one_page_is_settled_in_order(database: Engine) -> None:
    changes: list[Change] = []
    report = load_all(
        database,
        one_page(deal(amount_minor=1), deal(amount_minor=2)),
        on_page=lambda _connection, told: changes.extend(told),
    )
    assert (report.total.new, report.total.changed) == (1, 1)
    assert rows(database, schema.deal)[0]["amount_minor"] == 2
    assert [(change.before and change.before["amount_minor"], change.after["amount_minor"]) for change in changes] == [
        (None, 1),
        (1, 2),
    ]


def test_a_deleted_deal_that_is_told_again_lives_again(database: Engine) -> None:
    load_all(database, one_page(deal()))
    with writing(database) as connection:
        connection.execute(schema.deal.update().values(deleted_at=NOW))
    load_all(database, one_page(deal()), now=LATER)
    assert rows(database, schema.deal)[0]["deleted_at"] is None
    assert [row["field"] for row in rows(database, schema.change)] == ["deleted_at"]


def test_a_moment_becomes_the_local_day_of_the_workspace(database: Engine) -> None:
    late = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    load_all(database, one_page(deal(created=late, status="won", closed=date(2026, 2, 3))))
    [row] = rows(database, schema.deal)
    assert (row["created_on"], row["created_at"]) == (date(2026, 2, 1), late)
    assert (row["closed_on"], row["closed_at"]) == (date(2026, 2, 3), None)


def test_a_row_that_is_only_named_is_inserted_and_the_real_one_replaces_it(database: Engine) -> None:
    named = Mention(object="person", ext_id="U7", name="U7")
    load_all(database, one_page(deal(owner="U7"), mentions=[named]))
    assert rows(database, schema.person)[0]["payload_hash"] == ""
    report = load_all(database, one_page(Person(ext_id="U7", name="Ann Field")), now=LATER)
    assert (report.total.new, report.total.changed) == (1, 0)
    [person] = rows(database, schema.person)
    assert (person["name"], person["first_seen_at"]) == ("Ann Field", NOW)
    # What was known before is known for ever: an earlier day is answered with it.
    assert [(row["field"], row["old"], row["new"]) for row in rows(database, schema.change)] == [
        ("name", "U7", "Ann Field")
    ]


def test_a_row_that_is_named_leaves_the_known_one_alone(database: Engine) -> None:
    load_all(database, one_page(Person(ext_id="U7", name="Ann Field", region="North")))
    load_all(database, one_page(deal(owner="U7"), mentions=[Mention(object="person", ext_id="U7", name="ann")]))
    assert [row["name"] for row in rows(database, schema.person)] == ["Ann Field"]


def test_every_kind_of_row_can_be_named_before_it_is_told(database: Engine) -> None:
    kinds = ("team", "person", "customer", "product", "pipeline", "stage", "lead")
    mentions = [Mention(object=kind, ext_id="X", name="X") for kind in kinds]
    load_all(database, one_page(deal(), mentions=mentions))
    assert all(len(rows(database, schema.metadata.tables[kind])) == 1 for kind in kinds)


def test_a_first_team_has_no_beginning_and_a_move_starts_on_the_day_it_is_seen(database: Engine) -> None:
    load_all(database, one_page(Person(ext_id="U1", name="Ann", team="North")))
    assert [(row["starts_on"], row["ends_on"]) for row in rows(database, schema.membership)] == [(date.min, None)]
    load_all(database, one_page(Person(ext_id="U1", name="Ann", team="South")), now=LATER)
    assert [(row["team_id"], row["starts_on"], row["ends_on"]) for row in rows(database, schema.membership)] == [
        ("test:North", date.min, date(2026, 3, 3)),
        ("test:South", date(2026, 3, 3), None),
    ]


def test_two_moves_on_one_day_leave_the_last_word_of_the_day(database: Engine) -> None:
    for team, now in (("North", NOW), ("South", LATER), ("West", LATER + timedelta(hours=1))):
        load_all(database, one_page(Person(ext_id="U1", name="Ann", team=team)), now=now)
    assert [row["team_id"] for row in rows(database, schema.membership)] == ["test:North", "test:West"]


def test_a_failing_page_leaves_nothing_of_itself_and_the_run_says_failed(database: Engine) -> None:
    def refuse(_connection: Connection, _changes: Sequence[Change]) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        load_all(database, one_page(deal()), on_page=refuse)
    assert rows(database, schema.deal) == []
    assert rows(database, schema.cursor) == []
    [run] = rows(database, schema.run)
    assert (run["outcome"], run["error"]) == ("failed", "RuntimeError")


def test_pages_loaded_before_the_source_failed_stay_and_nothing_is_said_to_be_complete(database: Engine) -> None:
    there = Position(token="1", began=NOW)
    half = Told([Page(object="deal", records=[deal()], position=there)], failure=TimeoutError("gone"))
    with pytest.raises(TimeoutError):
        load_all(database, half)
    assert len(rows(database, schema.deal)) == 1
    [cursor] = rows(database, schema.cursor)
    assert (Position.from_json(cursor["position"]), cursor["complete_at"]) == (there, None)
    assert rows(database, schema.run)[0]["outcome"] == "failed"


def test_no_transaction_is_open_while_the_source_is_read(database: Engine) -> None:
    seen: list[int] = []

    def write_elsewhere() -> None:
        # On SQLite this would wait for the write lock, and fail, if the sync held it.
        with writing(database) as connection:
            connection.execute(schema.audit.insert().values(_audit(len(seen))))
        seen.append(1)

    pages = [Page(object="deal", records=[deal(f"D{n}")]) for n in range(3)]
    load_all(database, Told(pages, between=write_elsewhere))
    assert len(seen) == 3


def _audit(number: int) -> dict[str, object]:
    return {"workspace_id": "main", "id": str(number), "at": NOW, "actor": "U", "action": "look", "details": "{}"}


def problem(place: str, **more: object) -> Problem:
    return Problem(**{"object": "deal", "place": place, "reason": "amount_unreadable"} | more)  # type: ignore[arg-type]


def test_a_row_set_aside_is_one_line_however_often_it_is_read(database: Engine) -> None:
    page = Page(object="deal", records=[deal()], problems=[problem("d.csv, row 3", ext_id="D9")])
    for now in (NOW, LATER):
        report = load_all(database, Told([page]), now=now)
        assert (report.total.quarantined, report.total.kept) == (1, 0)
    [line] = rows(database, schema.quarantine)
    assert (line["ext_id"], line["first_seen_at"]) == ("D9", NOW)


def test_a_row_that_loads_again_leaves_the_quarantine_wherever_it_stands(database: Engine) -> None:
    load_all(database, Told([Page(object="deal", records=[], problems=[problem("d.csv, row 3", ext_id="D9")])]))
    report = load_all(database, one_page(deal("D9")))
    assert report.cleared == 1
    assert rows(database, schema.quarantine) == []


def test_a_flagged_row_keeps_its_line_while_it_is_flagged(database: Engine) -> None:
    flag = problem("d.csv, row 2", ext_id="D1", kept=True)
    for _ in range(2):
        report = load_all(database, Told([Page(object="deal", records=[deal()], problems=[flag])]))
        assert (report.total.kept, report.total.quarantined, report.cleared) == (1, 0, 0)
    load_all(database, one_page(deal()))
    assert rows(database, schema.quarantine) == []


def test_the_end_of_a_file_clears_its_lines_that_were_not_seen_again(database: Engine) -> None:
    lines = [problem("a.csv, row 3"), problem("b.csv, row 3")]
    load_all(database, Told([Page(object="deal", records=[], problems=lines)]))
    load_all(database, Told([Page(object="deal", records=[deal()], finishes="a.csv")]))
    assert [row["place"] for row in rows(database, schema.quarantine)] == ["b.csv, row 3"]


def test_all_that_a_page_changed_is_told_inside_its_transaction(database: Engine) -> None:
    told: list[tuple[str, bool]] = []

    def on_page(connection: Connection, changes: Sequence[Change]) -> None:
        assert connection.in_transaction()
        told.extend((change.object, change.before is None) for change in changes)

    records: list[Record] = [Team(ext_id="T", name="T"), Person(ext_id="P", name="P", team="T")]
    mention = Mention(object="customer", ext_id="C", name="C")
    load_all(database, one_page(*records, deal(), mentions=[mention]), on_page=on_page)
    assert told == [("customer", True), ("team", True), ("person", True), ("membership", True), ("deal", True)]
    told.clear()
    load_all(database, one_page(*records, deal(), mentions=[mention]), on_page=on_page)
    assert told == []


def test_a_very_long_id_is_shortened_without_being_confused_with_another(database: Engine) -> None:
    load_all(database, one_page(deal("x" * 5_000), deal("x" * 4_999 + "y")))
    assert len(rows(database, schema.deal)) == 2


def test_another_workspace_sees_nothing_of_it(database: Engine) -> None:
    load_all(database, one_page(deal(), Stage(ext_id="S", name="S"), Purchase(ext_id="1", customer="C", purchased=NOW)))
    assert {row["workspace_id"] for row in rows(database, schema.deal)} == {"main"}
    assert rows(database, schema.purchase)[0]["purchased_on"] == date(2026, 3, 2)
