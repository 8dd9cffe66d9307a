"""`vigie sync files` and `vigie quarantine`, as a person runs them."""

import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.__main__ import command_line

BAD = Path(__file__).parents[1] / "data" / "twenty_bad_rows.csv"

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `vigie …` in a folder of its own, on a SQLite database of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("VIGIE_LANGUAGE", "VIGIE_TIMEZONE", "VIGIE_CURRENCY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VIGIE_DATABASE_URL", "sqlite:///vigie.sqlite3")
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(command_line(), list(words))


def test_the_files_are_loaded_and_the_report_says_what_became_of_them(run: Run) -> None:
    result = run("sync", "files", str(BAD), "--lang", "en")
    assert result.exit_code == 0, result.output
    assert "13 set aside, 7 loaded with a remark" in result.output
    assert "twenty_bad_rows.csv, row 28: total" in result.output
    again = run("sync", "files", str(BAD), "--lang", "fr")
    assert "Rien n’a changé depuis la dernière synchronisation." in again.output


def test_explain_says_how_each_column_is_read_and_writes_nothing(run: Run) -> None:
    result = run("sync", "files", str(BAD), "--explain", "--lang", "en")
    assert result.exit_code == 0, result.output
    assert "day first, because of 15/01/2025" in result.output
    assert "decimal comma, because of" in result.output
    assert "Nothing was written." in result.output
    assert run("quarantine", "--lang", "en").output.strip() == "The quarantine is empty: every row was loaded."


def test_the_quarantine_is_listed_in_both_languages_and_as_json(run: Run) -> None:
    run("sync", "files", str(BAD))
    assert "twenty_bad_rows.csv, row 15 · B12 (deals)" in run("quarantine", "--lang", "en").output
    assert "twenty_bad_rows.csv, ligne 15 · B12 (affaires)" in run("quarantine", "--lang", "fr").output
    lines = json.loads(run("quarantine", "--json").output)
    assert len([line for line in lines if not line["kept"]]) == 13
    [line] = [line for line in lines if line["id"] == "B12"]
    assert (line["reason"], line["field"], line["row"]["Statut"]) == ("status_unknown", "status", "Peut-être")


def test_dates_that_nothing_decides_ask_for_a_word_and_the_rest_is_loaded(run: Run, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "deals.csv").write_text("Deal ID,Status,Close date\n1,won,03/04/2025\n", encoding="utf-8")
    (tmp_path / "given" / "products.csv").write_text("Product Name,Series\nTiles,T\n", encoding="utf-8")
    result = run("sync", "files", "given", "--lang", "en")
    assert result.exit_code == 1
    assert 'date_order = "dmy"' in result.output.replace("\n", " ")
    (tmp_path / "mapping.toml").write_text('date_order = "dmy"\n', encoding="utf-8")
    result = run("sync", "files", "given/*.csv", "--mapping", "mapping.toml", "--lang", "en")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.csv"], "There is no file nowhere.csv."),
        (["*.csv"], "There is no file *.csv."),
        ([str(BAD), "--mapping", "nowhere.toml"], "There is no mapping file nowhere.toml."),
    ],
)
def test_what_cannot_be_used_is_one_sentence(run: Run, words: list[str], said: str) -> None:
    result = run("sync", "files", *words, "--lang", "en")
    assert result.exit_code == 2
    assert result.output.strip() == said


def test_a_word_of_the_mapping_that_is_not_known_offers_the_nearest(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text('curency = "EUR"\n', encoding="utf-8")
    result = run("sync", "files", str(BAD), "--mapping", "mapping.toml", "--lang", "en")
    assert result.exit_code == 2
    assert "“curency” is not known; did you mean “currency”?" in result.output
    assert "[bold]" not in result.output


def test_brackets_in_a_name_are_shown_as_they_are(run: Run, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("Deal ID,Status,Deal Name\n[red]x[/red],[bold]?,A\n", encoding="utf-8")
    run("sync", "files", "d.csv")
    assert "[red]x[/red]" in run("quarantine").output


def test_explain_names_the_words_that_say_nothing_known_before_anything_is_loaded(run: Run, tmp_path: Path) -> None:
    rows = "".join(f"{n};{word}\n" for n, word in enumerate(["gagnée", "Chez le notaire", "Chez le notaire", "[bold]"]))
    (tmp_path / "affaires.csv").write_text("N° affaire;Statut\n" + rows, encoding="utf-8")
    for code, said in (("en", "nothing is known of: Chez le notaire × 2, [bold] × 1."), ("fr", "mots inconnus")):
        result = run("sync", "files", "affaires.csv", "--explain", "--lang", code)
        assert said in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("code", "said"), [("en", "A hidden sheet, left alone"), ("fr", "Feuille masquée, laissée telle quelle")]
)
def test_a_hidden_sheet_is_named_with_what_would_load_it(run: Run, tmp_path: Path, code: str, said: str) -> None:
    book = openpyxl.Workbook()
    for sheet in (book.worksheets[0], book.create_sheet("Old")):
        sheet.append(["Deal ID", "Status"])
        sheet.append([1, "won"])
    book.worksheets[1].sheet_state = "hidden"
    book.save(tmp_path / "sales.xlsx")
    for words in (["--explain"], []):
        output = " ".join(run("sync", "files", "sales.xlsx", "--lang", code, *words).output.split())
        assert said in output
        assert '[files."sales.xlsx [Old]"] object = "deal"' in output


def test_a_contract_that_ends_in_9999_is_said_to_go_on(run: Run, tmp_path: Path) -> None:
    text = "N° contrat;Client;Date de début;Date de fin\nK1;Acme;13/02/2025;31/12/9999\n"
    (tmp_path / "contrats.csv").write_text(text, encoding="utf-8")
    run("sync", "files", "contrats.csv")
    assert "is taken as no end" in run("quarantine", "--lang", "en").output


def test_rows_that_fail_for_one_reason_are_listed_together(run: Run, tmp_path: Path) -> None:
    rows = "".join(f"{n};{'gagnée' if n != 8 else 'perdue'};10\n" for n in range(1, 20))
    (tmp_path / "affaires.csv").write_text("N° affaire;Statut;Montant\n" + rows, encoding="utf-8")
    explained = " ".join(run("sync", "files", "affaires.csv", "--explain", "--lang", "fr").output.split())
    assert "Aucune colonne ne dit quand les affaires ont été closes" in explained
    run("sync", "files", "affaires.csv")
    output = run("quarantine", "--lang", "fr").output
    assert output.count("affaires.csv, ligne") == 4
    assert "et 15 autres lignes\u202f: 5–8, 10–20" in output
    assert output.count("L’affaire est gagnée, mais n’a pas de date de clôture") == 1
    assert "and 15 more rows: 5–8, 10–20" in run("quarantine", "--lang", "en").output


@pytest.mark.parametrize(("code", "said"), [("en", "photo.csv is no text"), ("fr", "photo.csv n’est pas un texte")])
def test_a_file_that_cannot_be_read_is_named_and_the_others_load(
    run: Run, tmp_path: Path, code: str, said: str
) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "photo.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 40)
    (tmp_path / "given" / "deals.csv").write_text("Deal ID,Status\n1,open\n", encoding="utf-8")
    for words in (["--explain"], []):
        result = run("sync", "files", "given", "--lang", code, *words)
        assert result.exit_code == 1
        assert said in result.output
    assert "1/1" in result.output
