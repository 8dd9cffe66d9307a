"""Bring a database to the schema of this version. Alembic's revisions stand in `storage/migrations`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from storage.database import alone, writing

REVISIONS = Path(__file__).parent / "migrations"

TABLES = 72_440_001
"""The number under which one process at a time makes tables (`storage.database.alone`)."""


def upgrade(engine: Engine) -> None:
    """Create or upgrade every table, in one transaction; a database that is up to date is left alone. Of several
    processes that start at once, one does it and the others wait."""
    with writing(engine) as connection:
        alone(connection, TABLES)
        command.upgrade(configuration(connection), "head")


def revisions() -> frozenset[str]:
    """Every revision that this version knows how to bring up to date."""
    return frozenset(each.revision for each in ScriptDirectory(str(REVISIONS)).walk_revisions())


def revision(connection: Connection) -> str | None:
    """Which one this database is at; None where it has no tables yet."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """Which one this version wants."""
    return ScriptDirectory(str(REVISIONS)).get_current_head()


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for this connection: no ini file."""
    config = Config()
    config.set_main_option("script_location", str(REVISIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
