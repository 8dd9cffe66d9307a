"""`vigie ask`: a sentence, a table, JSON by the contract, a picture; and clear words when it cannot."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from bot.__main__ import command_line
from bot.clock import FixedClock
from bot.database import open_database
from bot.settings import read_settings
from kpi import buckets
from storage.database import open_engine
from storage.workspaces import SINGLE
from tests.kpi.company import Company

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "ask.schema.json").read_text())
Ask = Callable[..., Any]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ask:
    """Run `vigie ask` on a company with 15 deals created in September 2017, 6 of them won."""
    address = f"sqlite:///{tmp_path}/ask.sqlite3"
    for name, value in {"DATABASE_URL": address, "LANGUAGE": "en", "CURRENCY": "EUR"}.items():
        monkeypatch.setenv(f"VIGIE_{name}", value)
    monkeypatch.chdir(tmp_path)
    company = Company(SINGLE)
    north, south = company.team("Nord"), company.team("Sud")
    anna = company.person("Anna Vente", team=north, email="anna@example.org")
    company.person("Bo Vente", team=south, email="bo@example.org")
    customer = company.customer("Soleil [bold]SA", segment="B2B")
    for at in range(15):
        won = {"won": "2017-09-20", "amount": 1000_50} if at < 6 else {}
        company.deal(created="2017-09-04", owner=anna, customer=customer, **won)
    # The workspace's own row is written by the command, from the settings.
    del company.rows["workspace"]
    engine = open_database(read_settings(), FixedClock(datetime(2018, 1, 1, tzinfo=UTC)))
    company.save(engine)
    engine.dispose()

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(command_line(), ["ask", *arguments])

    return run


def answered(ask: Ask, *arguments: str) -> dict[str, Any]:
    result = ask(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_headline_says_the_number_and_what_it_is_made_of(ask: Ask) -> None:
    result = ask("win rate 2017-09", "--today", "2018-01-01")
    assert result.exit_code == 0
    assert "Win rate (by creation date), September 2017: 40.0% (6 of 15)" in result.stdout


def test_the_answer_speaks_french(ask: Ask) -> None:
    result = ask("taux de transformation septembre 2017 par équipe", "--lang", "fr", "--today", "2018-01-01")
    assert (
        "Taux de transformation (par date de création), septembre 2017\u00a0: 40,0\u202f% (6 sur 15)" in result.stdout
    )
    assert "Nord" in result.stdout


def test_the_json_has_the_numbers_unrounded_and_in_major_units(ask: Ask) -> None:
    found = answered(ask, "average deal 2017-09", "--today", "2018-01-01")
    assert (found["value"], found["numerator"], found["denominator"]) == (1000.5, 6003, 6)
    assert (found["unit"], found["currency"]) == ("money", "EUR")
    assert found["period"] == {"start": "2017-09-01", "end": "2017-10-01", "label": "September 2017"}


def test_no_data_is_null_and_never_zero(ask: Ask) -> None:
    found = answered(ask, "average deal 2019-09", "--today", "2020-01-01")
    assert found["value"] is None
    assert found["series"] == []


@pytest.mark.parametrize(
    "question",
    [
        "win rate 2017-09 by team weekly", "cycle median 2017", "revenue 2017 monthly vs last year", "upsell 2017",
        "retention 2017", "leads 2017 by source", "lead conversion 2017", "cac 2017", "ltv 2017", "open pipeline 2017",
        "deals created 2017 by customer without comparison", "win rate flow 2017 sans produit", "average deal 2010",
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_kind_of_answer_keeps_the_contract(question: str, language: str, ask: Ask) -> None:
    found = answered(ask, question, "--today", "2018-01-01", "--lang", language)
    jsonschema.validate(found, SCHEMA, format_checker=jsonschema.FormatChecker())


def test_groups_and_series_carry_names_and_days(ask: Ask) -> None:
    found = answered(ask, "win rate 2017-Q3 by team monthly", "--today", "2018-01-01")
    assert [(group["key"], group["value"]) for group in found["groups"]] == [("Nord", 40)]
    assert [(point["start"], point["end"]) for point in found["series"]] == [
        ("2017-07-01", "2017-08-01"),
        ("2017-08-01", "2017-09-01"),
        ("2017-09-01", "2017-10-01"),
    ]


def test_a_word_that_is_not_understood_is_said_on_standard_error(ask: Ask) -> None:
    result = ask("win rate by tem", "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "I do not know “by tem”; did you mean “by team”" in result.stderr


def test_another_person_is_answered_within_their_rights(ask: Ask) -> None:
    found = answered(ask, "win rate 2017-09", "--as", "bo@example.org", "--today", "2018-01-01")
    assert found["value"] is None
    refused = ask("win rate 2017-09 Anna", "--as", "bo@example.org", "--today", "2018-01-01")
    assert refused.exit_code == 2
    assert "Anna" in refused.stderr


def test_me_is_the_person_of_the_address(ask: Ask) -> None:
    found = answered(ask, "my win rate 2017-09", "--as", "ANNA@example.org", "--today", "2018-01-01")
    assert found["filters"][0]["key"] == "Anna Vente"
    assert found["value"] == 40


def test_an_unknown_address_is_a_sentence(ask: Ask) -> None:
    result = ask("win rate", "--as", "nobody@example.org")
    assert result.exit_code == 2
    assert "nobody@example.org" in result.stderr


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--lang", "de", "I do not speak “de”: say fr or en."),
        ("--today", "2026-13-01", "There is no such day: 2026-13-01. Write it like 2026-11-23."),
    ],
)
def test_a_language_and_a_day_that_do_not_exist_are_refused_with_a_sentence(
    ask: Ask, option: str, value: str, sentence: str
) -> None:
    result = ask("win rate 2017-09", option, value)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr


def test_names_of_the_crm_format_nothing_in_the_terminal(ask: Ask) -> None:
    result = ask("revenue 2017-09 by customer", "--today", "2018-01-01")
    assert "Soleil [bold]SA" in result.stdout


def test_a_picture_of_groups_is_written_and_of_a_single_number_refused(ask: Ask, tmp_path: Path) -> None:
    picture = tmp_path / "answer.png"
    assert ask("win rate 2017-09 by team", "--today", "2018-01-01", "--chart", str(picture)).exit_code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    single = ask("win rate 2017-09", "--today", "2018-01-01", "--chart", str(tmp_path / "none.png"))
    assert "40.0% (6 of 15)" in single.stdout
    assert "There is nothing to draw" in single.stderr
    nowhere = ask("win rate 2017-09 by team", "--chart", str(tmp_path / "missing" / "a.png"))
    assert nowhere.exit_code == 2


def test_what_was_learned_later_is_hidden_and_the_answer_says_so(ask: Ask) -> None:
    question = ("win rate 2017-09 by closing date", "--lang", "en")
    before, after = (answered(ask, *question, "--as-known", day) for day in ("2019-12-31", "2020-01-01"))
    assert (before["value"], before["as_known"]) == (None, "2019-12-31T23:59:59.999999+01:00")
    assert after["value"] == answered(ask, *question)["value"] == 100
    assert answered(ask, *question)["as_known"] is None
    assert before["question"].endswith("as known on 31 December 2019")
    jsonschema.validate(before, SCHEMA)
    assert "Not all of the data had been read by then." in ask(*question, "--as-known", "2019-12-31").stdout
    shown = ask(*question, "--as-known", "2020-01-01T12:30").stdout
    assert "as known on 1 January 2020 at 12:30" in shown
    assert "tel que connu le 1er janvier 2020" in ask(*question[:1], "--lang", "fr", "--as-known", "2020-01-01").stdout


@pytest.mark.parametrize(("moment", "why"), [("2120-01-01", "still to come"), ("lately", "no such date")])
def test_a_moment_that_is_to_come_or_is_none_is_refused(ask: Ask, moment: str, why: str) -> None:
    result = ask("win rate", "--lang", "en", "--as-known", moment)
    assert (result.exit_code, result.stdout) == (2, "")
    assert why in result.stderr


def test_it_explains_how_an_answer_was_come_by(ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = ("win rate 2017-09 by team", "--today", "2018-01-01", "--explain")
    assert "From the facts, 2 statements: the buckets are not ready." in ask(*asked).stderr
    engine = open_engine(f"sqlite:///{tmp_path}/ask.sqlite3")
    assert buckets.settle(engine, SINGLE, date(2018, 1, 1))
    engine.dispose()
    found = ask(*asked)
    assert re.search(r"From the buckets: \d+ cells? added up, 1 statement\.", found.stderr)
    assert "buckets" not in found.stdout
    french = ask("taux de transformation 2017-09", "--today", "2018-01-01", "--explain", "--lang", "fr", "--json")
    assert "Depuis les cumuls" in french.stderr
    assert json.loads(french.stdout)["value"] == 40
    median = ask("median sales cycle 2017-09", "--today", "2018-01-01", "--explain")
    assert "a median cannot be added up" in median.stderr
