"""Some lives of a rule through the jobs and both databases; `make torture` lives more (`tests/laws/alert_lives.py`)."""

import numpy as np
from sqlalchemy import Engine

from tests.laws.alert_lives import live


def test_nothing_is_said_twice_or_while_a_rule_is_late_paused_or_snoozed(database: Engine) -> None:
    for seed in range(2):
        live(database, np.random.default_rng(seed))
