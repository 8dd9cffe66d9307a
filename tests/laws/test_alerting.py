"""The law of alerts on a few lives; `make torture` lives many more (`tests/laws/alerting.py`)."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np
import pytest

from tests.laws.alerting import (
    LEAST_FOUND,
    MOST_FALSE,
    OF_LIVES,
    PACES,
    PLANTS,
    falls_found,
    false_episodes,
    history,
    lives,
)


def test_the_machine_says_what_the_one_says_that_is_written_a_second_time() -> None:
    generator = np.random.default_rng(20261123)
    for _ in range(300):
        history(generator)


@pytest.mark.parametrize("plant", PLANTS[:-OF_LIVES], ids=lambda plant: plant.__name__)
def test_a_planted_bug_shows(plant: Callable[[], AbstractContextManager[None]]) -> None:
    generator = np.random.default_rng(1)
    with plant(), pytest.raises(AssertionError):
        for _ in range(300):
            history(generator)


@pytest.mark.parametrize("pace", PACES)
def test_a_healthy_team_is_left_in_peace(pace: int) -> None:
    assert false_episodes(np.random.default_rng(pace), pace, 60) <= MOST_FALSE


def test_a_fall_is_found_within_four_weeks() -> None:
    assert falls_found(np.random.default_rng(7), 200) >= LEAST_FOUND


def test_a_month_around_the_threshold_is_one_episode_at_most() -> None:
    assert max(map(len, lives(np.random.default_rng(9), 20, np.full(30, 0.25), 200))) <= 1
