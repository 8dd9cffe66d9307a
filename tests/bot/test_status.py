"""`/kpi status`: each source, how fresh it is, what its last sync did, and what waits; in both languages."""

from datetime import timedelta
from threading import Event
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.clock import FixedClock
from bot.jobs import sync
from bot.playground.person import User, shown
from bot.playground.server import Playground
from bot.settings import Settings, read_settings
from storage import hints, records, sources
from storage.connectors.base import DriftError, Hint
from storage.connectors.http import RefusedError, UnavailableError
from storage.database import reading, writing
from storage.workspaces import SINGLE
from tests.bot.company import NOW
from tests.bot.conftest import Stage, _common, both_databases, serving
from tests.bot.toycrm import KEY, ToyCrm, connect, declare


@pytest.fixture
def settings(playground: Playground, company_url: str) -> Settings:
    values = _common(playground, company_url)
    return read_settings(None, slack_app_token=playground.app_token, keys=KEY, **values)


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> ToyCrm:
    found = ToyCrm()
    for number in range(1200):
        found.deals[f"d{number}"] = records.Deal(
            ext_id=f"d{number}", name="Deal", status="open", created=NOW, modified=NOW
        )
    declare(monkeypatch, toy=found)
    monkeypatch.setattr("tests.bot.toycrm.PAGE", 500)
    return found


def status(user: User, text: str = "/kpi status") -> str:
    known = {message["ts"] for message in user.messages("sales")}
    user.command(text, "sales")
    message: dict[str, Any] = user.wait_for("sales", lambda found: found["ts"] not in known)
    return shown(message)


def tick(stage: Stage) -> None:
    sync.run(stage.context, Event())


@both_databases
def test_a_source_says_as_of_when_and_what_its_last_sync_did(vigie: Stage, crm: ToyCrm) -> None:
    ada = vigie.confirm("ada", None, "admin")
    connect(vigie.context)
    tick(vigie)
    said = status(ada)
    assert "Toy CRM" in said
    assert "Data as of 23 Nov 2026 at 10:30." in said
    assert "Last sync on 23 Nov 2026 at 10:30: 1,200 new, 3 requests." in said
    assert "Everything was last compared on 23 Nov 2026 at 10:30." in said
    assert "sample" in said, "what was loaded by hand is there too"
    vigie.clock.move(timedelta(minutes=5))
    crm.sell("d7", vigie.clock.now(), status="won", closed=vigie.clock.now())
    tick(vigie)
    assert "Last sync on 23 Nov 2026 at 10:35: 1 changed, 3 requests." in status(ada)
    vigie.clock.move(timedelta(minutes=5))
    tick(vigie)
    assert "Last sync on 23 Nov 2026 at 10:40: nothing has changed, 1 request." in status(ada)
    with writing(vigie.engine) as connection:
        hints.put(connection, SINGLE, "toy", [Hint("e1", "deal", "d1"), Hint("e2", "deal", "d2")], NOW)
    assert "2 changes announced by webhooks are still to be read." in status(ada)


def test_it_is_said_in_french(vigie: Stage, crm: ToyCrm) -> None:
    chloe = vigie.confirm("chloe", "chloe")
    connect(vigie.context)
    tick(vigie)
    said = status(chloe, "/kpi statut")
    assert "Données au 23 nov. 2026" in said
    assert "1\u202f200 nouveaux, 3 requêtes." in said
    crm.between = lambda: _raise(RefusedError("GET /deals: 401"))
    vigie.clock.move(timedelta(hours=2))
    tick(vigie)
    said = status(chloe, "/kpi statut")
    assert "plus anciennes que prévu" in said
    # Once where it is shown, once where it is read aloud.
    assert said.count("vigie connect toy") == 2


def test_troubles_and_failures_are_said_in_sentences(vigie: Stage, crm: ToyCrm) -> None:
    ada = vigie.confirm("ada", None, "admin")
    connect(vigie.context)
    tick(vigie)
    crm.between = lambda: _raise(UnavailableError("GET /deals: 503"))
    vigie.clock.move(timedelta(hours=2))
    tick(vigie)
    said = status(ada)
    assert "older than expected, alerts on it are paused." in said
    assert "failed. Toy CRM does not answer" in said
    crm.between = lambda: _raise(DriftError("deal", "amount"))
    vigie.clock.move(timedelta(hours=2))
    tick(vigie)
    assert "the field “amount” is no longer told as before" in status(ada)
    with writing(vigie.engine) as connection:
        sources.stop(connection, SINGLE, "toy", vigie.clock.now())
    said = status(ada)
    assert "disconnected since 23 Nov 2026" in said
    assert "older than expected" not in said


def test_a_held_deletion_is_said_with_its_numbers(vigie: Stage, crm: ToyCrm) -> None:
    ada = vigie.confirm("ada", None, "admin")
    connect(vigie.context)
    tick(vigie)
    crm.deals.clear()
    vigie.clock.move(timedelta(days=1))
    tick(vigie)
    said = status(ada)
    assert "Deals: 1,200 of 1,200 are suddenly no longer listed" in said
    assert "Not everything is read" not in said
    assert "Deals: 1,281" in said, "nothing was deleted"
    (told,) = [shown(message) for message in _direct(vigie, ada)]
    assert "1200 of 1200" in told


def test_webhooks_are_heard_in_socket_mode_too_and_said_to_wait(vigie: Stage, crm: ToyCrm) -> None:
    ada = vigie.confirm("ada", None, "admin")
    connect(vigie.context)
    url = f"{vigie.url}/hooks/toy?a=1"
    body = b'[{"event": "e1", "id": "d1"}]'
    assert httpx.post(url, content=body, headers={"x-toy": "guess"}, trust_env=False).status_code == 401
    assert httpx.post(url, content=body, headers={"x-toy": f"hush {url}"}, trust_env=False).status_code == 200
    assert "1 change announced by a webhook is still to be read." in status(ada)


def test_at_the_next_start_the_first_key_is_enough(
    playground: Playground, settings: Settings, clock: FixedClock, crm: ToyCrm
) -> None:
    first = Fernet.generate_key().decode()
    with serving(playground, settings, clock) as stage:
        connect(stage.context)
    with serving(playground, settings.model_copy(update={"keys": SecretStr(f"{first},{KEY}")}), clock):
        pass
    with serving(playground, settings.model_copy(update={"keys": SecretStr(first)}), clock) as stage:
        tick(stage)
        with reading(stage.engine) as connection:
            source = sources.read(connection, SINGLE, "toy")
    assert source is not None
    assert (source.state, source.failures) == ("ready", 0)
    assert crm.asked


def _direct(stage: Stage, user: User) -> list[dict[str, Any]]:
    from bot.jobs import postman

    postman.run(stage.context, Event())
    return user.messages()


def _raise(error: Exception) -> None:
    raise error
