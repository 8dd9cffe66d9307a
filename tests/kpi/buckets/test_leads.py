"""Lead tallies: what they hold, what they add up to, and which of them a change touches."""

from collections import Counter
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Connection, Engine

from kpi.buckets import leads
from kpi.buckets.fold import fold_rows
from kpi.buckets.tables import lead_tally
from kpi.judged import conversion_days
from storage.database import among, reading, run, spell, tongue, writing
from storage.history import Change
from storage.schema import deal, lead
from tests.kpi.companies import companies
from tests.kpi.company import WORKSPACE, Company


def tallies(connection: Connection, workspace_id: str = WORKSPACE) -> dict[str, dict[str, Any]]:
    names = lead_tally.c.keys()
    rows = connection.execute(leads.computed(workspace_id)).all()
    return {row.id: dict(zip(names, row, strict=True)) for row in rows}


def test_a_tally_has_the_columns_of_its_table_in_their_order(database: Engine) -> None:
    assert leads.computed(WORKSPACE).selected_columns.keys() == lead_tally.c.keys()


def test_a_lead_adds_itself_and_its_conversion_by_the_win_that_links_it(database: Engine) -> None:
    company = Company()
    anna = company.person("Anna", team=company.team("North"))
    shop = company.customer("Shop", segment="B2B")
    won = company.lead(created="2017-09-01", qualified_on="2017-09-04", owner=anna, customer=shop, origin="Fair")
    company.deal(created="2017-09-05", won="2017-09-14", lead=won)
    flagged = company.lead(created="2017-09-01", converted=True, converted_on="2017-09-03", qualified=True)
    company.save(database)
    with reading(database) as connection:
        found = tallies(connection)
    keys = {"team": "team:1", "rep": "person:1", "segment": "B2B", "source": "Fair"}
    days = {"day": date(2017, 9, 4), "won_on": date(2017, 9, 14), "days_to_win": 10, "days_to_flag": None}
    assert found[won] == found[won] | keys | days | {"leads": 1, "leads_converted": 1, "conversions": 1}
    # The source links deals, so its flag does not count; how long it took is known nevertheless.
    assert found[flagged] == found[flagged] | {"team": "", "leads_converted": 0, "days_to_win": None, "days_to_flag": 2}


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(company=companies())
def test_the_histogram_of_tallies_is_what_conversions_are_judged_by(database: Engine, company: Company) -> None:
    company.save(database)
    with reading(database) as connection:
        found = tallies(connection, company.workspace_id)
        expected = conversion_days(connection, company.workspace_id)
        some = sorted(found)[::2]
        part = spell(tongue(connection), leads.computed(company.workspace_id, lambda column: among(column, "ids")))
        alone = run(connection, {"leads": part}, {"leads": {"ids": some}})["leads"]
    assert sorted(alone) == sorted(tuple(found[each].values()) for each in some)
    by_win = Counter(row["days_to_win"] for row in found.values() if row["days_to_win"] is not None)
    by_flag = Counter(row["days_to_flag"] for row in found.values() if row["days_to_flag"] is not None)
    days = sorted((by_win or by_flag).elements())
    assert expected == next((day for at, day in enumerate(days, 1) if 10 * at >= 9 * len(days)), None)


def changed(connection: Connection, table: sa.Table, row_id: str, **values: Any) -> Change:
    mine = (table.c.workspace_id == WORKSPACE, table.c.id == row_id)
    before = dict(connection.execute(sa.select(table).where(*mine)).mappings().one())
    connection.execute(sa.update(table).where(*mine).values(**values))
    return Change(table.name, before, before | values)


@pytest.mark.parametrize("others", [0, 1])
def test_the_first_link_of_a_source_and_the_end_of_the_last_turn_all_of_its_leads(
    database: Engine, others: int
) -> None:
    company = Company()
    linked = company.lead(created="2017-09-01", source="crm")
    sold = company.deal(created="2017-09-05", won="2017-09-14", source="crm")
    for _ in range(others):
        company.deal(created="2017-09-05", lead=linked, source="crm")
    company.save(database)
    with writing(database) as connection:
        links = changed(connection, deal, sold, lead_id=linked)
        assert leads.turned(connection, WORKSPACE, [links]) == (set() if others else {"crm"})
        assert leads.named([links]) == {linked}
        renamed = changed(connection, deal, sold, name="Another")
        assert leads.turned(connection, WORKSPACE, [renamed]) == set()
        assert leads.named([renamed]) == set()
        unlinks = changed(connection, deal, sold, lead_id=None)
        assert leads.turned(connection, WORKSPACE, [unlinks]) == (set() if others else {"crm"})
        assert leads.turned(connection, WORKSPACE, [links, unlinks]) == set()
        assert leads.named([unlinks]) == {linked}


def test_the_first_qualification_day_of_a_source_turns_all_of_its_leads(database: Engine) -> None:
    company = Company()
    first, second = (company.lead(created="2017-09-01", source="crm") for _ in range(2))
    company.save(database)
    with writing(database) as connection:
        told = changed(connection, lead, first, qualified_on=date(2017, 9, 2))
        assert leads.turned(connection, WORKSPACE, [told]) == {"crm"}
        again = changed(connection, lead, second, qualified_on=date(2017, 9, 2))
        assert leads.turned(connection, WORKSPACE, [again]) == set()
        assert leads.named([again]) == {second}


def test_leads_are_found_by_their_customers_and_sources(database: Engine) -> None:
    company = Company()
    shop = company.customer("Shop")
    mine, other = company.lead(customer=shop), company.lead(source="crm")
    company.save(database)
    with writing(database) as connection:
        fold_rows(connection, WORKSPACE, {"lead": [mine, other]}, date(2017, 9, 1))
        assert set(connection.scalars(leads.of_customers(WORKSPACE, [shop]))) == {mine}
        assert set(connection.scalars(leads.of_sources(WORKSPACE, ["crm"]))) == {other}
