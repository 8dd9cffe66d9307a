from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kpi.findings import Change, Contribution, Gap, _part, change_of, contribution_of, did_well, findings, gap_of
from kpi.period import Period
from kpi.query import Comparison, Group, KpiQuery, KpiResult, Measured, Previous, Unit
from kpi.scope import Scope
from tests.kpi.test_threshold import rate

PERIOD = Period(date(2026, 10, 26), date(2026, 11, 23))
BEFORE = Period(date(2026, 9, 28), date(2026, 10, 26))


def result(metric: str, unit: Unit, now: Measured, before: Measured | None = None, **other: object) -> KpiResult:
    query = KpiQuery(metric, "closed", PERIOD, Scope("W1", everything=True), date(2026, 11, 23))
    previous = None if before is None else Previous(BEFORE, Comparison.PREVIOUS, before)
    return KpiResult(query, unit, "EUR", now, previous, **other)  # type: ignore[arg-type]


def count(value: int) -> Measured:
    return Measured(Fraction(value), Fraction(value), None)


def group(name: str, now: Measured, before: Measured | None = None) -> Group:
    return Group(name, name, now, before)


def win_rate(now: tuple[int, int], before: tuple[int, int], **other: object) -> KpiResult:
    return result("win_rate", Unit.PERCENT, rate(*now), rate(*before), **other)


def test_a_change_is_told_only_outside_its_interval() -> None:
    assert change_of(win_rate((12, 40), (16, 40))) is None
    found = change_of(win_rate((6, 60), (24, 60)))
    assert found is not None
    assert found.good is False
    assert change_of(win_rate((24, 60), (6, 60))).good is True  # type: ignore[union-attr]


def test_a_change_on_few_deals_is_not_told() -> None:
    few = Measured(Fraction(0), Fraction(0), Fraction(5), (0.0, 5.0), few=True)
    assert change_of(result("win_rate", Unit.PERCENT, few, rate(60, 60))) is None


def test_counts_are_compared_as_shares_of_their_sum() -> None:
    assert change_of(result("leads", Unit.COUNT, count(30), count(40))) is None
    assert change_of(result("leads", Unit.COUNT, count(20), count(60))) is not None
    assert change_of(result("leads", Unit.COUNT, count(0), count(9))) is None


def test_money_and_days_are_never_called_a_change() -> None:
    assert change_of(result("revenue_won", Unit.MONEY, count(1), count(1_000_000))) is None
    assert change_of(result("sales_cycle", Unit.DAYS, count(1), count(100))) is None


def test_a_gap_is_on_the_bad_side_of_the_target_in_the_direction_of_the_kpi() -> None:
    short = gap_of(win_rate((9, 60), (9, 60), target=Decimal(30)))
    assert short == Gap(short.result, Decimal(30), Fraction(1, 2))  # type: ignore[union-attr]
    assert gap_of(win_rate((30, 60), (9, 60), target=Decimal(30))) is None
    slow = result("sales_cycle", Unit.DAYS, Measured(Fraction(60), Fraction(600), Fraction(10)), target=Decimal(40))
    assert gap_of(slow).relative == Fraction(1, 2)  # type: ignore[union-attr]
    money = result("revenue_won", Unit.MONEY, count(50_000), target=Decimal(1000))
    assert gap_of(money).relative == Fraction(1, 2)  # type: ignore[union-attr]


pairs = st.lists(st.tuples(*[st.integers(0, 30)] * 4), min_size=1, max_size=6)


@given(pairs)
def test_the_parts_of_the_groups_add_up_to_the_change_of_the_whole(numbers: list[tuple[int, int, int, int]]) -> None:
    totals = [sum(each) for each in zip(*numbers, strict=True)]
    groups = tuple(
        group(str(i), rate(won, won + lost), rate(was, was + gone)) for i, (won, lost, was, gone) in enumerate(numbers)
    )
    whole = win_rate((totals[0], totals[0] + totals[1]), (totals[2], totals[2] + totals[3]), groups=groups)
    now, before = whole.measured.value, whole.previous.measured.value  # type: ignore[union-attr]
    if now is None or before is None:
        assert contribution_of(whole) is None
        return
    assert sum(part for each in groups if (part := _part(whole, each)) is not None) == now - before


def test_the_group_that_explains_the_fall_is_named() -> None:
    whole = win_rate(
        (26, 100),
        (40, 100),
        groups=(group("Paris", rate(20, 50), rate(20, 50)), group("Lyon", rate(6, 50), rate(20, 50))),
    )
    found = contribution_of(whole)
    assert found is not None
    assert (found.group.name, found.part, found.whole) == ("Lyon", Fraction(-14), Fraction(-14))


def test_no_group_is_named_when_all_moved_a_little() -> None:
    groups = tuple(group(str(i), count(110), count(100)) for i in range(4))
    assert contribution_of(result("leads", Unit.COUNT, count(440), count(400), groups=groups)) is None


def test_there_is_at_most_one_finding_of_each_kind_and_none_when_all_is_quiet() -> None:
    quiet = win_rate((13, 40), (12, 40), target=Decimal(30))
    assert findings([quiet]) == []
    fallen = win_rate((6, 60), (24, 60), target=Decimal(30))
    leads = result("leads", Unit.COUNT, count(20), count(60))
    by_team = win_rate((6, 60), (24, 60), groups=(group("Lyon", rate(6, 60), rate(24, 60)),))
    assert [type(each) for each in findings([fallen, leads, quiet], [by_team])] == [Change, Gap, Contribution]


def test_only_those_with_enough_deals_and_above_everybody_are_praised() -> None:
    few = Measured(Fraction(100), Fraction(2), Fraction(2), (34.0, 100.0), few=True)
    reps = (
        group("Ada", rate(20, 40)),
        group("Bea", rate(10, 40)),
        group("Cyd", few),
        group("Dan", rate(25, 40)),
        Group(None, None, rate(39, 40)),
    )
    assert [each.name for each in did_well(win_rate((60, 160), (1, 2), groups=reps), 3)] == ["Dan", "Ada"]


def test_the_best_of_a_team_that_misses_its_target_is_not_praised_for_it() -> None:
    reps = (group("Ada", rate(5, 40)), group("Bea", rate(1, 40)), group("Cyd", rate(12, 40)))
    by_rep = win_rate((18, 120), (1, 2), groups=reps, target=Decimal(30))
    assert [each.name for each in did_well(by_rep, 3)] == ["Cyd"]
