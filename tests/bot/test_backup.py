"""`vigie backup` and `vigie restore`, as a person runs them."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.__main__ import command_line
from storage.database import open_engine, reading
from storage.workspaces import read_workspace

DEALS = "Deal ID,Status,Deal Name\n1,open,{name}\n"

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `vigie …` in a folder of its own, on a database in which one deal has been loaded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIGIE_DATABASE_URL", "sqlite:///vigie.sqlite3")
    monkeypatch.setenv("VIGIE_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "200")

    def run_it(*words: str, typed: str = "") -> Result:
        return CliRunner().invoke(command_line(), list(words), input=typed)

    (tmp_path / "deals.csv").write_text(DEALS.format(name="Before"), encoding="utf-8")
    assert run_it("sync", "files", "deals.csv").exit_code == 0
    return run_it


def deal_name(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        [(name,)] = connection.execute("SELECT name FROM deal").fetchall()
    return str(name)


def test_a_backup_is_made_and_put_back_and_what_was_there_is_kept(run: Run, tmp_path: Path) -> None:
    made = run("backup", "monday.backup")
    assert made.exit_code == 0, made.output
    assert "monday.backup holds the whole database, and has been checked:" in made.output
    (tmp_path / "deals.csv").write_text(DEALS.format(name="After"), encoding="utf-8")
    run("sync", "files", "deals.csv")
    assert deal_name(tmp_path / "vigie.sqlite3") == "After"
    restored = run("restore", "monday.backup", "--lang", "fr", typed="peut-être\noui\n")
    assert restored.exit_code == 0, restored.output
    assert "La base est de nouveau celle de monday.backup." in restored.output
    assert deal_name(tmp_path / "vigie.sqlite3") == "Before"
    [kept] = tmp_path.glob("vigie.sqlite3.before-*Z")
    assert kept.name in restored.output
    assert deal_name(kept) == "After"
    engine = open_engine("sqlite:///vigie.sqlite3")
    with reading(engine) as connection:
        assert read_workspace(connection).currency == "EUR"
    engine.dispose()


def test_nothing_is_overwritten_or_restored_silently(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("my own file")
    refused = run("backup", "mine")
    assert refused.exit_code == 2
    assert refused.output.strip() == "mine exists already: give another name, or say --replace."
    assert (tmp_path / "mine").read_text() == "my own file"
    assert run("backup", "mine", "--replace").exit_code == 0
    declined = run("restore", "mine", typed="n\n")
    assert declined.exit_code == 1
    assert "Nothing was changed." in declined.output
    unanswered = run("restore", "mine")
    assert unanswered.exit_code == 2
    assert "say --yes" in unanswered.output
    assert not list(tmp_path.glob("*before*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["backup", "vigie.sqlite3", "--replace"], "vigie.sqlite3 is the database itself: give another file."),
        (["backup", "nowhere/b"], "nowhere/b cannot be written (No such file or directory). Nothing was changed."),
        (["restore", "nowhere", "--yes"], "There is no file nowhere."),
        (["restore", "deals.csv", "--yes"], "deals.csv is no database. Nothing was changed."),
        (["restore", "deals.csv", "--lang", "fr"], "deals.csv n’est pas une base de données. Rien n’a été modifié."),
    ],
)
def test_what_cannot_be_is_one_sentence(run: Run, words: list[str], said: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert result.output.strip() == said


def test_a_database_in_use_is_left_alone_with_a_sentence(run: Run, tmp_path: Path) -> None:
    run("backup", "b")
    engine = open_engine("sqlite:///vigie.sqlite3")
    with reading(engine) as connection:
        read_workspace(connection)
    refused = run("restore", "b", "--yes")
    engine.dispose()
    assert refused.exit_code == 2
    assert "Stop it, restore, and start it again." in refused.output


def test_postgresql_is_left_to_its_own_tools(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_DATABASE_URL", "postgresql://vigie:hidden@127.0.0.1:1/vigie")
    for words, tool in ((["backup", "b"], "pg_dump"), (["restore", "b", "--yes"], "pg_restore")):
        refused = run(*words)
        assert refused.exit_code == 2
        assert tool in refused.output
        assert "hidden" not in refused.output
