"""Companies that hypothesis makes up: few of everything, and every oddity that a source may tell."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st

from tests.kpi.company import Company

START = date(2017, 1, 1)

near = st.integers(0, 40).map(lambda days: START + timedelta(days=200 + days))
days = st.one_of(near, st.integers(0, 640).map(lambda number: START + timedelta(days=number)))
maybe_day = st.one_of(st.none(), days, days)
amounts = st.one_of(st.none(), st.integers(0, 5), st.integers(0, 10**9))
currencies = st.sampled_from(["EUR", "EUR", "EUR", "USD", "JPY", "KWD"])
rates = st.decimals("0.0001", "1000", places=4)
rarely = st.integers(0, 9).map(lambda number: number == 0)
texts = st.sampled_from([None, "B2B", "B2C"])


def one_of(ids: list[str]) -> st.SearchStrategy[str | None]:
    return st.sampled_from([None, *ids])


@st.composite
def companies(draw: Callable[..., Any]) -> Company:
    company = Company(uuid4().hex, fiscal_start_month=draw(st.sampled_from([1, 1, 4])))
    root = company.team("Root")
    teams = [root, company.team("Below", parent=root), company.team("Beside")]
    people = [company.person(f"P{n}", region=draw(st.sampled_from([None, "Lyon", "Paris"]))) for n in range(3)]
    for person in people:
        moved = draw(maybe_day)
        company.member(person, draw(st.sampled_from(teams)), ends=moved)
        if moved is not None and draw(st.booleans()):
            company.member(person, draw(st.sampled_from(teams)), starts=moved)
    customers = [company.customer(f"C{n}", segment=draw(texts), origin=draw(texts)) for n in range(4)]
    products = [company.product("X"), company.product("Y")]
    pipelines, stages = [company.pipeline("Main")], [company.stage("New"), company.stage("Late")]
    leads = [
        company.lead(
            created=draw(maybe_day),
            qualified_on=draw(st.one_of(st.none(), st.none(), days)),
            qualified=draw(st.sampled_from([None, None, True, False])),
            inbound=draw(st.sampled_from([None, None, True, False])),
            converted=draw(st.sampled_from([None, True])),
            converted_on=draw(maybe_day),
            owner=draw(one_of(people)),
            customer=draw(one_of(customers)),
            segment=draw(texts),
            origin=draw(texts),
            deleted=draw(rarely),
            source=draw(st.sampled_from(["files", "files", "other"])),
        )
        for _ in range(draw(st.integers(0, 8)))
    ]
    for _ in range(draw(st.integers(0, 5))):
        pair = draw(st.permutations(["EUR", draw(st.sampled_from(["USD", "JPY", "KWD"]))]))
        company.rate(pair[0], str(draw(rates)), draw(days), currency=pair[1])
    for _ in range(draw(st.integers(0, 16))):
        status = draw(st.sampled_from(["won", "won", "won", "lost", "open", "dormant"]))
        company.deal(
            status=status,
            created=draw(maybe_day),
            closed=None if status == "open" else draw(maybe_day),
            amount=draw(amounts),
            currency=draw(currencies),
            customer=draw(one_of(customers)),
            owner=draw(one_of(people)),
            product=draw(one_of(products)),
            pipeline=draw(one_of(pipelines)),
            stage=draw(one_of(stages)),
            lead=draw(one_of(leads)),
            segment=draw(texts),
            origin=draw(texts),
            kind=draw(st.sampled_from([None, None, None, "new", "upsell", "cross_sell", "additional"])),
            deleted=draw(rarely),
            created_seen=draw(rarely),
        )
    for _ in range(draw(st.integers(0, 4))):
        starts = draw(days)
        lasts = draw(st.one_of(st.none(), st.integers(0, 500)))
        ends = None if lasts is None else starts + timedelta(days=lasts)
        company.contract(draw(st.sampled_from(customers)), starts, ends, deleted=draw(rarely))
    for _ in range(draw(st.integers(0, 6))):
        buyer, amount, currency = draw(st.sampled_from(customers[:2])), draw(amounts), draw(currencies)
        company.purchase(buyer, draw(days), amount, currency=currency, deleted=draw(rarely))
    for _ in range(draw(st.integers(0, 4))):
        starts = draw(days)
        ends = starts + timedelta(days=draw(st.integers(0, 100)))
        amount, origin, currency = draw(st.integers(-1000, 10**6)), draw(texts), draw(currencies)
        company.spend(amount, starts, ends, origin=origin, currency=currency, deleted=draw(rarely))
    return company
