"""Who changed a setting, and to whom figures were shown: one row each, ids only."""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.schema import audit


def note(
    connection: Connection,
    *,
    workspace_id: str,
    actor: str,
    action: str,
    details: Mapping[str, str | int | None],
    now: datetime,
) -> None:
    """Adds a row inside the caller's transaction.

    `actor` is a Slack user id; `action` a stable dotted word (`digest.add`, `share`); `details` ids and plain settings,
    never names or figures.
    """
    connection.execute(
        sa.insert(audit).values(
            workspace_id=workspace_id,
            id=uuid.uuid4().hex,
            at=now,
            actor=actor,
            action=action,
            details=json.dumps(details, sort_keys=True),
        )
    )
