"""A page in parts: nothing is lost or told twice, and no part is larger than what was quick enough before."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from storage import parts as room
from storage import schema
from storage.parts import AIM, FEWEST, FIRST, MOST, Stride, parts
from storage.records import Customer, Gone, Mention, Page, Passage, Problem
from tests.storage.sources import NOW, Told, load_all, one_page, rows
from tests.storage.test_sync import deal

LATER = NOW + timedelta(days=1)

few = st.lists(st.integers(0, 30), max_size=40)


@st.composite
def pages(draw: st.DrawFn) -> Page:
    return Page(
        object="deal",
        records=[deal(f"D{number}") for number in draw(few)],
        mentions=[Mention(object="person", ext_id=f"P{number}", name="P") for number in draw(few)],
        problems=[
            Problem(object="deal", place=f"{at}", reason="amount_rounded", ext_id=f"D{number}")
            for at, number in enumerate(draw(few))
        ],
        passages=[Passage(deal=f"D{number}", stage=f"{at}", at=NOW) for at, number in enumerate(draw(few))],
        gone=[Gone(object="deal", ext_id=f"G{number}") for number in draw(few)],
        last=True,
        finishes="deals.csv",
    )


@given(pages(), st.integers(1, 12))
def test_the_parts_are_the_page_and_what_is_said_of_a_record_stands_with_it(page: Page, size: int) -> None:
    stride = Stride()
    stride.rows = size
    told = list(parts(page, stride))
    pieces = [piece for piece, _ in told]
    for name in ("records", "mentions", "gone"):
        assert [each for piece in pieces for each in getattr(piece, name)] == list(getattr(page, name))
        assert all(len(getattr(piece, name)) <= size for piece in pieces)
    for name in ("problems", "passages"):
        assert sorted(repr(each) for piece in pieces for each in getattr(piece, name)) == sorted(
            map(repr, getattr(page, name))
        )
    assert [(piece.last, piece.finishes, ends) for piece, ends in told] == [
        *[(False, None, False)] * (len(pieces) - 1),
        (True, "deals.csv", True),
    ]
    last = {record.ext_id: number for number, piece in enumerate(pieces) for record in piece.records}
    for number, piece in enumerate(pieces):
        assert all(last.get(str(problem.ext_id), number) == number for problem in piece.problems)
        assert all(last.get(passage.deal, number) == number for passage in piece.passages)


@given(st.integers(1, 200_000), st.floats(0, 0.1), st.integers(1, 60))
def test_a_stride_settles_where_a_transaction_takes_what_it_should(each: int, commit: float, count: int) -> None:
    """`each`: nanoseconds a row; however slow the disk, rows keep half of the time."""
    stride = Stride()
    for _ in range(count):
        work = stride.rows * each / 1e9
        stride.took(stride.rows, work, commit)
        assert FEWEST <= stride.rows <= MOST
    if count == 60:
        work = stride.rows * each / 1e9
        assert stride.rows == FEWEST or work <= AIM - min(commit, AIM / 2) + 2 * each / 1e9
        assert stride.rows == MOST or work >= AIM / 4


def test_a_handful_of_rows_that_took_long_says_nothing_of_rows() -> None:
    stride = Stride()
    stride.took(1, 10.0, 0.001)
    assert stride.rows == FIRST
    stride.took(FIRST, 10.0, 0.001)
    assert stride.rows == FIRST // 2


@pytest.mark.parametrize("killed", [0, 1, 2])
def test_a_customer_whom_many_name_is_followed_in_several_transactions_and_after_a_kill(
    database: Engine, monkeypatch: pytest.MonkeyPatch, killed: int
) -> None:
    for limit in ("FIRST", "MOST"):
        monkeypatch.setattr(room, limit, 3)
    customers = [Customer(ext_id=name, name=name) for name in ("A", "B")]
    load_all(database, one_page(*customers, *[deal(f"D{number}", customer="A") for number in range(8)]))
    pages: list[int] = []

    def die(_connection: Connection, changes: object) -> None:
        pages.append(len(changes))  # type: ignore[arg-type]
        if len(pages) == killed:
            raise RuntimeError("killed")

    merged = one_page(replace(customers[0], deleted=True, merged_into="B"))
    if killed:
        with pytest.raises(RuntimeError):
            load_all(database, merged, now=LATER, on_page=die)
    load_all(database, merged, now=LATER, on_page=die)
    assert {row["customer_id"] for row in rows(database, schema.deal)} == {"test:B"}
    moved = [row["object_id"] for row in rows(database, schema.change) if row["field"] == "customer_id"]
    assert sorted(moved) == [f"test:D{number}" for number in range(8)]
    assert max(pages) <= 4


def test_lines_of_the_quarantine_that_are_well_go_in_chunks(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = [
        Problem(object="deal", place=f"deals.csv, row {number}", reason="amount_unreadable", ext_id=f"B{number}")
        for number in range(10)
    ]
    load_all(database, Told([Page(object="deal", records=[deal()], problems=bad, last=True)]))
    for limit in ("FIRST", "MOST"):
        monkeypatch.setattr(room, limit, 3)
    report = load_all(
        database, Told([Page(object="deal", records=[deal()], last=True, finishes="deals.csv")]), now=LATER
    )
    assert (report.cleared, rows(database, schema.quarantine)) == (10, [])
