"""Buckets are brought to where they can be relied on whatever befalls who does it, and say so only then."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from kpi import buckets
from kpi.buckets import state, tables
from kpi.buckets.state import State
from kpi.buckets.tables import bucket_due, deal_tally, lead_tally
from storage.database import reading, writing
from storage.history import Change
from storage.memberships import follow_teams
from storage.schema import customer, deal, workspace
from tests.kpi.buckets.lives import NOW, Life
from tests.kpi.buckets.mended import assert_mended
from tests.kpi.company import WORKSPACE, Company

TODAY = date(2018, 6, 1)


class KilledError(Exception):
    """Whoever settles is gone."""


def killed(_what: str, _rows: int) -> None:
    raise KilledError


def small() -> Company:
    company = Company()
    north, south = company.team("North"), company.team("South")
    people = [company.person("Anna", team=north, region="Lyon"), company.person("Bo", team=south), company.person("Cy")]
    buyers = [company.customer("X", segment="B2B", origin="Ads"), company.customer("Y")]
    leads = [company.lead(created="2018-01-03", owner=people[0], customer=buyers[0]) for _ in range(2)]
    company.lead(created="2018-02-03", converted=True, converted_on="2018-03-01")
    for number in range(12):
        won = f"2018-0{1 + number % 5}-12" if number % 3 else None
        lead = leads[number % 2] if number < 2 else None
        company.deal(
            created="2018-01-02",
            won=won,
            amount=100 * number,
            owner=people[number % 3],
            customer=buyers[number % 2],
            lead=lead,
        )
    company.contract(buyers[0], "2018-01-01", "2018-12-31")
    return company


def standing(engine: Engine) -> state.Standing:
    with reading(engine) as connection:
        return state.read(connection, WORKSPACE)


def change(engine: Engine, table: sa.Table, row_id: str, today: date = TODAY, **values: object) -> None:
    """What a page does that changes one row."""
    with writing(engine) as connection:
        this = (table.c.workspace_id == WORKSPACE, table.c.id == row_id)
        before = dict(connection.execute(sa.select(table).where(*this).with_for_update()).mappings().one())
        connection.execute(sa.update(table).where(*this).values(**values))
        buckets.fold(connection, WORKSPACE, [Change(table.name, before, before | values)], today)


def move(engine: Engine, person: str, team: str, today: date) -> None:
    with writing(engine) as connection:
        changes: Sequence[Change] = follow_teams(connection, WORKSPACE, {person: team}, today, NOW)
        buckets.fold(connection, WORKSPACE, changes, today)


def test_killed_after_every_transaction_a_build_goes_on_and_misses_nothing_of_what_changed_meanwhile(
    database: Engine,
) -> None:
    small().save(database)
    life, kills = Life(WORKSPACE, 7), 0
    while True:
        try:
            if buckets.settle(database, WORKSPACE, TODAY, progress=killed):
                break
        except KilledError:
            kills += 1
        if kills % 3 == 1 and kills < 20:
            with writing(database) as connection:
                buckets.fold(connection, WORKSPACE, life.page(connection, TODAY, 2), TODAY)
    assert kills > 8
    assert_mended(database, WORKSPACE, TODAY)


def test_killed_after_every_transaction_many_rows_that_are_folded_together_are_folded_once(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kpi.buckets.touched.FEW", 1)
    monkeypatch.setattr("kpi.buckets.batches.ROWS", 7)
    monkeypatch.setattr("kpi.buckets.batches._CELLS", 150)
    small().save(database)
    assert buckets.settle(database, WORKSPACE, TODAY)
    life, killings = Life(WORKSPACE, 11), 0
    for number in range(4):
        with writing(database) as connection:
            buckets.fold(connection, WORKSPACE, life.page(connection, TODAY, 12), TODAY)
        while True:
            try:
                if buckets.settle(database, WORKSPACE, TODAY, progress=killed):
                    break
            except KilledError:
                killings += 1
            # Rows of the batch that is half written change again.
            if killings % 4 == number and killings < 60:
                with writing(database) as connection:
                    buckets.fold(connection, WORKSPACE, life.page(connection, TODAY, 3), TODAY)
        assert_mended(database, WORKSPACE, TODAY)
    assert killings > 20


def test_a_rebuild_forgets_what_was_half_folded(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kpi.buckets.touched.FEW", 1)
    monkeypatch.setattr("kpi.buckets.batches._CELLS", 20)
    small().save(database)
    assert buckets.settle(database, WORKSPACE, TODAY)
    change(database, customer, "customer:1", segment="B2C")
    written = None
    while not written:
        with pytest.raises(KilledError):
            buckets.settle(database, WORKSPACE, TODAY, progress=killed)
        with reading(database) as connection:
            written = connection.scalar(sa.select(tables.bucket_batch.c.written))
    buckets.rebuild(database, WORKSPACE)
    assert buckets.settle(database, WORKSPACE, TODAY)
    assert_mended(database, WORKSPACE, TODAY)


def test_before_anything_is_built_a_page_leaves_nothing_to_do_but_the_build(database: Engine) -> None:
    small().save(database)
    change(database, deal, "deal:1", status="won", closed_on=TODAY)
    assert not standing(database).begun
    with reading(database) as connection:
        assert connection.execute(sa.select(bucket_due)).first() is None
    assert not buckets.settle(database, WORKSPACE, TODAY, stop=lambda: True)
    assert buckets.settle(database, WORKSPACE, TODAY)
    assert_mended(database, WORKSPACE, TODAY)


def test_what_is_too_much_for_a_page_is_noted_and_folded_later(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    small().save(database)
    buckets.settle(database, WORKSPACE, TODAY)
    monkeypatch.setattr("kpi.buckets.touched.AT_ONCE", 2)
    change(database, customer, "customer:1", segment="B2C")
    assert standing(database).state is State.DUE
    assert not standing(database).holds(TODAY)
    with reading(database) as connection:
        segments = set(connection.scalars(sa.select(deal_tally.c.segment)))
    assert segments == {"B2B", ""}, "nothing is half folded"
    # What comes while others wait, waits too.
    monkeypatch.undo()
    change(database, deal, "deal:2", status="lost", closed_on=TODAY)
    assert standing(database).state is State.DUE
    assert buckets.settle(database, WORKSPACE, TODAY)
    assert_mended(database, WORKSPACE, TODAY)


def test_a_person_who_moves_takes_open_deals_along_and_leaves_closed_ones(database: Engine) -> None:
    small().save(database)
    buckets.settle(database, WORKSPACE, TODAY)
    move(database, "person:1", "team:2", TODAY)
    assert not standing(database).holds(TODAY)
    assert buckets.settle(database, WORKSPACE, TODAY)
    assert standing(database).holds(TODAY)
    assert not standing(database).holds(TODAY - timedelta(days=1)), "the day before, they were with the other team"
    assert_mended(database, WORKSPACE, TODAY)


def test_where_a_membership_is_to_end_the_facts_answer_from_that_day_until_all_is_settled(database: Engine) -> None:
    company, end = small(), TODAY + timedelta(days=10)
    company.member(company.person("Di"), company.rows["team"][0]["id"], ends=end)
    company.deal(created="2018-01-02", owner="person:4", amount=5)
    company.save(database)
    buckets.settle(database, WORKSPACE, TODAY)
    assert standing(database).holds(end - timedelta(days=1))
    assert not standing(database).holds(end)
    assert buckets.settle(database, WORKSPACE, end)
    assert_mended(database, WORKSPACE, end)
    assert not standing(database).holds(TODAY)
    # Back again: a clock that was set wrong.
    assert buckets.settle(database, WORKSPACE, TODAY)
    assert_mended(database, WORKSPACE, TODAY)


def test_the_first_deal_that_a_source_links_to_a_lead_turns_all_its_leads(database: Engine) -> None:
    company = Company()
    lead = company.lead(created="2018-02-03", converted=True, converted_on="2018-03-01")
    other = company.lead(created="2018-02-03")
    won = company.deal(created="2018-02-03", won="2018-04-01")
    company.save(database)
    buckets.settle(database, WORKSPACE, TODAY)
    by_flag = sa.select(lead_tally.c.leads_by_flag).where(lead_tally.c.id == lead)
    for linked, flagged in ((other, 0), (None, 1)):
        change(database, deal, won, lead_id=linked)
        assert buckets.settle(database, WORKSPACE, TODAY)
        with reading(database) as connection:
            assert connection.scalar(by_flag) == flagged
        assert_mended(database, WORKSPACE, TODAY)


def test_in_another_currency_nothing_is_relied_on_until_all_is_built_anew(database: Engine) -> None:
    small().save(database)
    buckets.settle(database, WORKSPACE, TODAY)

    def use(currency: str) -> None:
        with writing(database) as connection:
            connection.execute(sa.update(workspace).values(currency=currency))

    use("USD")
    assert not standing(database).begun
    change(database, deal, "deal:1", amount_minor=3, value_minor=2)
    use("EUR")
    assert not standing(database).begun, "what changed meanwhile was not folded"
    assert buckets.settle(database, WORKSPACE, TODAY)
    assert_mended(database, WORKSPACE, TODAY)


def test_another_catalog_makes_the_tables_anew(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    small().save(database)
    buckets.settle(database, WORKSPACE, TODAY)
    buckets.ensure(database)
    assert standing(database).state is State.READY, "the same catalog changes nothing"
    monkeypatch.setattr(tables, "VERSION", 0)
    buckets.ensure(database)
    assert standing(database) == state.Standing()
    assert buckets.settle(database, WORKSPACE, TODAY)
    assert_mended(database, WORKSPACE, TODAY)
    monkeypatch.undo()
    buckets.ensure(database)


def test_a_rebuild_clears_what_should_not_be_there(database: Engine) -> None:
    small().save(database)
    buckets.settle(database, WORKSPACE, TODAY)
    with writing(database) as connection:
        connection.execute(sa.update(tables.deal_bucket).values(deals_won=99))
        connection.execute(sa.update(deal_tally).values(id=deal_tally.c.id + "?"))
    buckets.rebuild(database, WORKSPACE)
    assert not standing(database).holds(TODAY)
    assert buckets.settle(database, WORKSPACE, TODAY)
    assert_mended(database, WORKSPACE, TODAY)


def test_cells_of_which_nothing_is_left_are_swept_away(database: Engine) -> None:
    small().save(database)
    buckets.settle(database, WORKSPACE, TODAY)
    empty = sa.select(sa.func.count()).where(
        *(column == 0 for column in tables.deal_bucket.c if not column.primary_key)
    )
    change(database, deal, "deal:1", created_on=date(2017, 5, 5))
    change(database, deal, "deal:1", created_on=date(2018, 1, 2))
    with reading(database) as connection:
        left = connection.scalar(empty)
    assert left
    assert buckets.sweep(database, WORKSPACE) == left
    with reading(database) as connection:
        assert connection.scalar(empty) == 0
    assert_mended(database, WORKSPACE, TODAY)


def test_two_who_fold_at_once_and_one_who_builds_end_in_the_same_sums(database: Engine) -> None:
    small().save(database)

    def wins(numbers: Sequence[int]) -> None:
        for day in range(1, 4):
            for number in numbers:
                closed_on = date(2018, 3, day)
                change(database, deal, f"deal:{number}", status="won", closed_on=closed_on, product_id=f"product:{day}")

    works: list[Callable[[], object]] = [
        lambda: wins([1, 3, 5]),
        lambda: wins([2, 4, 6]),
        lambda: buckets.settle(database, WORKSPACE, TODAY),
    ]
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result()
    assert buckets.settle(database, WORKSPACE, TODAY)
    assert_mended(database, WORKSPACE, TODAY)
