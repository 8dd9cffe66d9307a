"""Nothing is dropped in silence: every row of a file is loaded, set aside, or recognised as no data."""

import csv
import tempfile
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.connectors.files.connector import FILES, FilesConnector
from storage.connectors.files.names import Names
from storage.connectors.files.reading import read_files
from storage.records import Position

PARIS = ZoneInfo("Europe/Paris")

HEADERS = ["Deal ID", "Status", "Amount", "Created", "Closed", "Owner"]
ROWS = st.tuples(
    st.sampled_from(["", "1", "2", "3", "4", "Total"]),
    st.sampled_from(["won", "lost", "open", "peut-être", "", "SLEEP"]),
    st.sampled_from(["10", "1,5", "1.234,50", "NaN", "1e999", "", "abc", "-3"]),
    st.sampled_from(["25/01/2025", "31/02/2025", "2025-01-02", "", "01/01/0001", "x"]),
    st.sampled_from(["26/01/2025", "", "24/12/2024", "31/12/9999"]),
    st.sampled_from(["Ann", "", "Béa; la grande", "Exporté par Ann"]),
)
OTHERS = st.sampled_from(["", "Titre", "Total;;12,50", ";".join(HEADERS), "Confidentiel", ";;;;;;;;x", "Page 3"])


@given(st.lists(st.one_of(ROWS.map(";".join), OTHERS), max_size=15), st.lists(OTHERS, max_size=3))
@settings(max_examples=300, deadline=None)
def test_every_row_of_a_file_is_accounted_for(lines: list[str], titles: list[str]) -> None:
    text = "\n".join([*titles, ";".join(HEADERS), *lines])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "deals.csv"
        file.write_text(text, encoding="utf-8")
        connector = FilesConnector([file], PARIS, "EUR", Names(), today=date(2026, 3, 2))
        pages = list(connector.pages(FILES, Position()))
    [rows] = connector.rows.values()
    assert rows.all == len(connector.tables[0].sheet.rows)
    if connector.tables[0].held is None and connector.tables[0].object == "deal":
        assert rows.loaded == sum(len(page.records) for page in pages if page.object == "deal")
        aside = {problem.place for page in pages for problem in page.problems if not problem.kept}
        assert rows.aside == len(aside)
        assert rows.held == 0


@given(st.text(max_size=400))
@settings(max_examples=300, deadline=None)
def test_no_text_can_break_the_reading_of_a_file(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "deals.csv"
        file.write_bytes(("Deal ID;Status;Amount;Closed\n" + text.replace("\0", "")).encode("utf-8", "replace"))
        connector = FilesConnector([file], PARIS, "EUR", Names(), today=date(2026, 3, 2))
        assert all(page.object in ("deal", "stage") for page in connector.pages(FILES, Position()))
    [rows] = connector.rows.values()
    assert rows.all == len(connector.tables[0].sheet.rows)


CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=12))
@settings(max_examples=300, deadline=None)
def test_rows_that_are_quoted_well_are_read_as_they_were_written(rows: list[list[str]]) -> None:
    written = StringIO(newline="")
    csv.writer(written, delimiter=";").writerows(rows)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "deals.csv"
        file.write_bytes(b"sep=;\n" + written.getvalue().encode())
        [sheet], _ = read_files([file])
    assert sheet.rows == rows


@given(st.lists(st.sampled_from(["a;b", '"a;b', '"a";b', '"a"x;b', '5" a;b', 'a;"b']), max_size=12))
@settings(max_examples=300, deadline=None)
def test_no_stray_mark_swallows_the_lines_after_it(lines: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "deals.csv"
        file.write_text("sep=;\n" + "".join(f"{line};{n}\n" for n, line in enumerate(lines)), encoding="utf-8")
        [sheet], _ = read_files([file])
    assert [row[-1] for row in sheet.rows] == [str(n) for n in range(len(lines))]


def test_a_moment_is_never_made_without_a_zone() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "deals.csv"
        file.write_text("Deal ID,Status,Created\n1,open,2025-01-02 03:04\n", encoding="utf-8")
        connector = FilesConnector([file], PARIS, "EUR", Names(), today=date(2026, 3, 2))
        [deal] = [record for page in connector.pages(FILES, Position()) for record in page.records]
    assert getattr(deal, "created", None) == datetime(2025, 1, 2, 2, 4, tzinfo=UTC)
