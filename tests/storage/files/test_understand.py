"""What a sheet is taken for, from its headers, its rows and the mapping: nothing is written here."""

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from storage.connectors.files.amounts import AmountStyle
from storage.connectors.files.dates import DateStyle
from storage.connectors.files.mapping import Mapping, MappingProblemError, read_mapping
from storage.connectors.files.reading import FileProblemError, find_files, read_files
from storage.connectors.files.understand import Understanding, understand

HUBSPOT = (
    "Record ID;Deal Name;Deal Stage;Pipeline;Close Date;Create Date;Amount;Deal owner;Associated Company;Deal Type"
)
HUBSPOT_FR = (
    "ID de fiche d'informations;Nom de la transaction;Phase de la transaction;Pipeline;Date de fermeture;"
    "Date de création;Montant;Propriétaire de la transaction;Entreprise associée;Type de transaction"
)
PIPEDRIVE = (
    "Deal - ID;Deal - Title;Deal - Status;Deal - Stage;Deal - Value;Deal - Currency of Value;Deal - Owner;"
    "Deal - Organization;Deal - Deal created;Deal - Won time;Deal - Lost time"
)
SALESFORCE = (
    "Opportunity ID;Opportunity Name;Stage;Close Date;Created Date;Amount;Opportunity Owner;Account Name;"
    "Lead Source;Type"
)
KOBAN = "Numéro;Intitulé;Étape;Résultat;Date de création;Date de résultat;Montant HT;Assigné à;Nom du compte;Origine"


def read(tmp_path: Path, text: str | bytes, name: str = "export.csv", mapping: str = "") -> Understanding:
    file = tmp_path / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    declared = Mapping()
    if mapping:
        toml = tmp_path / "mapping.toml"
        toml.write_text(mapping, encoding="utf-8")
        declared = read_mapping(toml)
    [sheet], _ = read_files(find_files([file]))
    return understand(sheet, declared.table(sheet.place), "EUR")


def fields(one: Understanding) -> dict[str, str]:
    return {column.match.field.name: column.match.header for column in one.columns}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (HUBSPOT, {"id", "name", "stage", "pipeline", "closed", "created", "amount", "owner", "customer", "kind"}),
        (HUBSPOT_FR, {"id", "name", "stage", "pipeline", "closed", "created", "amount", "owner", "customer", "kind"}),
        (PIPEDRIVE, {"id", "name", "status", "stage", "amount", "owner", "customer", "created", "won_on", "lost_on"}),
        (SALESFORCE, {"id", "name", "stage", "closed", "created", "amount", "owner", "customer", "origin", "kind"}),
        (KOBAN, {"id", "name", "stage", "status", "created", "closed", "amount", "owner", "customer", "origin"}),
    ],
    ids=["hubspot", "hubspot-fr", "pipedrive", "salesforce", "koban"],
)
def test_the_exports_of_each_crm_are_recognised_as_deals(tmp_path: Path, headers: str, expected: set[str]) -> None:
    one = read(tmp_path, headers + "\n" + ";".join("x" for _ in headers.split(";")))
    assert one.object == "deal"
    assert expected <= set(fields(one))
    assert one.held is None


@pytest.mark.parametrize(
    ("name", "headers", "object_"),
    [
        ("clients.csv", "Raison sociale,Secteur d'activité,Ville", "customer"),
        ("leads.csv", "Lead ID,Full Name,Lead Source,Created Date,Converted", "lead"),
        ("pistes.csv", "Nom de la piste,Source de la piste,Date de création,Qualifié", "lead"),
        ("equipe.csv", "Nom,E-mail,Équipe,Responsable d'équipe,Agence", "person"),
        ("users.csv", "Full Name,Email,Team,Active", "person"),
        ("produits.csv", "Code produit,Désignation,Prix", "product"),
        ("contrats.csv", "N° contrat,Client,Date de début,Date de fin,Montant", "contract"),
        ("commandes.csv", "N° commande,Client,Date de commande,Montant TTC,Produit", "purchase"),
        ("depenses.csv", "Mois,Type de dépense,Canal,Dépense", "spend"),
        ("spend.csv", "Month,Category,Channel,Amount spent", "spend"),
    ],
)
def test_each_kind_of_table_is_recognised_in_both_languages(
    tmp_path: Path, name: str, headers: str, object_: str
) -> None:
    assert read(tmp_path, headers + "\n" + ",".join("x" for _ in headers.split(",")), name).object == object_


def test_a_table_of_something_else_is_not_data(tmp_path: Path) -> None:
    one = read(tmp_path, "Table,Field,Description\naccounts,account,Company name\naccounts,sector,Industry\n")
    assert one.object is None


def test_a_header_spelt_almost_right_is_recognised_and_said_so(tmp_path: Path) -> None:
    one = read(tmp_path, "Deal ID,Statuss,Close Datee,Amount\n1,won,2020-01-01,5\n")
    assert {column.match.field.name: column.match.how for column in one.columns} == {
        "id": "exact",
        "status": "near",
        "closed": "near",
        "amount": "exact",
    }


