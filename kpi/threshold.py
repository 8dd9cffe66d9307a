"""When a number is bad enough to say so: the alert machine, pure.

A rule judges local days: each one once, after midnight and a delay, over a window that ends with the day before. A
share is bad only where its whole interval lies on the wrong side of the threshold, a count only where its Poisson bound
does, and a share or a mean only on a large enough sample. A state is left after several days in a row that agree. Too
little data, data that is late, and a pause neither fire nor resolve.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import sqrt
from zoneinfo import ZoneInfo

from kpi.formulas import wilson
from kpi.query import Measured

Z = 2.1700903775845606
"""Of the 97 % interval by which a rule judges.

At 95 % a healthy team with few closings (3 to 5 a week) is told of 0.3 to 0.5 times a year, daily looks included; at
97 % and three days in a row, at most 0.16 times, and 9 in 10 falls from 30 % to 10 % at 20 closings a week are found
within four weeks.
"""

MOST_MISSED = 92
"""Days that are made up for after a stop; one that was longer begins anew."""


class State(StrEnum):
    OK = "ok"
    PENDING = "pending"
    """Bad, but not yet for long enough."""
    FIRING = "firing"
    RECOVERING = "recovering"
    """Firing, and good again, but not yet for long enough."""
    NO_DATA = "no_data"
    """Not firing, and too little data to judge."""
    STALE = "stale"
    """Nobody confirms the data: frozen until somebody does."""
    PAUSED = "paused"
    """Frozen by a person."""


OPEN = frozenset({State.FIRING, State.RECOVERING})
FROZEN = frozenset({State.STALE, State.PAUSED})


class Transition(StrEnum):
    """What must be told."""

    FIRED = "fired"
    RECOVERED = "recovered"
    CORRECTED = "corrected"
    """Over, because the same day judged on newer data is good."""


class Direction(StrEnum):
    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, slots=True)
class Threshold:
    """`bound` and `recovery` in the number's own unit (percent points, minor units, days, count).

    `recovery` lies on the good side of `bound` or on it, so that a number between them changes nothing. `min_sample`
    is the least denominator of a rate or mean; a number without a denominator has no sample to be small. `hold` is how
    many local days in a row it takes to fire and to recover. `counted`: the number counts independent events.
    `blur` is how far a bound that was itself measured may lie on the other side, in the same unit.
    """

    bound: Decimal | Fraction
    recovery: Decimal | Fraction
    direction: Direction
    min_sample: int = 12
    hold: int = 3
    counted: bool = False
    blur: float = 0.0

    def __post_init__(self) -> None:
        if self.direction is Direction.BELOW and self.recovery < self.bound:
            raise ValueError("the recovery threshold of a 'below' rule must not be under its threshold")
        if self.direction is Direction.ABOVE and self.recovery > self.bound:
            raise ValueError("the recovery threshold of an 'above' rule must not be over its threshold")
        if self.hold < 1 or self.min_sample < 0:
            raise ValueError("hold must be at least 1 and min_sample at least 0")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a watched number stands: the state, since when, how many days in a row agree with leaving it, the number
    of episodes so far, the state to which a frozen one goes back, and which local day was judged last, on data that
    was complete up to when."""

    state: State
    since: datetime
    streak: int = 0
    number: int = 0
    beneath: State | None = None
    judged_on: date | None = None
    judged_as_of: datetime | None = None


def newest_day(as_of: datetime, delay: timedelta, *zones: ZoneInfo) -> date:
    """The last local day that may be judged on data complete up to `as_of`: midnight and the delay have passed, in
    every one of the zones."""
    return min((as_of - delay).astimezone(zone).date() for zone in zones)


def days_due(standing: Standing, newest: date, hold: int) -> list[date]:
    """The days to judge, oldest first: those that were missed, and the newest (again, where it was judged already).

    What was never judged looks back over `hold` days at once. None where the newest day lies before the last one.
    """
    if standing.judged_on is None:
        first = newest - timedelta(days=hold - 1)
    else:
        first = max(min(standing.judged_on + timedelta(days=1), newest), newest - timedelta(days=MOST_MISSED - 1))
        if newest < standing.judged_on:
            return []
    return [first + timedelta(days=after) for after in range((newest - first).days + 1)]


