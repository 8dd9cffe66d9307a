"""`vigie rehearse`: when a rule would have fired over the past year, from the command line."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.__main__ import command_line
from bot.clock import FixedClock
from bot.database import open_database
from bot.settings import read_settings
from storage.workspaces import SINGLE
from tests.kpi.company import Company

Rehearse = Callable[..., Any]


@pytest.fixture
def rehearse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Rehearse:
    """Run `vigie rehearse` on a company that lost all of the 30 deals it closed in April 2017."""
    address = f"sqlite:///{tmp_path}/rehearse.sqlite3"
    for name, value in {"DATABASE_URL": address, "LANGUAGE": "en", "CURRENCY": "EUR"}.items():
        monkeypatch.setenv(f"VIGIE_{name}", value)
    monkeypatch.chdir(tmp_path)
    company = Company(SINGLE)
    north = company.team("Nord")
    anna = company.person("Anna Vente", team=north, email="anna@example.org")
    for at in range(30):
        company.deal(created="2017-04-02", owner=anna, lost=f"2017-04-{at % 9 + 10}")
        company.deal(created="2017-07-02", owner=anna, won=f"2017-07-{at % 9 + 10}", amount=1000)
    del company.rows["workspace"]
    engine = open_database(read_settings(), FixedClock(datetime(2018, 1, 1, tzinfo=UTC)))
    company.save(engine)
    engine.dispose()

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(command_line(), ["rehearse", "--today", "2018-01-01", *arguments])

    return run


def test_it_says_when_a_rule_would_have_fired_in_both_languages(rehearse: Rehearse) -> None:
    said = rehearse("win", "rate", "<", "25", "by", "team").output
    assert "alert below 25%, over at 30% or more" in " ".join(said.split())
    assert "it would have fired 1 time: 0.1 messages a month." in " ".join(said.split())
    assert "Apr 2017" in said
    assert "Nord" in said
    french = rehearse("taux de transformation < 25 % par équipe", "--lang", "fr").output
    assert "elle serait partie 1 fois" in " ".join(french.split())
    assert "avr. 2017" in french


def test_what_is_not_understood_is_refused_in_a_sentence(rehearse: Rehearse) -> None:
    for words, why in (
        ("winn rate < 25", "winn"),
        ("win rate", "Which threshold?"),
        ("win rate < 250", "never passes"),
    ):
        refused = rehearse(words)
        assert refused.exit_code == 2
        assert why in " ".join(refused.output.split())
    assert "no such day" in CliRunner().invoke(command_line(), ["rehearse", "--today", "soon", "win rate < 25"]).output
