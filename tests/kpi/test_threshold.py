from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import sqrt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.query import Measured
from kpi.threshold import (
    MOST_MISSED,
    Direction,
    Standing,
    State,
    Threshold,
    Transition,
    days_due,
    freeze,
    is_bad,
    judge,
    newest_day,
    poisson,
    thaw,
)

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
DAY = date(2026, 11, 23)
WIN_RATE = Threshold(Decimal(25), Decimal(30), Direction.BELOW, min_sample=12, hold=2)


def rate(won: int, closed: int) -> Measured:
    """A rate with its Wilson 95 % interval, computed here from the textbook."""
    if closed == 0:
        return Measured(None, Fraction(0), Fraction(0))
    z, p, n = 1.959963984540054, won / closed, closed
    middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
    return Measured(Fraction(100 * won, closed), Fraction(won), Fraction(closed), (100 * low, 100 * high))


def look(
    threshold: Threshold, standing: Standing, value: Measured, day: int, hour: int = 0, *, present: bool = True
) -> tuple[Standing, Transition | None]:
    """The machine on the so-manieth day, on data that was complete so many hours after its judgement was due."""
    moment = START + timedelta(days=day, hours=hour)
    on = DAY + timedelta(days=day)
    return judge(threshold, standing, value, day=on, present=present, as_of=moment, now=moment)


def history(threshold: Threshold, values: list[Measured]) -> list[tuple[State, Transition | None]]:
    """A day after the other."""
    standing, seen = Standing(State.OK, START), []
    for day, value in enumerate(values):
        standing, transition = look(threshold, standing, value, day)
        seen.append((standing.state, transition))
    return seen


@pytest.mark.parametrize(("won", "closed"), [(0, 15), (1, 22), (4, 40), (8, 62)])
def test_the_smallest_samples_that_fire_below_25_percent(won: int, closed: int) -> None:
    """At 97 %: none of 12 (an interval to 28 %) does not."""
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
    standing, _ = look(WIN_RATE, Standing(State.OK, START), rate(0, 40), 1, 5)
    assert standing.state is State.PENDING
    assert look(WIN_RATE, standing, rate(20, 40), 1, 5) == (standing, None)
    assert look(WIN_RATE, standing, rate(0, 40), 0, 40) == (standing, None)


def test_a_day_counts_once_however_often_it_is_looked_at() -> None:
    standing = Standing(State.OK, START)
    for hour in range(20):
        standing, told = look(WIN_RATE, standing, rate(0, 40), 0, hour)
        assert (standing.state, standing.streak, told) == (State.PENDING, 1, None)
    standing, told = look(WIN_RATE, standing, rate(0, 40), 1)
    assert told is Transition.FIRED


def test_a_late_edit_may_end_an_episode_or_take_back_a_suspicion_and_never_fires() -> None:
    bad, good = rate(2, 40), rate(14, 40)
    pending, _ = look(WIN_RATE, Standing(State.OK, START), bad, 0)
    firing, _ = look(WIN_RATE, pending, bad, 1)
    assert look(WIN_RATE, firing, rate(11, 40), 1, 2)[1] is None
    ended, told = look(WIN_RATE, firing, good, 1, 2)
    assert (ended.state, told) == (State.OK, Transition.CORRECTED)
    taken_back, told = look(WIN_RATE, pending, good, 0, 2)
    assert (taken_back.state, taken_back.streak, told) == (State.OK, 0, None)
    # One day good at first sight, then bad: the day is over, and counts as it was judged.
    fine, _ = look(replace(WIN_RATE, hold=1), Standing(State.OK, START), good, 0)
    assert look(replace(WIN_RATE, hold=1), fine, bad, 0, 2)[1] is None
    assert look(WIN_RATE, ended, bad, 1, 3)[1] is None


def test_days_that_were_missed_are_judged_in_order_and_only_the_present_one_fires() -> None:
    standing = Standing(State.OK, START, judged_on=DAY)
    for day in range(1, 6):
        standing, told = look(WIN_RATE, standing, rate(0, 40), day, present=False)
        assert (standing.state, told) == (State.PENDING, None)
    assert look(WIN_RATE, standing, rate(14, 40), 6)[1] is None
    assert look(WIN_RATE, standing, rate(0, 40), 6)[1] is Transition.FIRED