def judge(
    threshold: Threshold,
    standing: Standing,
    measured: Measured,
    *,
    day: date,
    present: bool,
    as_of: datetime,
    now: datetime,
) -> tuple[Standing, Transition | None]:
    """The next standing, and what must be told, if anything.

    `day` is the local day that is judged, `present` whether it is the newest one: only that may fire. `as_of` is when
    the data was last known to be complete. A day is judged once; again only on newer data, which may then end an
    episode at once, or take back what is not told yet, but never fires.
    """
    if standing.state in FROZEN:
        return standing, None
    again = standing.judged_on is not None and day <= standing.judged_on
    if again and (day != standing.judged_on or (standing.judged_as_of is not None and as_of <= standing.judged_as_of)):
        return standing, None
    row = standing.judged_on is not None and day - standing.judged_on == timedelta(days=1)
    streak = standing.streak if row or again else 0
    standing = replace(standing, judged_on=day, judged_as_of=as_of, streak=streak)
    if again:
        return _again(threshold, standing, measured, now)
    if not can_judge(threshold, measured):
        if standing.state in OPEN:
            return standing, None
        return _to(replace(standing, streak=0), State.NO_DATA, now), None
    if standing.state in OPEN:
        if not is_good(threshold, measured):
            return _to(replace(standing, streak=0), State.FIRING, now), None
        return _towards(threshold, standing, streak + 1, now)
    if not is_bad(threshold, measured):
        return _to(replace(standing, streak=0), State.OK, now), None
    streak += 1
    if present and streak >= threshold.hold:
        return replace(standing, state=State.FIRING, since=now, streak=0, number=standing.number + 1), Transition.FIRED
    return _to(replace(standing, streak=streak), State.PENDING, now), None


def _towards(threshold: Threshold, standing: Standing, good: int, now: datetime) -> tuple[Standing, Transition | None]:
    """So many good days in a row, in an open episode."""
    if good >= threshold.hold:
        return replace(standing, state=State.OK, since=now, streak=0), Transition.RECOVERED
    return _to(replace(standing, streak=good), State.RECOVERING, now), None


def _again(
    threshold: Threshold, standing: Standing, measured: Measured, now: datetime
) -> tuple[Standing, Transition | None]:
    """The day that was judged last, on newer data."""
    if not can_judge(threshold, measured):
        return standing, None
    good, bad = is_good(threshold, measured), is_bad(threshold, measured)
    match standing.state:
        case State.FIRING if good:
            return replace(standing, state=State.OK, since=now, streak=0), Transition.CORRECTED
        case State.RECOVERING if not good:
            return _to(replace(standing, streak=0), State.FIRING, now), None
        case State.PENDING | State.NO_DATA if not bad:
            return _to(replace(standing, streak=0), State.OK, now), None
    return standing, None


def _to(standing: Standing, state: State, now: datetime) -> Standing:
    return standing if standing.state is state else replace(standing, state=state, since=now)


def freeze(standing: Standing, state: State, now: datetime) -> Standing:
    """Stale or paused: what lies beneath is remembered."""
    if standing.state is state:
        return standing
    return replace(standing, state=state, since=now, beneath=standing.beneath or standing.state)


def thaw(standing: Standing, now: datetime) -> Standing:
    """Back to what lay beneath; the days in between are then judged in their order."""
    if standing.beneath is None:
        return standing
    return replace(standing, state=standing.beneath, since=now, beneath=None)


def close(standing: Standing, now: datetime) -> Standing:
    """Over for a reason that is not in the data: nobody watches it any more."""
    return replace(standing, state=State.OK, since=now, streak=0, beneath=None)


def can_judge(threshold: Threshold, measured: Measured) -> bool:
    """There is a value, on a large enough sample."""
    if measured.value is None:
        return False
    return measured.denominator is None or measured.denominator >= threshold.min_sample


def is_bad(threshold: Threshold, measured: Measured) -> bool:
    """A value that can be judged lies on the bad side: with its whole interval, where it has one.

    Where the bound was measured too, the margins of both are added as those of a difference (Newcombe's).
    """
    if measured.value is None:
        return False
    low, high = interval(threshold, measured)
    bound = Fraction(threshold.bound)
    short, margin = (
        (bound - measured.value, high) if threshold.direction is Direction.BELOW else (measured.value - bound, low)
    )
    if short <= 0:
        return False
    return float(short) > sqrt((float(margin) - float(measured.value)) ** 2 + threshold.blur**2)


def interval(threshold: Threshold, measured: Measured) -> tuple[float, float]:
    """Where the number lies by the data at hand, in its unit: Wilson for a share, Poisson for a count; the value twice
    where nothing better is known."""
    if measured.value is None:
        raise ValueError("there is no interval without a value")
    if measured.interval is not None and measured.numerator is not None and measured.denominator is not None:
        return wilson(int(measured.numerator), int(measured.denominator), Z) or measured.interval
    if threshold.counted:
        return poisson(int(measured.value))
    return float(measured.value), float(measured.value)


def poisson(count: int, z: float = Z) -> tuple[float, float]:
    """Where the mean of a counted number lies (Byar's approximation of the exact interval)."""
    more = count + 1
    high = more * (1 - 1 / (9 * more) + z / (3 * sqrt(more))) ** 3
    low = count * max(0.0, 1 - 1 / (9 * count) - z / (3 * sqrt(count))) ** 3 if count else 0.0
    return low, high


def is_good(threshold: Threshold, measured: Measured) -> bool:
    """A value that can be judged has reached the recovery threshold."""
    if measured.value is None:
        return False
    if threshold.direction is Direction.BELOW:
        return measured.value >= Fraction(threshold.recovery)
    return measured.value <= Fraction(threshold.recovery)
