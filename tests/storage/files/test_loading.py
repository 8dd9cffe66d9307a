"""Files of every kind, loaded as a person would, on both databases."""

from datetime import date, timedelta

from storage import schema
from storage.connectors.files.connector import FILES
from storage.problems import Reason
from storage.records import Position
from tests.storage.files.folder import NOW, Folder

DEALS = "Deal ID,Deal Name,Status,Amount,Owner,Account,Product,Created,Closed\n"


def test_an_edited_file_updates_the_deal_and_leaves_history(folder: Folder) -> None:
    folder.write("deals.csv", DEALS + "1,Roof,open,100,Ann,Acme,Tiles,2026-01-05,\n")
    folder.load()
    folder.write("deals.csv", DEALS + "1,Roof,won,120.50,Ann,Acme,Tiles,2026-01-05,2026-02-01\n")
    report = folder.load(now=NOW + timedelta(days=1))
    assert (report.total.changed, report.objects["deal"].new) == (1, 0)
    told = {row.field: (row.old, row.new) for row in folder.rows(schema.change)}
    assert told == {
        "status": ("open", "won"),
        "raw_status": ("open", "won"),
        "amount_minor": ("10000", "12050"),
        "value_minor": ("10000", "12050"),
        "closed_on": (None, "2026-02-01"),
    }


def test_names_in_deals_find_the_rows_of_the_other_files_whatever_their_ids(folder: Folder) -> None:
    folder.write("deals.csv", DEALS + "1,Roof,open,100,ann@exemple.example,Acme,T-1,2026-01-05,\n")
    folder.write("users.csv", "User ID,Full Name,Email,Team\nU1,Ann Field,Ann@exemple.example,North\n")
    folder.write("accounts.csv", "Account ID,Account Name,Industry\nC1,Acme,tools\n")
    folder.write("products.csv", "Product ID,Product Name\nT-1,Tiles\n")
    report = folder.load()
    deal = folder.deals()["1"]
    assert (deal.owner_id, deal.customer_id, deal.product_id) == ("files:U1", "files:C1", "files:T-1")
    assert report.total.new == report.total.seen
    assert [row.team_id for row in folder.rows(schema.membership)] == ["files:North"]
    # A later call with the deals alone still knows them.
    for name in ("users.csv", "accounts.csv", "products.csv"):
        (folder.path / name).unlink()
    assert folder.load().total.changed == 0


def test_unknown_names_become_rows_of_their_own(folder: Folder) -> None:
    folder.write("deals.csv", DEALS + "1,Roof,open,100,Ann,Acme,Tiles,2026-01-05,\n")
    folder.load()
    assert [row.name for row in folder.rows(schema.person)] == ["Ann"]
    assert [row.name for row in folder.rows(schema.customer)] == ["Acme"]


def test_a_name_that_two_rows_bear_links_to_neither(folder: Folder) -> None:
    folder.write("accounts.csv", "Account ID,Account Name\nC1,Acme\nC2,Acme\n")
    folder.write("deals.csv", DEALS + "1,Roof,open,100,Ann,Acme,Tiles,2026-01-05,\n")
    folder.load()
    assert folder.deals()["1"].customer_id is None
    assert [line.reason for line in folder.quarantine()] == [Reason.REFERENCE_AMBIGUOUS]


def test_like_spellings_are_suggested_and_merged_only_by_the_mapping(folder: Folder) -> None:
    folder.write("products.csv", "Product Name,Series\nGTX Pro,G\nPlan 2,P\n")
    lines = "".join(
        f"{n},D{n},open,1,Ann,Acme,{product},2026-01-05,\n" for n, product in enumerate(["GTXPro", "Plan 3"])
    )
    folder.write("deals.csv", DEALS + lines)
    report = folder.load()
    assert [(found.object, found.said, found.known, found.rows) for found in report.suggestions] == [
        ("product", "GTXPro", "GTX Pro", 1)
    ]
    assert folder.deals()["0"].product_id == "files:GTXPro"
    report = folder.load('[aliases.product]\n"GTXPro" = "GTX Pro"')
    assert report.suggestions == ()
    assert folder.deals()["0"].product_id == "files:GTX Pro"


