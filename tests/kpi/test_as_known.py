"""Whatever is asked as it was known at a moment is what was answered at that moment, whatever was learned since."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from kpi import period as periods
from kpi.behind import Behind, behind
from kpi.catalog import CATALOG
from kpi.digest import Digest, read_digest
from kpi.engine import answer
from kpi.period import Grain, Period
from kpi.query import Comparison, KpiQuery, KpiResult
from kpi.scope import Scope
from storage import schema, sync
from storage.as_known import as_known
from storage.database import reading, writing
from storage.records import (
    Contract,
    Customer,
    Deal,
    Gone,
    Lead,
    Mention,
    Page,
    Person,
    Pipeline,
    Position,
    Product,
    Purchase,
    Rate,
    Record,
    Spend,
    Stage,
    Team,
)
from storage.targets import Target, list_targets, set_target, stop_target
from storage.workspaces import ensure_workspace
from tests.storage.sources import Told

BEGINNING = datetime(2017, 6, 1, 8, tzinfo=UTC)
FIRST_DAY = date(2017, 1, 1)
READINGS = [(kpi, how) for kpi in CATALOG for how in kpi.readings]

days = st.integers(0, 260).map(lambda number: FIRST_DAY + timedelta(days=number))
maybe_days = st.none() | days
rarely = st.integers(0, 7).map(lambda number: number == 0)
texts = st.sampled_from([None, "B2B", "B2C"])
currencies = st.sampled_from([None, None, "EUR", "USD", "JPY", "KWD"])
amounts = st.none() | st.integers(0, 10**7)


def ids(prefix: str, count: int) -> st.SearchStrategy[str]:
    return st.integers(1, count).map(lambda number: f"{prefix}{number}")


def maybe(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    return st.none() | strategy


def record(
    made: type[Record], prefix: str, count: int, /, **fields: st.SearchStrategy[Any]
) -> st.SearchStrategy[Record]:
    return st.builds(made, ext_id=ids(prefix, count), deleted=rarely, **fields)


people, customers, leads, teams = ids("p", 3), ids("c", 4), ids("l", 4), ids("t", 3)
names = st.sampled_from(["Nord", "Sud", "Est"])
OBJECTS: dict[str, st.SearchStrategy[Record]] = {
    "team": record(Team, "t", 3, name=names, parent=st.sampled_from([None, None, "t3"]), manager=maybe(people)),
    "person": record(Person, "p", 3, name=names, region=texts, team=maybe(teams)),
    "customer": record(Customer, "c", 4, name=names, segment=texts, origin=texts),
    "product": record(Product, "x", 2, name=names),
    "pipeline": record(Pipeline, "w", 1, name=names),
    "stage": record(Stage, "s", 2, name=names, pipeline=st.just("w1"), position=st.integers(0, 2)),
    "rate": record(
        Rate,
        "r",
        4,
        base=st.sampled_from(["USD", "JPY", "KWD"]),
        currency=st.sampled_from(["EUR", "EUR", "USD"]),
        starts_on=days,
        rate=st.decimals("0.01", "200", places=3),
    ),
    "lead": record(
        Lead,
        "l",
        4,
        name=names,
        created=maybe_days,
        qualified_on=maybe_days,
        qualified=st.sampled_from([None, None, True, False]),
        inbound=st.sampled_from([None, None, True]),
        converted=st.sampled_from([None, True]),
        converted_on=maybe_days,
        customer=maybe(customers),
        owner=maybe(people),
    ),
    "deal": record(
        Deal,
        "d",
        8,
        name=names,
        status=st.sampled_from(["open", "won", "won", "won", "lost", "dormant"]),
        kind=st.sampled_from([None, None, None, "new", "upsell"]),
        customer=maybe(customers),
        owner=maybe(people),
        product=maybe(ids("x", 2)),
        pipeline=st.just("w1"),
        stage=maybe(ids("s", 2)),
        lead=maybe(leads),
        segment=texts,
        origin=texts,
        amount_minor=amounts,
        currency=currencies,
        created=maybe_days,
        closed=maybe_days,
    ),
    "contract": record(
        Contract, "k", 3, customer=customers, starts_on=days, ends_on=maybe_days, amount_minor=amounts
    ),
    "purchase": record(
        Purchase, "b", 3, customer=ids("c", 2), purchased=days, amount_minor=amounts, currency=currencies
    ),
    "spend": record(
        Spend,
        "e",
        3,
        kind=st.sampled_from(["marketing", "sales"]),
        starts_on=days,
        ends_on=st.integers(261, 300).map(lambda number: FIRST_DAY + timedelta(days=number)),
        amount_minor=st.integers(-1000, 10**6),
        origin=texts,
        currency=currencies,
    ),
}  # fmt: skip


@st.composite
def pages(draw: Callable[..., Any], now: datetime) -> list[Page]:
    """What one sync tells: some rows of each object, new or again, some of them gone, taken over, or only mentioned."""
    told = []
    for name, rows in OBJECTS.items():
        if draw(rarely):
            continue
        most = 8 if name == "deal" else 3
        records = draw(st.lists(rows, max_size=most, unique_by=lambda row: row.ext_id))
        modified = st.sampled_from([None, now, now - timedelta(days=3)])
        records = [replace(row, modified=draw(modified)) for row in records]
        mentions, gone = [], []
        if name in {"deal", "customer"}:
            mentions = [Mention(object="customer", ext_id=draw(customers), name="Seen"), *(
                Mention(object="person", ext_id=draw(people), name="Seen") for _ in range(draw(st.integers(0, 1)))
            )]  # fmt: skip
        if draw(rarely):
            survivor = draw(customers) if name == "customer" else None
            loser = draw(ids("c" if name == "customer" else records[0].ext_id[0] if records else "d", 4))
            gone = [Gone(object=name, ext_id=loser, merged_into=None if survivor == loser else survivor)]
        told.append(
            Page(
                object=name,
                records=records,
                mentions=mentions,
                gone=gone,
                last=draw(st.booleans()),
                position=Position(),
            )
        )
    return told


def questions(draw: Callable[..., Any], workspace_id: str, today: date) -> list[KpiQuery]:
    """About each of half of all readings, in any order."""
    period = draw(
        st.one_of(
            st.builds(lambda grain: periods.this(grain, today), st.sampled_from(list(Grain))),
            st.builds(lambda day: periods.containing(Grain.QUARTER, day), days),
            st.builds(lambda day, length: Period(day, day + timedelta(days=length)), days, st.integers(20, 200)),
        )
    )
    scope = Scope(workspace_id, everything=True)
    narrow = Scope(workspace_id, people=frozenset({"test:p1"}), teams=frozenset({"test:t1", "test:t3"}))
    return [
        KpiQuery(
            kpi.metric,
            how.key,
            period,
            narrow if "rep" in kpi.dimensions and draw(rarely) else scope,
            today,
            comparison=draw(st.sampled_from([None, *Comparison])),
            group_by=draw(st.sampled_from([None, *kpi.dimensions])),
            grain=draw(st.sampled_from([None, None, Grain.MONTH])),
        )
        for kpi, how in draw(st.permutations(READINGS))[: len(READINGS) // 2]
    ]


def set_up(database: Engine, workspace_id: str, now: datetime, currency: str = "EUR", fiscal: int = 1) -> None:
    ensure_workspace(
        database,
        workspace_id,
        now=now,
        time_zone="Europe/Paris",
        currency=currency,
        language="en",
        fiscal_start_month=fiscal,
    )


def meddle_with_targets(draw: Callable[..., Any], database: Engine, workspace_id: str, now: datetime) -> None:
    with writing(database) as connection:
        for target in list_targets(connection, workspace_id):
            if draw(rarely):
                stop_target(connection, workspace_id, target.id, now=now)
        kpi = draw(st.sampled_from(CATALOG))
        wanted = Target(uuid4().hex, kpi.metric, kpi.asked, None, None, Decimal(draw(st.integers(1, 90))))
        set_target(connection, workspace_id, wanted, actor=None, now=now)


Answered = list[tuple[KpiQuery, KpiResult, Behind]]


def ask_all(database: Engine, queries: list[KpiQuery]) -> Answered:
    with reading(database) as connection:
        return [(query, answer(connection, query), behind(connection, query, limit=100)) for query in queries]


def live(draw: Callable[..., Any], database: Engine, rounds: int) -> dict[datetime, Answered]:
    """A company's life in some syncs, with everything that was answered after each."""
    workspace_id, now = uuid4().hex, BEGINNING
    set_up(database, workspace_id, now)
    answered: dict[datetime, Answered] = {}
    for _ in range(rounds):
        now += timedelta(days=draw(st.integers(1, 40)))
        if draw(st.integers(0, 3)) == 0:
            set_up(database, workspace_id, now, draw(st.sampled_from(["EUR", "USD"])), draw(st.sampled_from([1, 4])))
        meddle_with_targets(draw, database, workspace_id, now)
        sync.load(database, workspace_id, Told(draw(pages(now))), now=now + timedelta(minutes=1))
        moment = now + timedelta(hours=1)
        answered[moment] = ask_all(database, questions(draw, workspace_id, moment.date()))
    return answered


