import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine

from storage import schema
from storage.database import open_engine, reading, writing
from storage.migrate import configuration, upgrade
from storage.records import Position
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
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == "0004"


def test_a_database_of_the_first_version_keeps_its_rows_and_learns_what_it_can(empty_database: Engine) -> None:
    seen = datetime(2026, 1, 5, 8, tzinfo=UTC)
    with writing(empty_database) as connection:
        command.upgrade(configuration(connection), "0001")
        old = sa.MetaData()
        old.reflect(connection)
    sourced = {"workspace_id": "main", "source": "files", "payload_hash": "x", "first_seen_at": seen}
    deal = sourced | {"name": "D", "status": "open"}
    run = {"workspace_id": "main", "id": "r", "source": "files", "started_at": seen, "seen": 1, "new": 1, "changed": 0}
    membership = {"workspace_id": "main", "person_id": "files:P", "team_id": "files:T"}
    rows = {
        "workspace": [
            {
                "workspace_id": "main",
                "name": "Main",
                "time_zone": "Europe/Paris",
                "currency": "EUR",
                "language": "fr",
                "fiscal_start_month": 1,
                "visibility": "team",
                "created_at": seen,
            }
        ],
        "deal": [
            deal | {"id": "files:1", "ext_id": "1", "amount_minor": 100, "currency": "EUR"},
            deal | {"id": "files:2", "ext_id": "2", "amount_minor": 100, "currency": "USD"},
            deal | {"id": "files:3", "ext_id": "3", "amount_minor": None, "currency": "EUR"},
        ],
        "person": [sourced | {"id": "files:P", "ext_id": "P", "name": "P", "active": True}],
        "membership": [
            membership | {"starts_on": date.min, "ends_on": date(2026, 2, 1)},
            membership | {"starts_on": date(2026, 2, 1), "ends_on": None},
        ],
        "run": [run | {"ended_at": seen, "outcome": "ok", "error": None, "quarantined": 0}],
        "cursor": [
            {"workspace_id": "main", "source": "files", "object": "deal", "position": "{}", "complete_at": seen}
        ],
    }
    with writing(empty_database) as connection:
        for name, told in rows.items():
            connection.execute(old.tables[name].insert(), told)
    upgrade(empty_database)
    with reading(empty_database) as connection:
        deals = connection.execute(sa.select(schema.deal).order_by(schema.deal.c.id)).all()
        assert [(row.value_minor, row.created_seen, row.merged_into) for row in deals] == [
            (100, False, None),
            (None, False, None),
            (None, False, None),
        ]
        memberships = connection.execute(sa.select(schema.membership).order_by(schema.membership.c.starts_on)).all()
        assert [row.first_seen_at for row in memberships] == [seen, datetime(2026, 2, 1, tzinfo=UTC)]
        ran = connection.execute(sa.select(schema.run)).one()
        assert (ran.full, ran.deleted, ran.requests, ran.completed, ran.outcome) == (False, 0, 0, "{}", "ok")
        read = connection.execute(sa.select(schema.cursor)).one()
        assert Position.from_json(read.position) == Position()
        assert (read.complete_at, read.listed_at, read.trouble) == (seen, None, None)


def test_a_step_back_to_the_first_version_leaves_its_tables_as_they_were(empty_database: Engine) -> None:
    def shape() -> dict[str, set[tuple[str, bool]]]:
        inspector = sa.inspect(empty_database)
        return {
            name: {(column["name"], column["nullable"]) for column in inspector.get_columns(name)}
            for name in inspector.get_table_names()
        }

    with writing(empty_database) as connection:
        command.upgrade(configuration(connection), "0001")
    first = shape()
    upgrade(empty_database)
    with writing(empty_database) as connection:
        command.downgrade(configuration(connection), "0001")
    assert shape() == first


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