def test_two_spellings_of_an_owner_that_no_file_lists_are_suggested_once(folder: Folder) -> None:
    owners = ["Hélène Exemple", "Hélène Exemple", "Helene Exemple", "Someone Else"]
    folder.write("deals.csv", DEALS + "".join(f"{n},D,open,1,{o},A,P,2026-01-05,\n" for n, o in enumerate(owners)))
    report = folder.load()
    assert [(found.said, found.known) for found in report.suggestions] == [("Helene Exemple", "Hélène Exemple")]


def test_the_closing_date_of_an_open_deal_is_a_plan_and_is_not_used(folder: Folder) -> None:
    folder.write("deals.csv", DEALS + "1,Roof,open,100,Ann,Acme,Tiles,2026-01-05,2026-09-30\n")
    connector = folder.open()
    pages = list(connector.pages(FILES, Position()))
    [deal] = [record for page in pages for record in page.records if record.object == "deal"]
    assert getattr(deal, "closed", "?") is None
    assert connector.rows["deals.csv"].planned == 1


def test_stages_keep_their_place_in_the_funnel_and_an_unknown_word_waits(folder: Folder) -> None:
    rows = ["Négociation", "Rendez-vous pris", "Fermé gagné", "Chez le notaire"]
    text = "ID,Phase,Montant,Date de fermeture\n" + "".join(f"{n},{s},5,2026-01-05\n" for n, s in enumerate(rows))
    folder.write("affaires.csv", text)
    folder.load()
    stages = sorted((row.position, row.name, row.status) for row in folder.rows(schema.stage))
    assert stages == [(10, "Rendez-vous pris", "open"), (80, "Négociation", "open"), (90, "Fermé gagné", "won")]
    assert [line.reason for line in folder.quarantine()] == [Reason.STATUS_UNKNOWN]
    folder.load('[statuses]\n"Chez le notaire" = "open"')
    assert folder.deals()["3"].status == "open"
    assert folder.quarantine() == []


def test_statuses_in_both_languages_are_the_same_four(folder: Folder) -> None:
    words = {
        "won": ["Gagné", "WON", "closed won", "Signée", "Fermé (gagné)"],
        "lost": ["Perdu", "Closed Lost", "abandonné", "LOST"],
        "dormant": ["SLEEP", "En sommeil", "dormant"],
        "open": ["En cours", "Open", "ouverte"],
    }
    told = [(status, word) for status, some in words.items() for word in some]
    lines = "".join(f"{n};{word};2026-01-01\n" for n, (_, word) in enumerate(told))
    folder.write("affaires.csv", "ID;Statut;Date de clôture\n" + lines)
    folder.load()
    deals = folder.deals()
    assert [deals[str(n)].status for n in range(len(told))] == [status for status, _ in told]


def test_a_lead_and_the_deal_that_came_of_it_are_linked(folder: Folder) -> None:
    folder.write(
        "leads.csv", "Lead ID,Lead Source,Created Date,Qualified\nL1,Web,2026-01-02,yes\nL2,Fair,2026-01-03,no\n"
    )
    folder.write("deals.csv", "Deal ID,Lead ID,Status,Won date\nD1,L1,won,2026-02-01\nD2,L9,won,2026-02-01\n")
    folder.load('[files."deals.csv"]\ncreated_from_lead = true')
    deals = folder.deals()
    assert (deals["D1"].lead_id, deals["D1"].created_on) == ("files:L1", date(2026, 1, 2))
    assert (deals["D2"].lead_id, deals["D2"].created_on) == ("files:L9", None)
    assert [(row.ext_id, row.qualified, row.origin) for row in folder.rows(schema.lead)] == [
        ("L1", True, "Web"),
        ("L2", False, "Fair"),
        ("L9", None, None),
    ]
    # The lead's day is remembered when the deals come alone.
    (folder.path / "leads.csv").unlink()
    assert folder.load('[files."deals.csv"]\ncreated_from_lead = true').total.changed == 0


