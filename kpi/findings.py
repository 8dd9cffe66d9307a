"""What is worth saying about a set of answers: real changes, gaps to targets, groups that explain a change. Pure.

A change is real when it lies outside its own interval: Newcombe's for two rates, the exact share of a common total
for two counts over windows of equal length. Amounts of money and days have no interval here, and are never called out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import sqrt

from kpi.catalog import kpi
from kpi.query import Group, KpiResult, Measured, Unit

Z = 1.959963984540054
"""Of a 95 % interval."""

_NONE = Fraction(0)


@dataclass(frozen=True, slots=True)
class Change:
    """The value moved by more than chance explains. `strength` is the difference over the margin of its interval."""

    result: KpiResult
    strength: float
    good: bool | None
    """None = neither direction is better."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The value is on the wrong side of its target; `relative` is the distance over the target."""

    result: KpiResult
    target: Decimal
    relative: Fraction


@dataclass(frozen=True, slots=True)
class Contribution:
    """One group explains at least half of a change of the whole; both in the unit of the result."""

    result: KpiResult
    group: Group
    part: Fraction
    whole: Fraction


Finding = Change | Gap | Contribution


def findings(results: Sequence[KpiResult], grouped: Iterable[KpiResult] = ()) -> list[Finding]:
    """At most one of each kind: the strongest change, the widest gap, the largest contribution.

    `results` are single numbers with what they were before and their target; `grouped` answer some of the same
    questions by group.
    """
    changes = [change for change in map(change_of, results) if change is not None]
    gaps = [gap for gap in map(gap_of, results) if gap is not None]
    moved = {change.result.query.metric for change in changes}
    parts = [part for part in map(contribution_of, grouped) if part is not None]
    found: list[Finding] = []
    if changes:
        found.append(max(changes, key=lambda change: change.strength))
    if gaps:
        found.append(max(gaps, key=lambda gap: gap.relative))
    if parts:
        # A group that explains a change that is real, rather than one of the noise.
        found.append(max(parts, key=lambda part: (part.result.query.metric in moved, abs(part.part / part.whole))))
    return found


def is_better(result: KpiResult, difference: Fraction) -> bool | None:
    """Whether a difference of the value is good news; None when it is none, or neither direction is better."""
    higher = kpi(result.query.metric).higher_is_better
    if higher is None or difference == 0:
        return None
    return (difference > 0) == higher


def change_of(result: KpiResult) -> Change | None:
    """The change against the period before, when it lies outside its interval and rests on enough."""
    if result.previous is None:
        return None
    now, before = result.measured, result.previous.measured
    if now.value is None or before.value is None or now.few or before.few:
        return None
    strength = _rates(now, before) if result.unit is Unit.PERCENT else None
    if result.unit is Unit.COUNT:
        strength = _counts(now.value, before.value)
    if strength is None or strength <= 1:
        return None
    return Change(result, strength, is_better(result, now.value - before.value))


def _rates(now: Measured, before: Measured) -> float | None:
    """The difference of two rates over the margin of Newcombe's interval: above 1 = zero lies outside."""
    ends = sorted(
        (float(each.value), each.interval)
        for each in (now, before)
        if each.value is not None and each.interval is not None
    )
    if len(ends) < 2:
        return None
    (low, (_, low_end)), (high, (high_end, _)) = ends
    margin = sqrt((high - high_end) ** 2 + (low_end - low) ** 2)
    return (high - low) / margin if margin else None


def _counts(now: Fraction, before: Fraction) -> float | None:
    """Given their sum, the share of one of two equal counts is a half: how far outside Wilson's interval is that?"""
    total = float(now + before)
    if total < 12:
        return None
    # |share - 1/2| over z * sqrt(1/4 / total): the score test that Wilson's interval inverts.
    return abs(float(now) / total - 0.5) / (Z * sqrt(0.25 / total))


def gap_of(result: KpiResult) -> Gap | None:
    """How far the value is on the wrong side of its target; None without a target, without enough data, or when met."""
    value, target = result.measured.value, result.target
    better = kpi(result.query.metric).higher_is_better
    if value is None or target is None or target <= 0 or better is None or result.measured.few:
        return None
    aim = in_unit(target, result)
    missing = aim - value if better else value - aim
    return Gap(result, target, missing / aim) if missing > 0 else None


def in_unit(target: Decimal, result: KpiResult) -> Fraction:
    """A target or threshold (major currency units) in the unit of the result's values (minor units)."""
    from kpi.format import major

    exact = Fraction(target)
    return exact / major(Fraction(1), result.currency) if result.unit is Unit.MONEY else exact


def contribution_of(grouped: KpiResult) -> Contribution | None:
    """The group that explains most of the change of the whole, when it explains at least half of it."""
    if grouped.previous is None:
        return None
    now, before = grouped.measured, grouped.previous.measured
    if now.value is None or before.value is None or now.value == before.value:
        return None
    whole = now.value - before.value
    parts = [(part, group) for group in grouped.groups if (part := _part(grouped, group)) is not None]
    parts = [(part, group) for part, group in parts if part * whole > 0]
    if not parts:
        return None
    part, group = max(parts, key=lambda each: abs(each[0]))
    return Contribution(grouped, group, part, whole) if abs(part) * 2 >= abs(whole) else None


def _part(grouped: KpiResult, group: Group) -> Fraction | None:
    """What a group added to the change of the whole: these parts add up to it.

    Of a ratio R = sum of (share of the group x its ratio): the change of that product, less what the change of its
    share would have done at the ratio the whole had before.
    """
    if group.previous is None or grouped.previous is None:
        return None
    now, before, mine, then = grouped.measured, grouped.previous.measured, group.measured, group.previous
    if now.denominator is None or before.denominator is None:
        return (mine.value or _NONE) - (then.value or _NONE)
    if not now.denominator or not before.denominator or before.value is None:
        return None
    scale = 100 if grouped.unit is Unit.PERCENT else 1
    share_now = (mine.denominator or _NONE) / now.denominator
    share_before = (then.denominator or _NONE) / before.denominator
    added = (mine.numerator or _NONE) / now.denominator - (then.numerator or _NONE) / before.denominator
    return added * scale - (share_now - share_before) * before.value


def shortfall(group: Measured, bound: Fraction, *, below: bool) -> Fraction:
    """How many units of the numerator a group is away from the threshold: what "look here first" is ranked by."""
    if group.value is None:
        return Fraction(0)
    distance = bound - group.value if below else group.value - bound
    return distance * (group.denominator if group.denominator is not None else 1)


def did_well(by_rep: KpiResult, most: int) -> list[Group]:
    """The reps with enough deals whose rate is above everybody's, and not short of the target, best first.

    Those below are nobody's business.
    """
    everybody = by_rep.measured.value
    if everybody is None:
        return []
    aim = None if by_rep.target is None else in_unit(by_rep.target, by_rep)
    above = [
        (group.measured.value, group.name or "", group)
        for group in by_rep.groups
        if group.key is not None
        and group.measured.value is not None
        and not group.measured.few
        and is_better(by_rep, group.measured.value - everybody)
        and (aim is None or is_better(by_rep, group.measured.value - aim) is not False)
    ]
    above.sort(key=lambda each: (-each[0], each[1]))
    return [group for _, _, group in above[:most]]
