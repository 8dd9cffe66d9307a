"""Twenty bad rows: each is set aside or flagged for its own reason, said in both languages; the rest loads."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from bot.i18n import language
from bot.views.problems import place, sentence
from storage.connectors.files.connector import FILES
from storage.problems import Reason
from storage.records import Position
from tests.storage.files.folder import Folder

BAD = Path(__file__).parents[2] / "data" / "twenty_bad_rows.csv"

SET_ASIDE = {
    "B01": Reason.AMOUNT_UNREADABLE,
    "B02": Reason.AMOUNT_NOT_FINITE,
    "B03": Reason.AMOUNT_NOT_FINITE,
    "B04": Reason.AMOUNT_TOO_LARGE,
    "B07": Reason.CURRENCY_UNKNOWN,
    "B08": Reason.DATE_UNREADABLE,
    "B09": Reason.DATE_IMPOSSIBLE,
    "B10": Reason.DATE_OUT_OF_RANGE,
    "B11": Reason.DATE_OUT_OF_RANGE,
    "B12": Reason.STATUS_UNKNOWN,
    "B13": Reason.STATUS_MISSING,
    "B19": Reason.ID_DUPLICATE,
}
KEPT = {
    "B05": Reason.AMOUNT_ROUNDED,
    "B06": Reason.AMOUNT_NEGATIVE,
    "B15": Reason.NAME_MISSING,
    "B16": Reason.CLOSED_BEFORE_CREATED,
    "B17": Reason.CLOSED_MISSING,
    "B18": Reason.CLOSED_IN_FUTURE,
}


@pytest.fixture
def bad(folder: Folder) -> Folder:
    shutil.copy(BAD, folder.path / "affaires.csv")
    return folder


def test_each_bad_row_is_set_aside_or_flagged_for_its_own_reason(bad: Folder) -> None:
    report = bad.load()
    lines = bad.quarantine()
    assert {line.ext_id: line.reason for line in lines if not line.kept and line.ext_id in SET_ASIDE} == SET_ASIDE
    assert {line.ext_id: line.reason for line in lines if line.ext_id in KEPT} == KEPT
    assert [line.reason for line in lines if line.kept and line.ext_id not in KEPT] == [Reason.ID_MISSING]
    assert [line.reason for line in lines if line.place == "affaires.csv, row 24"] == [Reason.ROW_TOO_LONG]
    assert (report.total.quarantined, report.total.kept) == (13, 7)


def test_the_good_rows_and_the_flagged_ones_are_loaded(bad: Folder) -> None:
    bad.load()
    deals = bad.deals()
    assert {"G01", "G02", "G03", *KEPT, "B19"} == {key for key in deals if not key.startswith("row-")}
    assert (deals["G01"].amount_minor, deals["G02"].amount_minor, deals["G03"].status) == (100_050, 0, "dormant")
    assert (deals["B05"].amount_minor, deals["B06"].amount_minor) == (123_457, -25_000)
    assert deals["B19"].amount_minor == 20_000
    assert len(deals) == 11


def test_every_row_of_the_file_is_accounted_for(bad: Folder) -> None:
    connector = bad.open()
    list(connector.pages(FILES, Position()))
    [rows] = connector.rows.values()
    assert rows.all == len(BAD.read_text(encoding="utf-8").splitlines())
    kinds = Counter(kind for _, kind, _ in connector.tables[0].table.others)
    assert kinds == {"title": 1, "blank": 1, "header": 1, "total": 1, "footer": 1}


def test_reading_the_bad_file_twice_changes_nothing(bad: Folder) -> None:
    bad.load()
    lines = bad.quarantine()
    report = bad.load()
    assert (report.total.new, report.total.changed, report.cleared) == (0, 0, 0)
    assert bad.quarantine() == lines


@pytest.mark.parametrize("code", ["en", "fr"])
def test_each_line_says_its_place_and_its_reason_in_both_languages(bad: Folder, code: str) -> None:
    bad.load()
    words = language(code)
    told = {line.ext_id: (place(line, words), sentence(line.reason, line.details, words)) for line in bad.quarantine()}
    if code == "fr":
        assert told["B12"] == (
            "affaires.csv, ligne 15",
            "Le mot «\u202fPeut-être\u202f» dans la colonne «\u202fStatut\u202f» ne dit pas si l’affaire est en cours, "
            "gagnée, perdue ou en sommeil\u202f: précisez-le dans un fichier de correspondance, sous [statuses].",
        )
        assert "15/01/2025" in told["B16"][1]
        assert told["B19"][1].endswith("celle qui est retenue est affaires.csv, ligne 23.")
    else:
        assert told["B09"] == (
            "affaires.csv, row 12",
            "“31/02/2025” in the column “Date de création” is a day or a time that does not exist.",
        )
        assert "on 15 Jan 2025" in told["B16"][1]
        assert told["B01"][1] == "“douze mille” in the column “Montant” is not an amount."


def test_a_row_that_is_mended_leaves_the_quarantine_and_loads(bad: Folder) -> None:
    bad.load()
    file = bad.path / "affaires.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("douze mille", "12 000,00"), encoding="utf-8")
    report = bad.load()
    assert (report.total.new, report.cleared) == (1, 1)
    assert bad.deals()["B01"].amount_minor == 1_200_000
    assert "B01" not in {line.ext_id for line in bad.quarantine()}


@pytest.mark.parametrize("code", ["en", "fr"])
def test_every_reason_has_a_sentence_in_every_language(code: str) -> None:
    details = dict.fromkeys(
        ("said", "column", "id", "winner", "cells", "headers", "status", "known", "file", "row"), "something"
    ) | dict.fromkeys(("created", "closed", "starts", "ends"), "2025-01-02")
    words = language(code)
    told = [sentence(reason, details, words) for reason in Reason]
    assert len(set(told)) == len(told)
    assert not any(text.startswith(("Reason:", "Raison")) or "?" in text for text in told)
    if code == "fr":
        english = language("en")
        assert not set(told) & {sentence(reason, details, english) for reason in Reason}
