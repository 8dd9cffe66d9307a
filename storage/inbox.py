"""The inbox: what Slack said, kept before it is acknowledged, and taken up again until it is done.

Whoever keeps a row holds it from that moment: by a lease on the database's clock, renewed while its process lives. The
rows of one that died are anybody's once their lease is over. A row's id is Slack's own for what was said, so that the
same thing said again, or a request played back, is the row that is there already, for as long as rows are remembered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import Insert, insert_of, moment
from storage.schema import inbox

LEASE_SECONDS = 20
"""For so long a row is its holder's; renewed several times meanwhile."""
REMEMBERED_SECONDS = 7 * 24 * 3600
"""For so long a row that is done tells that the same was said before."""

_OPEN = ("waiting", "running")
_KEY = sa.tuple_(inbox.c.workspace_id, inbox.c.id)

Key = tuple[str, str]
"""(workspace, id)."""


@dataclass(frozen=True, slots=True)
class Said:
    """What is to be kept. `body` is encrypted by the caller."""

    workspace_id: str
    id: str
    kind: str
    """`command`, `click`, `event` or `echo`."""
    body: str

    @property
    def key(self) -> Key:
        return self.workspace_id, self.id


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that was taken up again."""

    workspace_id: str
    id: str
    kind: str
    body: str
    attempts: int
    """This one included."""
    received_at: datetime
    """By the database's clock."""
    seconds: float
    """Since then."""

    @property
    def key(self) -> Key:
        return self.workspace_id, self.id


def put(connection: Connection, said: Sequence[Said], holder: str) -> set[Key]:
    """Keep what was said, held by `holder`; gives the keys of what is new. What was said before is left alone.

    One statement, whatever its length.
    """
    rows = {
        each.key: {
            "workspace_id": each.workspace_id,
            "id": each.id,
            "kind": each.kind,
            "body": each.body,
            "token": holder,
        }
        for each in said
    }
    if not rows:
        return set()
    new = connection.execute(_putting(connection.dialect.name), [rows[key] for key in sorted(rows)])
    return {(workspace_id, identifier) for workspace_id, identifier in new.all()}


@lru_cache(maxsize=2)
def _putting(dialect: str) -> Insert:
    """Made once: making it takes longer than writing by it."""
    statement = insert_of(dialect, inbox).values(
        workspace_id=sa.bindparam("workspace_id"),
        id=sa.bindparam("id"),
        kind=sa.bindparam("kind"),
        body=sa.bindparam("body"),
        token=sa.bindparam("token"),
        state="running",
        lease_until=moment(LEASE_SECONDS),
        attempts=1,
        received_at=moment(0),
    )
    # The row count of such an INSERT is not known on PostgreSQL; what it returns is.
    kept: Any = statement.on_conflict_do_nothing(index_elements=["workspace_id", "id"])
    returning: Insert = kept.returning(inbox.c.workspace_id, inbox.c.id)
    return returning


def renew(connection: Connection, holder: str) -> int:
    """All that `holder` holds is held for another lease; gives how many rows that are."""
    mine = (inbox.c.state == "running", inbox.c.token == holder)
    return connection.execute(sa.update(inbox).where(*mine).values(lease_until=moment(LEASE_SECONDS))).rowcount


def is_free(connection: Connection) -> bool:
    """Whether there is anything to claim."""
    return connection.execute(_free().with_only_columns(inbox.c.id).limit(1)).first() is not None


def claim(connection: Connection, holder: str, most: int) -> list[Claimed]:
    """Take up at most so many rows that nobody holds, the oldest first. Commit before they are run."""
    found = connection.execute(_free().limit(most).with_for_update(skip_locked=True)).all()
    if found:
        connection.execute(
            sa.update(inbox)
            .where(_KEY.in_([(row.workspace_id, row.id) for row in found]))
            .values(state="running", token=holder, lease_until=moment(LEASE_SECONDS), attempts=inbox.c.attempts + 1)
        )
    return [
        Claimed(
            workspace_id=row.workspace_id,
            id=row.id,
            kind=row.kind,
            body=row.body or "",
            attempts=row.attempts + 1,
            received_at=row.received_at,
            seconds=(row.now - row.received_at).total_seconds(),
        )
        for row in found
    ]