def test_columns_that_are_not_used_are_said(tmp_path: Path) -> None:
    one = read(tmp_path, "Deal ID,Status,Amount,Favourite colour\n1,won,5,blue\n")
    assert one.unused == ("Favourite colour",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "mac_roman"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_any_encoding_and_any_delimiter_are_recognised(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = [
        ["Numéro", "Statut", "Montant (€)", "Société", "Date de création"],
        ["A1", "Gagné", "1 250.50", "Générale d'électricité", "2024-05-06"],
        ["A2", "Perdu", "980.00", "Épicerie Hélène & fils", "2024-05-07"],
        ["A3", "Gagné", "77.10", "Forêts de l'Île", "2024-05-08"],
    ]
    text = "\r\n".join(delimiter.join(row) for row in rows)
    one = read(tmp_path, text.encode(encoding))
    assert (one.object, one.sheet.delimiter) == ("deal", delimiter)
    assert one.table.headers == tuple(rows[0])
    customer = one.column("customer")
    assert customer is not None
    assert list(customer.cells) == [row[3] for row in rows[1:]]


def test_the_separator_line_that_excel_writes_is_obeyed(tmp_path: Path) -> None:
    one = read(tmp_path, "sep=;\nDeal ID;Status;Amount\n1;won;5,20\n")
    # Excel does not show that line: its row 1 is the headers.
    assert (one.table.header_row, [number for number, _ in one.table.rows]) == (1, [2])


def test_a_quoted_text_may_hold_the_delimiter_and_line_ends(tmp_path: Path) -> None:
    one = read(tmp_path, 'Deal ID;Deal Name;Status\n1;"Phase 1;\nphase 2";won\n2;B;lost\n')
    name = one.column("name")
    assert name is not None
    assert list(name.cells) == ["Phase 1;\nphase 2", "B"]


def test_titles_totals_repeated_headers_and_footers_are_not_data(tmp_path: Path) -> None:
    text = (
        "Pipeline commercial\nÉdité le 03/01/2025\n\nDeal ID;Statut;Montant;Client\n1;Gagné;10,50;A\n"
        "Deal ID;Statut;Montant;Client\n2;Gagné;20,00;B\nSous-total;;30,50;\n3;Perdu;5,00;Total Énergies\n"
        "Total général;;35,50;\n\nConfidentiel\nExporté par Ann\n"
    )
    one = read(tmp_path, text)
    assert [number for number, _ in one.table.rows] == [5, 7, 9]
    assert [(number, kind) for number, kind, _ in one.table.others] == [
        (1, "title"),
        (2, "title"),
        (3, "blank"),
        (4, "header"),
        (6, "repeated_header"),
        (8, "total"),
        (10, "total"),
        (11, "blank"),
        (12, "footer"),
        (13, "footer"),
    ]


def test_a_customer_called_total_is_a_customer(tmp_path: Path) -> None:
    one = read(tmp_path, "Client,Secteur\nTotal,énergie\nAcme,outils\n", "clients.csv")
    assert len(one.table.rows) == 2


def test_a_last_customer_with_empty_cells_is_no_footer(tmp_path: Path) -> None:
    one = read(tmp_path, "Client,Secteur\nAcme,outils\nLast & Co,\n", "clients.csv")
    assert len(one.table.rows) == 2


def test_day_first_is_decided_from_the_whole_column_and_the_cell_that_decided_is_said(tmp_path: Path) -> None:
    one = read(tmp_path, "Deal ID,Status,Close Date\n1,won,03/04/2024\n2,won,25/04/2024\n")
    closed = one.column("closed")
    assert closed is not None
    assert closed.style == DateStyle("dmy", "25/04/2024")


def test_dates_that_nothing_decides_hold_the_table_until_a_person_says(tmp_path: Path) -> None:
    text = "Deal ID,Status,Close Date\n1,won,03/04/2024\n2,won,05/06/2024\n"
    one = read(tmp_path, text)
    assert (one.held, one.about) == ("date_order", ("Close Date", "03/04/2024"))
    assert read(tmp_path, text, mapping='date_order = "mdy"').held is None


def test_a_column_whose_decimals_nothing_decides_holds_the_table(tmp_path: Path) -> None:
    text = "Deal ID,Status,Amount\n1,won,1.234\n2,won,4514\n"
    assert read(tmp_path, text).held == "decimal"
    amount = read(tmp_path, text, mapping='decimal = "."').column("amount")
    assert amount is not None
    assert amount.style == AmountStyle(".")


def test_deals_without_a_word_of_their_outcome_wait_for_a_person(tmp_path: Path) -> None:
    text = "Deal ID,Amount,Close Date,Owner\n1,5,2024-01-01,Ann\n"
    assert read(tmp_path, text).held == "status_absent"
    assert read(tmp_path, text, mapping='[files."export.csv".constants]\nstatus = "won"').held is None


def test_the_currency_of_a_header_is_that_of_its_column(tmp_path: Path) -> None:
    assert read(tmp_path, "Deal ID,Status,Montant (£)\n1,won,5\n").currency == "GBP"
    assert read(tmp_path, "Deal ID,Status,Amount USD\n1,won,5\n").currency == "USD"
    assert read(tmp_path, "Deal ID,Status,Amount\n1,won,5\n").currency == "EUR"


def test_excel_keeps_its_numbers_and_dates_and_each_sheet_is_a_table(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    deals = book.active
    assert deals is not None
    deals.title = "Affaires"
    deals.append(["N° affaire", "Statut", "Montant", "Date de clôture"])
    deals.append([1001, "Gagné", 1234.56, date(2024, 4, 3)])
    deals.append([1002, "Perdu", 0, datetime(2024, 4, 3, 15, 30)])  # noqa: DTZ001
    people = book.create_sheet("Équipe")
    people.append(["Commercial", "E-mail", "Équipe"])
    people.append(["Agent A", "a@exemple.example", "Paris"])
    book.create_sheet("Notes").append(["à relancer"])
    book.save(tmp_path / "ventes.xlsx")
    sheets, _ = read_files(find_files([tmp_path / "ventes.xlsx"]))
    assert [sheet.place for sheet in sheets] == [
        "ventes.xlsx [Affaires]",
        "ventes.xlsx [Équipe]",
        "ventes.xlsx [Notes]",
    ]
    told = [understand(sheet, Mapping().table(sheet.place), "EUR") for sheet in sheets]
    assert [one.object for one in told] == ["deal", "person", None]
    amount, closed = told[0].column("amount"), told[0].column("closed")
    assert amount is not None
    assert closed is not None
    assert list(amount.cells) == [1234.56, 0]
    assert closed.style == DateStyle(None)


@pytest.mark.parametrize(
    ("mapping", "reason", "details"),
    [
        ('curency = "EUR"', "mapping_key", {"key": "curency", "nearest": "currency"}),
        ('[files."export.csv"]\nobjet = "deal"', "mapping_key", {"key": "objet", "nearest": "object"}),
        ('[files."export.csv".columns]\nclosd = "Close Date"', "mapping_key", {"nearest": "closed"}),
        ('[files."export.csv".columns]\nclosed = "Close Dat"', "mapping_column", {"nearest": "Close Date"}),
        ('[files."export.csv"]\nobject = "deals"', "mapping_value", {"said": "deals"}),
        ('date_order = "ymd"', "mapping_value", {"said": "ymd"}),
        ('currency = "euros"', "mapping_value", {"said": "euros"}),
        ("currency = ", "mapping_not_toml", {}),
        ('[files."export.csv".constants]\ncreated = "demain"', "mapping_constant", {"said": "demain"}),
    ],
)
def test_a_mapping_that_cannot_be_used_says_what_and_offers_the_nearest(
    tmp_path: Path, mapping: str, reason: str, details: dict[str, str]
) -> None:
    from storage.connectors.files.drafts import drafts
    from tests.storage.files.test_dates import PARIS

    with pytest.raises(MappingProblemError) as failure:
        list(drafts(read(tmp_path, "Deal ID,Status,Close Date\n1,won,2024-01-01\n", mapping=mapping), PARIS))
    assert failure.value.reason == reason
    assert details.items() <= failure.value.details.items()


def test_the_mapping_of_the_documentation_is_one_that_vigie_takes(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "files.md").read_text(encoding="utf-8")
    (tmp_path / "mapping.toml").write_text(page.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    mapping = read_mapping(tmp_path / "mapping.toml")
    table = mapping.table("pipeline_2024.csv")
    assert (table.object, table.columns, table.date_order) == ("deal", {"closed": "Date de signature"}, "dmy")
    assert mapping.declared_statuses() == {"chez le notaire": "open"}


def test_a_mapping_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MappingProblemError, match="mapping_absent"):
        read_mapping(tmp_path / "nowhere.toml")


def test_the_mapping_speaks_before_anything_recognised(tmp_path: Path) -> None:
    mapping = (
        '[files."exp*.csv"]\nobject = "deal"\n[files."exp*.csv".columns]\ncreated = "Opened by us"\namount = ""\n'
        '[files."exp*.csv".constants]\nstatus = "won"'
    )
    one = read(tmp_path, "Deal ID,Opened by us,Created,Amount\n1,2024-01-01,2024-02-02,9\n", mapping=mapping)
    assert fields(one) == {"id": "Deal ID", "created": "Opened by us"}
    assert set(one.unused) == {"Created", "Amount"}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("deals.pdf", b"%PDF", "file_kind"),
        ("deals.xlsx", b"PK\x03\x04 no more of it", "file_unreadable"),
        ("deals.csv", bytes(range(256)) * 4, "file_not_text"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileProblemError) as failure:
        read_files(find_files([tmp_path / name]))
    assert failure.value.reason == reason


def test_a_path_without_a_file_and_a_folder_without_a_table_are_said(tmp_path: Path) -> None:
    with pytest.raises(FileProblemError, match="file_absent"):
        find_files([tmp_path / "nowhere.csv"])
    with pytest.raises(FileProblemError, match="directory_empty"):
        find_files([tmp_path])


@pytest.mark.parametrize("text", ["", "\n\n\n", "Deal ID,Status\n"])
def test_a_file_without_data_is_no_mistake(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).table.rows == ()
