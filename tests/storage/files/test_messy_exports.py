"""Exports as people have them: hidden sheets, stray marks, two columns for one thing, words of two kinds in one."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from storage import schema
from storage.connectors.files.mapping import MappingProblemError
from storage.connectors.files.reading import FileProblemError
from storage.problems import Reason
from tests.storage.files.folder import NOW, Folder

HEADERS = "ID;Statut;Montant;Date de clôture\n"


def workbook(path: Path, sheets: dict[str, list[list[object]]], hidden: tuple[str, ...] = ()) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if name in hidden:
            sheet.sheet_state = "hidden"
    book.save(path)


def test_a_pipedrive_export_keeps_each_deal_in_its_currency(folder: Folder) -> None:
    folder.write(
        "deals.csv",
        "Deal - ID,Deal - Title,Deal - Status,Deal - Value,Deal - Currency of value,Deal - Deal created,"
        "Deal - Deal closed on,Deal - Expected close date\n"
        "1,A,Won,100,USD,2026-01-01 10:00:00,2026-01-15 10:00:00,2026-03-01\n",
    )
    folder.load()
    deal = folder.deals()["1"]
    assert (deal.currency, deal.created_on, deal.closed_on) == ("USD", date(2026, 1, 1), date(2026, 1, 15))


def test_a_french_pipedrive_export_has_its_dates(folder: Folder) -> None:
    folder.write(
        "affaires.csv",
        "Affaire - ID;Affaire - Titre;Affaire - Statut;Affaire - Affaire créée;Affaire - Affaire clôturée le\n"
        "1;A;Gagné;2026-01-01 10:00:00;2026-01-15 10:00:00\n",
    )
    folder.load()
    assert (folder.deals()["1"].created_on, folder.deals()["1"].closed_on) == (date(2026, 1, 1), date(2026, 1, 15))


def test_a_salesforce_data_export_finds_accounts_and_owners_by_their_ids(folder: Folder) -> None:
    folder.write("Account.csv", "Id,Name,Industry\n001A,Acme,Media\n")
    folder.write("User.csv", "Id,Username,Name,Email,IsActive\n005A,ann,Ann Lee,ann@exemple.example,true\n")
    folder.write(
        "Opportunity.csv",
        "Id,AccountId,Name,StageName,Amount,CloseDate,OwnerId,CreatedDate\n"
        "006A,001A,Roof,Closed Won,12500.0,2026-01-20,005A,2025-12-01T09:00:00.000+0000\n",
    )
    folder.load()
    deal = folder.deals()["006A"]
    assert (deal.customer_id, deal.owner_id) == ("files:001A", "files:005A")


def test_a_person_is_called_by_the_name_column_and_led_by_the_other(folder: Folder) -> None:
    folder.write("equipe.csv", "Nom;E-mail;Équipe;Responsable\nZoé;z@exemple.example;Nord;Max\nYann;;Nord;Max\n")
    folder.load()
    assert [row.name for row in folder.rows(schema.person)] == ["Max", "Yann", "Zoé"]
    assert [row.manager_id for row in folder.rows(schema.team)] == ["files:Max"]
    assert folder.quarantine() == []


def test_a_customer_called_total_is_no_total_row(folder: Folder) -> None:
    rows = [["Client", "Date de commande", "Montant"], ["Total", datetime(2026, 1, 14, tzinfo=UTC).date(), 100]]
    workbook(folder.path / "commandes.xlsx", {"Commandes": rows})
    folder.load()
    assert [row.amount_minor for row in folder.rows(schema.purchase)] == [10_000]


def test_a_total_that_counts_its_rows_is_a_total(folder: Folder) -> None:
    one = folder.understand("Deal ID,Owner,Status,Amount\n1,Ann,won,10\n2,Bob,won,20\nTOTAL,,2 deals,30\n")
    assert [(number, kind) for number, kind, _ in one.table.others if kind == "total"] == [(4, "total")]


def test_a_column_without_any_cell_leaves_its_place_to_one_that_is_filled(folder: Folder) -> None:
    folder.write("affaires.csv", "ID;Statut;Montant;Montant HT\n1;gagnée;;1 200,50\n")
    folder.load()
    assert folder.deals()["1"].amount_minor == 120_050


def test_a_hidden_sheet_is_left_alone_until_the_mapping_names_it(folder: Folder) -> None:
    headers = ["Deal ID", "Status", "Amount"]
    sheets: dict[str, list[list[object]]] = {"Deals": [headers, [1, "won", 100]], "Old": [headers, [1, "won", 999]]}
    workbook(folder.path / "sales.xlsx", sheets, hidden=("Old",))
    folder.load()
    assert folder.deals()["1"].amount_minor == 10_000
    folder.load('[files."sales.xlsx [Old]"]\nobject = "deal"\n[files."sales.xlsx [Deals]"]\nobject = "none"')
    assert folder.deals()["1"].amount_minor == 99_900


def test_one_column_may_say_the_stage_and_the_end(folder: Folder) -> None:
    words = ["Négociation", "Devis envoyé", "Gagnée", "Perdue", "Sommeil", "Chez le notaire"]
    folder.write("affaires.csv", HEADERS + "".join(f"{n};{word};5;02/02/2026\n" for n, word in enumerate(words)))
    connector = folder.open()
    assert connector.unknown_statuses(connector.tables[0]) == {"Chez le notaire": 1}
    folder.load()
    assert [folder.deals()[str(n)].status for n in range(5)] == ["open", "open", "won", "lost", "dormant"]


def test_a_plan_that_cannot_be_read_costs_an_open_deal_nothing(folder: Folder) -> None:
    folder.write("affaires.csv", HEADERS + "1;en cours;5;T3\n2;gagnée;5;T3\n3;gagnée;5;15/01/2026\n")
    folder.load()
    assert set(folder.deals()) == {"1", "3"}
    assert {(line.ext_id, line.kept) for line in folder.quarantine()} == {("1", True), ("2", False)}


def test_a_note_beside_the_table_costs_its_row_nothing(folder: Folder) -> None:
    workbook(
        folder.path / "a.xlsx", {"Affaires": [["ID", "Statut", "Montant"], [1, "perdue", 5], [2, "gagnée", 5, "", "!"]]}
    )
    folder.load()
    assert set(folder.deals()) == {"1", "2"}


@pytest.mark.parametrize("broken", ['"Toit;', '"Toit";x";', '5" de tuyau;'])
def test_a_mark_that_nothing_closes_swallows_no_other_row(folder: Folder, broken: str) -> None:
    rows = [
        f"1;gagnée;{broken}15/01/2026",
        "2;gagnée;20;15/01/2026",
        '3;gagnée;"30";15/01/2026',
        '4;gagnée;"40\n";15/01/2026',
    ]
    folder.write("affaires.csv", HEADERS + "\n".join(rows) + "\n")
    connector = folder.open()
    assert [number for number, _ in connector.tables[0].table.rows] == [2, 3, 4, 5]
    folder.load()
    assert {"2", "3", "4"} <= set(folder.deals())


def test_a_stray_nul_is_dropped_and_a_picture_is_refused(folder: Folder) -> None:
    folder.write("affaires.csv", HEADERS + "1;gag\0née;5;15/01/2026\n")
    folder.load()
    assert folder.deals()["1"].status == "won"
    (folder.path / "photo.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 40)
    connector = folder.open()
    assert [problem.reason for problem in connector.unread] == ["file_not_text"]
    assert [one.place for one in connector.tables] == ["affaires.csv"]
    (folder.path / "affaires.csv").unlink()
    with pytest.raises(FileProblemError):
        folder.open()


def test_a_text_named_as_a_workbook_is_read_and_a_web_page_is_refused(folder: Folder) -> None:
    folder.write("export.xls", HEADERS.replace(";", "\t") + "1\tgagnée\t5\t15/01/2026\n", encoding="utf-16")
    folder.load()
    assert set(folder.deals()) == {"1"}
    folder.write("report.xls", "<html><table><tr><td>Stage</td></tr></table></html>")
    assert [problem.reason for problem in folder.open().unread] == ["file_html"]


def test_hidden_folders_are_not_searched(folder: Folder) -> None:
    folder.write("affaires.csv", HEADERS + "1;gagnée;5;15/01/2026\n")
    for name in (".git", "__MACOSX"):
        (folder.path / name).mkdir()
        folder.write(f"{name}/affaires.csv", HEADERS + "2;gagnée;5;15/01/2026\n")
    assert [one.place for one in folder.open().tables] == ["affaires.csv"]


def test_two_files_with_one_id_say_so_once_and_not_again(folder: Folder) -> None:
    headers = "ID,Status,Amount,Last modified\n"
    folder.write("a.csv", headers + "1,open,5,2026-02-02\n")
    folder.write("b.csv", headers + "1,open,4,2026-01-01\n")
    folder.load()
    lines = folder.quarantine()
    assert [line.reason for line in lines] == [Reason.ID_DUPLICATE]
    report = folder.load(now=NOW + timedelta(days=1))
    assert report.cleared == 0
    assert folder.quarantine() == lines


def test_a_constant_of_the_mapping_comes_before_the_column(folder: Folder) -> None:
    folder.write("affaires.csv", HEADERS + "1;gagnée;5;15/01/2026\n")
    folder.load('[files."affaires.csv".constants]\nstatus = "lost"\n')
    assert folder.deals()["1"].status == "lost"


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ('[files."affaires.csv".constants]\ncreated = "31/02/2025"', "mapping_constant"),
        ('[files."affaires.csv"]\nheader_row = 99', "mapping_header_row"),
        ('[files."affaires.csv".columns]\nclosed = "Nulle part"', "mapping_column"),
    ],
)
def test_a_mistake_in_the_mapping_is_said_before_anything_is_read(folder: Folder, mapping: str, reason: str) -> None:
    folder.write("affaires.csv", HEADERS + "1;gagnée;5;15/01/2026\n")
    with pytest.raises(MappingProblemError) as failure:
        folder.open(mapping)
    assert failure.value.reason == reason


def test_amounts_before_tax_days_of_the_week_and_dates_of_nothing_are_read(folder: Folder) -> None:
    folder.write(
        "affaires.csv",
        "ID;Statut;Montant;Créée le;Date de clôture\n1;gagnée;500 € HT;0000-00-00;lundi 16 février 2026\n",
    )
    folder.load()
    deal = folder.deals()["1"]
    assert (deal.amount_minor, deal.created_on, deal.closed_on) == (50_000, None, date(2026, 2, 16))


def test_a_name_written_the_other_way_round_is_suggested(folder: Folder) -> None:
    folder.write("equipe.csv", "Prénom;Nom;Équipe\nZoé;Exemple;Nord\n")
    folder.write("affaires.csv", "ID;Statut;Commercial\n1;en cours;EXEMPLE Zoé\n")
    assert [(found.said, found.known) for found in folder.load().suggestions] == [("EXEMPLE Zoé", "Zoé Exemple")]


def test_what_the_source_marks_as_deleted_is_kept_apart_and_may_come_back(folder: Folder) -> None:
    headers = "Id,StageName,Amount,CloseDate,IsDeleted\n"
    folder.write("Opportunity.csv", headers + "1,Closed Won,5,2026-01-20,false\n2,Closed Won,7,2026-01-20,true\n")
    folder.load()
    assert [row.deleted_at is not None for row in folder.rows(schema.deal)] == [False, True]
    assert folder.load(now=NOW + timedelta(days=1)).total.changed == 0
    assert folder.deals()["2"].deleted_at == NOW
    folder.write("Opportunity.csv", headers + "1,Closed Won,5,2026-01-20,true\n2,Closed Won,7,2026-01-20,false\n")
    later = NOW + timedelta(days=2)
    total = folder.load(now=later).total
    assert (total.changed, total.deleted) == (1, 1)
    deals = folder.deals()
    assert (deals["1"].deleted_at, deals["2"].deleted_at) == (later, None)
    assert [row.field for row in folder.rows(schema.change)] == ["deleted_at", "deleted_at"]


def test_a_formula_that_failed_or_was_never_computed_is_no_missing_amount(folder: Folder) -> None:
    headers = ["Deal ID", "Status", "Amount", "Customer", "Closed"]
    day = date(2026, 1, 20)
    rows: list[list[object]] = [
        [1, "won", "#DIV/0!", "Acme", day],
        [2, "won", "=C3*2", "Acme", day],
        [3, "won", 5, "#REF!", day],
        [4, "won", None, "Acme & <Sons>", day],
        ["Total", None, "=SUM(C2:C5)"],
    ]
    workbook(folder.path / "deals.xlsx", {"Q1 & Q2": [headers, *rows]})
    folder.load()
    assert [(line.ext_id, line.reason, line.details["said"]) for line in folder.quarantine()] == [
        ("1", Reason.AMOUNT_NOT_FINITE, "#DIV/0!"),
        ("2", Reason.AMOUNT_NOT_FINITE, "#CALC!"),
    ]
    assert {key: (row.amount_minor, row.customer_id) for key, row in folder.deals().items()} == {
        "3": (500, None),
        "4": (None, "files:Acme & <Sons>"),
    }


def test_the_only_day_at_the_end_of_a_lost_deal_is_its_closing_day(folder: Folder) -> None:
    folder.write("a.csv", "N° affaire;Statut;Date de signature\nA1;perdue;15/01/2026\n")
    folder.write("b.csv", "N° affaire;Statut;Date de signature;Date de clôture\nB1;perdue;15/01/2026;\n")
    folder.load()
    assert {key: row.closed_on for key, row in folder.deals().items()} == {"A1": date(2026, 1, 15), "B1": None}
