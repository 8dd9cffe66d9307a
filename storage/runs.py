"""The journal of syncs: one row a run, from its first moment."""

import json
from collections.abc import Mapping
from datetime import datetime
from time import time_ns
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import insert
from storage.reports import Report
from storage.schema import run

KILLED = "killed"
"""The error of a run that neither ended nor failed: its process died."""


Complete = Mapping[str, datetime | None]
"""By object of the source, up to when it is complete; None where it never was."""


def new_id() -> str:
    """The later of two runs has the greater id: what both saw at one moment stays in its order (`storage.history`)."""
    return f"{time_ns():016x}{uuid4().hex[:16]}"


def begin(
    connection: Connection, workspace_id: str, source: str, report: Report, complete: Complete, now: datetime
) -> None:
    """Open the run's row. Called by the holder of the source's lease: what is still open was killed."""
    dead = (run.c.workspace_id == workspace_id, run.c.source == source, run.c.ended_at.is_(None))
    connection.execute(sa.update(run).where(*dead).values(ended_at=now, outcome="failed", error=KILLED))
    row = {"workspace_id": workspace_id, "id": report.run_id, "source": source, "started_at": now}
    connection.execute(insert(connection, run).values(row | _told(report, complete)))


def left_off(connection: Connection, workspace_id: str, source: str) -> bool:
    """Whether the newest run of the source came to no good end: what follows the pages may not have been done."""
    newest = (
        sa.select(run.c.outcome)
        .where(run.c.workspace_id == workspace_id, run.c.source == source)
        .order_by(run.c.started_at.desc())
        .limit(1)
    )
    found = connection.execute(newest).first()
    return found is not None and found.outcome not in ("ok", "partial")


def note(connection: Connection, workspace_id: str, report: Report, complete: Complete) -> None:
    """How far the run has come: a killed one has said what it did."""
    connection.execute(sa.update(run).where(*_this(workspace_id, report)).values(_told(report, complete)))


def end(connection: Connection, workspace_id: str, report: Report, at: datetime, error: str | None) -> None:
    outcome = "failed" if error else report.outcome
    connection.execute(
        sa.update(run)
        .where(*_this(workspace_id, report))
        .values(ended_at=at, outcome=outcome, error=error, requests=report.requests)
    )


def _this(workspace_id: str, report: Report) -> tuple[sa.ColumnElement[bool], ...]:
    return run.c.workspace_id == workspace_id, run.c.id == report.run_id


def _told(report: Report, complete: Complete) -> dict[str, object]:
    total = report.total
    completed = {name: None if moment is None else moment.isoformat() for name, moment in complete.items()}
    return {
        "full": report.full,
        "seen": total.seen,
        "new": total.new,
        "changed": total.changed,
        "deleted": total.deleted,
        "quarantined": total.quarantined,
        "requests": report.requests,
        "completed": json.dumps(completed, sort_keys=True),
    }
