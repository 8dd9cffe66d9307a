"""The workspace: its settings, written from the installation's own and read by everyone who computes."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from storage import schema
from storage.database import insert, writing
from storage.history import Change, History
from storage.revalue import revalue_at_once

SINGLE = "main"
"""The workspace's id where one installation serves one team."""


@dataclass(frozen=True, slots=True)
class Workspace:
    id: str
    name: str
    time_zone: str
    """IANA name; every local day of the workspace is a day of this zone."""
    currency: str
    """ISO 4217 code."""
    language: str
    fiscal_start_month: int
    visibility: str
    """`own`, `team` or `everyone`."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def ensure_workspace(
    engine: Engine,
    workspace_id: str = SINGLE,
    *,
    now: datetime,
    time_zone: str,
    currency: str,
    language: str,
    name: str | None = None,
    fiscal_start_month: int = 1,
    visibility: str = "team",
    on_currency: Callable[[Connection, str], None] | None = None,
) -> Workspace:
    """Create the workspace, or bring its row to these settings; a row that says the same is left alone.

    What was set before stays in the history; with another currency, every amount is valued anew, and `on_currency` is
    called in the same transaction with the workspace's id.
    Raises `ZoneInfoNotFoundError` (a `KeyError`) for a time zone that does not exist.
    """
    wanted = Workspace(
        workspace_id, name or workspace_id, time_zone, currency, language, fiscal_start_month, visibility
    )
    ZoneInfo(time_zone)
    table = schema.workspace
    values = {
        "name": wanted.name,
        "time_zone": time_zone,
        "currency": currency,
        "language": language,
        "fiscal_start_month": fiscal_start_month,
        "visibility": visibility,
    }
    with writing(engine) as connection:
        row = insert(connection, table).values(workspace_id=workspace_id, created_at=now, **values)
        connection.execute(row.on_conflict_do_nothing())
        mine = table.c.workspace_id == workspace_id
        before = dict(connection.execute(sa.select(table).where(mine).with_for_update()).mappings().one())
        if before | values == before:
            return wanted
        connection.execute(sa.update(table).where(mine).values(**values))
        named = {"id": workspace_id}
        changed = Change("workspace", before | named, before | named | values)
        History(workspace_id, "settings", uuid.uuid4().hex).write(connection, [changed], now)
        if before["currency"] != currency:
            revalue_at_once(connection, workspace_id, currency, now=now)
            if on_currency is not None:
                on_currency(connection, workspace_id)
    return wanted


def all_workspaces(connection: Connection) -> list[Workspace]:
    """Every workspace, by id."""
    table = schema.workspace
    return [_workspace(row) for row in connection.execute(sa.select(table).order_by(table.c.workspace_id))]


def read_workspace(connection: Connection, workspace_id: str = SINGLE) -> Workspace:
    """The workspace's settings. Raises `LookupError` where it has not been created."""
    table = schema.workspace
    row = connection.execute(sa.select(table).where(table.c.workspace_id == workspace_id)).one_or_none()
    if row is None:
        raise LookupError(f"there is no workspace {workspace_id!r} in this database")
    return _workspace(row)


def _workspace(row: sa.Row[Any]) -> Workspace:
    return Workspace(
        row.workspace_id,
        row.name,
        row.time_zone,
        row.currency,
        row.language,
        row.fiscal_start_month,
        row.visibility,
    )