def _free() -> sa.Select[*tuple[object, ...]]:
    now: sa.ColumnElement[datetime] = sa.type_coerce(moment(0), inbox.c.received_at.type).label("now")
    return (
        sa.select(inbox, now)
        .where(inbox.c.state.in_(_OPEN), sa.or_(inbox.c.lease_until.is_(None), inbox.c.lease_until <= moment(0)))
        .order_by(inbox.c.received_at, inbox.c.id)
    )


def settle(connection: Connection, keys: Sequence[Key], holder: str, error: str | None = None) -> int:
    """These are done, or failed with an error (a code, nothing of the body), and what was said in them is forgotten;
    gives how many of them `holder` still held. One statement, however many."""
    if not keys:
        return 0
    given = {"keys": keys, "holder": holder, "error": error, "state": "done" if error is None else "failed"}
    return connection.execute(_settling(), given).rowcount


@lru_cache(maxsize=1)
def _settling() -> sa.Update:
    values: dict[str, Any] = {
        "state": sa.bindparam("state"),
        "error": sa.bindparam("error"),
        "body": None,
        "token": None,
        "lease_until": None,
        "settled_at": moment(0),
    }
    mine = (_KEY.in_(sa.bindparam("keys", expanding=True)), inbox.c.token == sa.bindparam("holder"))
    return sa.update(inbox).where(*mine).values(values)


def release(connection: Connection, key: Key, holder: str, *, seconds: float = 0, begun: bool = False) -> bool:
    """Give a row back, to be taken up after so many seconds; what was not `begun` was no attempt. False where it was
    another's."""
    values = {
        "state": "waiting",
        "token": None,
        "lease_until": moment(seconds) if seconds else None,
        "attempts": inbox.c.attempts - (0 if begun else 1),
    }
    return connection.execute(sa.update(inbox).where(*_held(key, holder)).values(values)).rowcount == 1


def give_up(connection: Connection, workspace_id: str, error: str) -> None:
    """What waits is not to be done: in an older database that is put back, it has been since."""
    values = {"state": "failed", "error": error, "body": None, "token": None, "lease_until": None}
    waits = (inbox.c.workspace_id == workspace_id, inbox.c.state.in_(_OPEN))
    connection.execute(sa.update(inbox).where(*waits).values(**values, settled_at=moment(0)))


def prune(connection: Connection, most: int = 500) -> int:
    """Forget rows that are over and no longer needed to know what was said before; so many at most."""
    old = (
        sa.select(inbox.c.workspace_id, inbox.c.id)
        .where(inbox.c.state.in_(["done", "failed"]), inbox.c.received_at <= moment(-REMEMBERED_SECONDS))
        .limit(most)
    )
    return connection.execute(sa.delete(inbox).where(_KEY.in_(old))).rowcount


def counts(connection: Connection, workspace_id: str) -> dict[str, int]:
    """How many rows are in each state."""
    rows = connection.execute(
        sa.select(inbox.c.state, sa.func.count().label("count_"))
        .where(inbox.c.workspace_id == workspace_id)
        .group_by(inbox.c.state)
    )
    return {row.state: row.count_ for row in rows}


def oldest(connection: Connection, workspace_id: str) -> float | None:
    """For how many seconds what is not done yet has waited at most; None where nothing waits."""
    mine = (inbox.c.workspace_id == workspace_id, inbox.c.state.in_(_OPEN))
    kind = inbox.c.received_at.type
    since, now = sa.func.min(inbox.c.received_at, type_=kind), sa.type_coerce(moment(0), kind)
    row = connection.execute(sa.select(since.label("since"), now.label("now")).where(*mine)).one()
    return None if row.since is None else float((row.now - row.since).total_seconds())


def _held(key: Key, holder: str) -> tuple[sa.ColumnElement[bool], ...]:
    return inbox.c.workspace_id == key[0], inbox.c.id == key[1], inbox.c.token == holder
