"""Pages that are made from the code say what the code says."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_kpi_page_is_fresh() -> None:
    made = runpy.run_path(str(DOCS / "make_kpis.py"))
    assert (DOCS / "kpis.md").read_text(encoding="utf-8") == made["page"](), "run make docs"
