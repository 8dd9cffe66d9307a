"""Any range of days is few cells, and each of its days is in exactly one of them."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kpi.buckets.ranges import AFTER_YEARS, FIRST_YEAR, covering, year_of
from kpi.buckets.shapes import LETTERS
from kpi.period import Grain, shift

GRAINS = {letter: grain for grain, letter in LETTERS.items()}
days = st.dates(date(1999, 1, 1), date(2031, 12, 31))


def days_of(code: str) -> list[date]:
    start = date.fromisoformat(code[1:])
    return [start + timedelta(days=at) for at in range((shift(start, GRAINS[code[0]], 1) - start).days)]


@given(start=days, length=st.integers(0, 2000), weeks=st.booleans())
def test_each_day_of_a_range_is_in_one_cell(start: date, length: int, weeks: bool) -> None:
    codes = covering(start, start + timedelta(days=length), weeks=weeks)
    found = [day for code in codes for day in days_of(code)]
    assert found == [start + timedelta(days=at) for at in range(length)]
    assert weeks or not any(code.startswith("w") for code in codes)
    assert len(codes) <= (2 * 10 if weeks else 2 * 30) + 11 * 2 + 6


def test_whole_units_are_single_cells() -> None:
    assert covering(date(2026, 1, 1), date(2027, 1, 1)) == ("y2026-01-01",)
    assert covering(date(2026, 2, 1), date(2026, 4, 1)) == ("m2026-02-01", "m2026-03-01")
    assert covering(date(2026, 11, 16), date(2026, 11, 23)) == ("w2026-11-16",)
    # The 28 days that ended on a Sunday are four weeks, whatever months they lie in.
    assert covering(date(2026, 10, 26), date(2026, 11, 23)) == tuple(
        f"w{date(2026, 10, 26) + timedelta(days=7 * at)}" for at in range(4)
    )


def test_the_years_before_a_day_come_before_its_year_in_the_order_of_codes() -> None:
    codes = [f"{LETTERS[Grain.YEAR]}{year:04}-01-01" for year in (1, 1970, 2025, 2026)]
    assert all(FIRST_YEAR < code < AFTER_YEARS for code in codes)
    assert [code < year_of(date(2026, 11, 23)) for code in codes] == [True, True, True, False]
