"""Amounts in several currencies: what each is worth on its day, now and after the rates changed."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from storage import schema, sync
from storage.database import reading
from storage.rates import Rates
from storage.records import Deal, Page, Rate, Record
from storage.revalue import revalue
from storage.workspaces import ensure_workspace
from tests.kpi.company import WORKSPACE, Company
from tests.storage.sources import Told

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)


def rates(database: Engine, company: Company) -> Rates:
    company.save(database)
    with reading(database) as connection:
        return Rates.read(connection, company.workspace_id, company.currency)


def values(database: Engine) -> dict[str, int | None]:
    with reading(database) as connection:
        return {row.id: row.value_minor for row in connection.execute(sa.select(schema.deal))}


def test_the_newest_rate_up_to_the_day_counts(database: Engine) -> None:
    company = Company()
    company.rate("USD", "0.9", JUNE)
    company.rate("USD", "0.8", JULY)
    known = rates(database, company)
    assert known.value(100_00, "USD", MAY) is None
    assert known.value(100_00, "USD", JUNE) == 90_00
    assert known.value(100_00, "USD", JULY - timedelta(days=1)) == 90_00
    assert known.value(100_00, "USD", JULY) == 80_00
    assert known.value(100_00, "USD", None) == 80_00


def test_either_direction_of_a_pair_will_do_and_the_direct_one_is_preferred(database: Engine) -> None:
    company = Company()
    company.rate("EUR", "1.25", JUNE, currency="USD")
    company.rate("EUR", "1.6", JULY, currency="USD")
    company.rate("USD", "0.5", JULY)
    known = rates(database, company)
    assert known.value(100_00, "USD", JUNE) == 80_00
    assert known.value(100_00, "USD", JULY) == 50_00


def test_no_rate_is_no_value_and_no_amount_is_none(database: Engine) -> None:
    company = Company()
    company.rate("USD", "0.9", JUNE)
    company.rate("USD", "2", JUNE, currency="GBP")
    known = rates(database, company)
    assert known.value(100_00, "GBP", JULY) is None
    assert known.value(None, "USD", JULY) is None
    assert known.value(0, "USD", JULY) == 0
    assert known.value(7, "EUR", None) == 7


@pytest.mark.parametrize(
    ("amount", "currency", "rate", "value"),
    [
        (500, "JPY", "0.0061", 3_05),
        (1_234_567, "KWD", "3.00", 3_703_70),
        (1, "USD", "0.5", 0),
        (3, "USD", "0.5", 2),
        (-3, "USD", "0.5", -2),
        (5, "USD", "0.5", 2),
    ],
)
def test_precisions_differ_and_halves_go_to_the_even_neighbour(
    database: Engine, amount: int, currency: str, rate: str, value: int
) -> None:
    company = Company()
    company.rate(currency, rate, MAY)
    assert rates(database, company).value(amount, currency, JUNE) == value


def test_an_amount_too_large_to_keep_is_unconverted() -> None:
    known = Rates("EUR", {"USD": {MAY: Fraction(1000)}})
    assert known.value(2**60, "USD", MAY) is None


def told(*records: Record) -> Told:
    return Told([Page(object=record.object, records=[record], last=True) for record in records])


def rate(number: int, value: str, starts_on: date, *, deleted: bool = False) -> Rate:
    return Rate(
        ext_id=str(number), base="USD", currency="EUR", starts_on=starts_on, rate=Decimal(value), deleted=deleted
    )


def dollars(ext_id: str, closed: date | None) -> Deal:
    status = "open" if closed is None else "won"
    return Deal(ext_id=ext_id, name=ext_id, status=status, amount_minor=100_00, currency="USD", closed=closed)


def test_rates_that_come_after_the_deals_value_them_all(database: Engine) -> None:
    Company().save(database)
    first = told(dollars("may", MAY), dollars("july", JULY), dollars("open", None))
    sync.load(database, WORKSPACE, first, now=NOW)
    assert set(values(database).values()) == {None}
    sync.load(database, WORKSPACE, told(rate(1, "0.9", JUNE)), now=NOW + timedelta(days=1))
    assert values(database) == {"test:may": None, "test:july": 90_00, "test:open": 90_00}
    later = told(rate(1, "0.5", JUNE), rate(2, "0.7", date(2026, 8, 1)))
    sync.load(database, WORKSPACE, later, now=NOW + timedelta(days=2))
    assert values(database) == {"test:may": None, "test:july": 50_00, "test:open": 70_00}
    sync.load(database, WORKSPACE, told(rate(2, "0.7", JULY, deleted=True)), now=NOW + timedelta(days=3))
    assert values(database) == {"test:may": None, "test:july": 50_00, "test:open": 50_00}
    with reading(database) as connection:
        change = schema.change
        query = sa.select(change.c.old, change.c.new).where(
            change.c.object_id == "test:open", change.c.field == "value_minor"
        )
        moved = connection.execute(query.order_by(change.c.seen_at)).all()
    assert [tuple(row) for row in moved] == [(None, "9000"), ("9000", "7000"), ("7000", "5000")]


def test_a_run_that_was_killed_before_it_valued_anything_is_made_good_by_the_next(database: Engine) -> None:
    Company().save(database)
    sync.load(database, WORKSPACE, told(dollars("july", JULY)), now=NOW)
    broken = told(rate(1, "0.9", JUNE))
    broken.failure = RuntimeError("killed")
    with pytest.raises(RuntimeError):
        sync.load(database, WORKSPACE, broken, now=NOW + timedelta(days=1))
    assert values(database) == {"test:july": None}
    sync.load(database, WORKSPACE, told(dollars("july", JULY)), now=NOW + timedelta(days=2))
    assert values(database) == {"test:july": 90_00}


def test_what_is_valued_already_is_left_alone(database: Engine) -> None:
    company = Company()
    company.rate("USD", "0.9", JUNE)
    company.deal(won=JULY, amount=100_00, currency="USD")
    company.spend(100_00, JULY, JULY, currency="USD")
    company.save(database)
    seen: list[int] = []
    assert revalue(database, WORKSPACE, now=NOW, on_page=lambda _, changes: seen.append(len(changes))) == 0
    assert seen == []


def test_another_currency_of_the_workspace_values_everything_at_once(database: Engine) -> None:
    company = Company()
    company.rate("USD", "0.5", JUNE)
    ours = company.deal(won=JULY, amount=100_00)
    theirs = company.deal(won=JULY, amount=100_00, currency="USD")
    other = company.deal(won=JULY, amount=100_00, currency="GBP")
    company.save(database)
    settings = {"time_zone": "Europe/Paris", "language": "en", "name": "Test"}
    ensure_workspace(database, WORKSPACE, now=NOW, currency="USD", **settings)
    assert values(database) == {ours: 200_00, theirs: 100_00, other: None}
    ensure_workspace(database, WORKSPACE, now=NOW + timedelta(days=1), currency="EUR", **settings)
    assert values(database) == {ours: 100_00, theirs: 50_00, other: None}
