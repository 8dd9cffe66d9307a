"""The connected sources of a workspace: how each is reached, how it is, when it is due, what its stages mean.

What changes the meaning of rows that are already here (an option, another account, a person's word on a stage) sends
the source back to the beginning: its positions are forgotten, and a run under way loses its lease, so that it cannot
write an older position over that.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from time import sleep
from typing import Any
from weakref import finalize

import httpx
import sqlalchemy as sa
from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy import Connection, Engine

from storage import schema
from storage.connectors.base import Connector, Declaration, Known, Opening, declarations
from storage.connectors.http import Client
from storage.database import insert, moment, reading
from storage.status import READY, REFUSED, STOPPED
from storage.vault import Vault, VaultError
from storage.workspaces import read_workspace

STATUSES = ("open", "won", "lost", "dormant")
"""What a person may decide that a stage means."""

GATHERED = timedelta(seconds=10)
"""Hints are gathered for so long after a run: a CRM that knocks without end is asked six times a minute."""

_NO_SECRETS = ""


class OptionsError(Exception):
    """What was stored is not what the connector of this version asks for; the text names the options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A connected source. `secrets` is sealed; nothing here is readable without the vault."""

    workspace_id: str
    source: str
    options: Mapping[str, Any]
    """Those that are no secrets."""
    secrets: str = field(repr=False)
    account: str
    """Whom the credentials belong to, as the CRM said when connecting."""
    state: str
    """`ready`, `refused` (its credentials: left alone until it is connected again), `stopped` (by a person)."""
    state_since: datetime
    due_at: datetime
    failures: int
    """Runs in a row that failed."""
    listed_at: datetime | None
    """When the last listing of everything was begun."""
    created_by: str | None
    """Slack user id; None = from the command line."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A source whose time has come: what a clock that looks across workspaces may know of it."""

    workspace_id: str
    source: str
    failures: int


def declared(source: str) -> Declaration:
    """The declaration of a CRM. Raises `LookupError` for a name that none has."""
    found = next((each for each in declarations() if each.source == source), None)
    if found is None:
        raise LookupError(source)
    return found


def connect(
    connection: Connection,
    workspace_id: str,
    source: str,
    options: BaseModel,
    vault: Vault,
    *,
    account: str,
    now: datetime,
    created_by: str | None = None,
) -> Source:
    """Remember how a source is reached, once it has been checked live; due at once. One refused or stopped is ready.

    With other options (secrets apart) or for another account than before, everything is listed again. Raises
    `VaultError`; nothing is written then.
    """
    said, secret = _parted(options)
    before = read(connection, workspace_id, source)
    values = {
        "options": json.dumps(said, ensure_ascii=False, sort_keys=True),
        "secrets": _seal(vault, workspace_id, source, secret),
        "account": account,
        "state": READY,
        "state_since": now,
        "due_at": now,
        "failures": 0,
    }
    key = {"workspace_id": workspace_id, "source": source}
    first = {"listed_at": None, "created_by": created_by, "created_at": now}
    statement = insert(connection, schema.source).values(key | values | first)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))
    if before is not None and (dict(before.options), before.account) != (said, account):
        _start_over(connection, workspace_id, source, now)
    found = read(connection, workspace_id, source)
    assert found is not None  # noqa: S101 - written above, in this transaction
    return found


def read(connection: Connection, workspace_id: str, source: str) -> Source | None:
    """One source, in whatever state; None where it was never connected."""
    mine = _mine(workspace_id, source)
    row = connection.execute(sa.select(schema.source).where(*mine)).mappings().one_or_none()
    return None if row is None else _source(row)


def all_connected(connection: Connection, workspace_id: str) -> tuple[Source, ...]:
    """Every source that was ever connected, those refused and stopped too, by name."""
    table = schema.source
    rows = connection.execute(
        sa.select(table).where(table.c.workspace_id == workspace_id).order_by(table.c.source)
    ).mappings()
    return tuple(_source(row) for row in rows)


def refused(connection: Connection) -> tuple[Source, ...]:
    """Every source of every workspace that its CRM refuses."""
    table = schema.source
    rows = connection.execute(sa.select(table).where(table.c.state == REFUSED).order_by(table.c.source)).mappings()
    return tuple(_source(row) for row in rows)


