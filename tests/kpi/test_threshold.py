import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.query import Measured
from kpi.threshold import Direction, Standing, State, Threshold, Transition, judge

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
WIN_RATE = Threshold(Decimal(25), Decimal(30), Direction.BELOW, min_sample=12, hold=2)


def rate(won: int, closed: int) -> Measured:
    """A rate with its Wilson 95 % interval, computed here from the textbook."""
    if closed == 0:
        return Measured(None, Fraction(0), Fraction(0))
    z, p, n = 1.959963984540054, won / closed, closed
    middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
    return Measured(Fraction(100 * won, closed), Fraction(won), Fraction(closed), (100 * low, 100 * high))


def history(threshold: Threshold, values: list[Measured]) -> list[tuple[State, Transition | None]]:
    standing, seen = Standing(State.OK, START), []
    for step, value in enumerate(values):
        moment = START + timedelta(hours=step + 1)
        standing, transition = judge(threshold, standing, value, moment, moment)
        seen.append((standing.state, transition))
    return seen


@pytest.mark.parametrize(("won", "closed"), [(0, 12), (1, 20), (4, 40), (8, 60)])
def test_the_smallest_samples_that_fire_below_25_percent(won: int, closed: int) -> None:
    at_once = replace(WIN_RATE, hold=1)
    assert history(at_once, [rate(won, closed)]) == [(State.FIRING, Transition.FIRED)]
    assert history(at_once, [rate(won + 1, closed)]) == [(State.OK, None)]


def test_one_of_two_deals_lost_is_silence() -> None:
    assert history(WIN_RATE, [rate(1, 2), rate(0, 2), rate(0, 3)]) == [(State.NO_DATA, None)] * 3


def test_it_fires_after_the_hold_and_recovers_after_the_hold() -> None:
    bad, between, good = rate(2, 40), rate(11, 40), rate(14, 40)
    assert history(WIN_RATE, [good, bad, bad, bad, between, good, between, good, good, good]) == [
        (State.OK, None),
        (State.PENDING, None),
        (State.FIRING, Transition.FIRED),
        (State.FIRING, None),
        (State.FIRING, None),
        (State.RECOVERING, None),
        (State.FIRING, None),
        (State.RECOVERING, None),
        (State.OK, Transition.RECOVERED),
        (State.OK, None),
    ]


def test_data_that_is_not_newer_changes_nothing() -> None:
    standing, _ = judge(WIN_RATE, Standing(State.OK, START), rate(0, 40), START, START)
    for as_of in (START, START - timedelta(hours=1), None):
        assert judge(WIN_RATE, standing, rate(0, 40), as_of, START + timedelta(days=1)) == (standing, None)


def test_missing_data_neither_fires_nor_resolves() -> None:
    bad, nothing = rate(2, 40), rate(0, 0)
    assert [state for state, _ in history(WIN_RATE, [bad, nothing, bad, bad, nothing, nothing])] == [
        State.PENDING,
        State.NO_DATA,
        State.PENDING,
        State.FIRING,
        State.FIRING,
        State.FIRING,
    ]


def test_a_number_without_an_interval_is_compared_as_it_is() -> None:
    cycle = Threshold(Decimal(60), Decimal(50), Direction.ABOVE, min_sample=3, hold=1)
    days = [Measured(Fraction(value), None, Fraction(5)) for value in (60, 61, 55, 50)]
    assert [state for state, _ in history(cycle, days)] == [State.OK, State.FIRING, State.FIRING, State.OK]
    revenue = Threshold(Decimal(1000), Decimal(1000), Direction.BELOW, hold=1)
    assert history(revenue, [Measured(Fraction(999), None, None)]) == [(State.FIRING, Transition.FIRED)]


@pytest.mark.parametrize(("recovery", "direction"), [(24, Direction.BELOW), (26, Direction.ABOVE)])
def test_a_recovery_threshold_on_the_bad_side_is_refused(recovery: int, direction: Direction) -> None:
    with pytest.raises(ValueError, match="recovery threshold"):
        Threshold(Decimal(25), Decimal(recovery), direction)


VALUES = {"bad": rate(2, 40), "between": rate(11, 40), "good": rate(14, 40), "none": rate(1, 2)}


def reference(hold: int, verdicts: list[str]) -> list[Transition | None]:
    """The machine in words: so many bad ones in a row fire; then so many good ones in a row, blanks aside, recover."""
    firing, run, told = False, 0, []
    for verdict in verdicts:
        told.append(None)
        if firing and verdict == "none":
            continue
        run = run + 1 if verdict == ("good" if firing else "bad") else 0
        if run == hold:
            told[-1] = Transition.RECOVERED if firing else Transition.FIRED
            firing, run = not firing, 0
    return told


@given(st.integers(1, 4), st.lists(st.sampled_from(sorted(VALUES)), max_size=40))
def test_it_agrees_with_the_reference_on_any_history(hold: int, verdicts: list[str]) -> None:
    threshold = replace(WIN_RATE, hold=hold)
    assert [told for _, told in history(threshold, [VALUES[name] for name in verdicts])] == reference(hold, verdicts)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=60), st.integers(1, 3))
def test_firings_and_recoveries_alternate_and_episodes_are_counted(pairs: list[tuple[int, int]], hold: int) -> None:
    standing, told = Standing(State.OK, START), []
    for step, (won, lost) in enumerate(pairs):
        moment = START + timedelta(hours=step + 1)
        standing, transition = judge(replace(WIN_RATE, hold=hold), standing, rate(won, won + lost), moment, moment)
        told += [transition] if transition else []
        assert standing.judged_as_of == moment
    assert all(kind is (Transition.FIRED, Transition.RECOVERED)[i % 2] for i, kind in enumerate(told))
    assert standing.number == told.count(Transition.FIRED)
    assert (standing.state in {State.FIRING, State.RECOVERING}) == (len(told) % 2 == 1)


def test_a_healthy_team_is_left_in_peace_and_a_real_fall_is_found() -> None:
    """30 % won, 10 closings a week, a look a day at 28 days: hardly an episode a year; a fall to 5 % is seen."""
    chance = random.Random(20261123)  # noqa: S311
    closings = [[chance.random() < 0.30 for _ in range(2 * (day % 7 < 5))] for day in range(365 * 20)]

    def episodes(days: list[list[bool]]) -> int:
        windows = [list(chain.from_iterable(days[day - 28 : day])) for day in range(28, len(days))]
        return sum(told is Transition.FIRED for _, told in history(WIN_RATE, [rate(sum(w), len(w)) for w in windows]))

    assert episodes(closings) <= 10
    fallen = closings[:60] + [[chance.random() < 0.05 for _ in deals] for deals in closings[60:100]]
    assert episodes(fallen) == 1
