from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from storage.as_known import as_known
from storage.database import (
    among,
    day_plus,
    days_between,
    insert,
    local_day,
    open_engine,
    parameter,
    reading,
    refresh_statistics,
    run,
    spell,
    together,
    tongue,
    writing,
)
from storage.schema import GLOBAL_TABLES, ExactDecimal, deal, metadata, workspace
from tests.kpi.company import SEEN, WORKSPACE, Company

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


def test_unrelated_selects_come_in_one_statement_with_the_values_that_their_columns_hold(database: Engine) -> None:
    company = Company()
    company.deal(created="2026-02-28", amount=2**62 + 1)
    company.deal(created="2026-03-01", created_seen=True)
    company.save(database)
    asked: list[str] = []
    sa.event.listen(database, "before_cursor_execute", lambda *event: asked.append(event[2]))
    in_february = deal.c.created_on < date(2026, 3, 1)
    with reading(database) as connection:
        asked.clear()
        found = together(
            connection,
            {
                "deals": sa.select(
                    deal.c.id, deal.c.created_on, deal.c.created_seen, deal.c.amount_minor, deal.c.first_seen_at
                ),
                "february": sa.select(deal.c.id, deal.c.name).where(in_february, deal.c.name.like("Deal%")),
                "some": sa.select(deal.c.id).where(deal.c.id.in_(["deal:2", "deal:3"]), deal.c.first_seen_at <= SEEN),
                "nothing": sa.select(deal.c.id).where(sa.false()),
                "exact": sa.select(sa.literal(Decimal("0.30"), ExactDecimal), sa.literal(True)),
                "sum": sa.select(sa.func.sum(deal.c.amount_minor) + 1),
            },
        )
    assert len(asked) == 1
    assert sorted(found["deals"]) == [
        ("deal:1", date(2026, 2, 28), False, 2**62 + 1, SEEN),
        ("deal:2", date(2026, 3, 1), True, None, SEEN),
    ]
    assert found["february"] == [("deal:1", "Deal 1")]
    assert found["some"] == [("deal:2",)]
    assert found["nothing"] == []
    assert found["exact"] == [(Decimal("0.30"), True)]
    assert found["exact"][0][1] is True
    assert found["sum"] == [(2**62 + 2,)]


def test_a_part_spelled_once_is_run_with_other_values(database: Engine) -> None:
    company = Company()
    for day in ("2026-02-28", "2026-03-01", "2026-03-02"):
        company.deal(created=day)
    company.save(database)
    select = sa.select(deal.c.id).where(
        deal.c.workspace_id == parameter("workspace", sa.Text),
        among(deal.c.created_on, "days"),
        deal.c.created_on >= parameter("since", sa.Date),
    )
    with reading(database) as connection:
        part = spell(tongue(connection), select)

        def found(days: list[date], since: date) -> list[tuple[str]]:
            values = {"workspace": WORKSPACE, "days": days, "since": since}
            return sorted(run(connection, {"ids": part}, {"ids": values})["ids"])

        assert found([date(2026, 2, 28), date(2026, 3, 2)], date(2026, 1, 1)) == [("deal:1",), ("deal:3",)]
        assert found([date(2026, 2, 28), date(2026, 3, 2)], date(2026, 3, 1)) == [("deal:3",)]
        assert found([], date(2026, 3, 1)) == []


def test_parts_read_a_workspace_as_it_was_known_and_nothing_stays_of_it(database: Engine) -> None:
    """A server keeps the plan of a statement that comes often: it must not look into tables that are gone."""
    company = Company()
    company.deal(created="2026-03-01")
    company.save(database)
    count = {"deals": sa.select(sa.func.count(deal.c.id), sa.func.min(deal.c.created_on))}
    now, before = [(1, date(2026, 3, 1))], [(0, None)]
    with reading(database) as connection:
        for _ in range(3):
            for _ in range(8):
                assert together(connection, count)["deals"] == now
            with as_known(connection, WORKSPACE, SEEN.replace(year=2019)):
                for _ in range(8):
                    assert together(connection, count)["deals"] == before
            with as_known(connection, WORKSPACE, SEEN):
                assert together(connection, count)["deals"] == now
    with writing(database) as connection:
        connection.execute(sa.delete(deal))
    with reading(database) as connection:
        assert together(connection, count)["deals"] == before


def test_the_day_of_a_moment_is_that_of_the_zone(database: Engine) -> None:
    Company().save(database)
    seen, zone = workspace.c.created_at, workspace.c.time_zone
    with writing(database) as connection:
        for told, day in (
            (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), date(2026, 3, 29)),
            (datetime(2026, 3, 28, 22, 59, 59, 999999, tzinfo=UTC), date(2026, 3, 28)),
            (datetime(2026, 3, 29, 22, 0, tzinfo=UTC), date(2026, 3, 30)),
        ):
            connection.execute(sa.update(workspace).values(created_at=told))
            found = together(connection, {"day": sa.select(local_day(seen, zone), local_day(sa.null(), zone))})
            assert found["day"] == [(day, None)]


def test_a_reading_sees_one_moment_whatever_is_written_meanwhile(database: Engine) -> None:
    how_many = sa.select(sa.func.count()).select_from(workspace)
    with reading(database) as connection:
        before = connection.execute(how_many).scalar_one()
        with writing(database) as other:
            other.execute(insert(other, workspace).values(ACME))
        assert connection.execute(how_many).scalar_one() == before
    with reading(database) as connection:
        assert connection.execute(how_many).scalar_one() == before + 1


def test_a_part_may_hold_percent_signs_and_other_statements_go_on_beside_it(database: Engine) -> None:
    selects = {
        "literal": sa.select(sa.literal_column("'100%s %'", sa.Text).label("said")),
        "bound": sa.select(sa.literal("50 %s", sa.Text)),
        "left": sa.select(sa.literal(7, sa.Integer) % sa.literal(4, sa.Integer)),
    }
    with reading(database) as connection:
        found = together(connection, selects)
        assert found == {"literal": [("100%s %",)], "bound": [("50 %s",)], "left": [(3,)]}
        assert connection.execute(sa.select(sa.literal(5, sa.Integer))).scalar_one() == 5


def test_a_connection_that_the_server_closed_is_replaced_before_it_is_used(database: Engine) -> None:
    if database.dialect.name == "sqlite":
        return
    me = sa.text("SELECT pg_backend_pid()")
    with reading(database) as connection:
        mine = connection.execute(me).scalar_one()
    watcher = sa.create_engine(database.url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with watcher.connect() as other:
        # Waits until it is gone.
        other.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": mine})
    with reading(database) as connection:
        assert connection.execute(me).scalar_one() != mine
