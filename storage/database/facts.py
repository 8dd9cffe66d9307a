"""What a database says about itself."""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database.functions import moment


@dataclass(frozen=True, slots=True)
class Facts:
    kind: str
    """`SQLite` or `PostgreSQL`."""
    version: str
    size: int
    """Bytes; of SQLite without what is still in its log."""
    now: datetime
    """By its clock."""


def facts(connection: Connection) -> Facts:
    """What there is to know without looking at a table."""
    if connection.dialect.name == "postgresql":
        kind, version = "PostgreSQL", "SELECT split_part(current_setting('server_version'), ' ', 1)"
        size = "SELECT pg_database_size(current_database())"
    else:
        kind, version = "SQLite", "SELECT sqlite_version()"
        size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    now = connection.execute(sa.select(sa.type_coerce(moment(0), sa.DateTime(timezone=True)))).scalar_one()
    return Facts(
        kind,
        str(connection.exec_driver_sql(version).scalar_one()),
        int(connection.exec_driver_sql(size).scalar_one()),
        now.astimezone(UTC) if now.tzinfo is not None else now.replace(tzinfo=UTC),
    )
