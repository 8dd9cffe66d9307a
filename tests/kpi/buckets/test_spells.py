"""A customer's events, added up to each day of several years, against what is true on that day."""

from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kpi.buckets.spells import COLUMNS, FOREVER, LEVELS, Spell, a_year_on, common, events, merged
from kpi.customers import ACTIVE_DAYS
from kpi.lifetime import year_to
from kpi.period import Period

FIRST, LAST = date(2018, 11, 1), date(2025, 4, 1)
# Around the ends of February of leap years, where 12 months are 365 or 366 days, and anywhere.
turns = st.sampled_from([date(2020, 2, 28), date(2021, 2, 28), date(2023, 3, 1), date(2024, 2, 29), date(2025, 2, 28)])
days = st.one_of(
    st.builds(lambda turn, more: turn + timedelta(days=more), turns, st.integers(-3, 3)),
    st.dates(date(2019, 1, 1), date(2024, 12, 31)),
).map(date.toordinal)
lengths = st.one_of(st.integers(-2, 3), st.integers(0, 800), st.just(FOREVER))


@st.composite
def contracts(draw: st.DrawFn) -> Spell:
    first = draw(days)
    return Spell(first, min(first + draw(lengths), FOREVER), True, False, None)


@st.composite
def sales(draw: st.DrawFn) -> Spell:
    first, value = draw(days), draw(st.one_of(st.none(), st.integers(0, 10**9)))
    return Spell(first, first + ACTIVE_DAYS - 1, False, value is not None or draw(st.booleans()), value)


spells = st.lists(st.one_of(sales(), sales(), contracts()), min_size=1, max_size=5)


@lru_cache(maxsize=1 << 13)
def s(day: int) -> int:
    return year_to(window_to(day)).start.toordinal() - 1


def window_to(day: int) -> Period:
    end = date.fromordinal(day) + timedelta(days=1)
    return Period(end - timedelta(days=1), end)


def test_the_year_before_each_day_begins_where_the_period_says() -> None:
    begins = {day: s(day) for day in range(FIRST.toordinal(), LAST.toordinal())}
    for sought in range(date(2019, 1, 1).toordinal(), date(2024, 3, 1).toordinal()):
        assert a_year_on(sought) == min(day for day in range(sought + 360, sought + 370) if begins[day] >= sought)


def test_there_is_no_year_after_the_last_day() -> None:
    assert a_year_on(FOREVER) == a_year_on(FOREVER - 1) == FOREVER + 1


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(-2, 8)).map(lambda it: (it[0], it[0] + it[1])), max_size=6)


@given(one=spans, other=spans)
def test_spans_hold_the_days_that_sets_hold(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    mine, theirs = merged(one), merged(other)
    assert spread(mine) == spread(one)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(mine))
    assert spread(common(mine, theirs)) == spread(one) & spread(other)


def spread(found: list[tuple[int, int]]) -> set[int]:
    return {day for first, last in found for day in range(first, last + 1)}


@settings(max_examples=25)
@example([Spell(date(2024, 2, 28).toordinal(), date(2024, 2, 28).toordinal(), True, False, None)])
@example([Spell(date(2020, 2, 29).toordinal(), FOREVER, True, False, None)])
@given(spells)
def test_events_add_up_to_what_is_true_on_every_day(spells: list[Spell]) -> None:
    found = events(spells)
    assert list(found) == sorted(found)
    days = range(FIRST.toordinal(), LAST.toordinal())
    nothing = [0] * len(COLUMNS)
    flows = [found.get(day, nothing) for day in days]
    sums = accumulate(flows, lambda total, more: [a + b for a, b in zip(total, more, strict=True)])
    for day, flow, total in zip(days, flows, sums, strict=True):
        got = dict(zip(COLUMNS, flow, strict=True)) | dict(zip(LEVELS, total, strict=False))
        assert got == naive(spells, day), date.fromordinal(day)


def naive(spells: list[Spell], day: int) -> dict[str, int]:
    contracts = [spell for spell in spells if spell.by_contract]
    sales = [spell for spell in spells if not spell.by_contract]
    first_day = min(spell.first for spell in spells)

    def active(at: int) -> bool:
        return any(spell.first <= at <= spell.last for spell in contracts or sales)

    before, today = s(day), [sale for sale in sales if sale.first == day]
    kept = active(day) and active(before)
    new_since = before < first_day <= day
    return {
        "active": active(day),
        "active_by_contract": active(day) and bool(contracts),
        "first_day_sum": first_day if active(day) else 0,
        "kept": kept,
        "kept_by_contract": kept and bool(contracts),
        "won_back": active(day) and not active(before) and not new_since,
        "buyers": any(before < sale.first <= day for sale in sales),
        "new": first_day == day,
        "sales": len(today),
        "with_amount": sum(sale.value is not None for sale in today),
        "amount": sum(sale.value or 0 for sale in today),
        "unconverted": sum(sale.has_amount and sale.value is None for sale in today),
    }
