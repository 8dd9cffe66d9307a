from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from storage.database import day_plus, days_between, insert, open_engine, reading, refresh_statistics, writing
from storage.schema import GLOBAL_TABLES, metadata, workspace

ACME = {
    "workspace_id": "W1",
    "name": "Acme",
    "time_zone": "Europe/Paris",
    "currency": "EUR",
    "language": "fr",
    "fiscal_start_month": 1,
    "visibility": "team",
    "created_at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
}


def test_every_table_leads_with_the_workspace() -> None:
    for table in metadata.tables.values():
        if table.name not in GLOBAL_TABLES:
            assert next(iter(table.primary_key.columns)).name == "workspace_id", table.name


def test_a_moment_comes_back_aware_and_a_naive_one_is_refused(database: Engine) -> None:
    with writing(database) as connection:
        connection.execute(insert(connection, workspace).values(ACME))
    with reading(database) as connection:
        assert connection.scalar(sa.select(workspace.c.created_at)) == ACME["created_at"]
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(sa.exc.StatementError, match="without a time zone"), writing(database) as connection:
        connection.execute(sa.update(workspace).values(created_at=naive))


def test_a_failed_transaction_leaves_nothing(database: Engine) -> None:
    with pytest.raises(RuntimeError), writing(database) as connection:
        connection.execute(insert(connection, workspace).values(ACME))
        raise RuntimeError
    with reading(database) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(workspace)) == 0


def test_an_upsert_reads_alike_on_both_databases(database: Engine) -> None:
    for name in ("Acme", "Acme SA"):
        with writing(database) as connection:
            row = insert(connection, workspace).values(ACME | {"name": name})
            connection.execute(
                row.on_conflict_do_update(index_elements=["workspace_id"], set_={"name": row.excluded.name})
            )
    with reading(database) as connection:
        assert connection.execute(sa.select(workspace.c.name)).scalars().all() == ["Acme SA"]


def test_days_are_counted_and_added_alike_on_both_databases(database: Engine) -> None:
    first, second = sa.literal(date(2024, 2, 28), sa.Date()), sa.literal(date(2024, 3, 1), sa.Date())
    with reading(database) as connection:
        assert connection.scalar(sa.select(days_between(first, second))) == 2
        assert connection.scalar(sa.select(days_between(second, first))) == -2
        assert connection.scalar(sa.select(day_plus(first, sa.literal(2)))) == date(2024, 3, 1)


def test_the_planner_is_told_how_large_a_table_has_become(database: Engine) -> None:
    with writing(database) as connection:
        connection.execute(insert(connection, workspace).values(ACME))
    refresh_statistics(database, [workspace])
    if database.dialect.name == "postgresql":
        with reading(database) as connection:
            known = connection.scalar(sa.text("SELECT reltuples FROM pg_class WHERE relname = 'workspace'"))
        assert known == 1


def test_another_kind_of_database_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="SQLite and PostgreSQL, not mysql"):
        open_engine("mysql://localhost/vigie")