def test_identical_purchases_are_distinct_and_the_same_again_when_read_again(folder: Folder) -> None:
    rows = "C1,2026-01-01,9.99\nC1,2026-01-01,9.99\nC1,2026-01-02,0\n"
    folder.write("orders.csv", "Customer ID,Order date,Amount\n" + rows)
    assert folder.load().objects["purchase"].new == 3
    report = folder.load()
    assert (report.total.new, report.total.changed) == (0, 0)
    # Another order of the rows, another spelling of the figures: the same purchases.
    folder.write(
        "orders.csv", "Order date,Customer ID,Amount\n2026-01-02,C1,0.00\n2026-01-01,C1,9.99\n01/01/2026,C1,9.99\n"
    )
    assert folder.load().total.new == 0


def test_contracts_and_spend_load_with_their_days(folder: Folder) -> None:
    folder.write(
        "contrats.csv",
        "N° contrat;Client;Date de début;Date de fin;Montant\nK1;Acme;01/02/2025;31/01/2026;1 200,00\n"
        "K2;Beta;15/03/2025;31/12/9999;600,00\nK3;;15/03/2025;;600,00\nK4;Beta;15/03/2025;01/03/2025;5,00\n",
    )
    folder.write(
        "depenses.csv",
        "Mois;Type de dépense;Canal;Dépense\n2026-01;Marketing;Web;3 000,00\n2026-02;Commercial;;1 500,00\n"
        "2026-02;Cadeaux;;10,00\n",
    )
    folder.load()
    contracts = {row.ext_id: (row.starts_on, row.ends_on, row.amount_minor) for row in folder.rows(schema.contract)}
    assert contracts == {
        "K1": (date(2025, 2, 1), date(2026, 1, 31), 120_000),
        "K2": (date(2025, 3, 15), None, 60_000),
    }
    spend = sorted((row.kind, row.starts_on, row.ends_on, row.amount_minor) for row in folder.rows(schema.spend))
    assert spend == [
        ("marketing", date(2026, 1, 1), date(2026, 1, 31), 300_000),
        ("sales", date(2026, 2, 1), date(2026, 2, 28), 150_000),
    ]
    assert {(line.ext_id, line.reason, line.kept) for line in folder.quarantine() if line.object == "contract"} == {
        ("K2", Reason.DATE_OUT_OF_RANGE, True),
        ("K3", Reason.VALUE_MISSING, False),
        ("K4", Reason.ENDS_BEFORE_START, False),
    }
    assert [line.reason for line in folder.quarantine() if line.object == "spend"] == [Reason.KIND_UNKNOWN]


def test_an_edited_amount_of_spend_is_the_same_spend(folder: Folder) -> None:
    folder.write("spend.csv", "Month,Category,Channel,Amount spent\n2026-01,marketing,Web,100\n")
    folder.load()
    folder.write("spend.csv", "Month,Category,Channel,Amount spent\n2026-01,marketing,Web,175\n")
    report = folder.load()
    assert (report.total.new, report.total.changed) == (0, 1)


def test_a_currency_beside_an_amount_holds_for_its_row(folder: Folder) -> None:
    folder.write("deals.csv", "Deal ID,Status,Amount,Currency\n1,won,10,GBP\n2,won,$10,\n3,won,1500,JPY\n4,won,10,\n")
    folder.load()
    assert {key: (row.amount_minor, row.currency) for key, row in folder.deals().items()} == {
        "1": (1_000, "GBP"),
        "2": (1_000, "USD"),
        "3": (1_500, "JPY"),
        "4": (1_000, "EUR"),
    }


