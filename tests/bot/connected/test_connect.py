"""`vigie connect` and `vigie disconnect`, as a person runs them, over a small CRM put beside the real ones."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result

from storage import schema
from storage.database import open_engine, reading
from tests.crm.toy import ToyCrm

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
GOOD = ("--set", "company=acme", "--set", "token=env:TOY_TOKEN")

Run = Callable[..., Result]


def stored(tmp_path: Path) -> sa.Row | None:  # type: ignore[type-arg]
    engine = open_engine(f"sqlite:///{tmp_path / 'vigie.sqlite3'}")
    with reading(engine) as connection:
        row = connection.execute(sa.select(schema.source)).one_or_none()
    engine.dispose()
    return row


def decisions(tmp_path: Path) -> dict[str, str]:
    engine = open_engine(f"sqlite:///{tmp_path / 'vigie.sqlite3'}")
    with reading(engine) as connection:
        rows = {row.stage: row.status for row in connection.execute(sa.select(schema.stage_decision))}
    engine.dispose()
    return rows


def test_a_source_is_tried_shown_and_stored_with_its_secrets_sealed(run: Run, tmp_path: Path) -> None:
    result = run("connect", "toy", *GOOD, "--yes")
    assert result.exit_code == 0, result.output
    assert "Toy CRM answers: Acme SAS (EUR, Europe/Paris)" in result.output
    assert "Contrat [0]" in result.output
    assert "Contrat [9]" in result.output
    assert "Contrat [10]" not in result.output
    assert "Dupont & Fils" in result.output
    assert "Anna Vente" in result.output
    assert "€2,469.00" in result.output
    assert "US$6,172.50" in result.output
    assert "Toy CRM is connected." in result.output
    row = stored(tmp_path)
    assert row is not None
    assert json.loads(row.options) == {"company": "acme", "webhook_secret": None}
    assert "sesame" not in (tmp_path / "vigie.sqlite3").read_bytes().decode("latin-1")
    assert "sesame" not in result.output


def test_what_is_not_given_is_asked_for_and_a_wrong_answer_is_asked_again(run: Run, tmp_path: Path) -> None:
    typed = "good-secret with space\nACME\n\ngood-sesame\nacme\n\ny\n"
    result = run("connect", "toy", typed=typed)
    assert result.exit_code == 0, result.output
    assert "token: The API token, under Settings, API" in result.output
    assert "token is not right (there is a space in it): The API token" in result.output
    assert "company is not right: The company's name" in result.output
    assert "sesame" not in result.output
    row = stored(tmp_path)
    assert row is not None
    assert json.loads(row.options)["company"] == "acme"


def test_stages_are_edited_by_number_and_the_deals_are_shown_again(run: Run, crm: ToyCrm, tmp_path: Path) -> None:
    result = run(
        "connect", "toy", *GOOD, "--set", "webhook_secret=-", "--lang", "fr", typed="hush\n2 gagnée\n9\n3=x\n\ny\n"
    )
    assert result.exit_code == 0, result.output
    assert result.output.count("Les premières affaires, telles qu’elles sont comprises") == 2
    assert "votre choix ; Toy CRM : en cours" in result.output.replace("\u202f", " ")
    assert "Donnez le numéro d’une étape, de 1 à 8, et un sens." in result.output
    assert "« x » n’est pas un sens d’étape" in result.output.replace("\u202f", " ")
    [(stage, status)] = decisions(tmp_path).items()
    assert (status, crm.get("stage", stage)["status"]) == ("won", "open")


def test_a_person_who_says_no_stores_nothing(run: Run, tmp_path: Path) -> None:
    result = run("connect", "toy", *GOOD, typed="\n\nperhaps\nnon\n")
    assert result.exit_code == 1
    assert "Nothing was stored." in result.output
    assert stored(tmp_path) is None


@pytest.mark.parametrize(
    ("words", "token", "said"),
    [
        (["toyy"], "", "There is no source “toyy”: did you mean “toy”?"),
        (["toy", "--set", "tokn=x"], "", "There is no option “tokn”: did you mean “token”?"),
        (["toy", "--set", "zzz=x"], "", "there are: token, company, webhook_secret."),
        (["toy", "--set", "token=good-1"], "", "token is a secret and does not belong on the command line"),
        (["toy", "--set", "token=env:NOWHERE"], "", "the environment has no variable “NOWHERE”"),
        (["toy", "--set", "token=env:TOY_TOKEN", "--yes"], "good-1", "company is missing: The company's name in its"),
        (["toy", *GOOD, "--yes"], "bad-1", "Toy CRM refuses what was given, or it lacks a right. Nothing was stored."),
        (["toy", *GOOD, "--yes"], "slow-1", "Toy CRM does not answer"),
        (["toy", *GOOD], "good-1", "give every option with --set, and --yes"),
        (["toy", *GOOD, "--yes", "--stage", "Signee=won"], "good-1", "There is no stage “Signee”"),
        (["toy", *GOOD, "--yes", "--stage", "Ventes 9=won"], "good-1", "did you mean “Ventes"),
        (["toy", *GOOD, "--yes", "--stage", "Ventes 1=great"], "good-1", "there are: open, won, lost, dormant."),
        (["toy", *GOOD, "--yes", "--stage", "Ventes 1"], "good-1", "say it like --stage “Signed=won”"),
    ],
)
def test_what_cannot_be_used_is_one_clear_sentence_and_stores_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], token: str, said: str
) -> None:
    monkeypatch.setenv("TOY_TOKEN", token)
    result = run("connect", *words)
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.output.split())
    assert stored(tmp_path) is None


def test_without_a_key_one_is_made_to_paste(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIGIE_KEYS")
    result = run("connect", "toy", *GOOD, "--yes")
    assert result.exit_code == 2
    line = result.output.strip().splitlines()[-1]
    monkeypatch.setenv("VIGIE_KEYS", line.removeprefix("VIGIE_KEYS="))
    assert run("connect", "toy", *GOOD, "--yes").exit_code == 0


def test_connecting_again_keeps_what_is_not_said_and_takes_a_decision_back(
    run: Run, crm: ToyCrm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = crm.stages(status="open")[0]
    assert run("connect", "toy", *GOOD, "--yes", "--stage", f"{stage.id}=lost").exit_code == 0
    assert decisions(tmp_path) == {stage.id: "lost"}
    before = stored(tmp_path)
    monkeypatch.setenv("TOY_TOKEN", "good-new")
    assert run("connect", "toy", "--set", "token=env:TOY_TOKEN", "--yes").exit_code == 0
    assert decisions(tmp_path) == {stage.id: "lost"}
    after = stored(tmp_path)
    assert before is not None
    assert after is not None
    assert before.options == after.options
    assert before.secrets != after.secrets
    again = run("connect", "toy", "--yes", "--stage", f"{stage['name']}=ouverte", "--lang", "fr")
    assert again.exit_code == 0, again.output
    assert decisions(tmp_path) == {}


def test_what_is_connected_is_listed_and_a_disconnected_source_keeps_its_data(run: Run) -> None:
    assert "Nothing is connected yet: run “vigie connect”" in run("connect", "--list").output
    run("connect", "toy", *GOOD, "--yes")
    listed = run("connect").output
    assert "Toy CRM: connected since" in listed
    assert "Account: Acme SAS" in listed
    assert "Not read to its end yet." in listed
    assert "did you mean “toy”" in run("disconnect", "tou").output
    assert "Its data stays and is counted." in run("disconnect", "toy").output
    assert "was disconnected before" in run("disconnect", "toy").output
    assert "Toy CRM: disconnected since" in run("connect", "--list").output
    assert run("connect", "toy", "--yes").exit_code == 0
    assert "Toy CRM : connecté depuis" in run("connect", "--list", "--lang", "fr").output.replace("\u202f", " ")


def test_the_address_of_the_webhooks_is_told_where_there_is_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_PUBLIC_URL", "https://vigie.example.com/")
    assert "https://vigie.example.com/hooks/toy" in run("connect", "toy", *GOOD, "--yes").output


def test_files_are_a_source_like_any_other(run: Run, tmp_path: Path) -> None:
    missing = run("connect", "files", "--set", "place=nowhere", "--yes", "--lang", "fr")
    assert missing.exit_code == 2
    assert "Il n’y a pas de fichier" in missing.output
    assert stored(tmp_path) is None
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "deals.csv").write_text("Deal ID,Status,Deal Name\n1,open,Contrat A\n", encoding="utf-8")
    connected = run("connect", "files", "--set", "whole=oui", typed="given\n\ny\n")
    assert connected.exit_code == 0, connected.output
    assert "Contrat A" in connected.output
    row = stored(tmp_path)
    assert row is not None
    assert json.loads(row.options) == {"place": str(tmp_path / "given"), "mapping": "", "whole": True}
    assert run("sync", "--once").exit_code == 0
    (tmp_path / "given" / "deals.csv").unlink()
    gone = run("sync", "--once")
    assert gone.exit_code == 1
    assert "holds no CSV or Excel file." in " ".join(gone.output.split())


def test_what_to_paste_is_said_in_the_readers_language(run: Run) -> None:
    asked = run("connect", "koban", "--lang", "fr", typed="key\n")
    assert asked.exit_code == 2
    assert "api_key\u202f: La clé d’API (X-ncApi)\u202f: Paramètres, API" in " ".join(asked.output.split(" "))
    assert "user_key\u202f: La clé de connexion (X-ncUser)" in asked.output


def test_a_file_that_is_left_alone_and_files_that_suddenly_hold_nothing_are_told(run: Run, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "deals.csv").write_text("Deal ID,Status,Deal Name\n1,open,Contrat A\n", encoding="utf-8")
    (given / "lunch.csv").write_text("Dish,Taste\nSoup,good\n", encoding="utf-8")
    run("connect", "files", "--set", f"place={given}", "--yes")
    assert "lunch.csv: Not data that Vigie loads" in " ".join(run("sync", "--once").output.split())
    (given / "deals.csv").write_text("Deal ID,Status,Deal Name\n", encoding="utf-8")
    emptied = run("sync", "--once", "--lang", "fr")
    assert "les fichiers n’en contiennent soudain plus" in " ".join(emptied.output.split())
