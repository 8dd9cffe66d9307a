"""The law of delivery on some seeds, and the wrong designs that it must catch; `make torture` tries ten thousand
seeds."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import Engine

from tests.laws.delivered import OVER, delivery_law, strike
from tests.laws.designs import DESIGNS, sdk_retries
from tests.laws.torture import TRIES

CHUNK = 10
"""Seeds of one test: few enough to be shared out among processes."""
CHUNKS = [*(("sqlite", first) for first in range(0, 40, CHUNK)), ("postgresql", 180)]
ON_THE_WIRE = range(190, 200)
FROM = {"no_echo": 20, "lease_on_the_workers_clock": 37}
"""The first seed to try, for designs that few scenarios betray; `make torture` looks for one by itself."""

only_sqlite = pytest.mark.parametrize("there", ["sqlite"], indirect=True)

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture(scope="module")
def stage(there: Engine) -> Iterator[Engine]:
    yield there
    strike(there)


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """What goes wrong on purpose is not worth a line."""
    caplog.set_level(logging.CRITICAL)


@pytest.mark.parametrize(("there", "first"), CHUNKS, indirect=["there"])
def test_each_letter_is_seen_once_whatever_befalls_three_processes(stage: Engine, first: int) -> None:
    for seed in range(first, first + CHUNK):
        play(stage, OVER[0], seed)


@only_sqlite
def test_it_is_so_too_where_the_sdk_itself_speaks_to_slack(stage: Engine) -> None:
    for seed in ON_THE_WIRE:
        play(stage, OVER[1], seed)


@only_sqlite
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.__name__)
def test_the_law_catches_a_wrong_design(stage: Engine, design: Callable[[], AbstractContextManager[None]]) -> None:
    how = OVER[1] if design is sdk_retries else OVER[0]
    first = FROM.get(design.__name__, 0)
    for seed in range(first, first + TRIES):
        try:
            with design():
                delivery_law(stage, how, seed)
        except AssertionError:
            return
    pytest.fail(f"{design.__name__} is not caught in {TRIES} scenarios")


def play(engine: Engine, how: str, seed: int) -> None:
    try:
        delivery_law(engine, how, seed)
    except AssertionError as failure:
        failure.add_note(f"law delivery, {how}, {engine.dialect.name}, seed {seed}")
        raise
