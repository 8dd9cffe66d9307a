"""Pages that are made from the code say what the code says."""

import re
import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_kpi_page_is_fresh() -> None:
    made = runpy.run_path(str(DOCS / "make_kpis.py"))
    assert (DOCS / "kpis.md").read_text(encoding="utf-8") == made["page"](), "run make docs"


def test_every_file_that_the_docs_name_exists() -> None:
    for page in (DOCS / "how-it-works.md", DOCS.parent / "CONTRIBUTING.md"):
        for name in re.findall(r"`((?:bot|kpi|storage|tests|docs)/[\w./-]*)`", page.read_text(encoding="utf-8")):
            assert (DOCS.parent / name).exists(), (page.name, name)
