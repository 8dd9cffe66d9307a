"""A table of exchange rates among the files: it values the deals beside it."""

from datetime import date
from decimal import Decimal

import pytest

from storage import schema
from tests.storage.files.folder import Folder

DEALS = "id;name;status;amount;currency;created;closed\n1;A;won;100.00;USD;2026-01-02;2026-01-20\n"


@pytest.fixture
def folder(tmp_path, database):  # type: ignore[no-untyped-def]
    return Folder(tmp_path, database)


@pytest.mark.parametrize(
    "table",
    [
        "base;currency;date;rate\nUSD;EUR;2026-01-01;0.92\n",
        "Devise de base;Devise;Date;Taux\nUSD;EUR;01/01/2026;0,92\n",
        "from,to,valid from,exchange rate\nEUR,USD,2026-01-15,1.0869565217391304347826\n",
    ],
)
def test_rates_of_a_file_convert_the_deals_of_another(folder: Folder, table: str) -> None:
    folder.write("taux.csv", table)
    folder.write("deals.csv", DEALS)
    folder.load()
    assert folder.deals()["1"].value_minor == 92_00
    [rate] = folder.rows(schema.rate)
    assert rate.deleted_at is None


def test_a_corrected_rate_is_the_same_rate_and_values_the_deals_anew(folder: Folder) -> None:
    folder.write("rates.csv", "base,currency,date,rate\nUSD,EUR,2026-01-01,0.92\n")
    folder.write("deals.csv", DEALS)
    folder.load()
    folder.write("rates.csv", "base,currency,date,rate\nUSD,EUR,2026-01-01,0.5\n")
    folder.load()
    [rate] = folder.rows(schema.rate)
    assert (rate.base, rate.currency, rate.starts_on, rate.rate) == ("USD", "EUR", date(2026, 1, 1), Decimal("0.5"))
    assert folder.deals()["1"].value_minor == 50_00


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("USD,EUR,2026-01-01,0", "rate"),
        ("USD,EUR,2026-01-01,nan", "rate"),
        ("USD,EUR,2026-01-01,much", "rate"),
        ("USD,EUR,,0.9", "starts_on"),
        ("USD,money,2026-01-01,0.9", "currency"),
        (",EUR,2026-01-01,0.9", "base"),
    ],
)
def test_a_rate_that_says_too_little_is_set_aside(folder: Folder, row: str, field: str) -> None:
    folder.write("rates.csv", f"base,currency,date,rate\nUSD,EUR,2025-01-01,0.8\n{row}\n")
    folder.load()
    assert len(folder.rows(schema.rate)) == 1
    assert [(line.field, line.kept) for line in folder.quarantine()] == [(field, False)]


def test_without_both_currencies_a_rate_may_be_read_either_way_round_and_is_not(folder: Folder) -> None:
    folder.write("rates.csv", "currency,date,rate\nUSD,2026-01-01,0.92\n")
    folder.load()
    assert folder.rows(schema.rate) == []
