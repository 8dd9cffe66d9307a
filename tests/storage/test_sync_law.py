"""Law: in whatever order pages come, however often, the tables end the same: the newest version of every row."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from storage import schema
from storage.database import writing
from storage.records import Customer, Deal, Gone, Page, Passage, Record
from tests.storage.sources import NOW, Told, load_all, rows

DEALS, CUSTOMERS, MOMENTS = ("D1", "D2", "D3"), ("A", "B", "C"), 6

moments = st.integers(0, MOMENTS)


@st.composite
def versions(draw: st.DrawFn) -> list[Record | Gone]:
    """What a CRM ever said of a few rows: one version at most of a row and a moment, ended here and there."""
    told: list[Record | Gone] = []
    for ext_id in DEALS:
        for at in sorted(draw(st.sets(moments, min_size=1, max_size=4))):
            amount, customer = draw(st.integers(0, 3)), draw(st.sampled_from(CUSTOMERS))
            deal = Deal(ext_id=ext_id, name="D", status="open", amount_minor=amount, customer=customer)
            told.append(replace(deal, modified=NOW + timedelta(days=at), deleted=draw(st.booleans())))
        if draw(st.booleans()):
            # Between two versions: deleted, as a webhook tells.
            told.append(Gone(object="deal", ext_id=ext_id, at=NOW + timedelta(days=draw(moments), hours=1)))
    survivors = {"A": draw(st.sampled_from([None, "B", "C"])), "B": draw(st.sampled_from([None, "C"])), "C": None}
    for ext_id, into in survivors.items():
        told.append(Customer(ext_id=ext_id, name=ext_id, modified=NOW))
        if into is not None:
            after = NOW + timedelta(days=1)
            told.append(Customer(ext_id=ext_id, name=ext_id, modified=after, deleted=True, merged_into=into))
    return told


def known(engine: Engine) -> list[Any]:
    """What the tables say of the source's facts; when it was noticed is another matter, and so is what a row said that
    is gone."""
    deals = [
        (row["id"], row["amount_minor"], row["customer_id"], row["modified_at"])
        if row["deleted_at"] is None
        else row["id"]
        for row in rows(engine, schema.deal)
    ]
    customers = [(row["id"], row["merged_into"], row["deleted_at"] is None) for row in rows(engine, schema.customer)]
    passages = [(row["deal_id"], row["stage_id"], row["entered_at"]) for row in rows(engine, schema.passage)]
    return [deals, customers, passages]


def forget(engine: Engine) -> None:
    with writing(engine) as connection:
        for table in (schema.deal, schema.customer, schema.change, schema.passage, schema.cursor, schema.run):
            connection.execute(sa.delete(table))


def tell(engine: Engine, said: list[Record | Gone], cuts: list[int]) -> None:
    """One load of these, in pages cut at these places."""
    edges = [0, *sorted({cut % (len(said) + 1) for cut in cuts}), len(said)]
    pages = [
        Page(
            object="deal",
            records=[each for each in said[start:end] if isinstance(each, Record)],
            gone=[each for each in said[start:end] if isinstance(each, Gone)],
            passages=[Passage(deal="D1", stage="S", at=NOW) for _ in range(2)],
        )
        for start, end in pairwise(edges)
    ]
    load_all(engine, Told([*pages[:-1], replace(pages[-1], last=True)]))


def in_order(said: list[Record | Gone]) -> list[Record | Gone]:
    """As it happened: versions by their moment; a row that is gone was there before."""
    return sorted(said, key=lambda each: (each.at or NOW) if isinstance(each, Gone) else (each.modified or NOW))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_and_repetition_of_what_a_source_says_ends_in_the_same_tables(database: Engine, data: Any) -> None:
    said = data.draw(versions())
    first = {name: next(each for each in said if each.ext_id == name) for name in (*DEALS, *CUSTOMERS)}
    forget(database)
    tell(database, [*first.values(), *in_order(said)], [])
    expected = known(database)

    shuffled = data.draw(st.permutations(said + data.draw(st.lists(st.sampled_from(said), max_size=8))))
    forget(database)
    # A row of which only its end is told is not known: whoever is told of its end was told of it before.
    tell(database, [*first.values(), *shuffled], data.draw(st.lists(st.integers(0, 60), max_size=6)))
    assert known(database) == expected
    history = rows(database, schema.change)
    tell(database, [*first.values(), *shuffled], [7])
    assert known(database) == expected
    assert rows(database, schema.change) == history, "telling it again wrote history"
