"""The journal of syncs: one row a run, from its first moment."""

import json
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import insert
from storage.reports import Report
from storage.schema import run

KILLED = "killed"
"""The error of a run that neither ended nor failed: its process died."""


def begin(connection: Connection, workspace_id: str, source: str, report: Report, now: datetime) -> None:
    """Open the run's row. Called by the holder of the source's lease: what is still open was killed."""
    dead = (run.c.workspace_id == workspace_id, run.c.source == source, run.c.ended_at.is_(None))
    connection.execute(sa.update(run).where(*dead).values(ended_at=now, outcome="failed", error=KILLED))
    row = {"workspace_id": workspace_id, "id": report.run_id, "source": source, "started_at": now}
    connection.execute(insert(connection, run).values(row | _told(report, {})))


def note(connection: Connection, workspace_id: str, report: Report, completed: Mapping[str, datetime]) -> None:
    """How far the run has come: a killed one has said what it did."""
    connection.execute(sa.update(run).where(*_this(workspace_id, report)).values(_told(report, completed)))


def end(connection: Connection, workspace_id: str, report: Report, at: datetime, error: str | None) -> None:
    outcome = "failed" if error else report.outcome
    connection.execute(
        sa.update(run)
        .where(*_this(workspace_id, report))
        .values(ended_at=at, outcome=outcome, error=error, requests=report.requests)
    )


def _this(workspace_id: str, report: Report) -> tuple[sa.ColumnElement[bool], ...]:
    return run.c.workspace_id == workspace_id, run.c.id == report.run_id


def _told(report: Report, completed: Mapping[str, datetime]) -> dict[str, object]:
    total = report.total
    return {
        "full": report.full,
        "seen": total.seen,
        "new": total.new,
        "changed": total.changed,
        "deleted": total.deleted,
        "quarantined": total.quarantined,
        "requests": report.requests,
        "completed": json.dumps({name: moment.isoformat() for name, moment in completed.items()}, sort_keys=True),
    }