def compare(database: Engine, answered: dict[datetime, Answered]) -> None:
    for moment, told in answered.items():
        with reading(database) as connection, as_known(connection, told[0][0].scope.workspace_id, moment):
            for query, result, rows in told:
                asked = replace(query, as_known=moment)
                assert replace(answer(connection, asked), query=query) == result
                assert behind(connection, asked, limit=100) == rows


@settings(
    deadline=None, max_examples=2, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
@given(data=st.data())
def test_every_answer_can_be_had_again_as_it_was_known(database: Engine, data: st.DataObject) -> None:
    compare(database, live(data.draw, database, rounds=2))


@pytest.mark.torture
@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_many_more_answers_can_be_had_again_as_they_were_known(database: Engine, data: st.DataObject) -> None:
    compare(database, live(data.draw, database, rounds=5))


def digest(database: Engine, workspace_id: str, today: date, known: datetime | None = None) -> Digest:
    with reading(database) as connection:
        return read_digest(connection, Scope(workspace_id, everything=True), today, as_known=known)


def without_moment(told: Digest) -> Digest:
    """The digest but for the moment that its questions name."""

    def plain(result: KpiResult) -> KpiResult:
        return replace(result, query=replace(result.query, as_known=None))

    return replace(
        told,
        results=tuple(plain(result) for result in told.results),
        trends=tuple(plain(result) for result in told.trends),
        findings=tuple(replace(found, result=plain(found.result)) for found in told.findings),
        by_rep=None if told.by_rep is None else plain(told.by_rep),
    )


def a_month_of_deals(*, won: int, team: str, amount: int) -> list[Page]:
    """Ten deals of June, the first of them won, each by a rep of a team."""
    rows = [
        Deal(
            ext_id=f"d{number}",
            name=f"Deal {number}",
            status="won" if number < won else "lost",
            owner="p1",
            amount_minor=amount,
            currency="USD",
            created=date(2017, 6, 1),
            closed=date(2017, 6, 5 + number),
        )
        for number in range(10)
    ]
    told: list[tuple[str, list[Record]]] = [
        ("team", [Team(ext_id="t1", name=team)]),
        ("person", [Person(ext_id="p1", name=f"Anna {team}", team="t1")]),
        ("rate", [Rate(ext_id="r1", base="USD", currency="EUR", starts_on=date(2017, 1, 1), rate=Decimal(won))]),
        ("deal", list(rows)),
    ]
    return [Page(object=name, records=records, last=True) for name, records in told]


def test_last_weeks_digest_is_the_same_after_any_edit(database: Engine) -> None:
    workspace_id, today = "w", date(2017, 6, 20)
    set_up(database, workspace_id, BEGINNING)
    seen = datetime(2017, 6, 20, 6, tzinfo=UTC)
    sync.load(database, workspace_id, Told(a_month_of_deals(won=6, team="Nord", amount=100_00)), now=seen)
    posted = digest(database, workspace_id, today)
    assert posted.results
    later = Told(a_month_of_deals(won=2, team="Sud", amount=999_00))
    sync.load(database, workspace_id, later, now=seen + timedelta(days=7))
    set_up(database, workspace_id, seen + timedelta(days=8), currency="USD")
    assert without_moment(digest(database, workspace_id, today)) != posted
    assert without_moment(digest(database, workspace_id, today, seen + timedelta(hours=2))) == posted


def test_before_the_first_sync_there_was_no_data(database: Engine) -> None:
    set_up(database, "w", BEGINNING)
    seen = datetime(2017, 6, 20, 6, tzinfo=UTC)
    sync.load(database, "w", Told(a_month_of_deals(won=6, team="Nord", amount=100_00)), now=seen)
    june = periods.containing(Grain.MONTH, date(2017, 6, 1))
    query = KpiQuery("win_rate", "closed", june, Scope("w", everything=True), date(2017, 7, 1))
    with reading(database) as connection:
        then = answer(connection, replace(query, as_known=seen - timedelta(seconds=1)))
        now = answer(connection, query)
    assert (then.measured.value, then.as_of, [note.code for note in then.notes]) == (None, None, ["before_data"])
    assert (now.measured.value, now.as_of) == (60, seen)


def test_nothing_of_today_is_read_and_nothing_is_left_behind(database: Engine) -> None:
    set_up(database, "w", BEGINNING)
    with reading(database) as connection:
        with pytest.raises(sa.exc.DBAPIError), as_known(connection, "w", BEGINNING):
            connection.execute(sa.select(schema.link))
        assert connection.execute(sa.select(schema.link)).all() == []
        with as_known(connection, "w", BEGINNING - timedelta(days=1)):
            assert connection.execute(sa.select(schema.deal)).all() == []
            with pytest.raises(ValueError, match="two moments"), as_known(connection, "w", BEGINNING):
                pass
        assert connection.execute(sa.select(schema.workspace.c.workspace_id)).scalars().all() == ["w"]
