"""Which jobs are alive somewhere: each has a lease that whoever does it prolongs, by the database's clock."""

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import insert, moment
from storage.schema import lease

_NAME = "job:"


def beat(connection: Connection, workspace_id: str, job: str, holder: str, seconds: float) -> None:
    """A round of the job went well: another is to end within so many seconds, here or in another process."""
    statement = insert(connection, lease).values(
        workspace_id=workspace_id, name=f"{_NAME}{job}", holder=holder, until=moment(seconds)
    )
    said = {"holder": statement.excluded.holder, "until": statement.excluded.until}
    connection.execute(statement.on_conflict_do_update(index_elements=["workspace_id", "name"], set_=said))


def alive(connection: Connection, workspace_id: str) -> dict[str, bool]:
    """Of every job that was ever done: whether it is done still."""
    lives: sa.ColumnElement[bool] = (lease.c.until > moment(0)).label("lives")
    rows = connection.execute(
        sa.select(lease.c.name, lives).where(lease.c.workspace_id == workspace_id, lease.c.name.startswith(_NAME))
    )
    return {row.name.removeprefix(_NAME): bool(row.lives) for row in rows}
