"""When a number is bad enough to say so: the alert machine, pure.

A rate whose numerator is part of its denominator is bad only when its whole Wilson interval lies on the wrong side of
the threshold, and only on a large enough sample; any other number is compared as it is. A state is left after several
evaluations in a row, each on newer data. Too little data, or none, neither fires nor resolves.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from kpi.query import Measured


class State(StrEnum):
    OK = "ok"
    PENDING = "pending"
    """Bad, but not yet for long enough."""
    FIRING = "firing"
    RECOVERING = "recovering"
    """Firing, and good again, but not yet for long enough."""
    NO_DATA = "no_data"
    """Not firing, and too little data to judge."""


class Transition(StrEnum):
    """What must be told."""

    FIRED = "fired"
    RECOVERED = "recovered"


class Direction(StrEnum):
    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, slots=True)
class Threshold:
    """`bound` and `recovery` in the number's own unit (percent points, minor units, days, count).

    `recovery` lies on the good side of `bound` or on it, so that a number between them changes nothing. `min_sample`
    is the least denominator of a rate; a number without a denominator has no sample to be small. `hold` is how many
    evaluations in a row, on newer and newer data, it takes to fire and to recover.
    """

    bound: Decimal
    recovery: Decimal
    direction: Direction
    min_sample: int = 12
    hold: int = 2

    def __post_init__(self) -> None:
        if self.direction is Direction.BELOW and self.recovery < self.bound:
            raise ValueError("the recovery threshold of a 'below' rule must not be under its threshold")
        if self.direction is Direction.ABOVE and self.recovery > self.bound:
            raise ValueError("the recovery threshold of an 'above' rule must not be over its threshold")
        if self.hold < 1 or self.min_sample < 0:
            raise ValueError("hold must be at least 1 and min_sample at least 0")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a watched number stands: the state, since when, how many evaluations in a row agree with leaving it, the
    number of episodes so far, and how fresh the data was at the last evaluation."""

    state: State
    since: datetime
    streak: int = 0
    number: int = 0
    judged_as_of: datetime | None = None


def judge(
    threshold: Threshold, standing: Standing, measured: Measured, as_of: datetime | None, now: datetime
) -> tuple[Standing, Transition | None]:
    """The next standing, and what must be told, if anything.

    `as_of` is when the data was last known to be complete; data that is not newer than last time changes nothing.
    """
    if as_of is None or (standing.judged_as_of is not None and as_of <= standing.judged_as_of):
        return standing, None
    standing = replace(standing, judged_as_of=as_of)
    if not can_judge(threshold, measured):
        if standing.state in {State.FIRING, State.RECOVERING, State.NO_DATA}:
            return standing, None
        return replace(standing, state=State.NO_DATA, since=now, streak=0), None
    if standing.state in {State.FIRING, State.RECOVERING}:
        return _while_firing(threshold, standing, good=is_good(threshold, measured), now=now)
    return _while_quiet(threshold, standing, bad=is_bad(threshold, measured), now=now)


def _while_quiet(
    threshold: Threshold, standing: Standing, *, bad: bool, now: datetime
) -> tuple[Standing, Transition | None]:
    if not bad:
        since = standing.since if standing.state is State.OK else now
        return replace(standing, state=State.OK, since=since, streak=0), None
    streak = standing.streak + 1 if standing.state is State.PENDING else 1
    if streak >= threshold.hold:
        fired = replace(standing, state=State.FIRING, since=now, streak=0, number=standing.number + 1)
        return fired, Transition.FIRED
    since = standing.since if standing.state is State.PENDING else now
    return replace(standing, state=State.PENDING, since=since, streak=streak), None


def _while_firing(
    threshold: Threshold, standing: Standing, *, good: bool, now: datetime
) -> tuple[Standing, Transition | None]:
    if not good:
        since = standing.since if standing.state is State.FIRING else now
        return replace(standing, state=State.FIRING, since=since, streak=0), None
    streak = standing.streak + 1 if standing.state is State.RECOVERING else 1
    if streak >= threshold.hold:
        return replace(standing, state=State.OK, since=now, streak=0), Transition.RECOVERED
    since = standing.since if standing.state is State.RECOVERING else now
    return replace(standing, state=State.RECOVERING, since=since, streak=streak), None


def can_judge(threshold: Threshold, measured: Measured) -> bool:
    """There is a value, on a large enough sample."""
    if measured.value is None:
        return False
    return measured.denominator is None or measured.denominator >= threshold.min_sample


def is_bad(threshold: Threshold, measured: Measured) -> bool:
    """A value that can be judged lies on the bad side: with its whole interval, where it has one."""
    low, high = measured.interval or (measured.value, measured.value)
    bound = Fraction(threshold.bound)
    if threshold.direction is Direction.BELOW:
        return high is not None and high < bound
    return low is not None and low > bound


def is_good(threshold: Threshold, measured: Measured) -> bool:
    """A value that can be judged has reached the recovery threshold."""
    if measured.value is None:
        return False
    if threshold.direction is Direction.BELOW:
        return measured.value >= Fraction(threshold.recovery)
    return measured.value <= Fraction(threshold.recovery)
