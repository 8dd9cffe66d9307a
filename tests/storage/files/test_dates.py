from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.connectors.files.cells import Bad
from storage.connectors.files.dates import DateStyle, decide, read, read_month, settle
from storage.problems import Reason

PARIS = ZoneInfo("Europe/Paris")
DAYS = st.dates(date(1970, 1, 1), date(2100, 12, 31))
WRITTEN = {
    "dmy": ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M"),
    "mdy": ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%Y %I:%M %p"),
}


@given(st.lists(DAYS, min_size=1, max_size=20), st.sampled_from([(o, f) for o, fs in WRITTEN.items() for f in fs]))
def test_a_column_of_dates_reads_back_or_waits_for_a_person(days: list[date], written: tuple[str, str]) -> None:
    order, pattern = written
    moments = [datetime(day.year, day.month, day.day, 15, 30, tzinfo=PARIS) for day in days]
    cells = [moment.strftime(pattern) for moment in moments]
    style = decide(cells)
    told = [day.day > 12 for day in days]
    assert style.order == (order if any(told) else None)
    assert style.unsure == (not any(told) and any(day.day != day.month for day in days))
    if style.unsure:
        style = decide(cells, default=order)  # type: ignore[arg-type]
    found = [read(cell, style, PARIS) for cell in cells]
    assert [day.date() if isinstance(day, datetime) else day for day in found] == days
    if "%H" in pattern or "%I" in pattern:
        assert found == moments


@given(DAYS, st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.000", "%Y%m%d"]))
def test_iso_dates_need_no_deciding(day: date, pattern: str) -> None:
    said = datetime(day.year, day.month, day.day, tzinfo=UTC).strftime(pattern)
    style = decide([said])
    assert not style.unsure
    found = read(said, style, ZoneInfo("UTC"))
    assert (found.date() if isinstance(found, datetime) else found) == day


@given(st.text(max_size=30))
def test_no_text_can_break_the_reading_of_dates(text: str) -> None:
    found = read(text, decide([text]), PARIS)
    assert found is None or isinstance(found, (date, Bad))


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("15 mars 2017", date(2017, 3, 15)),
        ("1er août 2017", date(2017, 8, 1)),
        ("Mar 15, 2017", date(2017, 3, 15)),
        ("15-Mar-17", date(2017, 3, 15)),
        ("15 déc. 2017", date(2017, 12, 15)),
        ("5/3/17", date(2017, 3, 5)),
    ],
)
def test_dates_are_read_as_people_write_them(said: str, day: date) -> None:
    assert read(said, DateStyle("dmy"), PARIS) == day


def test_a_time_with_a_zone_is_that_moment_and_one_without_is_a_wall_time() -> None:
    assert read("2017-03-01T23:30:00+0000", DateStyle(None), PARIS) == datetime(2017, 3, 1, 23, 30, tzinfo=UTC)
    assert read("2017-03-01 23:30", DateStyle(None), PARIS) == datetime(2017, 3, 1, 23, 30, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("31/02/2017", Reason.DATE_IMPOSSIBLE),
        ("2017-13-01", Reason.DATE_IMPOSSIBLE),
        ("01/01/0001", Reason.DATE_OUT_OF_RANGE),
        ("31/12/9999", Reason.DATE_OUT_OF_RANGE),
        ("0001-01-01", Reason.DATE_OUT_OF_RANGE),
        ("bientôt", Reason.DATE_UNREADABLE),
        ("12/2017", Reason.DATE_UNREADABLE),
        ("2017-03-01 25:00", Reason.DATE_IMPOSSIBLE),
    ],
)
def test_what_is_no_date_says_why(said: str, reason: Reason) -> None:
    assert read(said, DateStyle("dmy"), PARIS) == Bad(reason, said)


def test_days_counted_by_excel_are_days() -> None:
    cells = ["42795", "42796"]
    style = decide(cells)
    assert style.counting == "serial"
    assert read("42795", style, PARIS) == date(2017, 3, 1)
    assert read(42795.0, style, PARIS) == date(2017, 3, 1)


def test_milliseconds_in_koban_brackets_are_a_moment_and_its_sentinel_is_nothing() -> None:
    style = decide(["/Date(1488326400000)/"])
    assert read("/Date(1488326400000)/", style, PARIS) == datetime(2017, 3, 1, tzinfo=UTC)
    assert read("/Date(-62135596800000)/", style, PARIS) is None


def test_a_column_that_decides_nothing_follows_the_one_of_its_table_that_does() -> None:
    created, closed = decide(["03/04/2017"]), decide(["25/04/2017"])
    assert created.unsure
    followed, _ = settle([("Created", created), ("Closed", closed)])
    assert (followed.order, followed.unsure, followed.from_column) == ("dmy", False, "Closed")


def test_columns_that_disagree_decide_for_no_other() -> None:
    styles = [("A", decide(["03/04/2017"])), ("B", decide(["25/04/2017"])), ("C", decide(["04/25/2017"]))]
    assert settle(styles)[0].unsure


def test_a_quarrel_inside_a_column_waits_for_a_person_but_a_lone_mistake_does_not() -> None:
    assert decide(["25/04/2017", "04/25/2017"]).unsure
    assert decide(["25/04/2017"] * 20 + ["04/25/2017"]).order == "dmy"


@pytest.mark.parametrize("said", ["2024-02", "02/2024", "février 2024", "Feb 2024", "15/02/2024", "2024-02-01"])
def test_a_month_is_its_first_and_last_day(said: str) -> None:
    assert read_month(said, DateStyle("dmy"), PARIS) == (date(2024, 2, 1), date(2024, 2, 29))
