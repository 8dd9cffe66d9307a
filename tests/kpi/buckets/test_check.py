"""The self-check finds what should never be, and has it mended."""

from datetime import date
from importlib import import_module

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from kpi.buckets import rebuild, settle, state
from kpi.buckets.check import Checked, check
from kpi.buckets.state import State
from kpi.buckets.tables import FAMILIES, deal_tally, lead_bucket
from storage.database import reading, writing
from storage.schema import deal
from tests.kpi.buckets.mended import assert_mended
from tests.kpi.company import WORKSPACE, Company

TODAY = date(2018, 1, 15)
OTHER = "w2"


def company(workspace_id: str = WORKSPACE) -> Company:
    made = Company(workspace_id)
    people = [made.person(name, team=made.team(name)) for name in ("Anna", "Bruno")]
    shops = [made.customer(f"Shop {n}", segment="B2B" if n % 2 else None) for n in range(3)]
    for n in range(8):
        lead = made.lead(created=f"2017-0{n % 3 + 1}-10", qualified_on=f"2017-0{n % 3 + 1}-12", owner=people[n % 2])
        days = {"created": f"2017-0{n % 3 + 1}-15", "won": f"2017-05-{n + 10}"} if n % 4 else {"created": None}
        made.deal(**days, amount=1000 * n, owner=people[n % 2], customer=shops[n % 3], lead=lead)
    made.contract(shops[0], "2016-02-29", "2017-02-28")
    return made


@pytest.fixture
def built(database: Engine) -> Engine:
    company().save(database)
    assert settle(database, WORKSPACE, TODAY)
    return database


def look(database: Engine, seed: int = 1) -> Checked:
    return check(database, WORKSPACE, TODAY, sample=100, seed=seed)


def state_of(database: Engine) -> State | None:
    with reading(database) as connection:
        return state.read(connection, WORKSPACE).state


def test_what_is_right_is_found_right_and_left_alone(built: Engine) -> None:
    company(OTHER).save(built)
    assert settle(built, OTHER, TODAY)
    with writing(built) as connection:
        for family in FAMILIES.values():
            for table in (family.tally, family.bucket):
                connection.execute(sa.update(table).where(table.c.workspace_id == OTHER).values(rep="person:3"))
    checked = look(built)
    assert checked.right
    assert checked.tallies == 8 + 8 + 3
    assert checked.cells > 100
    assert state_of(built) is State.READY


def test_a_row_that_was_never_folded_is_found_and_folded(built: Engine) -> None:
    with writing(built) as connection:
        missed = sa.and_(deal.c.workspace_id == WORKSPACE, deal.c.id == "deal:2")
        connection.execute(sa.update(deal).where(missed).values(status="lost"))
    checked = look(built)
    assert checked.wrong_tallies == {"deal": ("deal:2", "deal:8"), "lead": ("lead:2",), "customer": ("customer:2",)}
    assert checked.wrong_cells == {}
    assert state_of(built) is State.DUE
    assert settle(built, WORKSPACE, TODAY)
    assert_mended(built, WORKSPACE, TODAY)
    assert look(built).right


def test_a_tally_of_a_row_that_is_no_more_is_found_and_taken_away(built: Engine) -> None:
    with writing(built) as connection:
        connection.execute(sa.delete(deal).where(deal.c.workspace_id == WORKSPACE, deal.c.id == "deal:3"))
    # The customer's later win is no additional sale any more.
    assert look(built).wrong_tallies["deal"] == ("deal:3", "deal:6")
    assert settle(built, WORKSPACE, TODAY)
    assert_mended(built, WORKSPACE, TODAY)


@pytest.mark.parametrize(("family", "grain"), [("deal", "d"), ("lead", "w"), ("customer", "y")])
def test_a_cell_that_is_not_the_sum_of_its_tallies_has_all_built_anew(built: Engine, family: str, grain: str) -> None:
    table = FAMILIES[family].bucket
    column = list(table.c)[6]
    with writing(built) as connection:
        mine = (table.c.workspace_id == WORKSPACE, table.c.shape == "rep", table.c.bucket.startswith(grain))
        connection.execute(sa.update(table).where(*mine).values({column: column + 1}))
    checked = look(built)
    assert checked.wrong_tallies == {}
    assert set(checked.wrong_cells) == {family}
    assert state_of(built) is State.BUILDING
    assert settle(built, WORKSPACE, TODAY)
    assert_mended(built, WORKSPACE, TODAY)


def test_cells_of_no_day_and_of_conversions_are_looked_at_too(built: Engine) -> None:
    with writing(built) as connection:
        undated = sa.and_(lead_bucket.c.workspace_id == WORKSPACE, lead_bucket.c.bucket == "u")
        connection.execute(sa.delete(lead_bucket).where(undated, lead_bucket.c.shape == "all"))
        connection.execute(sa.delete(lead_bucket).where(lead_bucket.c.shape == "conversion"))
        connection.execute(
            sa.update(FAMILIES["deal"].bucket)
            .where(FAMILIES["deal"].bucket.c.bucket == "u", FAMILIES["deal"].bucket.c.shape == "all")
            .values(open_count=0)
        )
    assert set(look(built).wrong_cells) == {"deal", "lead"}


def test_buckets_that_are_not_relied_on_are_not_looked_at(built: Engine) -> None:
    rebuild(built, WORKSPACE)
    with writing(built) as connection:
        connection.execute(sa.delete(deal_tally))
    assert look(built) == Checked()
    assert state_of(built) is State.BUILDING


def test_of_many_rows_the_seed_chooses_which_are_looked_at(built: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("kpi.buckets.check"), "BLOCK", 2)
    looks = [check(built, WORKSPACE, TODAY, sample=2, seed=seed) for seed in (1, 1, 2, 3)]
    assert looks[0] == looks[1]
    assert len({look.cells for look in looks}) > 1
    assert all(look.right and 3 <= look.tallies <= 6 for look in looks)


def test_a_workspace_without_rows_is_right(database: Engine) -> None:
    Company().save(database)
    assert settle(database, WORKSPACE, TODAY)
    assert look(database) == Checked()