def due(connection: Connection, now: datetime, interval: timedelta = timedelta(0)) -> tuple[Due, ...]:
    """Every ready source of every workspace whose time has come, or comes within the interval and a webhook has spoken
    of it since its last run; the longest due first. Not those that a run is under way of.

    A source that failed, or whose CRM asked to wait for longer than the interval, waits for its time whoever knocks.
    """
    table, run, hint, lease = schema.source, schema.run, schema.hint, schema.lease
    last = (
        sa.select(sa.func.max(run.c.started_at))
        .where(run.c.workspace_id == table.c.workspace_id, run.c.source == table.c.source)
        .scalar_subquery()
    )
    told = sa.exists().where(
        hint.c.workspace_id == table.c.workspace_id,
        hint.c.source == table.c.source,
        hint.c.settled_at.is_(None),
        hint.c.received_at > last,
    )
    knocked = sa.and_(table.c.failures == 0, table.c.due_at <= now + interval, last <= now - GATHERED, told)
    busy = sa.exists().where(
        lease.c.workspace_id == table.c.workspace_id,
        lease.c.name == sa.literal("sync:") + table.c.source,
        lease.c.until > moment(0),
    )
    rows = connection.execute(
        sa.select(table.c.workspace_id, table.c.source, table.c.failures)
        .where(table.c.state == READY, sa.or_(table.c.due_at <= now, knocked), ~busy)
        .order_by(table.c.due_at, table.c.workspace_id, table.c.source)
    )
    return tuple(Due(row.workspace_id, row.source, row.failures) for row in rows)


def mark(connection: Connection, source: Source, *, due_at: datetime, failures: int) -> bool:
    """After a run: when the next one is due. False, and nothing is written, where a person has connected, stopped or
    decided something since `source` was read: what they asked for stands."""
    return _compare_and_set(connection, source, {"due_at": due_at, "failures": failures})


def refuse(connection: Connection, source: Source, now: datetime) -> bool:
    """After 401 or 403: the source is left alone until it is connected again. False as for `mark`."""
    return _compare_and_set(connection, source, {"state": REFUSED, "state_since": now})


def stop(connection: Connection, workspace_id: str, source: str, now: datetime) -> bool:
    """A person stops a source: what it told stays, and is no longer waited for. False where there is none, or it was
    stopped before."""
    table = schema.source
    done = connection.execute(
        sa.update(table)
        .where(*_mine(workspace_id, source), table.c.state != STOPPED)
        .values(state=STOPPED, state_since=now)
    )
    if done.rowcount:
        _interrupt(connection, workspace_id, source)
    return bool(done.rowcount)


def list_again(connection: Connection, workspace_id: str, source: str, now: datetime) -> None:
    """The next run lists everything and compares."""
    for table, values in ((schema.cursor, {"position": "{}"}), (schema.source, {"listed_at": now, "due_at": now})):
        mine = (table.c.workspace_id == workspace_id, table.c.source == source)
        connection.execute(sa.update(table).where(*mine).values(values))


def _start_over(connection: Connection, workspace_id: str, source: str, now: datetime) -> None:
    """What is here was read with another meaning. A run under way ends without writing another page."""
    _interrupt(connection, workspace_id, source)
    list_again(connection, workspace_id, source, now)


def decide_stage(
    connection: Connection, workspace_id: str, source: str, stage: str, status: str | None, now: datetime
) -> bool:
    """A person's word on what a stage (its ext id) means; None takes it back, and the CRM's own word counts again.

    True where that changed anything: everything is then listed again, since the status of deals follows from it.
    Raises `ValueError` for a status that is none of `STATUSES`.
    """
    if status is not None and status not in STATUSES:
        raise ValueError(status)
    if decisions(connection, workspace_id, source).get(stage) == status:
        return False
    table = schema.stage_decision
    key = {"workspace_id": workspace_id, "source": source, "stage": stage}
    if status is None:
        connection.execute(sa.delete(table).where(*(table.c[name] == value for name, value in key.items())))
    else:
        values = {"status": status, "decided_at": now}
        statement = insert(connection, table).values(key | values)
        connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))
    _start_over(connection, workspace_id, source, now)
    return True