def test_bad_days_with_a_hole_between_them_are_not_in_a_row() -> None:
    standing, _ = look(WIN_RATE, Standing(State.OK, START), rate(0, 40), 0)
    standing, told = look(WIN_RATE, standing, rate(0, 40), 2)
    assert (standing.state, standing.streak, told) == (State.PENDING, 1, None)


def test_what_is_due_is_the_days_that_were_missed_and_for_a_new_rule_its_last_days() -> None:
    new, known = Standing(State.OK, START), Standing(State.OK, START, judged_on=DAY)
    day = timedelta(days=1)
    assert days_due(new, DAY, 3) == [DAY - 2 * day, DAY - day, DAY]
    assert days_due(known, DAY + 2 * day, 3) == [DAY + day, DAY + 2 * day]
    assert days_due(known, DAY, 3) == [DAY]
    assert days_due(known, DAY - day, 3) == []
    assert days_due(known, DAY + 400 * day, 3)[0] == DAY + (400 - MOST_MISSED + 1) * day


def test_a_day_may_be_judged_once_midnight_and_the_delay_have_passed_in_every_zone() -> None:
    paris, new_york, hour = ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York"), timedelta(hours=1)
    assert newest_day(datetime(2026, 11, 23, 0, 30, tzinfo=paris), hour, paris) == date(2026, 11, 22)
    assert newest_day(datetime(2026, 11, 23, 1, tzinfo=paris), hour, paris) == date(2026, 11, 23)
    assert newest_day(datetime(2026, 11, 23, 1, tzinfo=paris), hour, paris, new_york) == date(2026, 11, 22)
    # Spring: an hour after midnight is an hour, whatever the wall says.
    assert newest_day(datetime(2026, 3, 29, 3, 0, tzinfo=paris), timedelta(hours=2), paris) == date(2026, 3, 29)


@pytest.mark.parametrize("state", [State.STALE, State.PAUSED])
def test_what_is_frozen_neither_fires_nor_resolves_and_goes_back_to_what_it_was(state: State) -> None:
    pending, _ = look(WIN_RATE, Standing(State.OK, START), rate(0, 40), 0)
    firing, _ = look(WIN_RATE, pending, rate(0, 40), 1)
    for standing in (pending, firing):
        frozen = freeze(standing, state, START)
        assert (frozen.state, frozen.beneath) == (state, standing.state)
        assert freeze(frozen, State.PAUSED, START).beneath is standing.state
        for value in (rate(0, 40), rate(40, 40)):
            assert look(WIN_RATE, frozen, value, 5) == (frozen, None)
        assert thaw(frozen, standing.since) == standing


def test_a_count_is_bad_where_its_poisson_bound_is() -> None:
    calls = Threshold(Decimal(20), Decimal(20), Direction.BELOW, hold=1, counted=True)
    counts = [Measured(Fraction(value), Fraction(value), None) for value in (19, 12, 10, 9)]
    assert [is_bad(calls, each) for each in counts] == [False, False, True, True]
    low, high = poisson(10, 1.959963984540054)
    assert (round(low, 2), round(high, 2)) == (4.79, 18.39)  # the exact 95 % interval of 10
    assert poisson(0)[0] == 0


def test_a_bound_that_was_measured_itself_blurs_the_judgement() -> None:
    known = Threshold(Decimal(25), Decimal(25), Direction.BELOW, hold=1)
    assert is_bad(known, rate(6, 60))
    assert not is_bad(replace(known, blur=20.0), rate(6, 60))


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
    for day, (won, lost) in enumerate(pairs):
        standing, transition = look(replace(WIN_RATE, hold=hold), standing, rate(won, won + lost), day)
        told += [transition] if transition else []
        assert standing.judged_on == DAY + timedelta(days=day)
    assert all(kind is (Transition.FIRED, Transition.RECOVERED)[i % 2] for i, kind in enumerate(told))
    assert standing.number == told.count(Transition.FIRED)
    assert (standing.state in {State.FIRING, State.RECOVERING}) == (len(told) % 2 == 1)
