"""A small CRM put beside the real ones, and `vigie …` in a folder of its own."""

import base64
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

import storage.connectors
from bot.__main__ import command_line
from tests.crm.toy import ToyCrm

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()

Run = Callable[..., Result]


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> Iterator[ToyCrm]:
    """A CRM with twelve deals, and its connector beside the real ones."""
    places = [*storage.connectors.__path__, str(Path(__file__).parent / "plugged")]
    monkeypatch.setattr(storage.connectors, "__path__", places)
    crm = ToyCrm()
    owner = crm.create("person", name="Anna Vente", email="anna@example.com")
    customer = crm.create("customer", name="Dupont & Fils")
    [won, *_] = crm.stages(status="won")
    for number in range(12):
        crm.create(
            "deal",
            name=f"Contrat [{number}]",
            customer=customer,
            owner=owner,
            amount=None if number == 3 else Decimal("1234.50") * (number + 1),
            stage=won.id if number % 2 else None,
            currency="USD" if number == 4 else "EUR",
        )
    from storage.connectors import toycrm  # type: ignore[attr-defined]

    toycrm.WORLD.append(crm)
    yield crm
    toycrm.WORLD.clear()
    del sys.modules["storage.connectors.toycrm"], storage.connectors.toycrm


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crm: ToyCrm) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIGIE_DATABASE_URL", "sqlite:///vigie.sqlite3")
    monkeypatch.setenv("VIGIE_LANGUAGE", "en")
    monkeypatch.setenv("VIGIE_KEYS", KEY)
    monkeypatch.setenv("TOY_TOKEN", "good-sesame")
    monkeypatch.setenv("COLUMNS", "80")
    return lambda *words, typed="": CliRunner().invoke(command_line(), list(words), input=typed)
