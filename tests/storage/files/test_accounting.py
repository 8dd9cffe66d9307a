"""Nothing is dropped in silence: every row of a file is loaded, set aside, or recognised as no data."""

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.connectors.files.connector import FilesConnector
from storage.connectors.files.names import Names
from storage.workspaces import Workspace

COMPANY = Workspace("main", "Acme", "Europe/Paris", "EUR", "fr", 1, "team")

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
        connector = FilesConnector([file], COMPANY, Names(), today=date(2026, 3, 2))
        pages = list(connector.pages())
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
        connector = FilesConnector([file], COMPANY, Names(), today=date(2026, 3, 2))
        assert all(page.object in ("deal", "stage") for page in connector.pages())
    [rows] = connector.rows.values()
    assert rows.all == len(connector.tables[0].sheet.rows)


def test_a_moment_is_never_made_without_a_zone() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "deals.csv"
        file.write_text("Deal ID,Status,Created\n1,open,2025-01-02 03:04\n", encoding="utf-8")
        connector = FilesConnector([file], COMPANY, Names(), today=date(2026, 3, 2))
        [deal] = [record for page in connector.pages() for record in page.records]
    assert getattr(deal, "created", None) == datetime(2025, 1, 2, 2, 4, tzinfo=UTC)
