"""The real companies load as they are, with a mapping file of a few lines each, and to the last unit."""

from collections import Counter
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from storage import schema
from storage.database import reading
from storage.reports import Report
from tests.real.companies import load_real

pytestmark = pytest.mark.real


def count(engine: Engine, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
    with reading(engine) as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions)) or 0


def assert_a_second_load_changes_nothing(engine: Engine, name: str, first: Report) -> None:
    lines = count(engine, schema.quarantine)
    second = load_real(engine, name)
    assert second.total.unchanged == second.total.seen == first.total.seen
    assert (second.total.new, second.total.changed, second.cleared) == (0, 0, 0)
    assert count(engine, schema.change) == 0
    assert count(engine, schema.quarantine) == lines


def test_maven_loads_every_deal_and_every_dollar(database: Engine) -> None:
    report = load_real(database, "maven_crm")
    deal = schema.deal
    with reading(database) as connection:
        statuses = Counter(connection.scalars(sa.select(deal.c.status)))
        won = connection.scalar(sa.select(sa.func.sum(deal.c.amount_minor)).where(deal.c.status == "won"))
        currencies = set(connection.scalars(sa.select(deal.c.currency)))
    assert statuses == {"won": 4_238, "lost": 2_473, "open": 2_089}
    assert won == 10_005_534_00
    assert currencies == {"USD"}
    assert count(database, deal, deal.c.created_on.is_(None)) == 500
    assert count(database, deal, deal.c.customer_id.is_(None)) == 1_425
    assert count(database, deal, deal.c.status == "lost", deal.c.amount_minor == 0) == 2_473
    assert count(database, deal, deal.c.status == "open", deal.c.amount_minor.is_not(None)) == 0
    assert (report.total.quarantined, report.total.kept) == (0, 0)


def test_maven_keeps_its_people_teams_and_spellings_and_a_second_load_changes_nothing(database: Engine) -> None:
    report = load_real(database, "maven_crm")
    assert count(database, schema.team) == 6
    # 35 agents and the 6 managers, who have no row of their own.
    assert count(database, schema.person) == 41
    assert count(database, schema.membership, schema.membership.c.starts_on == date.min) == 35
    assert count(database, schema.customer) == 85
    assert count(database, schema.customer, schema.customer.c.segment == "technolgy") == 12
    assert [(found.said, found.known, found.rows) for found in report.suggestions] == [("GTXPro", "GTX Pro", 1_480)]
    # The seven of the catalogue, and the spelling that nobody merged.
    assert count(database, schema.product) == 8
    stages = {row.name: row.status for row in _rows(database, schema.stage)}
    assert stages == {"Prospecting": "open", "Engaging": "open", "Won": "won", "Lost": "lost"}
    assert_a_second_load_changes_nothing(database, "maven_crm", report)


def test_olist_links_its_won_deals_to_their_leads_and_a_second_load_changes_nothing(database: Engine) -> None:
    report = load_real(database, "olist_funnel")
    deal, lead = schema.deal, schema.lead
    assert count(database, lead) == 8_000
    assert count(database, deal, deal.c.status == "won") == count(database, deal) == 842
    with reading(database) as connection:
        linked = connection.execute(
            sa.select(deal.c.created_on, lead.c.created_on).join(
                lead, sa.and_(lead.c.workspace_id == deal.c.workspace_id, lead.c.id == deal.c.lead_id)
            )
        ).all()
    assert len(linked) == 842
    assert all(of_deal == of_lead for of_deal, of_lead in linked)
    assert count(database, deal, deal.c.closed_on < deal.c.created_on) == 1
    assert (report.total.quarantined, report.total.kept) == (0, 1)
    assert count(database, lead, lead.c.origin == "unknown") == 1_099
    assert count(database, lead, lead.c.origin.is_(None)) == 60
    assert_a_second_load_changes_nothing(database, "olist_funnel", report)


def test_cdnow_keeps_every_purchase_and_its_twins_and_a_second_load_changes_nothing(database: Engine) -> None:
    report = load_real(database, "cdnow")
    purchase = schema.purchase
    assert count(database, purchase) == report.total.new == 69_659
    assert count(database, schema.customer) == 23_570
    assert count(database, purchase, purchase.c.amount_minor == 0) == 80
    assert (report.total.quarantined, report.total.kept) == (0, 0)
    assert_a_second_load_changes_nothing(database, "cdnow", report)


def _rows(engine: Engine, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
    with reading(engine) as connection:
        return list(connection.execute(sa.select(table)))
