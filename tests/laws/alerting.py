"""The law of alerts: the machine is the one that is written down a second time here, a healthy team is left in peace,
and a team that falls is found.

One seed is one of: a thousand years of healthy teams at one pace, a thousand falls, a thousand months around the
threshold; two hundred random histories of the machine; or a rule's life through the jobs and the database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from bot.jobs import judging
from kpi import threshold as machine
from kpi.formulas import rate
from kpi.query import Measured
from kpi.threshold import Direction, Standing, State, Threshold, Transition
from storage import rules
from storage.rules import Episode
from tests.laws.alert_lives import live
from tests.laws.plants import patched

PACES = (2, 5, 10, 20)
"""Closings a week."""
WINDOW, YEAR, MONTH = 28, 365, 30
WITHIN = 28
"""Days in which a fall is to be found."""
MOST_FALSE, LEAST_FOUND = 0.2, 0.8
HISTORIES = 200
MACHINES = 106
"""Four paces, the falls, the months around the threshold, and twenty thousand histories."""
SEEDS = 170
"""These, and so many lives."""

START = datetime(2026, 1, 1, 1, tzinfo=UTC)
BELOW_25 = Threshold(Decimal(25), Decimal(30), Direction.BELOW)
"""The recommended kind of rule, with what a new rule gets."""


def alerts_law(engine: Engine, _over: str, seed: int, size: int = 1000) -> int:
    """Raises `AssertionError` where an alert is false, missing or noise; gives back how many lives it was."""
    generator = np.random.default_rng(seed)
    kind = seed % SEEDS
    if kind < len(PACES):
        false = false_episodes(generator, PACES[kind], size)
        assert false <= MOST_FALSE, f"{false} false episodes a team-year at {PACES[kind]} closings a week"
        return size
    if kind == len(PACES):
        found = falls_found(generator, size)
        assert found >= LEAST_FOUND, f"{found:.0%} of the falls were found within {WITHIN} days"
        return size
    if kind == len(PACES) + 1:
        most = max(len(fired) for fired in lives(generator, 20, np.full(MONTH, 0.25), size))
        assert most <= 1, f"{most} episodes in {MONTH} days around the threshold"
        return size
    if kind >= MACHINES:
        live(engine, generator)
        return 1
    for _ in range(HISTORIES):
        history(generator)
    return HISTORIES


# Teams that live


def false_episodes(generator: np.random.Generator, pace: int, years: int) -> float:
    """Episodes a year of teams that win 30 % of their deals, as they always did."""
    return sum(map(len, lives(generator, pace, np.full(YEAR, 0.30), years))) / years


def falls_found(generator: np.random.Generator, teams: int) -> float:
    """The share of teams that fell from 30 % to 10 % at 20 closings a week and were told of it within four weeks."""
    before = 28
    fallen = np.concatenate([np.full(before, 0.30), np.full(WITHIN, 0.10)])
    found = [any(day >= before for day in fired) for fired in lives(generator, 20, fallen, teams)]
    return sum(found) / teams


def lives(generator: np.random.Generator, pace: int, chances: np.ndarray, teams: int) -> Iterator[list[int]]:
    """For each team, the days on which an alert fired: judged each day over its last 28, as the product does.

    Deals close on working days; half of the teams close so many each week, the others so many in the mean.
    """
    weeks = -(-(WINDOW + len(chances)) // 7)
    fixed = generator.multinomial(pace, [0.2] * 5, size=(teams // 2, weeks))
    closed = np.concatenate([fixed, generator.poisson(pace / 5, size=(teams - teams // 2, weeks, 5))])
    daily = np.concatenate([closed, np.zeros((teams, weeks, 2), dtype=closed.dtype)], axis=2).reshape(teams, -1)
    daily = daily[:, : WINDOW + len(chances)]
    won = generator.binomial(daily, np.concatenate([np.full(WINDOW, chances[0]), chances]))
    sums = [np.cumsum(each, axis=1) for each in (won, daily)]
    windows = [(each[:, WINDOW:] - each[:, :-WINDOW]).tolist() for each in sums]
    for numerators, denominators in zip(*windows, strict=True):
        standing, fired = Standing(State.OK, START), []
        for day, (numerator, denominator) in enumerate(zip(numerators, denominators, strict=True)):
            at = START + timedelta(days=day)
            standing, told = machine.judge(
                BELOW_25, standing, _rate(numerator, denominator), day=at.date(), present=True, as_of=at, now=at
            )
            if told is Transition.FIRED:
                fired.append(day)
        yield fired


@lru_cache(maxsize=100_000)
def _rate(numerator: int, denominator: int) -> Measured:
    return rate(numerator, denominator, subset=True)


# The machine, written a second time


@dataclass
class Reference:
    """What an alert does, in the words of the decision record; its interval is the score test, not its inversion."""

    rule: Threshold
    open: bool = False
    label: str = "ok"
    run: int = 0
    episodes: int = 0
    frozen: str | None = None
    day: date | None = None
    as_of: datetime | None = None

    def verdict(self, numerator: int, denominator: int) -> str:
        if denominator < self.rule.min_sample or not denominator:
            return "none"
        sign = 1 if self.rule.direction is Direction.BELOW else -1
        share, bound = numerator / denominator, float(self.rule.bound) / 100
        z = NormalDist().inv_cdf(0.985)
        short = sign * (bound - share)
        if short > 0 and short * short * denominator > z * z * bound * (1 - bound):
            return "bad"
        return "good" if sign * (100 * numerator - float(self.rule.recovery) * denominator) >= 0 else "between"

    def look(self, day: date, present: bool, as_of: datetime, numerator: int, denominator: int) -> str | None:
        seen = self.verdict(numerator, denominator)
        if self.frozen or (self.day is not None and day < self.day):
            return None
        if day == self.day:
            if self.as_of is not None and as_of <= self.as_of:
                return None
            self.as_of = as_of
            return self._again(seen)
        if self.day is None or day != self.day + timedelta(days=1):
            self.run = 0
        self.day, self.as_of = day, as_of
        if self.open:
            if seen == "none":
                return None
            self.run = self.run + 1 if seen == "good" else 0
            self.label = "recovering" if self.run else "firing"
            return self._end("recovered") if self.run >= self.rule.hold else None
        self.run = self.run + 1 if seen == "bad" else 0
        self.label = {"bad": "pending", "none": "no_data"}.get(seen, "ok")
        if not (present and self.run >= self.rule.hold):
            return None
        self.open, self.label, self.run, self.episodes = True, "firing", 0, self.episodes + 1
        return "fired"

    def _again(self, seen: str) -> str | None:
        if self.open and self.label == "firing" and seen == "good":
            return self._end("corrected")
        if self.open and self.label == "recovering" and seen in {"bad", "between"}:
            self.label, self.run = "firing", 0
        if not self.open and seen in {"good", "between"}:
            self.label, self.run = "ok", 0
        return None

    def _end(self, how: str) -> str:
        self.open, self.label, self.run = False, "ok", 0
        return how


def history(generator: np.random.Generator) -> None:
    """Forty things that happen to a rule; the product and the reference say the same at each."""
    below = bool(generator.random() < 0.7)
    rule = Threshold(
        Decimal(25) if below else Decimal(60),
        Decimal(30) if below else Decimal(55),
        Direction.BELOW if below else Direction.ABOVE,
        hold=int(generator.integers(1, 5)),
    )
    standing, reference = Standing(State.OK, START), Reference(rule)
    day, hours, told = START.date(), 0, list[str]()
    likely = 0.5
    for _ in range(40):
        act = generator.random()
        if act < 0.05:
            kind = State.STALE if generator.random() < 0.5 else State.PAUSED
            standing, reference.frozen = machine.freeze(standing, kind, START), kind.value
        elif act < 0.12:
            standing, reference.frozen = machine.thaw(standing, START), None
        likely = float(generator.choice([0.05, 0.28, 0.6, 0.9])) if generator.random() < 0.3 else likely
        denominator = int(generator.choice([0, 2, 11, 12, 20, 40, 60]))
        numerator = int(generator.binomial(denominator, likely))
        if generator.random() < 0.7:
            day, hours = day + timedelta(days=int(generator.choice([1, 1, 1, 1, 1, 1, 2, 3]))), 0
        hours += int(generator.integers(0, 2))
        present = bool(generator.random() < 0.85)
        as_of = datetime.combine(day, START.timetz()) + timedelta(hours=hours)
        standing, said = machine.judge(
            rule, standing, _rate(numerator, denominator), day=day, present=present, as_of=as_of, now=as_of
        )
        expected = reference.look(day, present, as_of, numerator, denominator)
        assert said == expected, f"{said} instead of {expected} on {day}, {numerator} of {denominator}"
        assert standing.state == (reference.frozen or reference.label), f"{standing} and {reference}"
        assert (standing.number, standing.streak) == (reference.episodes, reference.run), f"{standing} and {reference}"
        assert said is None or not reference.frozen, "something was said of a frozen rule"
        assert said is None or denominator >= rule.min_sample, "something was said of next to nothing"
        told += [said] if said else []
    assert all((said == "fired") == (at % 2 == 0) for at, said in enumerate(told)), told


# What somebody might really write


@contextmanager
def the_interval_is_ignored() -> Iterator[None]:
    def is_bad(threshold: Threshold, measured: Measured) -> bool:
        below = threshold.direction is Direction.BELOW
        return measured.value is not None and (
            measured.value < threshold.bound if below else measured.value > threshold.bound
        )

    with patched(machine, "is_bad", is_bad):
        yield


@contextmanager
def a_day_counts_at_every_sync() -> Iterator[None]:
    there = machine.judge

    def judge(threshold: Threshold, standing: Standing, measured: Measured, **told: Any) -> Any:
        if standing.judged_on == told["day"] and standing.state not in machine.FROZEN:
            standing = replace(standing, judged_on=told["day"] - timedelta(days=1))
        return there(threshold, standing, measured, **told)

    with patched(machine, "judge", judge):
        yield


@contextmanager
def late_data_is_judged_all_the_same() -> Iterator[None]:
    with patched(machine, "FROZEN", frozenset({State.PAUSED})):
        yield


@contextmanager
def two_deals_are_enough() -> Iterator[None]:
    with patched(machine, "can_judge", lambda _threshold, measured: measured.value is not None):
        yield


@contextmanager
def it_is_over_as_soon_as_it_is_not_bad() -> Iterator[None]:
    with patched(machine, "is_good", lambda threshold, measured: not machine.is_bad(threshold, measured)):
        yield


@contextmanager
def a_day_that_is_over_fires() -> Iterator[None]:
    there = machine.judge
    with patched(machine, "judge", lambda *args, **told: there(*args, **(told | {"present": True}))):
        yield


@contextmanager
def what_is_late_is_not_frozen() -> Iterator[None]:
    with patched(judging, "_frozen", lambda *_: []):
        yield


@contextmanager
def reminders_come_in_a_snooze() -> Iterator[None]:
    def snooze(connection: Connection, workspace_id: str, letter_id: str, until: datetime) -> list[Episode]:
        change = {"snoozed_until": until}
        return rules._change(connection, workspace_id, letter_id, sa.true(), change)  # noqa: SLF001

    with patched(rules, "snooze", snooze):
        yield


PLANTS = (
    the_interval_is_ignored,
    a_day_counts_at_every_sync,
    late_data_is_judged_all_the_same,
    two_deals_are_enough,
    it_is_over_as_soon_as_it_is_not_bad,
    a_day_that_is_over_fires,
    what_is_late_is_not_frozen,
    reminders_come_in_a_snooze,
)
"""The first are bugs of the machine, the last two of the jobs: only lives show them."""
OF_LIVES = 2