def decisions(connection: Connection, workspace_id: str, source: str) -> dict[str, str]:
    """Ext id of a stage to what a person decided that it means."""
    table = schema.stage_decision
    mine = (table.c.workspace_id == workspace_id, table.c.source == source)
    rows = connection.execute(sa.select(table.c.stage, table.c.status).where(*mine).order_by(table.c.stage))
    return {row.stage: row.status for row in rows}


def options_of(source: Source, vault: Vault) -> BaseModel:
    """The whole options, secrets among them.

    Raises `VaultError`, `LookupError` where no connector has this name, `OptionsError`.
    """
    secrets: dict[str, Any] = {}
    if source.secrets != _NO_SECRETS:
        opened = json.loads(vault.open(source.secrets))
        if opened["for"] != [source.workspace_id, source.source]:
            raise VaultError("sealed_with_another_key")
        secrets = opened["secrets"]
    try:
        return declared(source.source).options.model_validate({**source.options, **secrets})
    except ValidationError as error:
        # Its own text would show what was given, secrets too.
        fields = sorted({str(each["loc"][0]) for each in error.errors() if each["loc"]})
        raise OptionsError(", ".join(fields)) from None


def open_connector(
    engine: Engine,
    source: Source,
    vault: Vault,
    now: datetime,
    *,
    transport: httpx.BaseTransport | None = None,
    pause: Callable[[float], None] = sleep,
) -> Connector:
    """The source's connector, ready to be read at `now`, with what people decided about its stages.

    Raises what `options_of` raises; asks the source nothing yet.
    """
    declaration, options = declared(source.source), options_of(source, vault)
    with reading(engine) as connection:
        workspace = read_workspace(connection, source.workspace_id)
        stages = decisions(connection, source.workspace_id, source.source)
    client = Client(declaration.limits(options), transport=transport, pause=pause)
    connector = declaration.open(
        Opening(
            options=options,
            client=client,
            currency=workspace.currency,
            now=now,
            zone=workspace.zone,
            known=partial(_known, engine, source),
            stages=stages,
        )
    )
    # Its connections live as long as whoever asks over them.
    finalize(connector, client.close)
    return connector


def _known(engine: Engine, source: Source) -> Known:
    from storage.connectors.files.names import known_names

    with reading(engine) as connection:
        return known_names(connection, source.workspace_id, source.source)


def reseal(connection: Connection, workspace_id: str, vault: Vault) -> int:
    """Seal the secrets of all sources of a workspace with the first key; how many. Raises `VaultError`."""
    table = schema.source
    sealed = [each for each in all_connected(connection, workspace_id) if each.secrets != _NO_SECRETS]
    for each in sealed:
        values = {"secrets": vault.rotate(each.secrets)}
        connection.execute(sa.update(table).where(*_mine(workspace_id, each.source)).values(values))
    return len(sealed)


def _interrupt(connection: Connection, workspace_id: str, source: str) -> None:
    """Take the lease of a run under way: each of its pages is written only while it holds it."""
    table = schema.lease
    mine = (table.c.workspace_id == workspace_id, table.c.name == f"sync:{source}")
    connection.execute(sa.delete(table).where(*mine))


def _compare_and_set(connection: Connection, source: Source, values: dict[str, Any]) -> bool:
    table = schema.source
    unchanged = (
        *_mine(source.workspace_id, source.source),
        table.c.state == source.state,
        table.c.state_since == source.state_since,
        table.c.listed_at.is_not_distinct_from(source.listed_at),
    )
    return connection.execute(sa.update(table).where(*unchanged).values(values)).rowcount == 1


def _parted(options: BaseModel) -> tuple[dict[str, Any], dict[str, str]]:
    """What may be read by whoever reads the database, and what may not."""
    secrets = {name: value.get_secret_value() for name, value in options if isinstance(value, SecretStr)}
    return options.model_dump(mode="json", exclude=set(secrets)), secrets


def _seal(vault: Vault, workspace_id: str, source: str, secrets: Mapping[str, str]) -> str:
    """Bound to whose they are: a row copied to another workspace opens nothing."""
    if not secrets:
        return _NO_SECRETS
    return vault.seal(json.dumps({"for": [workspace_id, source], "secrets": secrets}))


def _mine(workspace_id: str, source: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (schema.source.c.workspace_id == workspace_id, schema.source.c.source == source)


def _source(row: Mapping[Any, Any]) -> Source:
    return Source(**{**row, "options": json.loads(row["options"])})
