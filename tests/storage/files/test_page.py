"""The page on files says what the code does, and its mapping file works."""

import re
import runpy
from datetime import date
from pathlib import Path

from storage import schema
from storage.connectors.files.mapping import Mapping
from storage.problems import Reason
from tests.storage.files.folder import Folder
from tests.storage.files.test_bad_rows import KEPT, SET_ASIDE

DOCS = Path(__file__).parents[3] / "docs"


def test_the_headers_and_the_reasons_are_those_of_the_code() -> None:
    made = runpy.run_path(str(DOCS / "make_files.py"))
    text = (DOCS / "files.md").read_text(encoding="utf-8")
    assert text == made["page"](text), "run make docs"
    assert all(f"| `{reason.value}` |" in text for reason in Reason)


def test_the_page_says_which_reasons_keep_their_row() -> None:
    made = runpy.run_path(str(DOCS / "make_files.py"))
    assert set(KEPT.values()) <= made["KEPT"]
    assert not set(SET_ASIDE.values()) & made["KEPT"]


def test_the_mapping_file_of_the_page_loads_a_table_as_it_says(folder: Folder) -> None:
    [example] = re.findall(r"```toml\n(.*?)```", (DOCS / "files.md").read_text(encoding="utf-8"), re.DOTALL)
    folder.write("products.csv", "Product Name,Series\nGTX Pro,G\n")
    folder.write("leads.csv", "Lead ID,Lead Source,Created Date\nL1,Web,2026-01-02\n")
    folder.write(
        "pipeline 2026.csv",
        "Mon suivi\n\nID;Piste;Produit;Montant;Étape;Date de signature\n1;L1;GTXPro;1.234;Chez le notaire;03/02/2026\n",
    )
    folder.load(example)
    deal = folder.deals()["1"]
    assert (deal.status, deal.amount_minor, deal.currency) == ("won", 123_400, "EUR")
    assert (deal.created_on, deal.closed_on) == (date(2026, 1, 2), date(2026, 2, 3))
    assert deal.product_id == "files:GTX Pro"
    assert [(row.name, row.status) for row in folder.rows(schema.stage)] == [("Chez le notaire", "open")]
    assert folder.quarantine() == []
    assert set(Mapping.model_fields) <= set(re.findall(r"\w+", example))
