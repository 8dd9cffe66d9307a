"""Law `crash`: a kill at every statement, commit and call, times every pair of answers, loses and doubles nothing."""

from itertools import product

from sqlalchemy import Engine

from tests.crash.test_delivery import ANSWERS, kill_everywhere

PAIRS = {f"{one}, {other}": [one, other] for one, other in product(ANSWERS, ANSWERS)}


def pairs() -> tuple[str, ...]:
    return tuple(PAIRS)


def crash_law(engine: Engine, pair: str, _seed: int) -> int:
    """Every place of one pair of answers; raises `AssertionError` with the first place that is wrong."""
    places = kill_everywhere(engine, PAIRS[pair])
    assert places > 12, "the bomb was meant to find many places"
    return places
