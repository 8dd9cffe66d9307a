"""Connected sources: sealed, due, refused, stopped, and sent back to the beginning when their meaning changes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import BaseModel, Field, SecretStr
from sqlalchemy import Connection, Engine

from storage import hints, leases, runs, schema, sources
from storage.connectors.base import Account, Connector, Declaration, Hint, Opening, Walk
from storage.connectors.http import Limits
from storage.database import reading, writing
from storage.reports import Report
from storage.sources import Due, Source
from storage.vault import Vault, VaultError
from storage.workspaces import SINGLE, ensure_workspace

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
KEYS = [Fernet.generate_key().decode() for _ in range(2)]
VAULT = Vault(KEYS[:1])


class ToyOptions(BaseModel):
    company: str = Field(description="the name before .toy.example")
    token: SecretStr = Field(description="an API token")
    hook_secret: SecretStr | None = Field(default=None, description="for webhooks")


class Opened:
    """A connector that remembers how it was opened."""

    source = "toy"
    walks: Sequence[Walk] = ()

    def __init__(self, opening: Opening) -> None:
        self.opening = opening


def _open(opening: Opening) -> Connector:
    return Opened(opening)  # type: ignore[return-value]


TOY = Declaration(
    source="toy",
    title="Toy CRM",
    options=ToyOptions,
    walks=(Walk(object="deal", key="modified"),),
    limits=lambda options: Limits(base_url=f"https://{options.company}.toy.example"),
    open=_open,
    check=lambda _: Account("Toys"),
)


@pytest.fixture(autouse=True)
def _toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "declarations", lambda: (TOY,))


@pytest.fixture
def engine(database: Engine) -> Engine:
    ensure_workspace(database, now=NOW, time_zone="Europe/Paris", currency="CHF", language="fr")
    return database


def options(**values: Any) -> ToyOptions:
    return ToyOptions.model_validate({"company": "acme", "token": "very secret"} | values)


def connect(engine: Engine, *, now: datetime = NOW, account: str = "Acme", **values: Any) -> Source:
    with writing(engine) as connection:
        return sources.connect(connection, SINGLE, "toy", options(**values), VAULT, account=account, now=now)


def read(engine: Engine, workspace_id: str = SINGLE) -> Source:
    with reading(engine) as connection:
        found = sources.read(connection, workspace_id, "toy")
    assert found is not None
    return found


def read_halfway(connection: Connection, workspace_id: str = SINGLE) -> None:
    """A run is under way, and has read deals up to somewhere."""
    key = {"workspace_id": workspace_id}
    until = NOW + timedelta(minutes=2)
    connection.execute(sa.insert(schema.lease).values(**key, name="sync:toy", holder="somebody", until=until))
    connection.execute(
        sa.insert(schema.cursor).values(**key, source="toy", object="deal", position='{"after": "7"}', complete_at=NOW)
    )


def position(engine: Engine, workspace_id: str = SINGLE) -> str:
    with reading(engine) as connection:
        mine = schema.cursor.c.workspace_id == workspace_id
        return str(connection.execute(sa.select(schema.cursor.c.position).where(mine)).scalar_one())


def leases_held(engine: Engine) -> int:
    with reading(engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(schema.lease)).scalar_one()


def test_a_connected_source_is_due_at_once_and_its_secrets_are_nowhere_to_be_read(engine: Engine) -> None:
    source = connect(engine, hook_secret="another secret")
    assert source.options == {"company": "acme"}
    assert (source.state, source.due_at, source.failures) == ("ready", NOW, 0)
    assert "secret" not in repr(source).replace("secrets", "")
    with reading(engine) as connection:
        row = connection.execute(sa.select(schema.source)).one()
        assert sources.due(connection, NOW) == (Due(SINGLE, "toy", 0),)
        assert sources.due(connection, NOW - timedelta(seconds=1)) == ()
    assert "secret" not in str(tuple(row))
    opened = sources.options_of(source, VAULT)
    assert opened == options(hook_secret="another secret")


def test_the_connector_is_opened_with_options_currency_and_decisions(engine: Engine) -> None:
    source = connect(engine)
    with writing(engine) as connection:
        sources.decide_stage(connection, SINGLE, "toy", "s7", "dormant", NOW)
    connector: Any = sources.open_connector(engine, source, VAULT, LATER)
    opening: Opening = connector.opening
    assert opening.options == options()
    assert (opening.currency, opening.now, opening.stages) == ("CHF", LATER, {"s7": "dormant"})


def test_without_the_key_nothing_is_connected(engine: Engine) -> None:
    with pytest.raises(VaultError), writing(engine) as connection:
        sources.connect(connection, SINGLE, "toy", options(), Vault([]), account="Acme", now=NOW)
    with reading(engine) as connection:
        assert sources.all_connected(connection, SINGLE) == ()


def test_a_new_key_takes_over_once_all_is_sealed_again(engine: Engine) -> None:
    connect(engine)
    with pytest.raises(VaultError):
        sources.options_of(read(engine), Vault(KEYS[1:]))
    with writing(engine) as connection:
        assert sources.reseal(connection, SINGLE, Vault(KEYS[::-1])) == 1
    assert sources.options_of(read(engine), Vault(KEYS[1:])) == options()


def test_secrets_copied_to_another_workspace_open_nothing(engine: Engine) -> None:
    source = replace(connect(engine), workspace_id="other")
    with pytest.raises(VaultError) as error:
        sources.options_of(source, VAULT)
    assert error.value.code == "sealed_with_another_key"


@pytest.mark.parametrize("changed", [{"company": "other"}, {"account": "Another account"}])
def test_other_options_or_another_account_list_everything_again(engine: Engine, changed: dict[str, str]) -> None:
    connect(engine)
    with writing(engine) as connection:
        read_halfway(connection)
        read_halfway(connection, "other")
    connect(engine, now=LATER, **changed)
    assert position(engine) == "{}"
    assert position(engine, "other") == '{"after": "7"}'
    assert leases_held(engine) == 1, "the run of the other workspace goes on, ours has lost its lease"


def test_a_new_token_for_the_same_account_goes_on_where_it_was(engine: Engine) -> None:
    source = connect(engine)
    with writing(engine) as connection:
        read_halfway(connection)
        sources.refuse(connection, source, NOW)
        assert sources.due(connection, LATER) == ()
    again = connect(engine, now=LATER, token="a newer one")
    assert position(engine) == '{"after": "7"}'
    assert (again.state, again.state_since, again.due_at) == ("ready", LATER, LATER)
    assert again.created_at == NOW


def test_a_changed_decision_lists_everything_again_and_the_same_one_does_not(engine: Engine) -> None:
    connect(engine)
    with writing(engine) as connection:
        assert sources.decide_stage(connection, SINGLE, "toy", "s1", "won", NOW)
        read_halfway(connection)
        assert not sources.decide_stage(connection, SINGLE, "toy", "s1", "won", LATER)
    assert position(engine) == '{"after": "7"}'
    assert leases_held(engine) == 1
    with writing(engine) as connection:
        assert sources.decide_stage(connection, SINGLE, "toy", "s1", None, LATER)
        assert not sources.decide_stage(connection, SINGLE, "toy", "s1", None, LATER)
        assert sources.decisions(connection, SINGLE, "toy") == {}
    assert position(engine) == "{}"
    assert leases_held(engine) == 0
    assert read(engine).due_at == LATER


def test_a_stage_means_one_of_four_things(engine: Engine) -> None:
    with pytest.raises(ValueError, match="signed"), writing(engine) as connection:
        sources.decide_stage(connection, SINGLE, "toy", "s1", "signed", NOW)


def test_a_run_that_ends_sets_when_the_next_one_is_due(engine: Engine) -> None:
    source = connect(engine)
    with writing(engine) as connection:
        assert sources.mark(connection, source, due_at=LATER, failures=2)
    assert (read(engine).due_at, read(engine).failures) == (LATER, 2)


def test_what_a_person_did_meanwhile_stands(engine: Engine) -> None:
    source = connect(engine)
    with writing(engine) as connection:
        sources.decide_stage(connection, SINGLE, "toy", "s1", "won", LATER)
        assert not sources.mark(connection, source, due_at=LATER + timedelta(hours=1), failures=0)
        assert not sources.refuse(connection, source, LATER)
    assert read(engine).due_at == LATER
    source = read(engine)
    with writing(engine) as connection:
        assert sources.stop(connection, SINGLE, "toy", LATER)
        assert not sources.stop(connection, SINGLE, "toy", LATER)
        assert not sources.mark(connection, source, due_at=LATER, failures=0)
        assert sources.due(connection, LATER + timedelta(days=9)) == ()
    assert read(engine).state == "stopped"


def test_a_knock_makes_a_waiting_source_due_ten_seconds_after_its_last_run(engine: Engine) -> None:
    source = connect(engine)
    moment = NOW + timedelta(seconds=5)

    def due(now: datetime) -> list[str]:
        with reading(engine) as connection:
            return [each.source for each in sources.due(connection, now, timedelta(minutes=5))]

    with writing(engine) as connection:
        sources.mark(connection, source, due_at=LATER, failures=0)
        runs.begin(connection, SINGLE, "toy", Report("r1"), {}, NOW)
        hints.put(connection, SINGLE, "toy", [Hint("e0", "deal", "1")], NOW)
        hints.put(connection, "other", "toy", [Hint("e1", "deal", "1")], moment)
    assert due(NOW + timedelta(seconds=11)) == [], "what the last run could not settle waits for the next one"
    with writing(engine) as connection:
        hints.put(connection, SINGLE, "toy", [Hint("e1", "deal", "1")], moment)
    assert due(NOW + timedelta(seconds=9)) == []
    assert due(NOW + timedelta(seconds=10)) == ["toy"]
    with writing(engine) as connection:
        sources.mark(connection, source, due_at=LATER, failures=1)
    assert due(NOW + timedelta(seconds=10)) == [], "a source that failed is not asked before its time"
    with writing(engine) as connection:
        sources.mark(connection, source, due_at=LATER, failures=0)
        sources.mark(connection, source, due_at=NOW + timedelta(hours=1), failures=0)
    assert due(NOW + timedelta(seconds=10)) == [], "its CRM has asked to wait"
    with writing(engine) as connection:
        sources.mark(connection, source, due_at=LATER, failures=0)
        hints.settle(connection, SINGLE, "toy", ["e1"], moment)
    assert due(NOW + timedelta(seconds=10)) == []


def test_a_source_that_a_run_is_under_way_of_is_not_due(engine: Engine) -> None:
    connect(engine)
    leases.take(engine, SINGLE, "sync:toy", "somebody")
    with writing(engine) as connection:
        assert sources.due(connection, LATER) == ()
        leases.release(connection, SINGLE, "sync:toy", "somebody")
        assert sources.due(connection, LATER) == (Due(SINGLE, "toy", 0),)


def test_the_one_that_has_waited_longest_is_first_whosever_it_is(engine: Engine) -> None:
    with writing(engine) as connection:
        for number, workspace_id in enumerate(["b", "a", "c"]):
            now = NOW + timedelta(seconds=number)
            sources.connect(connection, workspace_id, "toy", options(), VAULT, account="", now=now)
        assert [each.workspace_id for each in sources.due(connection, LATER)] == ["b", "a", "c"]


def test_a_name_that_no_connector_has_is_said(engine: Engine) -> None:
    with pytest.raises(LookupError):
        sources.options_of(replace(connect(engine), source="gone", secrets=""), VAULT)