def test_of_two_versions_of_a_row_the_last_modified_speaks(folder: Folder) -> None:
    folder.write(
        "deals.csv",
        "Deal ID,Status,Amount,Last modified\n1,open,10,2026-02-02\n1,open,20,2026-01-01\n1,open,10,2026-02-02\n",
    )
    connector = folder.open()
    list(connector.pages(FILES, Position()))
    assert (connector.rows["deals.csv"].loaded, connector.rows["deals.csv"].aside) == (1, 1)
    assert connector.rows["deals.csv"].repeated == 1
    folder.load()
    assert folder.deals()["1"].amount_minor == 1_000
    [line] = folder.quarantine()
    assert (line.reason, line.details["winner"]) == (Reason.ID_DUPLICATE, "deals.csv, row 4")


def test_an_older_export_does_not_undo_a_newer_one(folder: Folder) -> None:
    head = "Deal ID,Status,Amount,Last modified\n"
    folder.write("deals.csv", head + "1,won,20,2026-02-02\n")
    folder.load()
    folder.write("deals.csv", head + "1,open,10,2026-01-01\n")
    report = folder.load()
    assert report.total.older == 1
    assert folder.deals()["1"].amount_minor == 2_000


def test_a_held_table_loads_nothing_and_leaves_its_object_incomplete(folder: Folder) -> None:
    folder.write("deals.csv", "Deal ID,Status,Close date\n1,won,03/04/2025\n")
    folder.write("products.csv", "Product Name,Series\nTiles,T\n")
    connector = folder.open()
    assert [one.held for one in connector.tables] == ["date_order", None]
    folder.load()
    assert folder.deals() == {}
    assert len(folder.rows(schema.product)) == 1
    report = folder.load('date_order = "dmy"')
    assert report.total.new == 1
    assert folder.deals()["1"].closed_on == date(2025, 4, 3)


def test_hostile_text_is_kept_as_text(folder: Folder) -> None:
    names = ['=HYPERLINK("x")', "Robert'); DROP TABLE deal;--", "<!channel>", "\u202eevil", "x" * 20_000, "a\0b"]
    quoted = [name.replace('"', '""') for name in names]
    folder.write(
        "deals.csv", DEALS + "".join(f'{n},"{q}",open,1,A,B,C,2026-01-05,\n' for n, q in enumerate(quoted[:5]))
    )
    folder.load()
    deals = folder.deals()
    assert [deals[str(n)].name for n in range(5)] == names[:5]


def test_a_name_in_two_columns_is_one_name(folder: Folder) -> None:
    folder.write("equipe.csv", "Nom;Prénom;E-mail;Équipe\nExemple;Ann;a@exemple.example;Nord\n")
    folder.write("deals.csv", DEALS + "1,Roof,open,1,Ann Exemple,A,P,2026-01-05,\n")
    folder.load()
    [person] = folder.rows(schema.person)
    assert person.name == "Ann Exemple"
    assert folder.deals()["1"].owner_id == person.id


def test_people_without_a_team_column_are_in_the_team_of_their_manager(folder: Folder) -> None:
    folder.write("team.csv", "Sales agent,Manager,Regional office\nAnn,Bea,East\nCid,Bea,East\n")
    folder.load()
    [team] = folder.rows(schema.team)
    assert (team.name, team.manager_id) == ("Bea", "files:Bea")
    assert {row.name: row.region for row in folder.rows(schema.person)} == {"Ann": "East", "Cid": "East", "Bea": None}


def test_teams_stand_below_their_direction(folder: Folder) -> None:
    folder.write("equipe.csv", "Nom;E-mail;Équipe;Direction\nAnn;a@exemple.example;Nord;France\n")
    folder.load()
    teams = {row.name: row.parent_id for row in folder.rows(schema.team)}
    assert teams == {"Nord": "files:France", "France": None}
