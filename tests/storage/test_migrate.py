import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine

from storage.database import open_engine, reading
from storage.migrate import upgrade
from storage.schema import GLOBAL_TABLES, metadata
from storage.workspaces import ensure_workspace, read_workspace


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without a single table."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
        yield engine
        engine.dispose()
        return
    base = sa.make_url(request.getfixturevalue("postgres_url"))
    name = f"empty_{uuid.uuid4().hex}"
    admin = sa.create_engine(base, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine = open_engine(base.set(database=name).render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def test_the_migrations_build_exactly_the_declared_schema(empty_database: Engine) -> None:
    upgrade(empty_database)
    with reading(empty_database) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        tables = set(sa.inspect(connection).get_table_names())
    assert tables == set(metadata.tables) | GLOBAL_TABLES


def test_the_names_of_keys_and_indexes_follow_the_convention(empty_database: Engine) -> None:
    upgrade(empty_database)
    inspector = sa.inspect(empty_database)
    for table in metadata.sorted_tables:
        assert inspector.get_pk_constraint(table.name)["name"] == f"pk_{table.name}"
        assert {index.name for index in table.indexes} <= {row["name"] for row in inspector.get_indexes(table.name)}


def test_upgrading_twice_changes_nothing(empty_database: Engine) -> None:
    upgrade(empty_database)
    upgrade(empty_database)
    with reading(empty_database) as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == "0001"


def test_a_workspace_is_created_once_and_follows_the_settings(database: Engine) -> None:
    settings = {"time_zone": "Europe/Paris", "currency": "EUR", "language": "fr"}
    first = ensure_workspace(database, now=datetime(2026, 1, 2, tzinfo=UTC), **settings)
    with reading(database) as connection:
        assert read_workspace(connection) == first
    ensure_workspace(database, now=datetime(2026, 1, 3, tzinfo=UTC), **settings | {"currency": "USD"})
    with reading(database) as connection:
        assert read_workspace(connection).currency == "USD"
        assert connection.scalar(sa.text("SELECT count(*) FROM workspace")) == 1


def test_a_workspace_that_was_never_created_is_said_so(database: Engine) -> None:
    with reading(database) as connection, pytest.raises(LookupError, match="'elsewhere'"):
        read_workspace(connection, "elsewhere")
